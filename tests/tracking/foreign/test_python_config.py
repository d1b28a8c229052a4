"""Configurations in Python, read as text."""

from pathlib import Path

import pytest

from tracking.foreign.python_config import Assigned, read_python


def read(tmp_path: Path, text: str) -> list[Assigned]:
    (tmp_path / "config.py").write_text(text, encoding="utf-8")
    return read_python(tmp_path / "config.py")


def test_names_attributes_and_functions(tmp_path: Path) -> None:
    text = '''"""Settings."""
import os
from easydict import EasyDict
args = EasyDict()
args.lr = 5e-5  # 学习率
args.betas = (0.9, -0.95)
steps: int = 100
def get_config():
    """Make them."""
    config = dict()
    config.optimizer.lr = 1e-4
    config.weights = None
    return config
'''
    found = [(one.name, one.origin, one.value, one.literal, one.line) for one in read(tmp_path, text)]
    assert found == [
        ("lr", "args.lr", 5e-5, True, 5),
        ("betas", "args.betas", (0.9, -0.95), True, 6),
        ("steps", "steps", 100, True, 7),
        ("optimizer.lr", "config.optimizer.lr", 1e-4, True, 11),
        ("weights", "config.weights", None, True, 12),
    ]


def test_what_would_have_to_be_computed_is_kept_as_text(tmp_path: Path) -> None:
    (one,) = read(tmp_path, 'args.out = "output/" + name()\n')
    assert (one.literal, one.value, one.line) == (False, 'args.out = "output/" + name()', 1)


@pytest.mark.parametrize(
    "line",
    [
        "open('mark', 'w').close()",
        "if True: args.lr = 1",
        "for x in (1, 2): args.lr = x",
        "args['lr'] = 1",
        "args.lr = args.rate = 1",
        "args.lr, args.wd = 1, 2",
        "args.lr += 1",
        "class Config: lr = 1",
        "__import__('os').system('touch mark')",
    ],
)
def test_anything_else_is_refused_with_its_line_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"must only assign values to names .* line 2 is: ") as raised:
        read(tmp_path, f"args.wd = 0.1\n{line}\n")
    assert line in str(raised.value)
    assert not (tmp_path / "mark").exists()


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be Python, but .*config.py"):
        read(tmp_path, "args.lr = = 1\n")
    (tmp_path / "config.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"must be Python, but .*config.py"):
        read_python(tmp_path / "config.py")


def test_a_null_byte_or_endless_nesting_is_no_crash(tmp_path: Path) -> None:
    for text in ("args.lr = 1\0", "x = " + "(" * 500 + ")" * 500, "x = " + "-" * 100_000 + "1"):
        with pytest.raises(ValueError, match=r"must be Python, but .*config.py"):
            read(tmp_path, text)
