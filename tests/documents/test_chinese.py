"""The Chinese README says what the English one says: the same commands, tables, pictures and links."""

import re

from tests.commands import ROOT
from tests.documents.lines import lines_of

CODE = re.compile(r"`([^`]+)`")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


ENGLISH, CHINESE = text_of("README.md"), text_of("README.zh.md")


def tables(text: str) -> list[list[str]]:
    """The first cells of the rows of each table, code alone; the words around it are translated."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [[cell for row in table.splitlines()[2:] for cell in CODE.findall(row.split(" | ")[0])] for table in found]


def sections(text: str) -> int:
    return len(re.findall(r"^## ", text, re.MULTILINE))


def links(text: str) -> set[str]:
    """Where a text leads; a document in two languages counts once."""
    return {link.replace(".zh.md", ".md") for link in re.findall(r"\]\(([^)]+)\)", text)}


def test_the_commands_are_the_same_in_the_same_order() -> None:
    assert [line.text for line in lines_of("README.zh.md")] == [line.text for line in lines_of("README.md")]


def test_the_sections_and_the_rows_of_their_tables_are_the_same() -> None:
    assert sections(CHINESE) == sections(ENGLISH)
    assert len(tables(ENGLISH)) >= 4
    assert tables(CHINESE) == tables(ENGLISH)


def test_pictures_and_links_are_the_same() -> None:
    assert "docs/pictures/mlflow-compare.webp" in links(ENGLISH)
    # Each links to the other; the guide's section is a remark of the Chinese table alone.
    assert links(CHINESE) - {"docs/guide.md#your-reference-vae"} == links(ENGLISH)


def test_what_is_named_in_one_is_named_in_the_other() -> None:
    ours, theirs = (set(CODE.findall(text)) for text in (CHINESE, ENGLISH))
    translated = {"--set table.key=value", "--set 表.键=值"}
    assert ours ^ theirs <= translated


def test_it_is_chinese() -> None:
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|^ {4}.*$", "", CHINESE, flags=re.MULTILINE)
    chinese = len(re.findall(r"[一-鿿]", prose))
    assert chinese > 1500
    assert not re.search(r"[一-鿿] ?[,;:!?](?!\d)", prose)  # marks of the other language
