"""Rows read back from the record."""

from pathlib import Path

import pytest

import tracking.query
from tests.places import DATABASES, at
from tracking.query import children, find_runs, history, open_children, read_json
from tracking.run import reopen_run, start_run
from tracking.store import Store

pytestmark = at(*DATABASES)


def test_a_row_holds_what_was_written(store: Store) -> None:
    run = start_run(store, "author", "train", None, {"study": "a"})
    run.parameters({"training": {"steps": 4}})
    run.metrics({"score": 1.0}, 2)
    run.metrics({"score": 3.0}, 4)
    (row,) = find_runs(store)
    assert (row.id, row.name, row.role, row.status, row.end_ms) == (run.id, "author", "train", "RUNNING", None)
    assert row.parameters == {"training.steps": "4"}
    assert row.tags["study"] == "a"

    run.finish("KILLED")
    (row,) = find_runs(store)
    assert (row.status, row.metrics) == ("KILLED", {"score": 3.0})
    assert row.end_ms is not None
    assert row.end_ms >= row.start_ms


def test_children_are_those_of_one_parent_the_oldest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking.query, "PAGE_ROWS", 2)  # so that five rows take three pages
    parents = [start_run(store, f"study {i}", "study", None, {}) for i in range(2)]
    started = [start_run(store, f"trial {i}", "trial", parents[0], {}) for i in range(5)]
    start_run(store, "other", "trial", parents[1], {})
    rows = children(store, parents[0].id)
    assert sorted(row.id for row in rows) == sorted(run.id for run in started)
    assert [row.start_ms for row in rows] == sorted(row.start_ms for row in rows)
    assert children(store, started[0].id) == []
    confirmation = start_run(store, "confirmation", "confirm", parents[0], {})
    assert [row.id for row in children(store, parents[0].id, role="confirm")] == [confirmation.id]


def test_all_tags_must_fit(store: Store) -> None:
    for role, study in (("trial", "a"), ("trial", "it's"), ("full", "a")):
        start_run(store, f"{role} of {study}", role, None, {"study": study})
    assert [row.name for row in find_runs(store, role="trial", study="a")] == ["trial of a"]
    assert [row.name for row in find_runs(store, study="it's")] == ["trial of it's"]
    assert len(find_runs(store, role="trial")) == 2
    assert find_runs(store, role="trial", study="b") == []
    with pytest.raises(ValueError, match="both kinds of quotes"):
        find_runs(store, study="\"'")


def test_a_curve_has_each_step_once_with_its_last_value(store: Store) -> None:
    run = start_run(store, "t", "train", None, {})
    for step in (10, 20, 30):
        run.metrics({"loss/total": step / 10}, step)
    run.finish("FAILED")
    again = reopen_run(store, run.id)
    again.metrics({"loss/total": 0.25}, 20)
    again.finish("FINISHED")
    assert history(store, run.id, "loss/total") == [(10, 1.0), (20, 0.25), (30, 3.0)]
    assert history(store, run.id, "never/logged") == []


def test_json_comes_back_from_the_run_and_from_nowhere_else(store: Store, tmp_path: Path) -> None:
    run = start_run(store, "t", "train", None, {})
    run.json("evaluation.json", {"psnr": 20.5, "lpips": None})
    assert read_json(store, run.id, "evaluation.json") == {"psnr": 20.5, "lpips": None}
    with pytest.raises(FileNotFoundError):
        read_json(store, run.id, "other.json")
    (tmp_path / "secret.json").write_text("{}")
    with pytest.raises(ValueError, match="must lie in its run's folder"):
        read_json(store, run.id, "../../../../secret.json")


def test_open_children_are_those_that_nobody_finished(store: Store) -> None:
    parent, other = (start_run(store, name, "study", None, {}) for name in ("mine", "other"))
    ended = {state: start_run(store, state, "trial", parent, {}) for state in ("FINISHED", "KILLED", "FAILED")}
    for state, run in ended.items():
        run.finish(state)
    left = start_run(store, "left", "trial", parent, {})
    start_run(store, "of another", "trial", other, {})
    assert [row.id for row in open_children(store, parent.id)] == [left.id]
    reopen_run(store, ended["KILLED"].id)
    assert {row.id for row in open_children(store, parent.id)} == {left.id, ended["KILLED"].id}
