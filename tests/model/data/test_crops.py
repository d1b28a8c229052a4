import numpy as np
import pytest
import torch
from PIL import Image

from model.data.crops import Cut, cut_clips, training_cuts, validation_cuts


def coordinates(frames=40, height=40, width=60):
    """A video whose pixels say where they are: red is the frame, green the row, blue the column."""
    pixels = np.empty((frames, height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(frames)[:, None, None]
    pixels[..., 1] = np.arange(height)[:, None]
    pixels[..., 2] = np.arange(width)
    return pixels


def sha(number):
    return f"{number:064x}"


@pytest.fixture
def videos(make_video):
    """Source a has three videos, b one, c two."""
    return [
        make_video(f"{source}/{k}", source, sha(100 * i + k), coordinates())
        for i, (source, count) in enumerate({"a": 3, "b": 1, "c": 2}.items())
        for k in range(count)
    ]


def test_a_cut_takes_the_frames_and_pixels_that_its_name_says(make_video, make_settings):
    cut = Cut(
        make_video("a/0", "a", sha(0), coordinates()),
        3,
        first_frame=5,
        stride=4,
        top=7,
        left=11,
        side_px=16,
        flipped=False,
    )
    clip = cut_clips([cut], make_settings(crop_px=16), workers=1)[0]
    assert cut.name == "a/0 #3: frame 5 step 4, 16 px at x 11 y 7"
    assert clip.shape == (9, 3, 16, 16)
    assert clip.dtype == torch.uint8
    assert clip[:, 0, 0, 0].tolist() == list(range(5, 38, 4))
    assert clip[0, 1, :, 0].tolist() == list(range(7, 23))
    assert clip[0, 2, 0].tolist() == list(range(11, 27))


def test_a_flipped_cut_is_the_mirror_image(make_video, make_settings):
    place = {"first_frame": 0, "stride": 1, "top": 0, "left": 3, "side_px": 30}
    video = make_video("a/0", "a", sha(0), coordinates())
    plain, mirrored = (Cut(video, 0, flipped=flipped, **place) for flipped in (False, True))
    clips = cut_clips([plain, mirrored], make_settings(), workers=1)
    assert torch.equal(clips[1], clips[0].flip(-1))
    assert mirrored.name.endswith(", mirrored")


def test_scaling_agrees_with_pillow(make_video, make_settings, make_frames):
    """Pillow's bilinear resize is the antialiased one that torch names as its model."""
    frames = make_frames(frames=9, height=50, width=70)
    cut = Cut(
        make_video("a/0", "a", sha(0), frames), 0, first_frame=0, stride=1, top=4, left=9, side_px=43, flipped=False
    )
    clip = cut_clips([cut], make_settings(crop_px=16), workers=1)[0].permute(0, 2, 3, 1).numpy()
    for pixels, frame in zip(clip, frames, strict=True):
        reference = np.asarray(Image.fromarray(frame[4:47, 9:52]).resize((16, 16), Image.Resampling.BILINEAR))
        assert np.abs(pixels.astype(int) - reference).max() <= 1


def test_cuts_stay_inside_and_use_the_whole_range(videos, make_settings):
    settings = make_settings(training_clips=600, crop_px=16, max_frame_stride=5)
    cuts = training_cuts(videos, settings)
    assert all(0 <= c.top <= 40 - c.side_px and 0 <= c.left <= 60 - c.side_px for c in cuts)
    assert all(c.first_frame >= 0 and c.first_frame + 8 * c.stride < 40 for c in cuts)
    assert {c.side_px for c in cuts} == set(range(16, 41))
    assert {c.stride for c in cuts} == {1, 2, 3, 4}  # a stride of 5 would need 41 frames
    assert 0.4 < np.mean([c.flipped for c in cuts]) < 0.6
    assert not any(c.flipped for c in training_cuts(videos, make_settings(training_clips=600, flip=False)))


def test_a_video_as_long_and_as_large_as_a_clip_is_used_whole(make_video, make_settings, make_frames):
    frames = make_frames(frames=9, height=16, width=16)
    clip = cut_clips(
        validation_cuts([make_video("a", "a", sha(0), frames)], make_settings(validation_clips=1)), make_settings(), 1
    )[0]
    np.testing.assert_array_equal(clip.permute(0, 2, 3, 1).numpy(), frames)


def test_validation_cuts_take_every_frame_and_depend_on_no_seed(videos, make_settings):
    cuts = validation_cuts(videos, make_settings(validation_clips=60))
    assert {cut.stride for cut in cuts} == {1}
    assert not any(cut.flipped for cut in cuts)
    assert cuts == validation_cuts(videos, make_settings(validation_clips=60, seed=1, max_frame_stride=1, flip=False))


def test_sources_are_visited_in_turn_and_videos_in_turn_within_them(videos, make_settings):
    cuts = training_cuts(videos, make_settings(training_clips=20))
    assert [cut.video.source for cut in cuts] == [*"abc" * 6, *"ab"]
    visits = [(cut.video.name, cut.number) for cut in cuts]
    assert len(set(visits)) == 20
    assert sorted(visit for visit in visits if visit[0].startswith("a")) == [
        ("a/0", 0), ("a/0", 1), ("a/0", 2), ("a/1", 0), ("a/1", 1), ("a/2", 0), ("a/2", 1),
    ]  # fmt: skip
    assert len({cut.name for cut in cuts}) == 20


def test_seeds_change_training_cuts_and_nothing_else_does(videos, make_settings):
    def names(**changes):
        return [cut.name for cut in training_cuts(videos, make_settings(**changes))]

    assert names(seed=1) == names(seed=1)
    assert names(seed=1) != names(seed=2)
    assert names(training_clips=3) == names(training_clips=6)[:3]
    reversed_names = [cut.name for cut in training_cuts(videos[::-1], make_settings())]
    assert reversed_names == names()


def test_an_added_video_leaves_the_other_cuts_as_they_were(videos, make_video, make_settings):
    def cuts(videos, draw):
        return {
            (cut.video.sha256, cut.number): cut.name
            for cut in draw(videos, make_settings(training_clips=30, validation_clips=30))
        }

    added = [
        *videos,
        make_video("a/new", "a", sha(50), coordinates()),
        make_video("new/0", "aa", sha(51), coordinates()),
    ]
    for draw in (training_cuts, validation_cuts):
        before, after = cuts(videos, draw), cuts(added, draw)
        assert len(before.keys() & after.keys()) > 10
        assert all(before[visit] == after[visit] for visit in before.keys() & after.keys())


def test_the_number_of_workers_changes_no_byte(videos, make_settings):
    settings = make_settings(training_clips=40)
    cuts = training_cuts(videos, settings)
    assert torch.equal(cut_clips(cuts, settings, workers=1), cut_clips(cuts, settings, workers=4))
