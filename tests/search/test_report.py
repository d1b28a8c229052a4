import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState, create_trial

from model.cli import run
from search.opening import OpenStudy
from search.preparation import Preparation
from search.ranking import rank
from search.report import MIN_TRIALS_FOR_IMPORTANCE, importances, main, to_html
from tests.commands import settings_options
from tracking.store import artifact_folder

AddTrial = Callable[..., int]


@dataclass
class Page(HTMLParser):
    """What a browser would fetch for a page, and the text of its table's rows."""

    addresses: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    scripts: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        self.scripts += tag == "script"
        self.inside = tag
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if self.inside in ("td", "th"):
            self.rows[-1] += f"{data}|"

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(study_name="taehv-0", direction="maximize")


@pytest.fixture
def page(study: optuna.Study, prepared_once: Preparation) -> Callable[[], str]:
    return lambda: to_html(study, rank(study), prepared_once.yardsticks)


def fill(study: optuna.Study, add_trial: AddTrial, count: int) -> None:
    for number in range(count):
        add_trial(study, 10.0 + number, encoder=0.01 * (number + 1), schedule=("cosine", "linear")[number % 2])


def test_a_study_without_trials_has_a_page(page: Callable[[], str]) -> None:
    text = page()
    assert "no trial has a score yet" in text
    assert len(read(text).rows) == 1  # the heading


def test_one_trial_is_enough_for_its_point(study: optuna.Study, add_trial: AddTrial, page: Callable[[], str]) -> None:
    add_trial(study, 30.0, baseline="seed_old")
    text = page()
    assert "Score by trial" in text
    assert "Parameters and score" not in text  # one line among parallel axes compares nothing
    assert read(text).rows[1].startswith("1|0 seed_old|30.00|15.00|0.500|-|")


def test_every_trial_is_on_a_page_that_needs_nothing_else(
    study: optuna.Study, add_trial: AddTrial, page: Callable[[], str]
) -> None:
    fill(study, add_trial, 23)
    add_trial(study, None, TrialState.PRUNED)  # diverged
    add_trial(study, 99.0, TrialState.PRUNED)
    add_trial(study, None, TrialState.FAIL)
    text = page()
    found = read(text)
    assert found.addresses == []
    assert len(text.encode()) < 8_000_000  # MLflow's viewer loads the whole file
    assert [int(row.split("|")[1]) for row in found.rows[1:]] == [*range(22, -1, -1), 24, 23]
    assert all(f"against {name}" in text for name in ("mean colour", "average 8x8", "reference"))
    for title in ("Score by trial", "Parameters and score", "Importance of parameters"):
        assert title in text


def test_plotly_is_inlined_once(study: optuna.Study, add_trial: AddTrial, page: Callable[[], str]) -> None:
    add_trial(study, 30.0)
    one = len(page())
    fill(study, add_trial, 25)
    assert one > 1_000_000
    assert len(page()) < 1.2 * one


def test_names_are_text_and_no_markup(study: optuna.Study, add_trial: AddTrial, page: Callable[[], str]) -> None:
    add_trial(study, 30.0, baseline="<script>alert(1)</script>")
    add_trial(study, 20.0, baseline='"><img src=x>')
    text = page()
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert read(text).addresses == []


@pytest.mark.parametrize(
    ("count", "there"), [(MIN_TRIALS_FOR_IMPORTANCE - 1, False), (MIN_TRIALS_FOR_IMPORTANCE, True)]
)
def test_importances_come_with_enough_complete_trials(
    study: optuna.Study, add_trial: AddTrial, count: int, there: bool
) -> None:
    fill(study, add_trial, count)
    add_trial(study, 50.0, TrialState.PRUNED)
    figure = importances(study)
    assert (figure is not None) == there
    if figure is not None:
        assert [bar.name for bar in figure.data] == ["fANOVA", "PED-ANOVA"]
        assert figure.data[0].x[0] == "encoder"  # the score is a function of it alone
        assert sum(figure.data[0].y) == pytest.approx(1)


def test_a_weight_that_one_baseline_lacks_is_not_hidden(study: optuna.Study, add_trial: AddTrial) -> None:
    fill(study, add_trial, MIN_TRIALS_FOR_IMPORTANCE)
    without = study.trials[0]
    kinds = {name: kind for name, kind in without.distributions.items() if name != "encoder"}
    params = {name: without.params[name] for name in kinds}
    study.add_trial(create_trial(state=TrialState.COMPLETE, value=5.0, params=params, distributions=kinds))
    figure = importances(study)
    assert figure is not None
    assert [bar.x[0] for bar in figure.data] == ["encoder", "encoder"]


def test_scores_that_are_all_equal_have_no_importances(study: optuna.Study, add_trial: AddTrial) -> None:
    for _ in range(MIN_TRIALS_FOR_IMPORTANCE):
        add_trial(study, 30.0)
    assert importances(study) is None


def test_the_command_writes_the_page_of_an_unfinished_study_again(
    opened: OpenStudy,
    add_trial: AddTrial,
    tiny_changes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run_with_checkpoint: Callable[[OpenStudy], str],
) -> None:
    add_trial(opened.study, 30.0, run_id=run_with_checkpoint(opened))
    folder = artifact_folder(opened.prepared.store, opened.parent.id)
    monkeypatch.setattr(sys, "argv", ["search.report", *settings_options(*tiny_changes)])
    with pytest.raises(SystemExit) as left:
        run(main)
    assert left.value.code == 0
    out = capsys.readouterr().out
    report = next(line for line in out.splitlines() if line.startswith("report")).removeprefix("report").strip()
    assert Path(report) == folder / "report.html"
    assert len(read(Path(report).read_text()).rows) == 2
    assert (folder / "ranking.csv").read_text().count("\n") == 2
    assert (folder / "best.toml").exists()
    assert len(opened.study.get_trials()) == 4  # three baselines are queued still, nothing was trained
    status = MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(opened.parent.id).info.status
    assert status != "RUNNING"
