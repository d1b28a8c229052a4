"""The command lines of the documents: every line of a code block that is not named here as something else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.commands import ROOT

#: What people are told to type stands in these; LOG.md is a diary, and its commands are those of the code of that day.
DOCUMENTS = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md")))
    if path.name != "LOG.md"
)
#: Beginnings of code blocks that are no commands.
NO_COMMANDS = {
    "docs/how-it-works.md": ("conf.toml ── settings",),  # the drawing
    "docs/benchmarks.md": ("FLOP = ", "bytes = "),  # formulas
}
BLOCK = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)
FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
#: A line without its comment, which begins with a # at the beginning or after a space, and not within quotes.
UNCOMMENTED = re.compile(r"""(?:'[^']*'|"[^"]*"|(?<=\S)#|[^'"#])*""")


@dataclass(frozen=True)
class Line:
    """A command as it stands in a document, continued lines joined, without its comment."""

    document: str
    block: int
    text: str


@cache
def lines_of(document: str) -> tuple[Line, ...]:
    """The commands of a document from top to bottom."""
    return tuple(
        Line(document, number, text)
        for number, block in enumerate(blocks((ROOT / document).read_text(encoding="utf-8")))
        if not block.startswith(NO_COMMANDS.get(document, ()))
        for text in commands(block)
    )


def blocks(text: str) -> Iterator[str]:
    """Code blocks of a document, indented or fenced, without their indentation."""
    for fenced in FENCED.finditer(text):
        yield fenced[2]
    for found in BLOCK.finditer(FENCED.sub("", text) + "\n"):
        if found[0].strip():
            yield re.sub(r"^ {4}", "", found[0], flags=re.MULTILINE).strip("\n")


def commands(block: str) -> Iterator[str]:
    """The command lines of a block."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        found = UNCOMMENTED.match(line)
        if found and (text := " ".join(found[0].split())):
            yield text


def every_line() -> list[Line]:
    """The commands of all documents."""
    return [line for document in DOCUMENTS for line in lines_of(document)]
