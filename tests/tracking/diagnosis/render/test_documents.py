"""Documents that show diagnoses, made again and compared. REWRITE_DOCUMENTS=1 writes them."""

import inspect
import os
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tracking.diagnosis import thresholds
from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, CONSEQUENCES
from tracking.diagnosis.render.markdown import line, table
from tracking.diagnosis.render.page import to_markdown
from tracking.diagnosis.rules import RULES
from tracking.diagnosis.texts import Language, title

DOCS = Path(__file__).resolve().parents[4] / "docs"
LIMITS = {name: value for name, value in vars(thresholds).items() if isinstance(value, int | float)}
MODULES = {"tracking.diagnosis.seen", *(rule.__module__ for rule in RULES.values())}
COMMAND = "REWRITE_DOCUMENTS=1 python -m pytest tests/tracking/diagnosis/render/test_documents.py"


def is_as_it_should_be(path: Path, text: str) -> bool:
    if os.environ.get("REWRITE_DOCUMENTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("language", "page"), [("en", "diagnosis.md"), ("zh", "diagnosis.zh.md")])
def test_the_pages_of_the_failed_run_are_in_the_documents(failed_run: Evidence, language: Language, page: str) -> None:
    text = to_markdown(diagnose(failed_run), language, failed_run)
    assert is_as_it_should_be(DOCS / "examples" / "failed-run" / page, text), f"stale; rewrite it: {COMMAND}"


def limits(rule: FunctionType, names: set[str], seen: set[FunctionType]) -> None:
    """Gather the thresholds that a rule and the functions and classes that it uses beside it know."""
    seen.add(rule)
    codes: list[CodeType] = [rule.__code__]
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        names |= {name for name in code.co_names if name in LIMITS}
        called = (rule.__globals__.get(name) for name in code.co_names if name != rule.__name__)
        for function in [method for one in called for method in functions(one)]:
            if isinstance(function, FunctionType) and function not in seen and function.__module__ in MODULES:
                limits(function, names, seen)


def functions(used: object) -> list[object]:
    """What runs when a function or a class of the rules is used: the function, or the class's methods and properties."""
    if not isinstance(used, type) or used.__module__ not in MODULES:
        return [used]
    return [one.fget if isinstance(one, property) else one for one in vars(used).values()]


def codes() -> list[str]:
    """One row for each code, from the words, the rules and their order."""
    rows = []
    for code in CODES:
        found, used = "No rule yet: always listed as not measured.", set[str]()
        if code in RULES:
            found = line(inspect.getdoc(RULES[code]) or "")
            limits(inspect.unwrap(RULES[code]), used, set())
        numbers = ", ".join(f"{name} {LIMITS[name]:g}" for name in LIMITS if name in used) or "-"
        explains = ", ".join(f"`{one}`" for one in CODES if one in CONSEQUENCES.get(code, ())) or "-"
        rows.append([f"`{code}`", title(code, "en"), found, numbers, explains])
    return table(["code", "what it means", "how it is found", "limits", "what it explains"], rows)


def test_every_code_is_in_the_documents() -> None:
    path = DOCS / "diagnosis.md"
    before, _, _ = path.read_text(encoding="utf-8").partition("\n\n|")
    text = "\n".join([before.rstrip(), "", *codes(), ""])
    assert is_as_it_should_be(path, text), f"stale; rewrite it: {COMMAND}"
