from model.data.clip_sources import match_sources


def test_a_clip_is_of_the_source_of_its_file() -> None:
    manifest = [{"name": "a/one #1.mp4", "source": "a"}, {"name": "b.mp4", "source": "b"}]
    names = [
        "a/one #1.mp4 #0: frame 3 step 1",
        "a/one #1.mp4 #12: frame 0 step 1",
        "b.mp4 #0: frame 1",
        "other #0: frame 1",
    ]
    assert list(match_sources(names, manifest).values()) == ["a", "a", "b", "other"]
