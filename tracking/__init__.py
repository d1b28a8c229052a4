"""The record: MLflow store, runs, provenance and diagnosis. The only package that imports mlflow."""

import os

# MLflow reads this when it is imported, so it stands before every import of it; child processes inherit it.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# A server that is away is noticed at once and what it misses waits on disk (tracking/outbox.py); MLflow would try for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
# The commands print the pages that matter; MLflow would print two lines at the end of every trial.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
