"""What a study came to so far, from both records, and the files that say so."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.settings import change
from search.opening import StudyRecord
from search.page.gathering import gather
from search.page.page import to_html
from search.promotion.full_result import FullResult, full_result
from search.promotion.gate_record import GateRecord, recorded_gate
from search.promotion.repeats import Repeat, finished_repeats
from search.ranking import Row, best_row, rank, to_csv
from search.record import to_toml
from search.settings import Settings
from search.space import changes
from search.study_evidence import study_evidence
from tracking.diagnosis import Diagnosis, Evidence, diagnose
from tracking.diagnosis_files import log_diagnosis


@dataclass(frozen=True)
class Results:
    """Of a study.

    Attributes:
        rows: finished trials, the best first.
        repeats: finished confirmations of all lengths.
        gate: the decision of its promotion; None where none was made.
        full: what its registered full run came to; None where there is none.
        evidence: that its diagnosis looked at.
        diagnosis: of the study.
    """

    rows: list[Row]
    repeats: list[Repeat]
    gate: GateRecord | None
    full: FullResult | None
    evidence: Evidence
    diagnosis: Diagnosis


def read_results(record: StudyRecord, settings: Settings) -> Results:
    """Read what the records hold now.

    Raises:
        RecordError: a record cannot be read.
        ValueError: an artifact is missing or damaged.
    """
    store, parent = record.prepared.store, record.parent.id
    rows, repeats = rank(record.study), list(finished_repeats(store, parent).values())
    evidence = study_evidence(record, settings, rows, repeats)
    gate, full = recorded_gate(store, parent), full_result(store, parent)
    return Results(rows, repeats, gate, full, evidence, diagnose(evidence))


def write_results(record: StudyRecord, settings: Settings, results: Results) -> None:
    """Write diagnosis, report.html and what `write_ranking` writes to the study's run."""
    log_diagnosis(results.diagnosis, results.evidence, record.parent)
    write_ranking(record, settings, results.rows)
    page = gather(record, settings, results.rows, results.diagnosis, results.repeats, results.gate, results.full)
    record.parent.text("report.html", to_html(page))


def write_ranking(record: StudyRecord, settings: Settings, rows: Sequence[Row]) -> None:
    """Write ranking.csv and best.toml (all settings of the best trial), for which MLflow need not be asked."""
    record.parent.text("ranking.csv", to_csv(rows))
    best = best_row(rows)
    if best is not None:
        record.parent.text("best.toml", to_toml(change(settings, changes(best.parameters))))
