import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from model.cli import run
from search.lock import study_lock
from search.opening import OpenStudy
from search.page.frame import plotly_js
from search.report import main
from search.settings import Settings
from search.study import TARGET, fail
from tests.commands import settings_options
from tests.search.recorded_trials import add_recorded, evidence_of, page_of
from tracking.store import artifact_folder

SECTIONS = [
    *("verdict", "ranking", "history", "curves", "parallel", "importances", "slices", "interaction", "shares"),
    *("pictures", "diagnosis", "noise", "fidelity", "promotion", "provenance"),
]


@dataclass
class Page(HTMLParser):
    """What a browser would fetch for a page, its sections, the text of its ranking's rows and of each section."""

    addresses: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.section, self.inside = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [given[name] or "" for name in ("src", "href", "srcset", "data", "action") if name in given]
        self.inside = tag
        if tag == "section":
            self.section = given["id"] or ""
            self.texts[self.section] = ""
        if tag == "tr" and self.section == "ranking":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if self.section and self.inside != "script":
            self.texts[self.section] += data
        if self.section == "ranking" and self.rows:
            self.rows[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""
        if self.section == "ranking" and self.rows and tag in ("td", "th"):
            self.rows[-1] += "|"


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


@pytest.fixture
def settings(tiny: Callable[..., Settings]) -> Settings:
    return tiny()


def verdict(opened: OpenStudy, settings: Settings) -> str:
    page = read(page_of(opened, settings))
    assert list(page.texts) == SECTIONS
    return page.texts["verdict"]


def test_a_study_without_trials_says_so_in_every_section(opened: OpenStudy, settings: Settings) -> None:
    text = verdict(opened, settings)
    assert "no trial has a score yet, because none has ended" in text
    assert "0 trials finished of 50 asked for" in text
    assert "3 queued or running" in text
    assert "python -m search.run" in text


def test_one_trial_is_the_best_and_too_few(opened: OpenStudy, settings: Settings) -> None:
    add_recorded(opened, settings, 30.0, baseline="seed_old")
    text = verdict(opened, settings)
    assert "Best: trial 3, the user's old settings, with score 30.00, 15.00 dB" in text
    assert "1 trial finished of 50" in text
    assert "against the user's old settings: it is the best trial itself" in text
    assert "against the user's new settings: unknown, because that trial has no score" in text
    assert "Only 1 complete trial" in text
    assert "The lead" not in text
    assert "luckiest" not in text


def test_two_trials_have_a_gain_and_a_lead(opened: OpenStudy, settings: Settings) -> None:
    add_recorded(opened, settings, 30.0, baseline="seed_old")
    add_recorded(opened, settings, 33.0)
    text = verdict(opened, settings)
    assert [each.label for each in evidence_of(opened, settings).shown] == ["best", "worst", "seed_old"]
    assert "Best: trial 4, with score 33.00" in text
    assert "against the user's old settings: +1.50 dB" in text
    assert "The lead over the second is 3.00 in score. Noise between seeds: unknown" in text


def test_trials_that_all_failed_are_called_so(opened: OpenStudy, settings: Settings) -> None:
    for _ in range(2):
        add_recorded(opened, settings, None, TrialState.FAIL, reason="its worker exited with code 1")
    text = verdict(opened, settings)
    assert "no trial has a score yet, all 2 that ended failed. The last reason: its worker exited with code 1." in text
    assert "Best:" not in text


def test_trials_that_were_interrupted_are_neither_failed_nor_to_be_mended(
    opened: OpenStudy, settings: Settings
) -> None:
    for _ in range(2):
        trial = opened.study.ask()
        assert fail(opened.study, trial.number, "interrupted by SIGINT", own_fault=False)
    text = verdict(opened, settings)
    assert "none has ended; 2 were interrupted and queued again" in text
    assert "0 complete, 0 pruned or diverged; 2 interrupted; 3 queued or running." in text
    assert "failed" not in text
    assert "Next: the study has 0 of 50 trials:" in text
    page = read(page_of(opened, settings))
    assert "SIGINT" not in page.texts["diagnosis"]
    assert "best.toml" not in page.texts["provenance"]


def test_trials_that_were_all_pruned_are_called_so(opened: OpenStudy, settings: Settings) -> None:
    for _ in range(3):
        add_recorded(opened, settings, 40.0, TrialState.PRUNED)
    text = verdict(opened, settings)
    assert "all 3 that ended were pruned or diverged (the scores in the ranking are of earlier steps)" in text
    assert "Best:" not in text
    # They are all that was asked for: to ask for 3 again would do nothing.
    opened.study.set_user_attr(TARGET, 3)
    assert "--trials 53" in verdict(opened, settings)


def test_trials_that_all_diverged_are_followed_by_lower_learning_rates(opened: OpenStudy, settings: Settings) -> None:
    for _ in range(3):
        add_recorded(opened, settings, None, TrialState.PRUNED, reason="loss/total was nan at step 2")
    opened.study.set_user_attr(TARGET, 3)
    text = verdict(opened, settings)
    assert "all 3 that ended were pruned or diverged (none was measured). The last reason: loss/total was nan" in text
    assert "Next: no trial has a score: another study with lower learning rates:" in text


def test_a_score_that_is_no_number_is_no_score(opened: OpenStudy, settings: Settings) -> None:
    add_recorded(opened, settings, float("nan"), TrialState.PRUNED)
    assert "the only one that ended was pruned or diverged (none was measured)" in verdict(opened, settings)
    add_recorded(opened, settings, 20.0)
    page = read(page_of(opened, settings))
    assert "Best: trial 4" in page.texts["verdict"]
    assert page.rows[1].startswith("1|4|20.00|ok|0.0001|10.00|0.500|-|")
    assert page.rows[2].startswith("2|3|-|ok|0.0001|-|0.500|-|")


def test_every_trial_is_on_a_page_that_needs_nothing_else(opened: OpenStudy, settings: Settings) -> None:
    for number in range(23):
        kind = ("cosine", "linear")[number % 2]
        add_recorded(opened, settings, 10.0 + number, pictures=number > 20, encoder=0.01 * (number + 1), schedule=kind)
    add_recorded(opened, settings, None, TrialState.PRUNED, reason="loss/total was nan at step 2")
    add_recorded(opened, settings, 99.0, TrialState.PRUNED)
    add_recorded(opened, settings, None, TrialState.FAIL, reason="its worker was killed")
    text = page_of(opened, settings)
    page = read(text)
    assert list(page.texts) == SECTIONS
    assert {address[:16] for address in page.addresses} == {"data:image/webp;"} | {f"#{name}"[:16] for name in SECTIONS}
    assert len(text.encode()) < 8_000_000  # MLflow's viewer loads the whole file
    assert [int(row.split("|")[1]) for row in page.rows[1:]] == [*range(25, 2, -1), 27, 26]
    assert "its worker was killed" in page.texts["diagnosis"]
    assert text.count('class="plot"') == 7
    assert text.count(plotly_js()) == 1


def test_names_and_reasons_are_text_and_no_markup(opened: OpenStudy, settings: Settings) -> None:
    bad = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>'
    add_recorded(opened, settings, 30.0, baseline=bad, pictures=True)
    add_recorded(opened, settings, 31.0, baseline="</script><b>")
    add_recorded(opened, settings, None, TrialState.FAIL, reason=bad)
    text = page_of(opened, settings).replace(plotly_js(), "")
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert text.count("</script>") == text.count("<script")
    assert all(address.startswith(("#", "data:image/webp;base64,")) for address in read(text).addresses)
    assert re.search(r"&lt;script&gt;alert\(2\)&lt;/script&gt;", text)


def database_dump(opened: OpenStudy) -> list[str]:
    """All that Optuna has, but for the holder's own signs of life."""
    with closing(sqlite3.connect(opened.prepared.store.root / "optuna.db")) as connection:
        return [line for line in connection.iterdump() if "study_leases" not in line]


def test_the_command_writes_the_page_of_a_study_that_another_process_works_on(
    opened: OpenStudy,
    add_trial: Callable[..., int],
    tiny_changes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run_with_checkpoint: Callable[[OpenStudy], str],
) -> None:
    add_trial(opened.study, 30.0, run_id=run_with_checkpoint(opened))
    folder = artifact_folder(opened.prepared.store, opened.parent.id)
    opened.study.ask()  # the first of the queue is running now
    before = database_dump(opened)
    monkeypatch.setattr(sys, "argv", ["search.report", *settings_options(*tiny_changes)])
    with study_lock(opened.prepared.store.root), pytest.raises(SystemExit) as left:
        run(main)
    assert database_dump(opened) == before
    assert left.value.code == 0
    out = capsys.readouterr().out
    report = next(line for line in out.splitlines() if line.startswith("report")).removeprefix("report").strip()
    assert Path(report) == folder / "report.html"
    assert len(read(Path(report).read_text()).rows) == 2
    assert (folder / "ranking.csv").read_text().count("\n") == 2
    assert (folder / "best.toml").exists()
    status = MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(opened.parent.id).info.status
    assert status == "RUNNING"
    assert len(opened.study.get_trials(states=(TrialState.RUNNING,))) == 1
