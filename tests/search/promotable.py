"""A study that can be promoted at once: its trials and confirmations are in the record with made-up numbers."""

import io
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from model.ranks import ALONE
from search.opening import OpenStudy, open_everything
from search.promote import promote
from search.settings import Settings, load_settings
from search.study import TARGET
from tests.commands import ROOT, TINY
from tests.search.recorded_trials import add_confirmations, add_recorded

#: A full run of 16 steps, whose clips are renewed, after confirmations of 4 and 8; two seeds.
SHORT = (
    "promotion.seeds=2",
    "promotion.long_steps=8",
    "promotion.steps=16",
    "promotion.evaluate_every=4",
    "promotion.keep_every=8",
    "promotion.renew_every=4",
    "search.workers=1",
)

#: PSNR (dB) of a candidate's and a baseline's long confirmations, by seed.
WINNER, BASELINE = (40.0, 40.1), (30.0, 30.1)


class Terminated(io.StringIO):
    """What a command prints, which sends its process a SIGTERM once, at the first line that begins so."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self.beginning, self.done = beginning, False

    def write(self, text: str) -> int:
        written = super().write(text)
        if not self.done and text.startswith(self.beginning):
            self.done = True
            os.kill(os.getpid(), signal.SIGTERM)
        return written


def make_promotable(
    changes: Sequence[str],
    winner: Sequence[float] = WINNER,
    others: Sequence[Sequence[float]] = (),
    diverged_baseline: bool = False,
    leave_out: int = 0,
) -> OpenStudy:
    """Record two baselines, a winner and other candidates, ranked before it in their order; nobody holds the study then."""
    settings = load_settings(ROOT / "conf.toml", "cpu", [*changes, f"promotion.candidates={1 + len(others)}"])
    opened = open_everything(settings, lambda _line: None, 3 + len(others))
    psnrs: dict[int, Sequence[float]] = {}
    for name, found in (("seed_old", BASELINE), ("seed_new", () if diverged_baseline else BASELINE)):
        psnrs[add_recorded(opened, settings, 50.0, baseline=name, perceptual=False, encoder=0.2 + len(psnrs) / 10)] = (
            found
        )
    psnrs[add_recorded(opened, settings, 60.0, perceptual=False)] = winner
    for place, found in enumerate(others):
        psnrs[add_recorded(opened, settings, 70.0 - place, perceptual=False, encoder=0.5 + place / 10)] = found
    opened.study.set_user_attr(TARGET, len(psnrs))
    add_confirmations(opened, settings, psnrs, leave_out)
    opened.lease.close()
    return opened


def changes_at(root: Path, blank_record: Path, cache_dir: Path, *more: str) -> list[str]:
    """The --set values of a record of its own at `root`, which is made."""
    shutil.copytree(blank_record, root)
    return [*TINY, *SHORT, f"data.cache_dir={cache_dir}", f"tracking.root={root}", *more]


def promote_again(settings: Settings, *, force: bool = False) -> str:
    """Promote in this process; returns what it printed."""
    out = io.StringIO()
    promote(settings, Console(file=out, width=200, highlight=False), ALONE, force=force)
    return out.getvalue()
