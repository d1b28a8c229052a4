"""Which code runs: the git commit and what differs from it."""

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: The folder that holds the packages model, tracking and search.
PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Source:
    """State of the code when it was read: `commit` is None outside a git checkout, and `note` says why."""

    commit: str | None
    diff: str
    untracked: tuple[str, ...]
    note: str

    @property
    def dirty(self) -> bool | None:
        """Whether the code differs from the commit; None where that is unknown."""
        return None if self.commit is None else bool(self.diff or self.untracked)


@functools.cache
def running_source() -> Source:
    """The source of this process, read once: files that change later do not change the code that was loaded."""
    return read_source(PROJECT)


def read_source(folder: Path) -> Source:
    """Ask git about a folder; what git cannot tell becomes the note."""
    try:
        # An installed copy (.venv in some repository) is ignored by the checkout around it: that commit is not its own.
        if git(folder, "check-ignore", "--quiet", str(folder)).returncode == 0:
            return Source(None, "", (), f"{folder} is ignored by the git checkout around it")
        head = git(folder, "rev-parse", "--verify", "HEAD")
        if head.returncode != 0:
            return Source(None, "", (), " ".join(head.stderr.split()))
        diff = git(folder, "diff", "--no-ext-diff", "HEAD", "--", ".")
        names = git(folder, "ls-files", "--others", "--exclude-standard")
    except FileNotFoundError:
        return Source(None, "", (), "git is not installed")
    return Source(head.stdout.strip(), diff.stdout, tuple(names.stdout.splitlines()), "")


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder; bytes of a diff that are no UTF-8 are replaced."""
    command = ["git", "-c", "core.quotepath=off", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
