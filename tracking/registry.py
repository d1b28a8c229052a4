"""Models in MLflow's registry: versions of one name, and the aliases that say what each is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from tracking.failure import record_errors
from tracking.store import Store

Alias = Literal["challenger", "champion"]


@dataclass(frozen=True)
class Version:
    """A version of a registered model: its number, the run that it came from, its tags."""

    name: str
    number: str
    run_id: str
    tags: dict[str, str]


def register_version(
    store: Store, name: str, run_id: str, folder: str, tags: Mapping[str, str], description: str
) -> Version:
    """Make a version of a model from a folder of a run's artifacts; a run's folder becomes a version once.

    Raises:
        RecordError: the registry cannot be reached or written.
    """
    with record_errors(f"registering a version of {name}"):
        known = store.delivery.id_of(run_id)
        for version in versions_of(store, name):
            if version.run_id == known:
                return version
        source = f"runs:/{known}/{folder}"
        made = store.client.create_model_version(name, source, known, tags=dict(tags), description=description)
        return version_of(made)


def versions_of(store: Store, name: str) -> list[Version]:
    """All versions of a model, which is made where there is none."""
    try:
        store.client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return [version_of(found) for found in store.client.search_model_versions(f"name='{name}'")]


def newest_version(store: Store, name: str) -> Version:
    """The version of a model that was made last; the model has one."""
    with record_errors(f"reading the versions of {name}"):
        return max(versions_of(store, name), key=lambda version: int(version.number))


def find_alias(store: Store, name: str, alias: Alias) -> Version | None:
    """The version that carries an alias; None where none does."""
    with record_errors(f"reading {name}@{alias}"):
        try:
            return version_of(store.client.get_model_version_by_alias(name, alias))
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise


def set_alias(store: Store, version: Version, alias: Alias) -> None:
    """Move an alias to a version."""
    with record_errors(f"moving {version.name}@{alias}"):
        store.client.set_registered_model_alias(version.name, alias, version.number)


def version_of(found: ModelVersion) -> Version:
    """MLflow's version as ours."""
    return Version(found.name, str(found.version), found.run_id, dict(found.tags))
