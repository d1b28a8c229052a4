from pathlib import Path

from model.training.checkpoint import TRAINING, has_checkpoint
from search.preparation import running_folder
from search.promotion.full_files import bring_back, folder_of, warn_of_others
from tracking.query import RunRow, find_runs
from tracking.run import move_checkpoint, start_run
from tracking.store import artifact_folder


def full_row(prepared, **tags: str) -> RunRow:
    run = start_run(prepared.store, "full", "full", None, tags)
    run.finish("KILLED")
    return next(row for row in find_runs(prepared.store, role="full") if row.id == run.id)


def write_checkpoint(folder: Path, content: bytes) -> None:
    (folder / TRAINING).parent.mkdir(parents=True)
    (folder / TRAINING).write_bytes(content)


def test_a_checkpoint_that_was_handed_over_comes_back_whole(prepared) -> None:
    row = full_row(prepared)
    folder = folder_of(prepared.store, row)
    write_checkpoint(folder, b"last")
    move_checkpoint(prepared.store, row.id, folder / "checkpoint")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "model.safetensors").write_bytes(b"half")
    bring_back(prepared.store, row, folder)
    assert has_checkpoint(folder)
    assert [path.name for path in (folder / "checkpoint").iterdir()] == ["training.pt"]
    assert not (artifact_folder(prepared.store, row.id) / "checkpoint").exists()


def test_a_checkpoint_in_its_place_stays_and_none_is_made_up(prepared) -> None:
    row = full_row(prepared)
    folder = folder_of(prepared.store, row)
    bring_back(prepared.store, row, folder)
    assert not has_checkpoint(folder)
    write_checkpoint(folder, b"newer")
    write_checkpoint(artifact_folder(prepared.store, row.id), b"older")
    bring_back(prepared.store, row, folder)
    assert (folder / TRAINING).read_bytes() == b"newer"


def test_other_interrupted_runs_are_named_and_the_wanted_one_is_not(prepared) -> None:
    wanted, other = full_row(prepared, identity="wanted"), full_row(prepared, identity="other")
    said: list[str] = []
    warn_of_others(prepared.store, [wanted, other], "wanted", said.append)
    (line,) = said
    assert line.startswith("warning: the full run 'full' was interrupted and is not gone on with")
    assert line.endswith(str(running_folder(prepared.store) / other.id))
