"""Markdown of foreign text: what comes from files and errors must not become headings, tables, links or HTML."""

import re
from collections.abc import Iterable, Sequence

#: Characters that mean something inside a line: code, table cells, links, tags, entities, emphasis. Single ones
#: between spaces (a product "2 * 3", a comparison "a < b") and underscores inside names mean nothing and stay as they are.
SPECIAL = re.compile(r"[\\`|]|\](?=\()|<(?=[A-Za-z/!?])|&(?=[#\w])|\*(?! )|(?<! )\*|(?<![^\W_])_|_(?![^\W_])")

#: Decimals beyond what anybody compares: kept are six digits after the leading zeros.
LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{7,}(?:e[+-]?\d+)?(?![\w.])")


def line(text: str) -> str:
    """Make one line of a text, whatever line breaks it holds."""
    return " ".join(text.split())


def inline(text: str) -> str:
    """Make a text that shows as it is inside a line or a table cell."""
    return SPECIAL.sub(lambda match: f"\\{match.group()}", line(text))


def code(text: str) -> str:
    """Make a code span; longer quotes where the text holds backticks."""
    text = line(text)
    quotes = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{quotes} {text} {quotes}" if "`" in text else f"`{text}`"


def block(lines: Iterable[str]) -> list[str]:
    """Fence lines that show as they are: numbers with their sources, errors."""
    shown = [line(text) for text in lines]
    fence = "`" * max(3, *(1 + len(run) for text in shown for run in re.findall("`+", text)), 3)
    return [f"{fence}text", *shown, fence]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Draw a table; cells are Markdown already."""
    return [row(header), "|" + "---|" * len(header), *map(row, rows)]


def row(cells: Sequence[str]) -> str:
    """Draw one line of a table."""
    return f"| {' | '.join(cells)} |"


def short(text: str) -> str:
    """Round numbers of more than six decimals to six digits; shorter ones stay as they were given."""
    return LONG_NUMBER.sub(lambda match: f"{float(match.group()):.6g}", text)
