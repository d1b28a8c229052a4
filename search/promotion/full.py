"""The full run: the winner's settings over the whole horizon, through every interruption to its end."""

import contextlib
import statistics
from collections.abc import Iterator, Sequence

from rich.console import Console

from model.cli import InterruptedWorkError, speaker
from model.preflight.report import Preflight
from model.ranks import Ranks
from model.settings import identity
from model.training.checkpoint import WEIGHTS, has_checkpoint
from model.training.loop import is_due, train
from model.training.measurement import Measurement
from model.training.step import NonFiniteError
from search.follow import Start, leave_together
from search.lease import LostLeaseError
from search.opening import OpenStudy
from search.preflight import check_run
from search.preparation import Preparation
from search.progress import StepProgress
from search.promotion.candidates import Candidate
from search.promotion.confirmation import Confirmed
from search.promotion.full_files import bring_back, folder_of
from search.promotion.kept import keep_weights, step_of
from search.promotion.repeats import CANDIDATE_TAG, HORIZON_TAG, SEED_TAG
from search.promotion.scoring import score_weights
from search.promotion.watch import WATCH_TAG, HopelessRunError, Watch
from search.record import TrainingRecord, start_training_record
from search.settings import Settings, recipe_of
from search.shortage import naming_what_fits
from search.signals import stop_on_signal
from tracking.diagnosis.rules_output import CONSTANT_BASELINES
from tracking.query import RunRow, children, history
from tracking.recorded import PREFLIGHT, artifact
from tracking.run import reopen_run

#: Where in a confirmation the full run is first compared with it: step 2000 of 5000.
EARLY_MARK = 0.4


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
    return next((row for row in reversed(full_runs(opened)) if row.tags["identity"] == wanted), None)


def full_runs(opened: OpenStudy) -> list[RunRow]:
    """All full runs below the study, the oldest first."""
    return children(opened.prepared.store, opened.parent.id, role="full")


def open_full_run(opened: OpenStudy, settings: Settings, candidate: Candidate, row: RunRow | None) -> TrainingRecord:
    """Go on with a full run that was interrupted, wherever its checkpoint is, or begin one."""
    prepared = opened.prepared
    if row is None:
        tags = {
            "study": opened.study.study_name,
            CANDIDATE_TAG: str(candidate.trial),
            SEED_TAG: str(settings.training.seed),
            HORIZON_TAG: str(settings.training.steps),
        }
        name = f"full {candidate.label}, {settings.training.steps} steps"
        return start_training_record(prepared, settings, name=name, role="full", parent=opened.parent, tags=tags)
    run, folder = reopen_run(prepared.store, row.id), folder_of(prepared.store, row)
    folder.mkdir(parents=True, exist_ok=True)
    bring_back(prepared.store, row, folder)
    run.tags({"state": "running", "reason": ""})
    curves = {name: history(prepared.store, row.id, name) for name in row.metrics}
    measured = artifact(prepared.store, row.id, PREFLIGHT)
    preflight = None if measured is None else Preflight.from_json(measured)
    return TrainingRecord(row.name, prepared.store, run, settings, folder, prepared.yardsticks, preflight, curves)


def train_full(
    record: TrainingRecord,
    opened: OpenStudy,
    watch: Watch,
    console: Console,
    ranks: Ranks,
    *,
    force: bool,
    forced: Sequence[str] = (),
) -> None:
    """Check, train to the last step, and record; afterwards the run has ended as what it was.

    Args:
        record: of the run, new or reopened.
        opened: its study.
        watch: judges its evaluations.
        console: for people.
        ranks: that train it, of which this process is the first.
        force: go on although the preflight finds an error.
        forced: what the person has gone on with before.

    Raises:
        PreflightRefusal: the preflight found an error, without `force`.
        HopelessRunError: it was stopped early by the rule of search/promotion/watch.py.
        NonFiniteError: a loss or a gradient was not finite.
        InterruptedWorkError: the person asked to stop; the same command goes on.
        LostLeaseError: another process has taken the study over; the run is its own, and is left as it is.
        OSError: a checkpoint cannot be written; the same command goes on from the last one.
    """
    say, recipe, prepared = speaker(console), recipe_of(record.settings), opened.prepared
    again, recorded = has_checkpoint(record.folder), last_step(record)
    with ended_as_it_was(record, prepared, ranks), naming_what_fits(record, prepared, ranks), stop_on_signal() as stop:
        if again:
            say(
                f"the full run goes on from its last checkpoint; {recorded} of {recipe.training.steps} steps are recorded"
            )
        else:
            if recorded:
                say(
                    f"warning: {recorded} steps of the full run are recorded, but {record.folder} has no checkpoint to go on "
                    "from: it begins again at step 0"
                )
            check_run(record, prepared, say, force=force, ranks=ranks, before=forced)
        marks = tuple(watch.marks)
        ranks.tell(Start(recipe, prepared.bank.path, prepared.perceptual is not None, record.folder, marks))
        steps = train(
            recipe,
            prepared.bank,
            perceptual=prepared.perceptual,
            device=prepared.device,
            folder=record.folder,
            ranks=ranks,
            evaluate_at=marks,
        )
        begun = step_of(record.folder / WEIGHTS) if again else 0
        with StepProgress(console, recipe.training.steps, begun) as progress, contextlib.closing(steps):
            for measurement in steps:
                opened.lease.check()
                keep(record)
                if measurement.step > recorded:
                    record.measure(measurement)
                elif measurement.scores is not None:
                    record.scores, record.step = measurement.scores, measurement.step
                if measurement.scores is not None:
                    record.run.flush()  # the checkpoint of this step comes next: what was before it is never measured again
                progress.step(measurement)
                hopeless = judge(watch, measurement, record, progress)
                if ranks.any(bool(stop) or hopeless is not None):  # all end at one step, whatever for
                    raise hopeless or InterruptedWorkError(
                        f"stopped by {stop.signal_name or 'a signal to another rank'} at step {measurement.step}; the "
                        "same command goes on "
                        f"from the last checkpoint, at most {recipe.training.checkpoint_every} steps earlier"
                    )
        keep(record)
        finish(record, prepared, recipe.training.steps)
    prepared.store.outbox.deliver()
    ranks.wait()


def judge(
    watch: Watch, measurement: Measurement, record: TrainingRecord, progress: StepProgress
) -> HopelessRunError | None:
    """Print and record what the watch says of a measurement; returns the error of a run that is not worth going on."""
    try:
        line = watch.judge(measurement)
    except HopelessRunError as error:
        return error
    if line:
        progress.line(line)
        record.run.tags({WATCH_TAG: "; ".join(watch.said)})
    return None


def last_step(record: TrainingRecord) -> int:
    """The last step that the record has measurements of."""
    return max((points[-1][0] for points in record.curves.values() if points), default=0)


def keep(record: TrainingRecord) -> None:
    """Keep the last weights if they are worth it, compared with those that were saved before."""
    training = record.settings.training
    scores = {
        step: score
        for step, score in record.curves.get("score", ())
        if is_due(step, training.checkpoint_every, training.steps)
    }
    keep_weights(record.folder, scores, record.settings.promotion.keep_every)


def finish(record: TrainingRecord, prepared: Preparation, steps: int) -> None:
    """Write the results of a run that came to its last step, also of one that was killed just after it."""
    if record.scores is None:
        record.scores, record.step = score_weights(record.folder / WEIGHTS, record.settings, prepared), steps
        record.run.metrics(record.scores.metrics(), steps)
    record.write_results(keep_checkpoint=True)
    record.close("FINISHED")


@contextlib.contextmanager
def ended_as_it_was(record: TrainingRecord, prepared: Preparation, ranks: Ranks) -> Iterator[None]:
    """End the run of a full training that does not come to its end within the block; the error goes on.

    What would happen again (a value that is not finite, a run stopped by the rule) has failed. Everything else was an
    interruption:
    the files stay where they are, and the same command goes on from them. A run that another process goes on with by now is left
    alone.
    """
    try:
        yield
    except LostLeaseError:
        raise
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
        leave_together(error, ranks, HopelessRunError)
        raise
