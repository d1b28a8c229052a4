"""Every command of the documents is typed, in the order of its document, in a small stage (stage.py), or is excused."""

import pytest

from tests.documents.excused import EXCUSED
from tests.documents.lines import DOCUMENTS, Line, every_line, lines_of
from tests.documents.stage import Stage
from tests.servers import PostgreSQL

#: Commands that end with another code than 0 here, each with what is said then.
ENDS = {
    "python -m search.promote --set data.source=/path/to/videos": (1, "the gate is closed"),  # trained for four steps
}
#: Documents whose commands another document has too, in the same order (test_chinese.py).
SAME = ("README.zh.md",)
#: Of the user `taehv` in the documents.
DATABASES = ("taehv_optuna", "taehv_mlflow")
#: What a document takes for granted.
BEFORE = {"docs/reading-the-report.md": "python -m search.run --trials 1"}


def typed(document: str) -> list[Line]:
    """The commands of a document that are run."""
    return [line for line in lines_of(document) if line.text not in EXCUSED]


def test_every_document_that_says_what_to_type_is_read() -> None:
    assert {line.document for line in every_line()} >= {"README.md", "README.zh.md", "docs/guide.md", "docs/cluster.md"}
    assert len(lines_of("README.md")) >= 14


def test_excuses_are_of_commands_that_are_there() -> None:
    assert set(EXCUSED) - {line.text for line in every_line()} == set()


@pytest.mark.long
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if typed(name) and name not in SAME])
def test_the_commands_of_a_document_can_be_typed_in_their_order(
    document: str, stage: Stage, request: pytest.FixtureRequest
) -> None:
    if any("@HOST" in line.text for line in typed(document)):
        stage.databases = request.getfixturevalue("postgresql")
    if document in BEFORE:
        assert stage.type(BEFORE[document]).code == 0
    block = -1
    for line in typed(document):
        if line.block != block:  # blocks are ways to do it; each begins with what the reader has
            block = line.block
            stage.clear()
            if stage.databases:
                begin_databases(stage.databases, typed(document), block)
        type_line(stage, line.text)


def begin_databases(server: PostgreSQL, lines: list[Line], block: int) -> None:
    """Two empty databases of a user, or none of them where a block makes them itself."""
    makes_them = any(line.block == block and line.text.startswith("createuser") for line in lines)
    statements = [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in DATABASES] + ["DROP ROLE IF EXISTS taehv"]
    if not makes_them:
        statements += ["CREATE ROLE taehv LOGIN PASSWORD 'secret'"]
        statements += [f"CREATE DATABASE {name} OWNER taehv" for name in DATABASES]
    commands = [part for statement in statements for part in ("-c", statement)]
    server.call("psql", "-q", "-h", "127.0.0.1", "-p", server.port, "-U", "tests", "-d", "postgres", *commands)


def type_line(stage: Stage, text: str) -> None:
    """Type a command as its kind wants it, and see that it ends, or goes on, as it should."""
    if text == "python -m tracking.ui":
        done = stage.type_and_interrupt(text, "stop with Ctrl-C")
        assert (done.code, done.out.splitlines()[-1]) == (0, "stopped"), done.out
        assert "its trials, best first: http://127.0.0.1:" in done.out
    elif text.startswith("mlflow server"):
        stage.type_and_leave(text)
    else:
        done = stage.type(text, answer="secret\nsecret\n" if "--pwprompt" in text else "")
        code, said = ENDS.get(text, (0, ""))
        assert done.code == code, f"{text}\n{done.out}"
        assert said in done.out
