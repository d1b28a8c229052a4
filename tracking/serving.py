"""The process that serves MLflow's pages: MLflow's own application in one process.

`mlflow server` imports MLflow in a process of its own, and then again in the one that answers, which doubles the start.
"""

import os
import sys

#: What `mlflow server` tells its application, by the names of the constants in mlflow.server.constants.
PLACES = {
    "BACKEND_STORE_URI_ENV_VAR": "_MLFLOW_SERVER_FILE_STORE",
    "REGISTRY_STORE_URI_ENV_VAR": "_MLFLOW_SERVER_REGISTRY_STORE",
    "ARTIFACT_ROOT_ENV_VAR": "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "ARTIFACTS_DESTINATION_ENV_VAR": "_MLFLOW_SERVER_ARTIFACT_DESTINATION",
    "SERVE_ARTIFACTS_ENV_VAR": "_MLFLOW_SERVER_SERVE_ARTIFACTS",
}


def places(uri: str, artifacts: str) -> dict[str, str]:
    """The variables by which the application knows its database and the folder of its artifacts."""
    values = {
        "BACKEND_STORE_URI_ENV_VAR": uri,
        "REGISTRY_STORE_URI_ENV_VAR": uri,
        "ARTIFACT_ROOT_ENV_VAR": "mlflow-artifacts:/",
        "ARTIFACTS_DESTINATION_ENV_VAR": artifacts,
        "SERVE_ARTIFACTS_ENV_VAR": "true",
    }
    return {PLACES[name]: value for name, value in values.items()}


def require_names() -> None:
    """Refuse an MLflow that has other names for these: it would serve an empty record.

    Raises:
        RuntimeError: it has.
    """
    from mlflow.server import constants

    for constant, name in PLACES.items():
        found = getattr(constants, constant, "no such name")
        if found != name:
            raise RuntimeError(
                f"MLflow's server must know {constant} as {name}, but has {found}; install mlflow as constraints.txt has it"
            )


def main(host: str, port: int) -> None:
    """Serve until a signal ends it. The variables of `places` must be set before."""
    import uvicorn
    from mlflow.server.fastapi_app import app

    require_names()
    uvicorn.run(app, host=host, port=port, log_level="warning")


if __name__ == "__main__":
    os.environ.setdefault("_MLFLOW_SGI_NAME", "uvicorn")
    main(sys.argv[1], int(sys.argv[2]))
