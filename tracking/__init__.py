"""The record: MLflow store, runs, provenance and diagnosis. The only package that imports mlflow."""

import os

# MLflow reads this when it is imported, so it stands before every import of it; child processes inherit it.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
