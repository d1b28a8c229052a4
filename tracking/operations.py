"""What can be written to the record, as values that can wait on disk; doing one twice is the same as doing it once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

#: Tag by which a run is found whose creation may or may not have reached a server.
KEY_TAG = "key"

#: (name, value, milliseconds since 1970, step). MLflow stores a point that is sent a second time once.
Point = tuple[str, float, int, int]


@dataclass(frozen=True)
class Create:
    """Begin a run; `run` is its key, under which it is known until the record has given it an id."""

    run: str
    name: str
    tags: dict[str, str]
    start_ms: int


@dataclass(frozen=True)
class Batch:
    """Write points of curves, parameters and tags of a run."""

    run: str
    points: list[Point] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """Name what a run is trained on; `source` is the artifact that lists it."""

    run: str
    name: str
    digest: str
    source: str


@dataclass(frozen=True)
class Status:
    """Set a run's status; `end_ms` is None while it runs."""

    run: str
    status: str
    end_ms: int | None


@dataclass(frozen=True)
class Upload:
    """Copy a file, or a folder of files, of a run's artifacts to a server that keeps them."""

    run: str
    path: str


@dataclass(frozen=True)
class Remove:
    """Remove a folder of a run's artifacts from a server that keeps them."""

    run: str
    path: str


Operation = Create | Batch | Inputs | Status | Upload | Remove
KINDS: Mapping[str, type[Operation]] = {
    kind.__name__.lower(): kind for kind in (Create, Batch, Inputs, Status, Upload, Remove)
}


def to_line(operation: Operation) -> bytes:
    """An operation as one line of JSON."""
    values = {"kind": type(operation).__name__.lower(), **asdict(operation)}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Operation:
    """The operation that a line was made of."""
    values: dict[str, Any] = json.loads(line)
    return KINDS[values.pop("kind")](**values)


def write(client: MlflowClient, run_id: str, operation: Batch | Inputs | Status) -> None:
    """Do an operation on the database behind a client, under the run's id there."""
    match operation:
        case Batch():
            client.log_batch(
                run_id,
                metrics=[Metric(*point) for point in operation.points],
                params=[Param(name, value) for name, value in operation.parameters.items()],
                tags=[RunTag(name, value) for name, value in operation.tags.items()],
            )
        case Inputs():
            source = json.dumps({"uri": f"runs:/{run_id}/{operation.source}"})
            data = Dataset(name=operation.name, digest=operation.digest, source_type="local", source=source)
            client.log_inputs(run_id, [DatasetInput(data, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])])
        case Status():
            if operation.end_ms is None:
                client.update_run(run_id, status=operation.status)
            else:
                client.set_terminated(run_id, operation.status, operation.end_ms)
