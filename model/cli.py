"""What every command shares: options, exit codes, one-line errors."""

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: Exit codes.
DONE, FAILED, WRONG_USE = 0, 1, 2

ConfigOption = Annotated[Path, typer.Option("--config", help="Settings file in the form of conf.toml.")]
ProfileOption = Annotated[str, typer.Option("--profile", help="auto, cpu or h100; auto takes h100 when CUDA is there.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Change one setting; may be repeated."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Go on although the preflight found an error; recorded.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class InterruptedWorkError(RuntimeError):
    """Ctrl-C or a termination signal; the text says what is kept and how to go on."""


def make_console() -> "Console":
    """Standard output for people: tables as wide as the terminal, in a file as wide as they need."""
    from rich.console import Console

    console = Console(highlight=False)
    # In a file nothing has to fit: 200 columns hold the widest table.
    return console if console.is_terminal else Console(highlight=False, width=200)


def speaker(console: "Console") -> Callable[[str], None]:
    """Return a function that prints a line as it is, however long, with no markup in it."""
    return functools.partial(console.print, soft_wrap=True, markup=False)


def resolve_profile(name: str, say: Callable[[str], None]) -> str:
    """Turn "auto" into a profile and say which one was taken and what it cannot show.

    Raises:
        ValueError: no such profile.
    """
    from model.settings import PROFILES, nearest

    if name != "auto":
        if name not in PROFILES:
            raise ValueError(f"--profile must be auto, cpu or h100, but is '{name}'; {nearest(name, PROFILES)}")
        chosen = name
    else:
        import torch

        chosen = "h100" if torch.cuda.is_available() else "cpu"
    if chosen == "cpu":
        say(
            "profile cpu: a narrow network on small crops for few steps. It shows that everything works and which settings are "
            "hopeless, not which are best for the full network; that takes a GPU (--profile h100)."
        )
    else:
        say("profile h100: the published network, 1000 steps a trial.")
    return chosen


def report_errors(function: Callable[..., None]) -> Callable[..., None]:
    """Turn exceptions into one line and an exit code: ValueError is wrong use (2), anything else is failed work (1)."""

    @functools.wraps(function)
    def guarded(*arguments: Any, debug: bool, **options: Any) -> None:
        try:
            function(*arguments, debug=debug, **options)
        except (typer.Exit, typer.Abort):
            raise
        except ValueError as error:
            stop(error, WRONG_USE, debug)
        except (Exception, KeyboardInterrupt) as error:
            stop(error, FAILED, debug)

    return guarded


def stop(error: BaseException, code: int, debug: bool) -> NoReturn:
    """Print an error for people and leave with an exit code."""
    if debug:
        traceback.print_exception(error)
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyboardInterrupt) and not str(error):
        text = "stopped by Ctrl-C; give the same command again"
    unexpected = not isinstance(error, ValueError | RuntimeError | OSError | KeyboardInterrupt)
    kind = f"{type(error).__name__}: " if unexpected else ""
    hint = " (--debug shows where)" if unexpected and not debug else ""
    print(f"error: {kind}{text}{hint}", file=sys.stderr)
    raise typer.Exit(code) from error


def run(function: Callable[..., None]) -> None:
    """Run a function as the command of a module; its docstring is the help."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(report_errors(function))
    app()
