"""The order of causes."""

from tracking.diagnosis.findings import CODES, CONSEQUENCES


def test_no_cause_explains_itself() -> None:
    def reach(code: str, path: tuple[str, ...]) -> None:
        assert code not in path, f"a circle of causes: {path}"
        for consequence in CONSEQUENCES.get(code, ()):
            assert consequence in CODES
            reach(consequence, (*path, code))

    for code in CODES:
        reach(code, ())


def test_the_data_path_ranks_first_and_advice_about_weights_below_faults() -> None:
    assert all(code.startswith("data.") for code in CODES[:4])
    assert CODES.index("loss.inert") < CODES.index("loss.dominates")
    assert len(set(CODES)) == len(CODES)
