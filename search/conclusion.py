"""The end of a command: the ranking on the terminal and in the record, where to look, what to do next."""

from collections.abc import Callable, Sequence
from shlex import quote

from rich.console import Console

from model.cli import speaker
from model.settings import change
from search.opening import OpenStudy
from search.page.gathering import gather
from search.page.next_step import next_step
from search.page.page import to_html
from search.promotion.repeats import Repeat, finished_repeats
from search.ranking import Row, rank, to_csv, to_table, verdict
from search.record import to_toml
from search.settings import Settings
from search.space import changes
from search.study import TARGET
from search.study_evidence import study_evidence
from tracking.address import is_server, without_password
from tracking.diagnosis import Diagnosis, diagnose
from tracking.diagnosis import to_table as diagnosis_table
from tracking.diagnosis_files import log_diagnosis
from tracking.run import State
from tracking.store import artifact_folder


def conclude(opened: OpenStudy, settings: Settings, console: Console, *, interrupted: bool) -> None:
    """Write the study's results to its run and end that as what it is; print the ranking and the next command."""
    rows = rank(opened.study)
    if rows:
        console.print(to_table(rows, opened.prepared.yardsticks))
        console.print(verdict(rows, opened.prepared.yardsticks), soft_wrap=True)
    repeats = list(finished_repeats(opened.prepared.store, opened.parent.id).values())
    evidence = study_evidence(opened, settings, rows, repeats)
    diagnosis = diagnose(evidence)
    if diagnosis.findings:
        console.print(diagnosis_table(diagnosis))
    unfinished: State = "KILLED" if interrupted else "FAILED"
    state = "FINISHED" if len(rows) >= opened.study.user_attrs[TARGET] else unfinished
    try:
        log_diagnosis(diagnosis, evidence, opened.parent)
        write_results(opened, settings, rows, diagnosis, repeats)
    finally:
        opened.parent.tags({"state": {"FINISHED": "complete", "KILLED": "interrupted", "FAILED": "failed"}[state]})
        opened.parent.finish(state)
        opened.prepared.store.outbox.deliver()
    print_pointers(opened, settings, rows, speaker(console))


def write_results(
    opened: OpenStudy, settings: Settings, rows: list[Row], diagnosis: Diagnosis, repeats: Sequence[Repeat]
) -> None:
    """Write ranking.csv, report.html and best.toml (all settings of the best trial) to the study's run."""
    parent = opened.parent
    parent.text("ranking.csv", to_csv(rows))
    parent.text("report.html", to_html(gather(opened, settings, rows, diagnosis, repeats)))
    if rows and rows[0].metrics:
        parent.text("best.toml", to_toml(change(settings, changes(rows[0].parameters))))
        parent.metrics(rows[0].metrics, len(rows))


def print_pointers(opened: OpenStudy, settings: Settings, rows: list[Row], say: Callable[[str], None]) -> None:
    """Say where the record lies and which command comes next."""
    folder = artifact_folder(opened.prepared.store, opened.parent.id)
    say(f"report   {folder / 'report.html'}")
    say(f"why      {folder / 'diagnosis.md'}")
    say(f"compare  python -m tracking.ui {place_options(settings)}")
    note, command = next_step(settings, rows, opened.prepared.yardsticks, folder)
    if note:
        say(f"note     {note}")
    if command:
        say(f"next     {command}")


def place_options(settings: Settings) -> str:
    """The options that name the record; a server's pages need no folder."""
    uri = settings.tracking.uri
    parts = [] if is_server(uri) else [f"tracking.root={settings.tracking.root}"]
    parts += [f"tracking.uri={without_password(uri)}"] if uri else []
    return " ".join(f"--set {quote(part)}" for part in parts)
