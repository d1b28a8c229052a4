"""The checklist."""

import re

from tracking.diagnosis.findings import CODES
from tracking.diagnosis.render.checklist import CHECKLIST


def test_every_code_is_checked_once() -> None:
    checked = [code for checks in CHECKLIST.values() for code in checks]
    assert sorted(checked) == sorted(CODES)
    statements = [statement for checks in CHECKLIST.values() for statement in checks.values()]
    assert len(set(statements)) == len(CODES)
    assert all(re.search(r"[\u4e00-\u9fff]", statement) for statement in statements)
