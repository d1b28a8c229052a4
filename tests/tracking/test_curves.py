"""Curves reach the record in batches, complete and finite."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from mlflow import MlflowClient

from tracking.curves import BATCH_POINTS, Curves
from tracking.failure import RecordError
from tracking.store import Store


@pytest.fixture
def curves(store: Store) -> Curves:
    return Curves(store.outbox, store.client.create_run(store.experiment_id).info.run_id)


def stored(store: Store, curves: Curves, metric: str) -> list[tuple[int, float]]:
    """What another program sees."""
    history = MlflowClient(tracking_uri=store.uri).get_metric_history(curves.run_id, metric)
    return sorted((point.step, point.value) for point in history)


def test_points_wait_for_a_full_batch(store: Store, curves: Curves) -> None:
    for step in range(BATCH_POINTS // 2 - 1):
        curves.add({"a": step, "b": -step}, step)
    assert stored(store, curves, "a") == []

    curves.add({"a": 0.5, "b": 1.5}, 999)
    assert len(stored(store, curves, "a")) == len(stored(store, curves, "b")) == BATCH_POINTS // 2
    assert stored(store, curves, "a")[-1] == (999, 0.5)

    curves.add({"a": 7}, 1000)
    curves.flush()
    assert stored(store, curves, "a")[-1] == (1000, 7.0)


def test_values_that_are_not_finite_come_back_and_are_not_stored(store: Store, curves: Curves) -> None:
    refused = curves.add({"good": 1.0, "nan": math.nan, "infinite": math.inf}, 3)
    curves.flush()
    assert set(refused) == {"nan", "infinite"}
    assert stored(store, curves, "good") == [(3, 1.0)]
    assert stored(store, curves, "nan") == stored(store, curves, "infinite") == []


def test_a_full_disk_loses_no_point(
    store: Store, curves: Curves, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    for step in range(BATCH_POINTS - 1):
        curves.add({"a": step}, step)
    with full_disk(), pytest.raises(RecordError, match="free space"):
        curves.add({"a": BATCH_POINTS - 1}, BATCH_POINTS - 1)
    curves.flush()
    assert stored(store, curves, "a") == [(step, float(step)) for step in range(BATCH_POINTS)]


def test_threads_share_a_run(store: Store, curves: Curves) -> None:
    def write(thread: int) -> None:
        for step in range(120):
            curves.add({f"of{thread}": step}, step)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write, range(3)))
    curves.flush()
    for thread in range(3):
        assert stored(store, curves, f"of{thread}") == [(step, float(step)) for step in range(120)]
