"""The English words."""

import re
import tomllib
from pathlib import Path

from tracking.diagnosis.findings import CODES
from tracking.diagnosis.text_english import FINDINGS


def test_every_code_has_a_title_and_a_remedy() -> None:
    assert tuple(sorted(FINDINGS)) == tuple(sorted(CODES))
    for code, (title, remedy) in FINDINGS.items():
        assert title.isascii(), code
        assert not title.endswith("."), code
        assert remedy.endswith("."), code


def test_remedies_name_settings_that_exist() -> None:
    tables = tomllib.loads((Path(__file__).resolve().parents[3] / "conf.toml").read_text(encoding="utf-8"))
    named = {name for _, remedy in FINDINGS.values() for name in re.findall(r"\b([a-z]+)\.([a-z_]+)\b", remedy)}
    settings = {(table, key) for table, key in named if table in tables}
    assert len(settings) > 10
    assert [name for name in settings if name[1] not in tables[name[0]]] == []
    assert named - settings == {("conf", "toml")}
    brackets = {name for _, remedy in FINDINGS.values() for name in re.findall(r"\[([a-z.]+)\]", remedy)}
    assert brackets == {"diagnosis.tags", "search.space"}
    assert "tags" in tables["diagnosis"]
    assert "space" in tables["search"]
