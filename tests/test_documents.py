"""The commands that documents tell people to type: each is one that the project has, with options and settings that it takes."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from search.settings import load_settings
from tests.commands import ROOT, environment

DOCUMENTS = ("README.md", "README.zh.md", "docs/guide.md", "docs/reading-the-report.md", "docs/how-it-works.md")


def commands() -> list[tuple[str, str]]:
    """(document, command line) of every line of a code block that runs a module of the project."""
    found = []
    for document in DOCUMENTS:
        for line in (ROOT / document).read_text(encoding="utf-8").splitlines():
            typed = re.match(r"^    (python -m (?:search|tracking|model)\.\w+[^#]*)", line)
            if typed:
                found.append((document, typed[1].strip()))
    return found


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


def test_there_are_commands_in_the_documents() -> None:
    assert {document for document, _ in commands()} >= {"README.md", "README.zh.md", "docs/guide.md"}


@pytest.mark.parametrize(("document", "command"), commands(), ids=lambda value: value[:60])
def test_a_command_takes_its_options_and_settings(document: str, command: str) -> None:
    _, _, module, *rest = shlex.split(command)
    known = help_of(module)
    for option in (part for part in rest if part.startswith("--")):
        assert f"{option} " in known, f"{document}: {module} has no {option}"
    changes = [rest[place + 1] for place, part in enumerate(rest) if part == "--set"]
    load_settings(ROOT / "conf.toml", "cpu", changes)  # raises for a setting that is not there


def test_the_chinese_readme_has_the_same_commands() -> None:
    by_document: dict[str, set[str]] = {}
    for document, command in commands():
        by_document.setdefault(document, set()).add(" ".join(command.split()))
    assert by_document["README.zh.md"] <= by_document["README.md"]


def test_pictures_of_the_readme_are_small_enough() -> None:
    pictures = list(Path(ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
