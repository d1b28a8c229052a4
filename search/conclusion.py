"""The end of a command: the ranking on the terminal and in the record, where to look, what to do next."""

from collections.abc import Callable
from shlex import quote

from rich.console import Console

from model.cli import speaker
from search.opening import OpenStudy, StudyRecord
from search.page.next_step import next_step
from search.ranking import best_row, rank, to_table, verdict
from search.results import Results, read_results, write_ranking, write_results
from search.settings import Settings
from search.study import TARGET
from tracking.address import is_server, without_password
from tracking.diagnosis import to_table as diagnosis_table
from tracking.failure import RecordError
from tracking.run import State
from tracking.store import artifact_folder


def conclude(opened: OpenStudy, settings: Settings, console: Console, *, interrupted: bool) -> None:
    """Write the study's results to its run and end that as what it is; print the ranking and the next command."""
    rows = rank(opened.study)
    unfinished: State = "KILLED" if interrupted else "FAILED"
    state = "FINISHED" if len(rows) >= opened.study.user_attrs[TARGET] else unfinished
    try:
        results = read_results(opened, settings)
    except RecordError as error:
        if rows:
            console.print(to_table(rows, opened.prepared.yardsticks))
        write_ranking(opened, settings, rows)
        end_study(opened, state)
        # What was measured lies in the spool then, and the page can be made from it later: this must not end as a failure.
        if not opened.prepared.store.outbox.is_waiting:
            raise
        speaker(console)(f"report   not written: {error}; the same command writes it when the record answers again")
        return
    print_results(opened, results, console)
    try:
        write_results(opened, settings, results)
        best = best_row(results.rows)
        if best is not None:
            opened.parent.metrics(best.metrics, len(results.rows))
    finally:
        end_study(opened, state)
    print_pointers(opened, settings, results, speaker(console))


def end_study(opened: OpenStudy, state: State) -> None:
    """End the study's run as what the study is now."""
    opened.parent.tags({"state": {"FINISHED": "complete", "KILLED": "interrupted", "FAILED": "failed"}[state]})
    opened.parent.finish(state)
    opened.prepared.store.outbox.deliver()


def close_study(opened: OpenStudy, settings: Settings) -> Results | None:
    """Write what was learned of a study after its trials, end its run as what it was before, and let go of it.

    Returns:
        What was written; None where another command has taken the study over.
    """
    if opened.lease.taken_by is not None:
        return None  # the study is another command's now, and so is its end
    complete = opened.num_finished() >= opened.study.user_attrs[TARGET]
    try:
        try:
            results = read_results(opened, settings)
            write_results(opened, settings, results)
        finally:
            end_study(opened, "FINISHED" if complete else "KILLED")
    finally:
        opened.lease.close()
    return results


def print_results(record: StudyRecord, results: Results, console: Console) -> None:
    """Print the ranking, what won, and what the study's diagnosis found."""
    if results.rows:
        console.print(to_table(results.rows, record.prepared.yardsticks))
        console.print(verdict(results.rows, record.prepared.yardsticks), soft_wrap=True)
    if results.diagnosis.findings:
        console.print(diagnosis_table(results.diagnosis))


def print_pointers(record: StudyRecord, settings: Settings, results: Results, say: Callable[[str], None]) -> None:
    """Say where the record lies and which command comes next."""
    folder = artifact_folder(record.prepared.store, record.parent.id)
    say(f"report   {folder / 'report.html'}")
    say(f"why      {folder / 'diagnosis.md'}")
    say(f"compare  python -m tracking.ui {place_options(settings)}")
    asked = int(record.study.user_attrs.get(TARGET, 0))
    yardsticks = record.prepared.yardsticks
    note, command = next_step(settings, results.rows, yardsticks, folder, asked, results.gate, results.full)
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
