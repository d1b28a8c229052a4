"""Looking up words."""

from tracking.diagnosis.texts import finding, remedy, title


def test_a_subject_is_named_where_there_is_one() -> None:
    assert title("loss.inert", "en", "seraena") == "A loss has a weight but no effect: seraena"
    assert title("loss.inert", "en") == "A loss has a weight but no effect"
    assert title("loss.inert", "zh", "seraena") == "某个损失有权重但不起作用：seraena"
    assert "losses.seraena = 0" in remedy("loss.inert", "zh", "seraena")


def test_a_finding_carries_the_remedy_of_its_code() -> None:
    found = finding("loss.inert", "error", 0.9, ("x",), "decoder")
    assert found.remedy == remedy("loss.inert", "en", "decoder")
    assert "losses.decoder = 0" in found.remedy
