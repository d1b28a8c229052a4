"""Commands within the text of documents, which nobody runs for the tests, have the options and settings that they name."""

import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from search.settings import load_settings
from tests.commands import ROOT, environment
from tests.documents.excused import EXCUSED
from tests.documents.lines import DOCUMENTS, lines_of

COMMAND = re.compile(r"-m ((?:search|tracking|model|benchmarks)\.\w+)(.*)")


def commands() -> list[tuple[str, str, str]]:
    """(document, module, what follows) of every command of ours in code within text, and of those that are excused."""
    found = []
    for document in DOCUMENTS:
        within_text = re.findall(r"`([^`\n]+)`", (ROOT / document).read_text(encoding="utf-8"))
        excused = [line.text for line in lines_of(document) if line.text in EXCUSED]
        for text in (*within_text, *excused):
            if match := COMMAND.search(text):
                found.append((document, match[1], match[2].replace("[RUN_ID]", "RUN_ID").replace("...", "")))
    return sorted(set(found))


@cache
def help_of(module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        env=environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(("document", "module", "rest"), commands(), ids=lambda value: str(value)[:60])
def test_a_command_takes_its_options_and_settings(document: str, module: str, rest: str) -> None:
    parts = shlex.split(rest)
    known = help_of(module)
    for option in (part for part in parts if part.startswith("--")):
        assert f"{option} " in known, f"{document}: {module} has no {option}"
    changes = [parts[place + 1] for place, part in enumerate(parts) if part == "--set"]
    load_settings(ROOT / "conf.toml", "cpu", changes)  # raises for a setting that is not there


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_setting_that_is_named_exists(document: str) -> None:
    """`--set table.key=value` within text, whatever command it is of."""
    for change in re.findall(
        r"--set (?!table\.key=)([a-z_]+\.[a-z_.]+=[^\s`]+)", (ROOT / document).read_text(encoding="utf-8")
    ):
        table, key = change.split("=")[0].split(".", 1)
        tables = load_settings(ROOT / "conf.toml", "cpu", ()).model_dump()
        place = tables[table]
        for part in key.split("."):
            place = place[part]
