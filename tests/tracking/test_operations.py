import pytest
from mlflow import MlflowClient

from tests.places import DATABASES, at
from tracking.operations import Batch, Create, Inputs, Operation, Remove, Status, Upload, from_line, to_line, write
from tracking.store import Store

BATCH = Batch("r", [("loss/total", 0.1 + 0.2, 1_700_000_000_000, 3)], {"a.b": "1"}, {"state": "läuft\n"})


@pytest.mark.parametrize(
    "operation",
    [
        Create("waiting-1", "trial 000", {"role": "trial"}, 1_700_000_000_000),
        BATCH,
        Inputs("r", "clips", "abc", "provenance/data_manifest.json"),
        Status("r", "FINISHED", 5),
        Status("r", "RUNNING", None),
        Upload("r", "images/视频.png"),
        Remove("r", "checkpoint"),
    ],
)
def test_a_line_says_all_of_an_operation(operation: Operation) -> None:
    line = to_line(operation)
    assert line.count(b"\n") == 1
    assert to_line(from_line(line)) == line
    assert type(from_line(line)) is type(operation)


@at(*DATABASES)
def test_twice_is_the_same_as_once(store: Store) -> None:
    run_id = store.client.create_run(store.experiment_id).info.run_id
    line = to_line(BATCH)
    for _ in range(2):
        for operation in (from_line(line), Inputs("r", "clips", "abc", "manifest.json"), Status("r", "FINISHED", 5)):
            write(store.client, run_id, operation)
    run = MlflowClient(tracking_uri=store.uri).get_run(run_id)
    (point,) = store.client.get_metric_history(run_id, "loss/total")
    assert (point.value, point.step, point.timestamp) == (0.1 + 0.2, 3, 1_700_000_000_000)
    assert (run.data.params, run.data.tags["state"]) == ({"a.b": "1"}, "läuft\n")
    assert len(run.inputs.dataset_inputs) == 1
    assert (run.info.status, run.info.end_time) == ("FINISHED", 5)
