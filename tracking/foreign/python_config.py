"""A configuration in the form of a Python file, read as text and never executed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Characters of a line that an error shows.
SHOWN = 80


@dataclass(frozen=True)
class Assigned:
    """What a line gives to a name; `literal` is False where the value would have to be computed, and value is its text.

    Attributes:
        name: without the object that holds it: "lr" of args.lr, "optimizer.lr" of args.optimizer.lr.
        origin: as the file has it: "args.lr".
        line: in the file.
    """

    name: str
    origin: str
    value: Any
    literal: bool
    line: int


def read_python(path: Path) -> list[Assigned]:
    """Read the assignments of a configuration file, in its top level and in its functions.

    Raises:
        ValueError: the file is no Python, or does anything else than importing and assigning.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"a .py configuration must be Python, but {path}: {error}; mend it") from error
    return list(assignments(body, path, text.splitlines()))


def assignments(body: list[ast.stmt], path: Path, lines: list[str]) -> Iterator[Assigned]:
    """Yield the assignments of a block; imports, docstrings and returns say nothing about settings."""
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Return() | ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.FunctionDef():
                yield from assignments(statement.body, path, lines)
            case ast.Assign(targets=[target], value=value) if names := names_of(target):
                yield from assigned(names, value, statement.lineno, lines)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if names := names_of(target):
                yield from assigned(names, value, statement.lineno, lines)
            case _:
                raise ValueError(
                    f"a .py configuration must only assign values to names (args.lr = 1e-4), because it is never executed, but "
                    f"{path} line {statement.lineno} is: {shown(lines, statement.lineno)}; take that line out"
                )


def names_of(target: ast.expr) -> list[str]:
    """["args", "optimizer", "lr"] for args.optimizer.lr; [] for what is no plain name."""
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=holder, attr=name) if names := names_of(holder):
            return [*names, name]
    return []


def assigned(names: list[str], value: ast.expr, line: int, lines: list[str]) -> Iterator[Assigned]:
    """Yield what an assignment says; nothing for an empty container such as args = EasyDict()."""
    if len(names) == 1 and isinstance(value, ast.Call) and not value.args and not value.keywords:
        return
    origin, name = ".".join(names), ".".join(names[1:] or names)
    try:
        yield Assigned(name, origin, ast.literal_eval(value), True, line)
    except (ValueError, TypeError, RecursionError):
        yield Assigned(name, origin, shown(lines, line), False, line)


def shown(lines: list[str], line: int) -> str:
    """A line as the file has it, cut where it is long."""
    text = lines[line - 1].strip()
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
