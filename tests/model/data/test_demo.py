import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model.data.demo import (
    DISPARITIES,
    MOVES_PER_PHOTOGRAPH,
    PHOTOGRAPHS,
    make_demo,
    photograph_folder,
    read_disparities,
    read_photograph,
)
from model.data.split import split

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    from model.data.settings import DataSettings
    from model.settings import build, read_tables

    cache_dir = tmp_path_factory.mktemp("demo")
    small = {"crop_px": 16, "short_side_px": 24, "max_video_frames": 12, "cache_dir": str(cache_dir)}
    settings = build(DataSettings, read_tables(ROOT / "conf.toml", "cpu")["data"] | small)
    videos, skipped = make_demo(settings, [].append)
    assert skipped == ()
    return settings, videos


def test_every_photograph_is_filmed_by_different_moves(demo):
    _, videos = demo
    assert len(videos) == len(PHOTOGRAPHS) * MOVES_PER_PHOTOGRAPH
    assert len({video.name for video in videos}) == len({video.sha256 for video in videos}) == len(videos)
    assert len({video.frames.tobytes() for video in videos}) == len(videos)
    assert {video.frames.shape[0] for video in videos} == {12}
    assert {video.short_side_px for video in videos} == {24}


def test_both_views_of_the_stereo_pair_are_one_source(demo):
    _, videos = demo
    assert len({video.source for video in videos}) == len(PHOTOGRAPHS) - 1
    assert {v.source for v in videos if "motorcycle" in v.name} == {"scikit-image:motorcycle"}


def test_the_default_share_sends_colour_and_grey_to_both_sides(demo):
    def is_grey(video):
        return bool((video.frames == video.frames[..., :1]).all())

    training, validation, copies = split(demo[1], validation_share=0.2)
    assert {video.source.removeprefix("scikit-image:") for video in validation} == {"camera", "coffee", "motorcycle"}
    assert {is_grey(video) for video in validation} == {is_grey(video) for video in training} == {True, False}
    assert copies == ()


def test_videos_move(demo):
    for video in demo[1]:
        differences = np.abs(np.diff(video.frames.astype(int), axis=0)).mean((1, 2, 3))
        assert differences.min() > 0, video.name


def test_the_same_bytes_are_rendered_again(demo, tmp_path):
    from model.settings import change

    settings, videos = demo
    again, _ = make_demo(change(settings, {"cache_dir": str(tmp_path), "workers": 1}), [].append)
    assert [(v.name, v.source, v.sha256, v.key) for v in again] == [(v.name, v.source, v.sha256, v.key) for v in videos]
    assert all(np.array_equal(a.frames, b.frames) for a, b in zip(again, videos, strict=True))


def test_no_loader_of_scikit_image_is_woken(monkeypatch):
    """skimage.data fetches what the wheel lacks, so the package must not even be imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("skimage", "pooch")]:
        monkeypatch.delitem(sys.modules, name)
    assert (photograph_folder() / "astronaut.png").is_file()
    assert not {"skimage", "pooch"} & sys.modules.keys()


def test_a_wheel_without_a_photograph_is_named(monkeypatch):
    monkeypatch.setattr("model.data.demo.PHOTOGRAPHS", ("astronaut.png", "gone.png"))
    with pytest.raises(RuntimeError, match=r"gone.png cannot be found; install scikit-image 0.26.0, or give a folder"):
        photograph_folder()


def test_grey_photographs_have_three_equal_channels():
    camera = read_photograph(photograph_folder() / "camera.png")
    assert camera.shape == (3, 512, 512)
    assert camera.dtype == torch.uint8
    assert torch.equal(camera[0], camera[1])
    assert torch.equal(camera[0], camera[2])


def test_unknown_disparities_take_the_value_to_their_left(tmp_path):
    inf = np.inf
    np.savez(tmp_path / "d.npz", np.array([[5, inf, inf, 7], [inf, 8, inf, 9]], np.float32))
    assert read_disparities(tmp_path / "d.npz").tolist() == [[5, 5, 5, 7], [5, 8, 8, 9]]
    assert torch.isfinite(read_disparities(photograph_folder() / DISPARITIES)).all()
