"""Operations done on the database or server of a record."""

from pathlib import Path

from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracking.operations import KEY_TAG, Create, Operation, Remove, Upload, write

#: How a run is called until the record has given it an id.
KEY_PREFIX = "waiting-"


class UnknownRunError(LookupError):
    """The record has no run of this key: its creation was refused."""


class Delivery:
    """Does operations on one experiment.

    Args:
        client: of the database or server.
        experiment_id: of the experiment.
        artifacts: the folder in which every run has its own.
        uploads: whether a server keeps the artifacts besides.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, artifacts: Path, *, uploads: bool) -> None:
        self.client, self.experiment_id, self.artifacts, self.uploads = client, experiment_id, artifacts, uploads
        self._ids: dict[str, str] = {}

    def __call__(self, operation: Operation, *, again: bool) -> str | None:
        """Do an operation, which may have been done before; returns the id of a run that was begun."""
        if isinstance(operation, Create):
            return self.create(operation, again=again)
        run_id = self.id_of(operation.run)
        if isinstance(operation, Upload):
            self.upload(run_id, operation.path)
        elif isinstance(operation, Remove):
            self.remove(run_id, operation.path)
        else:
            write(self.client, run_id, operation)
        return None

    def create(self, operation: Create, *, again: bool) -> str:
        """Begin a run, or find the one that an earlier try began without hearing of it."""
        run_id = self.find(operation.run) if again else None
        if run_id is None:
            tags = dict(operation.tags)
            if MLFLOW_PARENT_RUN_ID in tags:
                tags[MLFLOW_PARENT_RUN_ID] = self.id_of(tags[MLFLOW_PARENT_RUN_ID])
            run = self.client.create_run(self.experiment_id, operation.start_ms, tags, operation.name)
            run_id = str(run.info.run_id)
        if again:
            self.adopt(operation.run, run_id)
        return run_id

    def adopt(self, key: str, run_id: str) -> None:
        """Give the artifacts that were written under a run's key the place of its id; the old name stays as a link."""
        named, own = self.artifacts / key, self.artifacts / run_id
        self._ids[key] = run_id
        if named.is_symlink():
            return
        if named.exists():
            named.rename(own)
        own.mkdir(exist_ok=True)
        named.symlink_to(run_id)

    def id_of(self, run: str) -> str:
        """The id of a run that may be named by its key.

        Raises:
            UnknownRunError: no run has this key.
        """
        if not run.startswith(KEY_PREFIX):
            return run
        if run not in self._ids:
            found = self.find(run)
            if found is None:
                raise UnknownRunError(f"the record has no run {run}")
            self._ids[run] = found
        return self._ids[run]

    def find(self, key: str) -> str | None:
        """The id of the run with this key, where there is one."""
        rows = self.client.search_runs([self.experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
        return str(rows[0].info.run_id) if rows else None

    def upload(self, run_id: str, path: str) -> None:
        """Copy a file or folder to the server; one that was removed meanwhile needs no copy."""
        source = self.artifacts / run_id / "artifacts" / path
        if not self.uploads or not source.exists():
            return
        if source.is_dir():
            self.client.log_artifacts(run_id, str(source), path)
        else:
            folder = Path(path).parent.as_posix()
            self.client.log_artifact(run_id, str(source), None if folder == "." else folder)

    def remove(self, run_id: str, path: str) -> None:
        """Remove a folder from the server, where it is there."""
        if self.uploads and self.client.list_artifacts(run_id, path):
            uri = self.client.get_run(run_id).info.artifact_uri
            get_artifact_repository(uri, tracking_uri=self.client.tracking_uri).delete_artifacts(path)
