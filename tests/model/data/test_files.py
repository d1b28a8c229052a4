import json

import numpy as np
import pytest

from model.data.files import NAMED, name_some, read_files
from model.settings import SettingsError


@pytest.fixture
def folder(tmp_path, write_video, make_frames):
    """Six good videos, one too short, one too small, one of exactly a clip's size, one broken, and a readme."""
    root = tmp_path / "videos"
    for seed in range(6):
        write_video(root / f"source{seed}" / "clip.mkv", make_frames(seed))
    write_video(root / "short.mp4", make_frames(10, frames=8))
    write_video(root / "small.mp4", make_frames(11, height=14, width=64))
    write_video(root / "exact.mp4", make_frames(12, frames=9, height=16, width=16))
    (root / "broken.mp4").write_bytes(b"not a video")
    (root / "README.md").write_text("about these videos")
    return root


def test_each_file_is_used_or_skipped_by_a_rule_that_is_named(folder, make_settings, make_frames):
    lines = []
    videos, skipped = read_files(make_settings(source=str(folder), max_unreadable_share=0.1), lines.append)
    assert [video.name for video in videos] == ["exact.mp4", *(f"source{seed}/clip.mkv" for seed in range(6))]
    assert [video.source for video in videos] == ["exact", *(f"source{seed}" for seed in range(6))]
    for seed in range(6):
        np.testing.assert_array_equal(videos[1 + seed].frames, make_frames(seed))
    assert {file.name: file.rule.partition(":")[0] for file in skipped} == {
        "broken.mp4": "unreadable",
        "short.mp4": "too short",
        "small.mp4": "too small",
    }
    assert [file.name for file in skipped if file.unreadable] == ["broken.mp4"]
    assert "data: 7 videos used, 3 skipped (1 unreadable, 2 too short or too small), 1 other files passed over" in lines
    assert "data: skipped short.mp4: too short: 8 frames, fewer than data.frames = 9" in lines
    assert "data: skipped small.mp4: too small: short side 14, below data.crop_px = 16" in lines


def test_too_many_unreadable_files_stop_the_command_and_five_are_named(folder, make_settings):
    for number in range(6):
        (folder / f"broken{number}.mp4").write_bytes(b"")
    with pytest.raises(SettingsError) as error:
        read_files(make_settings(source=str(folder), max_unreadable_share=0.1), [].append)
    text = str(error.value)
    assert "at most data.max_unreadable_share = 0.1" in text
    assert "7 of 16 are: broken.mp4 (unreadable: " in text
    assert "broken3.mp4" in text
    assert "broken4.mp4" not in text
    assert "\n" not in text
    videos, _ = read_files(make_settings(source=str(folder), max_unreadable_share=0.5), [].append)
    assert len(videos) == 7


def test_videos_that_an_annotation_names_but_nobody_has_are_unreadable(folder, make_settings):
    path = folder / "list.json"
    entries = [{"path": f"source{seed}/clip.mkv"} for seed in range(6)] + [{"path": "gone/a.mp4"}, {"path": "source0"}]
    path.write_text(json.dumps({"total": 8, "list": entries}))
    videos, skipped = read_files(make_settings(source=str(path), max_unreadable_share=0.25), [].append)
    assert len(videos) == 6
    assert [(file.name, file.rule, file.unreadable) for file in skipped] == [
        ("gone/a.mp4", "unreadable: there is no such file", True),
        ("source0", "unreadable: there is no such file", True),
    ]
    with pytest.raises(SettingsError, match=r"2 of 8 are: gone/a.mp4 \(unreadable: there is no such file\)"):
        read_files(make_settings(source=str(path), max_unreadable_share=0.2), [].append)


def test_a_set_without_one_usable_video_is_refused(tmp_path, make_settings, write_video, make_frames):
    write_video(tmp_path / "videos" / "short.mp4", make_frames(frames=5))
    with pytest.raises(
        SettingsError, match=r"none of 1 is: short.mp4 \(too short: 5 frames, .*; add longer or larger videos"
    ):
        read_files(make_settings(source=str(tmp_path / "videos")), [].append)


def test_a_second_reading_decodes_nothing_and_gives_the_same(folder, make_settings):
    settings = make_settings(source=str(folder), max_unreadable_share=0.1)
    first, _ = read_files(settings, [].append)
    entries = {path: path.stat().st_mtime_ns for path in (folder.parent / "cache" / "videos").iterdir()}
    second, _ = read_files(settings, [].append)
    assert {path: path.stat().st_mtime_ns for path in (folder.parent / "cache" / "videos").iterdir()} == entries
    assert all(np.array_equal(a.frames, b.frames) and a.key == b.key for a, b in zip(first, second, strict=True))


def test_changed_contents_and_settings_are_decoded_anew(folder, make_settings, write_video, make_frames):
    def frames(**changes):
        videos, _ = read_files(make_settings(source=str(folder), max_unreadable_share=0.1, **changes), [].append)
        return next(video.frames for video in videos if video.name == "source0/clip.mkv")

    assert frames().shape == (12, 24, 32, 3)
    assert frames(short_side_px=16).shape == (12, 16, 21, 3)
    assert frames(max_video_frames=10).shape == (10, 24, 32, 3)
    write_video(folder / "source0" / "clip.mkv", make_frames(99))
    np.testing.assert_array_equal(frames(), make_frames(99))


def test_damage_is_named_each_time(tmp_path, make_settings, write_video, make_frames):
    path = write_video(tmp_path / "videos" / "a.mov", make_frames(), codec="png")
    content = bytearray(path.read_bytes())
    last = content.rindex(b"\x89PNG")
    content[last : last + 4] = b"\0\0\0\0"
    path.write_bytes(content)
    for _ in range(2):  # the second time from the cache
        lines = []
        read_files(make_settings(source=str(tmp_path / "videos")), lines.append)
        assert sum(line.startswith("data: damaged a.mov after frame 11: ") for line in lines) == 1


def test_long_lists_are_cut_and_counted():
    lines = []
    name_some([str(number) for number in range(NAMED + 3)], lines.append)
    assert len(lines) == NAMED + 1
    assert lines[-1] == "data: ... and 3 more like these"
