import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import torch
import typer

from model.cli import InterruptedWorkError, make_console, report_errors, resolve_profile, run, speaker


def failing_with(error: BaseException) -> Callable[..., None]:
    def command(debug: bool = False) -> None:
        raise error

    return report_errors(command)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("a must be b,\n  but is c; take b"), 2, "error: a must be b, but is c; take b"),
        (RuntimeError("the work failed"), 1, "error: the work failed"),
        (InterruptedWorkError("stopped"), 1, "error: stopped"),
        (PermissionError(13, "Permission denied", "/x"), 1, "error: [Errno 13] Permission denied: '/x'"),
        (KeyboardInterrupt("second signal"), 1, "error: second signal"),
        (KeyboardInterrupt(), 1, "error: stopped by Ctrl-C; give the same command again"),
        (KeyError("score"), 1, "error: KeyError: 'score' (--debug shows where)"),
        (AssertionError(), 1, "error: AssertionError: AssertionError (--debug shows where)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left:
        failing_with(error)(debug=False)
    assert left.value.exit_code == code
    shown = capsys.readouterr()
    assert shown.err == f"{line}\n"
    assert shown.out == ""


def test_debug_shows_the_traceback_before_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        failing_with(KeyError("score"))(debug=True)
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "raise error" in shown
    assert shown.splitlines()[-1] == "error: KeyError: 'score'"


def test_a_commands_own_exit_code_passes() -> None:
    with pytest.raises(typer.Exit) as left:
        failing_with(typer.Exit(3))(debug=False)
    assert left.value.exit_code == 3


def test_without_an_error_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    given: list[int] = []

    def command(number: int, debug: bool = False) -> None:
        given.append(number)

    report_errors(command)(number=4, debug=False)
    assert given == [4]
    assert capsys.readouterr() == ("", "")


def test_a_function_becomes_a_command_with_its_docstring_as_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def count(number: Annotated[int, typer.Option("--number", min=1)] = 1, debug: bool = False) -> None:
        """Count to a number."""
        raise ValueError(f"no {number}")

    codes = {}
    for words in ("--help", "--number 5", "--number 0", "--numbre 5"):
        monkeypatch.setattr(sys, "argv", ["count", *words.split()])
        with pytest.raises(SystemExit) as left:
            run(count)
        codes[words] = left.value.code, *capsys.readouterr()
    assert codes["--help"][0] == 0
    assert "Count to a number." in codes["--help"][1]
    assert (codes["--number 5"][0], codes["--number 5"][2]) == (2, "error: no 5\n")
    assert codes["--number 0"][0] == 2
    assert "--number" in codes["--number 0"][2]
    assert codes["--numbre 5"][0] == 2
    assert "No such option" in codes["--numbre 5"][2]


def test_auto_takes_h100_where_cuda_is_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    for available in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert resolve_profile("auto", lines.append) == ("h100" if available else "cpu")
    assert lines[0].startswith("profile cpu: ")
    assert "not which are best for the full network" in lines[0]
    assert lines[1].startswith("profile h100: ")


def test_a_profile_that_is_named_is_taken_whatever_the_machine_has() -> None:
    lines: list[str] = []
    assert [resolve_profile(name, lines.append) for name in ("cpu", "h100")] == ["cpu", "h100"]
    assert len(lines) == 2


def test_a_profile_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"must be auto, cpu or h100, but is 'h10'.*h100"):
        resolve_profile("h10", print)


def test_a_file_has_room_for_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console()
    assert not console.is_terminal
    assert console.width == 200
    console.print("x" * 199)
    assert capsys.readouterr().out == "x" * 199 + "\n"


def test_a_terminal_keeps_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes rich take any output for a terminal
    monkeypatch.setenv("COLUMNS", "77")
    console = make_console()
    assert console.is_terminal
    assert console.width == 77


def test_lines_come_out_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    line = f"report [bold]{Path('/a folder', *['very-long-name'] * 40)}[/bold] 0.5"
    speaker(make_console())(line)
    assert capsys.readouterr().out == f"{line}\n"
