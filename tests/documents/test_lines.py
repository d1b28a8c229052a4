"""What counts as a command of a document."""

from tests.documents.lines import DOCUMENTS, blocks, commands, lines_of
from tests.documents.test_commands import EXCUSED

TEXT = """# Title
    first --option value   # why
    second \\
        --more 'a # b'
        # only a comment

Words `not --this`.

```bash
third
```
| a | table |
    fourth "trial 000"
"""


def test_indented_and_fenced_blocks_are_read_and_continued_lines_joined() -> None:
    assert [command for block in blocks(TEXT) for command in commands(block)] == [
        "third",
        "first --option value",
        "second --more 'a # b'",
        'fourth "trial 000"',
    ]


def test_a_new_command_is_neither_excused_nor_overlooked() -> None:
    (command,) = commands(next(blocks("Text\n\n    python -m search.run --new-option\n")))
    assert command == "python -m search.run --new-option"
    assert command not in EXCUSED


def test_drawings_and_formulas_are_no_commands() -> None:
    assert lines_of("docs/how-it-works.md") == ()
    assert all(line.text.startswith("python -m benchmarks.") for line in lines_of("docs/benchmarks.md"))


def test_all_documents_are_read_but_the_diary() -> None:
    assert "docs/LOG.md" not in DOCUMENTS
    assert {"README.md", "README.zh.md", "docs/benchmarks.md", "docs/cluster.md", "docs/contributing.md"} <= set(
        DOCUMENTS
    )
