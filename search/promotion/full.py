"""The full run: the winner's settings over the whole horizon, through every interruption to its end."""

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from model.cli import InterruptedWorkError, speaker
from model.evaluation.evaluation import evaluate
from model.evaluation.scores import Scores
from model.network.taehv import TAEHV
from model.network.weights import load_weights
from model.ranks import Ranks
from model.settings import change, identity
from model.training.checkpoint import WEIGHTS, has_checkpoint
from model.training.loop import train
from model.training.step import NonFiniteError
from search.follow import Start, leave_together
from search.opening import OpenStudy
from search.preflight import check_run
from search.preparation import Preparation, running_folder
from search.progress import StepProgress
from search.promotion.candidates import Candidate
from search.promotion.confirmation import Confirmed
from search.promotion.kept import keep_weights
from search.promotion.watch import HopelessRunError, Watch
from search.record import TrainingRecord, start_training_record
from search.settings import Settings, recipe_of
from search.shortage import naming_what_fits
from search.signals import stop_on_signal
from search.space import changes
from tracking.diagnosis.rules_output import CONSTANT_BASELINES
from tracking.query import RunRow, children, history
from tracking.run import reopen_run
from tracking.store import Store

#: A full run is measured this often, and probed this often: curves a person can read, and a share of the time below 2 %.
MEASUREMENTS, PROBES = 1000, 200

#: Where in a confirmation the full run is first compared with it: step 2000 of 5000.
EARLY_MARK = 0.4


def full_settings(settings: Settings, candidate: Candidate) -> Settings:
    """The candidate's settings over the full number of steps; what is a share of the horizon stretches with it."""
    promotion = settings.promotion
    wanted = changes(candidate.parameters) | {
        "training.steps": promotion.steps,
        "training.evaluate_every": promotion.evaluate_every,
        "training.checkpoint_every": promotion.evaluate_every,
        "training.renew_every": promotion.renew_every,
        "training.log_every": max(1, promotion.steps // MEASUREMENTS),
        "training.probe_every": max(1, promotion.steps // PROBES),
    }
    return change(settings, wanted)


def describe_stretch(trial_steps: int, full: Settings) -> str:
    """Say what is other than in the trial."""
    steps, share = full.training.steps, full.training.average_share
    return (
        f"schedule {full.schedule.kind} stretched from {trial_steps} to {steps} steps, the average's window from "
        f"{share * trial_steps:.0f} to {share * steps:.0f} (both are shares of the horizon)"
    )


def watch_of(winner: Confirmed, prepared: Preparation, settings: Settings) -> Watch:
    """Watch for a full run that stays behind the means of its confirmations, at 40 % of their steps and at their end."""
    steps = winner.long[0].steps
    curves = [dict(repeat.curve) for repeat in winner.long]
    shared = sorted(set.intersection(*map(set, curves)))
    first = min(shared, key=lambda step: abs(step - EARLY_MARK * steps))
    marks = {step: statistics.fmean(curve[step] for curve in curves) for step in dict.fromkeys((first, steps))}
    constant = max(prepared.yardsticks[name].psnr for name in CONSTANT_BASELINES)
    return Watch(settings.training.steps, marks, constant)


def find_full_run(opened: OpenStudy, settings: Settings) -> RunRow | None:
    """The newest full run of these settings below the study."""
    wanted = identity(recipe_of(settings))
    found = [row for row in children(opened.prepared.store, opened.parent.id) if row.role == "full"]
    return next((row for row in reversed(found) if row.tags["identity"] == wanted), None)


def open_full_run(opened: OpenStudy, settings: Settings, candidate: Candidate, row: RunRow | None) -> TrainingRecord:
    """Go on with a full run that was interrupted, or begin one."""
    prepared = opened.prepared
    if row is None:
        tags = {"study": opened.study.study_name, "trial_number": str(candidate.trial)}
        name = f"full {candidate.label}, {settings.training.steps} steps"
        return start_training_record(prepared, settings, name=name, role="full", parent=opened.parent, tags=tags)
    run, folder = reopen_run(prepared.store, row.id), folder_of(prepared.store, row)
    folder.mkdir(parents=True, exist_ok=True)
    run.tags({"state": "running", "reason": ""})
    curves = {name: history(prepared.store, row.id, name) for name in row.metrics}
    return TrainingRecord(row.name, prepared.store, run, settings, folder, prepared.yardsticks, curves=curves)


def folder_of(store: Store, row: RunRow) -> Path:
    """Where a run that is not at its end keeps its files."""
    known = [running_folder(store) / name for name in row.names]
    return next((folder for folder in known if folder.exists()), known[0])


def train_full(
    record: TrainingRecord, prepared: Preparation, watch: Watch, console: Console, ranks: Ranks, *, force: bool
) -> None:
    """Check, train to the last step, and record; afterwards the run has ended as what it was.

    Raises:
        PreflightRefusal: the preflight found an error, without `force`.
        HopelessRunError: it was stopped early by the rule of search/promotion/watch.py.
        NonFiniteError: a loss or a gradient was not finite.
        InterruptedWorkError: the person asked to stop; the same command goes on.
        OSError: a checkpoint cannot be written; the same command goes on from the last one.
    """
    say, recipe = speaker(console), recipe_of(record.settings)
    again = has_checkpoint(record.folder)
    with ended_as_it_was(record, prepared, ranks), naming_what_fits(record, prepared, ranks), stop_on_signal() as stop:
        if not again:
            check_run(record, prepared, say, force=force, ranks=ranks)
        ranks.tell(Start(recipe, prepared.bank.path, prepared.perceptual is not None, record.folder))
        recorded = last_step(record)
        if again:
            say(
                f"the full run goes on from its last checkpoint; {recorded} of {recipe.training.steps} steps are recorded"
            )
        steps = train(
            recipe,
            prepared.bank,
            perceptual=prepared.perceptual,
            device=prepared.device,
            folder=record.folder,
            ranks=ranks,
        )
        with StepProgress(console, recipe.training.steps) as progress, contextlib.closing(steps):
            for measurement in steps:
                keep(record)
                if measurement.step > recorded:
                    record.measure(measurement)
                elif measurement.scores is not None:
                    record.scores, record.step = measurement.scores, measurement.step
                if measurement.scores is not None:
                    record.run.flush()  # the checkpoint of this step comes next: what was before it is never measured again
                progress.step(measurement)
                for line in watch.judge(measurement):
                    progress.line(line)
                if ranks.any(bool(stop)):
                    raise InterruptedWorkError(
                        f"stopped by {stop.signal_name or 'a signal to another rank'} at step {measurement.step}; the "
                        "same command goes on "
                        f"from the last checkpoint, at most {recipe.training.checkpoint_every} steps earlier"
                    )
        keep(record)
        finish(record, prepared, recipe.training.steps)
    prepared.store.outbox.deliver()
    ranks.wait()


def last_step(record: TrainingRecord) -> int:
    """The last step that the record has measurements of."""
    return max((points[-1][0] for points in record.curves.values() if points), default=0)


def keep(record: TrainingRecord) -> None:
    """Keep the last weights if they are worth it."""
    keep_weights(record.folder, dict(record.curves.get("score", ())), record.settings.promotion.keep_every)


def finish(record: TrainingRecord, prepared: Preparation, steps: int) -> None:
    """Write the results of a run that came to its last step, also of one that was killed just after it."""
    if record.scores is None:
        record.scores, record.step = score_weights(record.folder / WEIGHTS, record.settings, prepared), steps
        record.run.metrics(record.scores.metrics(), steps)
    record.write_results(keep_checkpoint=True)
    record.close("FINISHED")


def score_weights(weights: Path, settings: Settings, prepared: Preparation) -> Scores:
    """Load weights from their file and score them on the study's validation clips."""
    model = TAEHV(settings.network)
    load_weights(model, weights)
    model.to(prepared.device)
    bank = prepared.bank
    return evaluate(
        lambda video: model.decode(model.encode(video)),
        bank.validation,
        bank.validation_names,
        settings.evaluation,
        prepared.perceptual,
        prepared.device,
    )


@contextlib.contextmanager
def ended_as_it_was(record: TrainingRecord, prepared: Preparation, ranks: Ranks) -> Iterator[None]:
    """End the run of a full training that does not come to its end within the block; the error goes on.

    What would happen again (a value that is not finite, a run stopped by the rule) has failed. Everything else was an
    interruption:
    the files stay where they are, and the same command goes on from them.
    """
    try:
        yield
    except BaseException as error:
        try:
            if isinstance(error, NonFiniteError | HopelessRunError):
                record.write_results(keep_checkpoint=True, failure=str(error))
                record.close("FAILED", str(error))
            else:
                record.write_waiting()
                record.run.tags({"state": "interrupted", "reason": str(error) or type(error).__name__})
                record.run.finish("KILLED")
        finally:
            prepared.store.outbox.deliver()
        leave_together(error, ranks)
        raise
