"""The command itself on a study whose confirmations are in the record: the gate from both sides, and what is forced."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import optuna
import pytest
import torch
from rich.console import Console

from model.cli import InterruptedWorkError
from model.ranks import ALONE
from model.settings import identity
from search.opening import OpenStudy, open_everything
from search.promote import promote
from search.promotion.candidates import choose_candidates
from search.promotion.horizon import full_settings
from search.ranking import rank
from search.settings import Settings, load_settings, recipe_of
from search.storage import open_storage
from search.study import TARGET, study_name
from tests.commands import ROOT, TINY, Command, settings_options
from tests.search.promotable import BASELINE, Terminated, changes_at, make_promotable, promote_again
from tracking.query import RunRow, find_runs, read_json
from tracking.run import start_run
from tracking.store import Store, artifact_folder, open_store


@dataclass(frozen=True)
class Story:
    """A promotion by the command through an open gate, with --force although nothing needs it."""

    command: Command
    store: Store
    full: RunRow
    study: RunRow


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path, call: Callable[..., Command]
) -> Story:
    """The best candidate swings with its seed, the second diverged, and so did a baseline; another full run was interrupted."""
    changes = changes_at(tmp_path_factory.mktemp("story") / "mlruns", blank_record, cache_dir)
    opened = make_promotable(changes, others=((60.0, 25.0), ()), diverged_baseline=True)
    opened.parent.tags({"git_commit": "0123456789abcdef"})
    tags = {"identity": "of an earlier winner"}
    start_run(opened.prepared.store, "full trial 9", "full", opened.parent, tags).finish("KILLED")
    options = settings_options(*changes, "promotion.candidates=3")
    command = call("search.promote", "--force", *options)
    assert command.code == 0, command.out + command.err
    store = opened.prepared.store
    full = next(row for row in find_runs(store, role="full") if row.status == "FINISHED")
    return Story(command, store, full, find_runs(store, role="study")[0])


def test_through_an_open_gate_the_candidate_that_nothing_speaks_against_is_trained(story: Story) -> None:
    out = story.command.out
    assert "gate       open\n" in out
    assert "winner     trial 2: confirmed +12.50 in score (+10.00 dB) against trial 0 seed_old (97.5 %: " in out
    assert "passed     over trial 3: a winner must beat the baselines by more than the noise" in out
    assert story.full.tags["trial_number"] == "2"


def test_what_diverged_is_said_and_compared_with_nobody(story: Story) -> None:
    out = story.command.out
    assert "diverged   trial 4, seed 1, 4 steps: trial 4 is no candidate any more\n" in out
    assert "diverged   trial 1 seed_new, seed 1, 4 steps: trial 1 seed_new counts as beaten\n" in out
    assert "; 0 steps to train" in out


def test_differences_are_shown_with_their_level(story: Story) -> None:
    assert "trial 2 - trial 0 seed_old" in story.command.out
    assert "levels     5 % in all over 2 candidates (Holm)" in story.command.out


def test_nothing_is_called_forced_where_nothing_was(story: Story) -> None:
    assert "forced" not in story.full.tags
    assert read_json(story.store, story.study.id, "promotion.json")["forced"] is False


def test_other_code_and_another_full_run_are_warned_of(story: Story) -> None:
    assert "warning: the study was begun with commit 0123456789ab and this is " in story.command.out
    assert "warning: the full run 'full trial 9' was interrupted and is not gone on with" in story.command.out


def test_what_the_watch_sees_is_printed_and_recorded(story: Story) -> None:
    assert "warning: at step 8 the full run has " in story.command.out
    assert story.full.tags["watch"].startswith("warning: at step 8 the full run has ")


def test_the_estimates_are_recorded_beside_what_came(story: Story) -> None:
    estimated = read_json(story.store, story.full.id, "model/estimate.json")
    assert set(estimated) == {"score", "val/psnr", "val/ssim"}
    assert estimated["val/psnr"]["place"] == "below"
    assert estimated["val/psnr"]["came"] < 30 < estimated["val/psnr"]["value"]


@pytest.fixture
def changes(tmp_path: Path, blank_record: Path, cache_dir: Path) -> list[str]:
    return changes_at(tmp_path / "mlruns", blank_record, cache_dir, "promotion.candidates=1")


@pytest.fixture
def settings(changes: list[str]) -> Settings:
    return load_settings(ROOT / "conf.toml", "cpu", changes)


def full_rows(settings: Settings) -> list[RunRow]:
    return find_runs(open_store(settings.tracking), role="full")


def test_everything_that_was_forced_is_in_one_tag(changes: list[str], settings: Settings) -> None:
    opened = make_promotable(changes, winner=BASELINE)
    opened.study.set_user_attr(TARGET, 50)
    with pytest.raises(RuntimeError, match="has 3 of 50 trials"):
        promote_again(settings)
    promote_again(settings, force=True)
    (row,) = full_rows(settings)
    assert row.tags["forced"].split(", ")[:2] == ["unfinished", "gate"]
    card = (artifact_folder(opened.prepared.store, row.id) / "model" / "README.md").read_text()
    assert f"- forced in spite of: {row.tags['forced']}" in card


def test_forgetting_force_takes_nothing_back(
    changes: list[str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = make_promotable(changes, winner=BASELINE)
    store, study = opened.prepared.store, opened.parent.id

    def stop(*_arguments, **_options) -> None:
        raise InterruptedWorkError("stopped by the test")

    monkeypatch.setattr("search.promotion.full.finish", stop)
    with pytest.raises(InterruptedWorkError):
        promote_again(settings, force=True)
    monkeypatch.undo()
    with pytest.raises(RuntimeError, match="--force goes on in spite of it, as an earlier command did"):
        promote_again(settings)
    assert read_json(store, study, "promotion.json")["forced"] is True
    out = promote_again(settings, force=True)
    assert "16 of 16 steps are recorded" in out
    (row,) = full_rows(settings)
    assert (row.status, row.tags["forced"].split(", ")[0]) == ("FINISHED", "gate")


def test_a_full_run_that_failed_is_begun_anew_only_with_force(changes: list[str], settings: Settings) -> None:
    opened = make_promotable(changes)
    wanted = full_settings(settings, choose_candidates(rank(opened.study), 1)[0])
    tags = {"identity": identity(recipe_of(wanted)), "reason": "the loss was not finite"}
    start_run(opened.prepared.store, "full", "full", opened.parent, tags).finish("FAILED")
    with pytest.raises(RuntimeError, match="has failed: the loss was not finite; --force begins it anew"):
        promote_again(settings)
    promote_again(settings, force=True)
    assert [row.status for row in full_rows(settings)] == ["FAILED", "FINISHED"]


def test_all_candidates_diverged_is_refused_with_a_remedy(changes: list[str], settings: Settings) -> None:
    make_promotable(changes, winner=())
    with pytest.raises(
        RuntimeError, match=r"all 1 best trials diverged with one; confirm more of them \(--set promotion"
    ):
        promote_again(settings)


def write_film(path: Path, seed: int) -> None:
    """Twelve frames of coarse noise."""
    generator = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for _ in range(12):
            pixels = generator.integers(0, 255, (6, 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def test_the_study_of_a_video_that_was_changed_in_place_is_refused(changes: list[str], tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(6):
        write_film(films / f"film{number}.mp4", number)
    changes = [*changes, f"data.source={films}", f"data.cache_dir={tmp_path / 'cache'}"]
    settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    opened: OpenStudy = open_everything(settings, lambda _line: None, 1)
    opened.lease.close()
    write_film(films / "film0.mp4", 99)
    with pytest.raises(ValueError, match=r"must keep its data and its reference, but .* began with digest"):
        promote(settings, Console(file=io.StringIO()), ALONE)


def test_a_study_of_a_gpu_is_not_found_under_auto_and_the_remedy_names_cuda(
    tmp_path: Path, record: Path, cache_dir: Path, call: Callable[..., Command]
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={record}"]
    name = study_name(load_settings(ROOT / "conf.toml", "h100", changes), perceptual=True)
    optuna.create_study(study_name=name, storage=open_storage(record, "", print))
    refused = call("search.promote", *(part for change in changes for part in ("--set", change)))
    assert refused.code == 2, refused.out + refused.err
    assert name in refused.err
    assert "--profile auto took cpu because there is no CUDA here" in refused.err


def test_sigterm_between_two_parts_ends_the_command_as_ctrl_c_does(
    tmp_path: Path, blank_record: Path, cache_dir: Path
) -> None:
    changes = changes_at(tmp_path / "mlruns", blank_record, cache_dir)
    opened = make_promotable(changes)
    settings = load_settings(ROOT / "conf.toml", "cpu", [*changes, "promotion.candidates=1"])
    out = Terminated("confirmations: ")
    with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM"):
        promote(settings, Console(file=out, width=300), ALONE)
    assert "winner" not in out.getvalue()
    (study,) = find_runs(opened.prepared.store, role="study")
    assert study.status == "FINISHED"  # its three trials are
    open_everything(settings, lambda _line: None).lease.close()  # nobody holds it
