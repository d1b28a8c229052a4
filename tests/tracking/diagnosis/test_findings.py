"""The order of causes."""

from tracking.diagnosis.findings import CODES, CONSEQUENCES


def test_a_consequence_ranks_below_its_cause() -> None:
    for cause, consequences in CONSEQUENCES.items():
        assert consequences <= set(CODES)
        assert all(CODES.index(cause) < CODES.index(consequence) for consequence in consequences)


def test_the_data_path_ranks_first_and_advice_about_weights_below_faults() -> None:
    assert all(code.startswith("data.") for code in CODES[:4])
    assert CODES.index("loss.inert") < CODES.index("loss.dominates")
    assert len(set(CODES)) == len(CODES)
