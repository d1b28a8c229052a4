import re

from search.page.evidence import PageEvidence
from search.page.page import to_html


def test_sections_come_in_the_order_in_which_a_person_asks(evidence: PageEvidence) -> None:
    text = to_html(evidence)
    anchors = re.findall(r'<section id="(\w+)">', text)
    assert anchors == [
        *("verdict", "ranking", "history", "curves", "parallel", "importances", "slices", "interaction", "shares"),
        *("pictures", "diagnosis", "noise", "fidelity", "promotion", "provenance"),
    ]
    assert re.findall(r'<a href="#(\w+)">', text) == anchors
    assert f"<h1>study {evidence.name}</h1>" in text
