"""A browser that is allowed nothing but this machine, a study that was really run, and MLflow's pages on it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np
import pytest
from optuna.trial import TrialState

from search.opening import open_everything
from search.settings import load_settings
from tests.commands import ROOT, TINY, DoneStudy, environment
from tests.search.recorded_trials import add_recorded, add_repeat, page_of
from tests.servers import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Where people find what the tests saw; git ignores it.
SCREENSHOTS = ROOT / "build" / "screenshots"
NO_BACKGROUND = (
    "--disable-background-networking --disable-component-update --disable-sync --disable-quic --no-first-run"
)
#: MLflow's assistant would cover a quarter of the page when it is opened for the first time.
WITHOUT_ASSISTANT = """
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
"""
#: MLflow asks who is logged in, and without a login gets 404.
KNOWN = "/ajax-api/2.0/mlflow/users/current"
#: Chromium says so when a page is laid out again next time; nothing is lost.
LATE_LAYOUT = "ResizeObserver loop completed with undelivered notifications"
#: Long for a crowded machine; a page that is there sooner waits for nothing.
LIMIT_MS = 120_000


@dataclass
class Opened:
    """A page with what it asked for and what its console said."""

    page: "Page"
    name: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def shoot(self) -> None:
        """Keep a picture of what is seen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self.name}.png", full_page=True)

    def is_clean(self) -> bool:
        """Whether it asked nothing of the outside and ran without an error; shows what speaks against it."""
        assert (self.outside, self.errors) == ([], [])
        return True


Open = Callable[..., Opened]

BASELINES = ("seed_old", "seed_new", "seraena_author")
#: Processor time that the page of 50 trials may take.
MOST_SECONDS = 10.0


def chromium_path() -> str | None:
    """Debian's Chromium, or what CHROMIUM names."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make browser")
    path = chromium_path()
    if path is None:
        pytest.skip("needs Chromium: make browser")
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox does not work for root.
        alone = ["--no-sandbox"] if os.getuid() == 0 else []
        started = driver.chromium.launch(executable_path=path, args=["--disable-gpu", *NO_BACKGROUND.split(), *alone])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[Open]:
    """Open an address in a fresh browser: open_page(address, name, width=..., dark=..., touch=...)."""
    contexts = []

    def give(address: str, name: str, *, width: int = 1400, dark: bool = False, touch: bool = False) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        context.set_default_timeout(LIMIT_MS)
        context.add_init_script(f"try {{ {WITHOUT_ASSISTANT} }} catch (error) {{}}")  # a sandboxed frame has no storage
        page = context.new_page()
        opened = Opened(page, name)
        page.on("request", lambda request: opened.outside.append(request.url) if is_outside(request.url) else None)
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("console", lambda message: note(opened, message))
        page.goto(address)
        return opened

    yield give
    for context in contexts:
        context.close()


def is_outside(address: str) -> bool:
    """Whether a request leaves this machine."""
    return not address.startswith(("http://127.0.0.1:", "file:", "data:", "blob:"))


def note(opened: Opened, message: object) -> None:
    """Keep an error of the console, but for the one that MLflow has on every page."""
    kind, text, place = message.type, message.text, message.location["url"]
    if kind == "error" and not place.endswith(KNOWN) and LATE_LAYOUT not in text:
        opened.errors.append(f"{text} ({place})")


@pytest.fixture(scope="session")
def fifty(tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path) -> Iterator[Path]:
    """The page of 50 finished trials, six of them pruned, and of confirmations and longer trainings of five."""
    root = tmp_path_factory.mktemp("fifty") / "mlruns"
    shutil.copytree(blank_record, root)
    places = [f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    settings = load_settings(ROOT / "conf.toml", "cpu", [*TINY, *places])
    numbers = np.random.default_rng(0)
    opened = open_everything(settings, lambda _line: None, 50)
    with closing(opened.lease):
        for number in range(50):
            score = 40.0 + number / 5 + float(numbers.normal())
            name = BASELINES[number] if number < len(BASELINES) else ""
            state = TrialState.PRUNED if number % 8 == 7 else TrialState.COMPLETE
            weights = {weight: float(10 ** numbers.uniform(-1.9, -0.1)) for weight in ("encoder", "decoder", "seraena")}
            kind = ("cosine", "constant_with_warmup", "cosine_with_restarts")[number % 3]
            add_recorded(opened, settings, score, state, name, pictures=True, schedule=kind, **weights)
        for number in range(40, 45):
            for seed in (1, 2):
                add_repeat(opened, number, seed, 4, 45.0 + number / 5 + seed)
                add_repeat(opened, number, seed, 8, 50.0 + number / 5 + seed)
        path = tmp_path_factory.mktemp("page") / "report.html"
        before_s = time.process_time()
        text = page_of(opened, settings)
        assert time.process_time() - before_s < MOST_SECONDS
        path.write_text(text, encoding="utf-8")
        yield path


@pytest.fixture(scope="session")
def pages(done_study: DoneStudy) -> Iterator[dict[str, str]]:
    """The addresses that `python -m tracking.ui` prints for the study, by their titles, while it runs."""
    options = [part for change in (*done_study.changes, f"tracking.port={free_port()}") for part in ("--set", change)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tracking.ui", "--profile", "cpu", *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = {}
    for line in process.stdout:  # ends when the command does
        if match := re.fullmatch(r"(.+): (http://127\S+)\n", line):
            found[match[1]] = match[2]
        if "Ctrl-C" in line:
            break
    yield found
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    process.stdout.close()
    process.wait()


@pytest.fixture(scope="session")
def best_folder(pages: dict[str, str], done_study: DoneStudy) -> Path:
    """The artifacts of the best run, as files."""
    run_id = unquote(pages["the best run"]).split("/runs/")[1].split("/")[0]
    return done_study.root / "artifacts" / run_id / "artifacts"
