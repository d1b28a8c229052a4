from search.promotion.sources import match_sources, sources_of


def test_a_clip_is_of_the_source_of_its_file() -> None:
    manifest = [{"name": "a/one #1.mp4", "source": "a"}, {"name": "b.mp4", "source": "b"}]
    names = [
        "a/one #1.mp4 #0: frame 3 step 1",
        "a/one #1.mp4 #12: frame 0 step 1",
        "b.mp4 #0: frame 1",
        "other #0: frame 1",
    ]
    assert list(match_sources(names, manifest).values()) == ["a", "a", "b", "other"]


def test_every_clip_of_a_bank_has_its_source(prepared_once) -> None:
    bank = prepared_once.bank
    known = {row["source"] for row in bank.facts["manifest"] if row["side"] == "validation"}
    sources = sources_of(bank)
    assert list(sources) == list(bank.validation_names)
    assert set(sources.values()) == known
