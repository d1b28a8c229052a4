"""What the settings are called that every study tries first."""

#: By their names in [search.baselines] of conf.toml. "seed" would be read as that of a random number.
CALLED = {
    "seed_old": "the user's old settings",
    "seed_new": "the user's new settings",
    "seraena_author": "the Seraena author's settings",
}


def called(baseline: str) -> str:
    """The name of a baseline as it stands in a sentence; one that a person has added keeps its own."""
    return CALLED.get(baseline, baseline.replace("_", " "))
