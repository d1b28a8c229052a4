"""Where things lie in the record's folder. Without MLflow, whose import takes seconds."""

from pathlib import Path

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"


def uri_of(database: Path) -> str:
    """The address of a database file as MLflow wants it: absolute, so that no working directory matters."""
    return f"sqlite:///{database}"
