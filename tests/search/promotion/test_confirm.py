import io

from rich.console import Console

from search.promotion.candidates import Candidate
from search.promotion.confirm import confirm
from search.promotion.repeats import plan_repeats
from tests.search.promotion.test_crew import PARAMETERS


def test_only_what_is_missing_is_trained(opened, tiny) -> None:
    settings = tiny("search.workers=1")
    candidate = Candidate(3, "", 20.0, PARAMETERS)
    first, both = (plan_repeats(settings, [candidate], seeds, [4]) for seeds in ([1], [1, 2]))
    out = io.StringIO()
    console = Console(file=out, width=200)
    before = confirm(opened, settings, first, console)
    after = confirm(opened, settings, both, console)
    assert set(before) == {first[0].identity}
    assert set(after) == {plan.identity for plan in both}
    assert before[first[0].identity] == after[first[0].identity]
    text = out.getvalue()
    assert "confirmations: 1, of them 0 in the record; 4 steps to train" in text
    assert "confirmations: 2, of them 1 in the record; 4 steps to train" in text
    assert confirm(opened, settings, both, console) == after
    assert "of them 2 in the record; 0 steps to train" in out.getvalue()
