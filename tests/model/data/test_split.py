import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.split import compile_pattern, is_validation, source_of, split
from model.settings import SettingsError

DEFAULT = compile_pattern(r"^([^/]+?)(?:__|/)")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("folder/clip__w00.mp4", "folder"),
        ("video__w00.mp4", "video"),
        ("a__b__c.mp4", "a"),
        ("folder/deeper/clip.mp4", "folder"),
        ("single.file.mp4", "single.file"),
        ("no-ending", "no-ending"),
        ("owner+name.js/clip.mp4", "owner+name.js"),
    ],
)
def test_the_default_pattern_takes_the_first_folder_or_the_name_before_two_underscores(name, source):
    assert source_of(name, DEFAULT) == source


def test_a_group_that_takes_no_part_leaves_the_path_without_its_ending():
    assert source_of("a.b/c.mp4", compile_pattern(r"^(x)?")) == "a.b/c"


@pytest.mark.parametrize("pattern", ["(", "[^/]+", ""])
def test_a_pattern_that_names_no_source_is_refused(pattern):
    with pytest.raises(SettingsError, match=r"data.source_pattern must"):
        compile_pattern(pattern)


def test_sides_follow_the_stated_hash():
    # `printf "split 78:rocket" | sha256sum` begins with 1a2d20d6, and 0x1a2d20d6 / 2^32 = 0.102; astronaut: 540f5670, 0.328.
    assert is_validation("rocket", 0.11)
    assert not is_validation("rocket", 0.10)
    assert is_validation("astronaut", 0.33)
    assert not is_validation("astronaut", 0.32)


def test_the_share_is_met_over_many_sources():
    assert sum(is_validation(f"source {number}", 0.2) for number in range(10_000)) == pytest.approx(
        2000, abs=120
    )  # 3 sigma


@given(st.sets(st.text(min_size=1), min_size=1), st.sets(st.text(min_size=1)))
def test_adding_videos_moves_none_and_sources_stay_together(old, new):
    from model.data.video import Video

    def sides(sources):
        videos = [Video(f"{s}/{k}", s, f"{s}{k}", "", stored=None) for s in sorted(sources) for k in range(2)]
        try:
            training, validation, _ = split(videos, 0.5)
        except SettingsError:
            return None
        assert len(training) + len(validation) == len(videos)
        assert not {video.source for video in training} & {video.source for video in validation}
        return {video.name: side for side, videos in (("t", training), ("v", validation)) for video in videos}

    before, after = sides(old), sides(old | new)
    if before is not None:
        assert before.items() <= after.items()


def test_of_copies_one_is_used_and_validation_keeps_it(make_video):
    # At a share of 0.5 rocket (0.102) is validation, brick (0.683) and camera (0.808) are training.
    videos = [
        make_video("brick/1", "brick", "same"),
        make_video("rocket/1", "rocket", "same"),
        make_video("brick/2", "brick", "twice"),
        make_video("camera/2", "camera", "twice"),
        make_video("rocket/3", "rocket", "once"),
    ]
    training, validation, copies = split(videos, 0.5)
    assert [video.name for video in training] == ["brick/2"]
    assert [video.name for video in validation] == ["rocket/1", "rocket/3"]
    assert {copy.name: copy.rule.split()[-1] for copy in copies} == {
        "brick/1": "rocket/1",
        "camera/2": "brick/2",
    }
    assert not any(copy.unreadable for copy in copies)


@pytest.mark.parametrize(("source", "side"), [("rocket", "training"), ("brick", "validation")])
def test_an_empty_side_is_refused_with_a_remedy(make_video, source, side):
    with pytest.raises(SettingsError, match=rf"{side} has none of the 1 sources \({source}\); add videos"):
        split([make_video(f"{source}/1", source, "a")], 0.5)
