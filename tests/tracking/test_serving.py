"""What MLflow's application is told; the process itself is started in test_ui.py."""

import pytest

from tracking.serving import PLACES, places, require_names


def test_the_names_are_those_of_the_installed_mlflow() -> None:
    require_names()


def test_another_mlflow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLACES, "BACKEND_STORE_URI_ENV_VAR", "_OF_ANOTHER_RELEASE")
    with pytest.raises(
        RuntimeError, match=r"must know BACKEND_STORE_URI_ENV_VAR as _OF_ANOTHER_RELEASE, but has _MLFLOW"
    ):
        require_names()


def test_the_database_and_the_artifacts_are_named() -> None:
    found = places("sqlite:////record/mlflow.db", "/record/artifacts")
    assert found["_MLFLOW_SERVER_FILE_STORE"] == found["_MLFLOW_SERVER_REGISTRY_STORE"] == "sqlite:////record/mlflow.db"
    assert found["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] == "/record/artifacts"
