"""Scalars in event files as torch's own writer leaves them."""

from pathlib import Path

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from tracking.foreign.events import read_events


def write(folder: Path, values: dict[str, dict[int, float]], time_s: float | None = None, **style: bool) -> Path:
    """Write the scalars of one run; returns its event file."""
    before = set(folder.glob("*tfevents*"))
    with SummaryWriter(folder, filename_suffix=f".{len(before)}") as writer:
        for tag, points in values.items():
            for step, value in points.items():
                writer.add_scalar(tag, value, step, walltime=time_s, **style)
    (file,) = set(folder.glob("*tfevents*")) - before
    return file


@pytest.mark.parametrize("style", [{}, {"new_style": True}, {"double_precision": True}])
def test_scalars_of_every_writer(tmp_path: Path, style: dict[str, bool]) -> None:
    write(tmp_path, {"train/loss": {20: 0.25, 10: 0.5}}, **style)
    found = read_events(tmp_path, {"loss/total": ("loss", "train/loss")})
    assert found.curves == {"loss/total": [(10, 0.5), (20, 0.25)]}
    assert found.origins == {"loss/total": "tag train/loss"}
    assert found.unmapped == ()


def test_scalars_of_the_oldest_form(tmp_path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path))
    writer.add_event(Event(step=3, wall_time=1.0, summary=Summary(value=[Summary.Value(tag="lr", simple_value=0.5)])))
    writer.close()
    assert read_events(tmp_path, {"learning_rate": ("lr",)}).curves == {"learning_rate": [(3, 0.5)]}


def test_our_own_names_and_the_order_of_the_list_decide(tmp_path: Path) -> None:
    write(tmp_path, {"lr": {1: 0.1}, "train/lr": {1: 0.2}, "loss/total": {1: 3.0}, "gpu": {1: 61.0}})
    names = {"learning_rate": ("train/lr", "lr"), "loss/total": ("loss",), "loss/encoder": ("enc",)}
    found = read_events(tmp_path, names)
    assert found.curves == {
        "foreign/lr": [(1, pytest.approx(0.1))],
        "learning_rate": [(1, pytest.approx(0.2))],
        "loss/total": [(1, 3.0)],
        "foreign/gpu": [(1, 61.0)],
    }
    assert found.origins == {"learning_rate": "tag train/lr", "loss/total": "tag loss/total"}
    assert found.unmapped == ("lr", "gpu")


def test_of_a_step_that_was_written_twice_the_later_stays(tmp_path: Path) -> None:
    resumed = {20: 2.5, 30: 3.0}
    write(tmp_path, {"loss": resumed}, time_s=200.0)
    write(tmp_path, {"loss": {10: 1.0, 20: 2.0}}, time_s=100.0)
    assert read_events(tmp_path, {}).curves == {"foreign/loss": [(10, 1.0), (20, 2.5), (30, 3.0)]}


def test_what_is_no_scalar_is_no_curve(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_text("config", "lr: 0.1", 1)
        writer.add_histogram("weights", torch.zeros(3), 1)
        writer.add_image("picture", torch.zeros(3, 2, 2), 1)
        writer.add_scalar("loss", 0.5, 1)
    assert read_events(tmp_path, {}).curves == {"foreign/loss": [(1, 0.5)]}


def test_hyperparameters_beside_a_run_are_no_curves(tmp_path: Path) -> None:
    write(tmp_path, {"loss": {1: 0.5}})
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1}, {"best": 0.25}, run_name="hparams", global_step=1)
    assert read_events(tmp_path, {}).curves == {"foreign/loss": [(1, 0.5)], "foreign/best": [(1, 0.25)]}


def test_curves_that_one_run_keeps_in_subfolders(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("epoch", 1, 10)
        writer.add_scalars("loss", {"encoder": 0.5, "decoder": 0.25}, 10)
    names = {"loss/encoder": ("loss_encoder/loss",)}
    assert read_events(tmp_path, names).curves == {
        "foreign/epoch": [(10, 1.0)],
        "loss/encoder": [(10, 0.5)],
        "foreign/loss_decoder/loss": [(10, 0.25)],
    }


def test_several_runs_are_not_mixed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, {"loss": {1: 0.5}})
    with pytest.raises(ValueError, match=r"--events must be one run, but tag loss stands in 2 folders .*; give one"):
        read_events(tmp_path, {})
    assert read_events(tmp_path / "a", {}).curves == {"foreign/loss": [(1, 0.5)]}


def test_a_file_may_be_given_itself_and_links_are_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "a", {"loss": {1: 0.5}})
    assert read_events(file, {}).curves == {"foreign/loss": [(1, 0.5)]}
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / file.name).symlink_to(file)
    with pytest.raises(ValueError, match=r"must hold event files .*, but .* has none"):
        read_events(tmp_path / "b", {})


@pytest.mark.parametrize("lost_bytes", [1, 9, 15, 20])
def test_a_torn_file_is_not_read_by_half(tmp_path: Path, lost_bytes: int) -> None:
    file = write(tmp_path, {"loss": {1: 0.5, 2: 0.25}})
    content = file.read_bytes()
    file.write_bytes(content[:-lost_bytes])
    with pytest.raises(ValueError, match=r"must be whole, but .* is damaged after 2 events \((\d+) of") as raised:
        read_events(tmp_path, {})
    # The remedy that the line gives works.
    good_bytes = int(str(raised.value).split("head -c ")[1].split()[0])
    file.write_bytes(content[:good_bytes])
    assert read_events(tmp_path, {}).curves == {"foreign/loss": [(1, 0.5)]}


@pytest.mark.parametrize("place", [3, 40, -30])
def test_a_single_wrong_byte_is_seen(tmp_path: Path, place: int) -> None:
    file = write(tmp_path, {"loss": {1: 0.5, 2: 0.25}})
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="an event file must be whole"):
        read_events(tmp_path, {})


def test_folders_without_scalars(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no .*nowhere"):
        read_events(tmp_path / "nowhere", {})
    with pytest.raises(ValueError, match=r"must hold event files \(\*tfevents\*\), but .* has none"):
        read_events(tmp_path, {})
    write(tmp_path, {})
    with pytest.raises(ValueError, match="must hold scalars"):
        read_events(tmp_path, {})
