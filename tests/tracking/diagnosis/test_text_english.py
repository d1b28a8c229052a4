"""The English words."""

from tracking.diagnosis.findings import CODES
from tracking.diagnosis.text_english import FINDINGS


def test_every_code_has_a_title_and_a_remedy() -> None:
    assert tuple(sorted(FINDINGS)) == tuple(sorted(CODES))
    for code, (title, remedy) in FINDINGS.items():
        assert title.isascii(), code
        assert not title.endswith("."), code
        assert remedy.endswith("."), code
