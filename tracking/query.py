"""Typed rows back from the record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run as MlflowRun
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracking.artifacts import fetch
from tracking.failure import record_errors
from tracking.operations import KEY_TAG
from tracking.store import Store

#: Rows that are asked for at a time; a study has about 50.
PAGE_ROWS = 1000


@dataclass(frozen=True)
class RunRow:
    """A run as the record has it; `metrics` holds the value of the greatest step, times are milliseconds since 1970."""

    id: str
    name: str
    role: str
    status: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    start_ms: int
    end_ms: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """What the run is called: its id, and the key that it had before, where it has one."""
        return (self.id, self.tags[KEY_TAG]) if KEY_TAG in self.tags else (self.id,)


def children(store: Store, parent_id: str, **tags: str) -> list[RunRow]:
    """The runs directly below a run, those that carry all of these tags, the oldest first."""
    return find_runs(store, **{MLFLOW_PARENT_RUN_ID: parent_id}, **tags)


def open_children(store: Store, parent_id: str) -> list[RunRow]:
    """The runs directly below a run that nobody has finished, the oldest first; finished ones are not even read."""
    return open_runs(store, **{MLFLOW_PARENT_RUN_ID: parent_id})


def open_runs(store: Store, **tags: str) -> list[RunRow]:
    """The runs that carry all of these tags and that nobody has finished, the oldest first."""
    return search_rows(store, f"{tags_are(tags)} and attributes.status = 'RUNNING'")


def find_runs(store: Store, **tags: str) -> list[RunRow]:
    """The runs that carry all of these tags, the oldest first; without tags, all runs."""
    return search_rows(store, tags_are(tags))


def tags_are(tags: Mapping[str, str]) -> str:
    """MLflow's condition for runs that carry all of these tags."""
    return " and ".join(f"tags.`{name}` = {quoted(value)}" for name, value in tags.items())


def search_rows(store: Store, condition: str) -> list[RunRow]:
    """The runs of the record that meet one of MLflow's conditions, the oldest first."""
    rows: list[RunRow] = []
    token: str | None = None
    with record_errors("searching runs"):
        while True:
            page = store.client.search_runs(
                [store.experiment_id], condition, max_results=PAGE_ROWS, order_by=["start_time ASC"], page_token=token
            )
            rows += [row_of(run) for run in page]
            token = page.token
            if not token:
                return rows


def quoted(value: str) -> str:
    """A value between the quotes that it does not contain: MLflow's filters have no escape."""
    for quote in "'\"":
        if quote not in value:
            return f"{quote}{value}{quote}"
    raise ValueError(
        f"a tag that is searched for must not hold both kinds of quotes, but is {value}; search for another tag"
    )


def row_of(run: MlflowRun) -> RunRow:
    """Turn MLflow's run into a row."""
    tags = {name: value for name, value in run.data.tags.items()}
    return RunRow(
        id=run.info.run_id,
        name=run.info.run_name,
        role=tags.get("role", ""),
        status=run.info.status,
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=tags,
        start_ms=run.info.start_time,
        end_ms=run.info.end_time,
    )


def history(store: Store, run_id: str, metric: str) -> list[tuple[int, float]]:
    """The curve of a metric as (step, value), by step; empty when it was never logged.

    A step that was written twice, before and after an interruption, has its last value.
    """
    with record_errors(f"reading {metric} of run {run_id}"):
        points = store.client.get_metric_history(store.delivery.id_of(run_id), metric)
    return sorted({point.step: point.value for point in sorted(points, key=lambda point: point.timestamp)}.items())


def read_json(store: Store, run_id: str, path: str) -> Any:
    """Read a JSON artifact of a run.

    Raises:
        FileNotFoundError: the run has no such artifact.
        ValueError: the path leads out of the run's folder, or the file is no JSON.
    """
    return json.loads(fetch(store, run_id, path).read_text(encoding="utf-8"))
