"""What people get wrong: one clear line, the right exit code, nothing begun, and a finished study beside it untouched."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import optuna
import pytest
import skimage.data
from mlflow import MlflowClient

from model.cli import run
from search.run import main as search_main
from search.train import main as train_main
from tests.commands import TINY, settings_options

Command = Callable[..., int]


@pytest.fixture
def command(finished_study, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give a command on the record of the finished study; returns its exit code."""

    def give(*changes: str, options: tuple[str, ...] = (), main: Callable[..., None] = search_main) -> int:
        given = settings_options(*finished_study.changes, *changes)
        monkeypatch.setattr(sys, "argv", ["command", *given, *options])
        with pytest.raises(SystemExit) as left:
            run(main)
        return int(left.value.code or 0)

    return give


def content(root: Path) -> dict[str, Any]:
    """All that a record holds: studies, trials, runs and artifacts."""
    storage = f"sqlite:///{root / 'optuna.db'}"
    names = optuna.get_all_study_names(storage)
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    runs = client.search_runs([experiment.experiment_id])
    artifacts = [path for path in (root / "artifacts").rglob("*") if path.is_file()]
    return {
        "trials": {name: optuna.load_study(study_name=name, storage=storage).trials for name in names},
        "runs": {
            found.info.run_id: (found.info.status, found.info.end_time, found.data.to_dictionary()) for found in runs
        },
        "artifacts": {path: path.stat().st_mtime_ns for path in artifacts},
        "running": list((root / "running").iterdir()),
    }


@pytest.fixture
def untouched(finished_study) -> Iterator[None]:
    """The record holds the same after the test as before."""
    before = content(finished_study.root)
    yield
    assert content(finished_study.root) == before


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    err = capsys.readouterr().err
    assert err.startswith("error: "), err
    assert err.count("\n") == 1, err
    return err


def write_film(path: Path, photograph: str) -> None:
    """A short pan over a photograph."""
    pixels = getattr(skimage.data, photograph)()
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for step in range(12):
            window = np.ascontiguousarray(pixels[150:198, 150 + 2 * step : 214 + 2 * step])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        container.mux(stream.encode())


def write_corrupt(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0\0\0\x18ftypmp42" + np.random.default_rng(0).bytes(4000))


def empty(folder: Path) -> str:
    folder.mkdir()
    return str(folder)


def texts(folder: Path) -> str:
    folder.mkdir()
    for name in ("a.txt", "b.csv"):
        (folder / name).write_text("no film")
    return str(folder)


def corrupt_films(folder: Path) -> str:
    for number in range(7):
        write_corrupt(folder / f"film{number}.mp4")
    return str(folder)


def annotations_of_missing_films(folder: Path) -> str:
    folder.mkdir()
    listed = [{"path": f"film{number}.mp4", "duration": 1.0, "frames": 25} for number in range(7)]
    (folder / "annotations.json").write_text(json.dumps({"total": 7, "list": listed}))
    return str(folder / "annotations.json")


def nothing(folder: Path) -> str:
    return str(folder)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, ["data.source must be 'demo', a folder of videos or an annotation file", "does not exist"]),
        (empty, ["must hold at least one", "no files", "check data.source"]),
        (texts, ["must hold at least one", "only 2 files that are no videos"]),
        (corrupt_films, ["7 of 7", *(f"film{number}.mp4" for number in range(5)), "mend or remove them"]),
        (annotations_of_missing_films, ["7 of 7", "film0.mp4 (unreadable: there is no such file)", "film4.mp4", "..."]),
    ],
)
@pytest.mark.parametrize("main", [search_main, train_main], ids=["search", "train"])
def test_data_that_cannot_be_used(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], make, words: list[str], main
) -> None:
    assert command(f"data.source={make(tmp_path / 'data')}", main=main) == 2
    line = one_line(capsys)
    assert all(word in line for word in words), line
    assert "film5.mp4" not in line  # five are enough


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("losses.encodr=1", ["[losses] has no setting 'encodr'", "'encoder'"]),
        ("lossse.encoder=1", ["[lossse]", "losses"]),
        ("data.frames=12", ["8k+1", "frames = 12", "take 9 or 17"]),
        ("data.frames=2", ["frames = 2"]),
        ("search.pruner=medan", ["pruner", "'median'"]),
        ("search.space.encoder=[2.0, 1.0]", ["low < high", "[2.0, 1.0]"]),
        ("search.study=a b", ["study", "a b"]),
        ("training.steps=many", ["steps", "many"]),
        ("training.steps=", ["steps"]),
        ("losses.encoder=nan", ["encoder"]),
        ("trainingsteps=5", ["--set takes table.key=value, but got 'trainingsteps=5'"]),
        ("training.steps", ["--set takes table.key=value, but got 'training.steps'"]),
        ("data.crop_px=20", ["multiples of 8", "20"]),
        ("data.crop_px=64", ["data.crop_px must not exceed data.short_side_px, but 64 > 48"]),
        ("reference.source=taehv:/nowhere/taehv.pth", ["/nowhere/taehv.pth"]),
        ("training.device=cuda:99", ["training.device must be a device of this machine, but 'cuda:99'"]),
    ],
)
def test_settings_that_break_a_rule(
    command: Command, capsys: pytest.CaptureFixture[str], change: str, words: list[str]
) -> None:
    assert command(change) == 2
    line = one_line(capsys)
    assert all(word in line for word in words), line


@pytest.mark.usefixtures("untouched")
def test_options_that_do_not_exist(command: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command(options=("--profile", "h10")) == 2
    assert "--profile must be auto, cpu or h100, but is 'h10'" in one_line(capsys)
    assert command(options=("--config", str(tmp_path / "none.toml"))) == 2
    assert "none.toml" in one_line(capsys)
    for options in (("--trials", "0"), ("--trials", "many"), ("--trails", "6")):
        assert command(options=options) == 2
        err = capsys.readouterr().err
        assert options[0] in err
        assert "Traceback" not in err


def test_a_record_that_cannot_be_written_is_failed_work_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    for main in (search_main, train_main):
        changes = [*TINY, f"data.cache_dir={cache}", "tracking.root=/proc/record"]
        monkeypatch.setattr(sys, "argv", ["command", *settings_options(*changes)])
        with pytest.raises(SystemExit) as left:
            run(main)
        assert left.value.code == 1
        line = one_line(capsys)
        assert "the record must be " in line
        assert "/proc/record" in line
        assert "--set tracking.root=" in line
        assert not cache.exists()


def test_a_misspelt_setting_makes_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mlruns"
    changes = [*TINY, f"data.cache_dir={root / 'cache'}", f"tracking.root={root}", "search.studdy=x"]
    monkeypatch.setattr(sys, "argv", ["search.run", *settings_options(*changes)])
    with pytest.raises(SystemExit) as left:
        run(search_main)
    assert left.value.code == 2
    assert "[search] has no setting 'studdy'; did you mean 'study'?" in one_line(capsys)
    assert not root.exists()


def test_one_corrupt_film_among_good_ones_is_skipped_and_named(
    tiny_changes: list[str], record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    photographs = ("astronaut", "coffee", "rocket", "chelsea")
    for number in range(12):
        write_film(tmp_path / "films" / f"{number}__{photographs[number % 4]}.mkv", photographs[number % 4])
    write_corrupt(tmp_path / "films" / "torn.mp4")
    changes = [*tiny_changes, f"data.source={tmp_path / 'films'}", "losses.perceptual=0", "training.steps=1"]
    monkeypatch.setattr(sys, "argv", ["search.train", *settings_options(*changes)])
    with pytest.raises(SystemExit) as left:
        run(train_main)
    shown = capsys.readouterr()
    assert left.value.code == 0, shown.err
    assert "12 videos used, 1 skipped (1 unreadable" in shown.out
    assert "skipped torn.mp4: unreadable: " in shown.out


def test_the_command_itself_says_one_line(call) -> None:
    done = call("search.run", *settings_options("losses.encodr=1"))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: [losses] has no setting 'encodr'; did you mean 'encoder'?")
