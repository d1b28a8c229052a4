"""The state of the code, from real git repositories."""

import subprocess
from pathlib import Path

import pytest

from tracking.source import read_source


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "code.py").write_text("rate = 1\n")
    (folder / ".gitignore").write_text(".venv/\n")
    git(folder, "add", "code.py", ".gitignore")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    source = read_source(checkout)
    assert source.commit == git(checkout, "rev-parse", "HEAD").strip()
    assert (source.diff, source.untracked, source.dirty, source.note) == ("", (), False, "")


def test_changes_are_kept_and_new_files_are_named(checkout: Path) -> None:
    (checkout / "code.py").write_text("rate = 2\n")
    assert read_source(checkout).dirty is True
    (checkout / "数据.txt").write_text("")
    source = read_source(checkout)
    assert "-rate = 1\n+rate = 2\n" in source.diff
    assert source.untracked == ("数据.txt",)

    git(checkout, "checkout", "--quiet", "code.py")
    assert read_source(checkout).dirty is True  # the new file alone is a difference


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    source = read_source(tmp_path)
    assert (source.commit, source.dirty) == (None, None)
    assert "not a git repository" in source.note


def test_a_copy_that_a_checkout_ignores_does_not_claim_its_commit(checkout: Path) -> None:
    installed = checkout / ".venv" / "lib"
    installed.mkdir(parents=True)
    source = read_source(installed)
    assert source.commit is None
    assert "is ignored" in source.note


def test_without_git_it_says_so(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_source(checkout).note == "git is not installed"
