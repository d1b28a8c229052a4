"""python -m search.train: one tracked run of the settings as they stand."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import typer

from model.cli import (
    FAILED,
    ConfigOption,
    DebugOption,
    ForceOption,
    InterruptedWorkError,
    ProfileOption,
    SetOption,
    make_console,
    resolve_profile,
    run,
    speaker,
)

if TYPE_CHECKING:
    from rich.console import Console

    from model.ranks import Ranks
    from search.preparation import Preparation
    from search.record import TrainingRecord
    from search.settings import Settings


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Train once with the settings of conf.toml and record it.

    Example: python -m search.train --set training.steps=5000 --set data.source=/path/to/videos

    On several GPUs, each with its part of every batch: torchrun --standalone --nproc-per-node 2 -m search.train ...
    """
    from model.ranks import open_ranks
    from search.settings import load_settings
    from search.signals import sigterm_as_interrupt

    with open_ranks() as ranks:
        if not ranks.first:
            from search.follow import follow

            if not follow(ranks):
                raise typer.Exit(FAILED)  # the first rank says why
            return
        console = make_console()
        settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
        with sigterm_as_interrupt():
            train_once(settings, console, ranks, force=force)


def train_once(settings: "Settings", console: "Console", ranks: "Ranks | None" = None, *, force: bool = False) -> None:
    """Check, train, record and diagnose one run.

    Args:
        settings: of the run.
        console: for people.
        ranks: that train, of which this process is the first; None: this process alone.
        force: go on although the preflight found an error.

    Raises:
        ValueError: the settings or the data break a rule.
        RuntimeError: the preflight found an error and `force` is not given, a value was not finite, or the work failed
            otherwise; the run is recorded as failed.
        InterruptedWorkError: the person asked to stop.
    """
    from model.ranks import ALONE
    from model.training.device import resolve_device
    from model.training.division import check_division
    from model.training.loop import check_recipe, train
    from search.follow import Start, describe_division
    from search.holder import Holder
    from search.left_open import HOLDER, close_trainings
    from search.preflight import check_run
    from search.preparation import prepare
    from search.progress import StepProgress
    from search.record import start_training_record
    from search.settings import recipe_of
    from search.shortage import naming_what_fits
    from search.signals import stop_on_signal
    from tracking.diagnosis import to_table
    from tracking.store import artifact_folder

    ranks = ranks or ALONE
    recipe, say = recipe_of(settings), speaker(console)
    check_division(recipe, resolve_device(settings.training.device), ranks)
    prepared = prepare(settings, say)
    bank, perceptual, device = prepared.bank, prepared.perceptual, prepared.device
    check_recipe(recipe, perceptual, device)
    if not ranks.alone:
        say(describe_division(recipe, device, ranks))
    close_trainings(prepared.store, say)
    name, tags = f"train {settings.training.steps} steps", {HOLDER: Holder.here().to_text()}
    record = start_training_record(prepared, settings, name=name, role="train", parent=None, tags=tags)
    folder = artifact_folder(prepared.store, record.run.id)
    with closed_on_error(record, prepared, ranks), naming_what_fits(record, prepared, ranks):
        check_run(record, prepared, say, force=force, ranks=ranks)
    # Signals are requests until the record is closed, because torchrun sends one as soon as another rank has died.
    with (
        stop_on_signal() as stop,
        closed_on_error(record, prepared, ranks),
        naming_what_fits(record, prepared, ranks),
    ):
        ranks.tell(Start(recipe, bank.path, perceptual is not None, record.folder))
        steps = train(recipe, bank, perceptual=perceptual, device=device, folder=record.folder, ranks=ranks)
        with StepProgress(console, settings.training.steps) as progress, contextlib.closing(steps):
            for measurement in steps:
                record.measure(measurement)
                progress.step(measurement)
                if ranks.any(bool(stop)):
                    raise InterruptedWorkError(
                        f"stopped by {stop.signal_name or 'a signal to another rank'} at step {measurement.step}; the run "
                        f"is kept in {folder}, the same command begins a new run"
                    )
        diagnosis = record.write_results(keep_checkpoint=True)
        record.close("FINISHED")
    prepared.store.outbox.deliver()
    ranks.wait()
    config, weights = quote(str(folder / "conf.toml")), quote(str(folder / "checkpoint" / "model.safetensors"))
    say(f"scores    {record.summary()}")
    console.print(to_table(diagnosis))
    say(f"diagnosis {diagnosis.verdict}: {folder / 'diagnosis.md'}")
    say(f"next      python -m model.evaluate {weights} --config {config}")


@contextlib.contextmanager
def closed_on_error(record: "TrainingRecord", prepared: "Preparation", ranks: "Ranks") -> Iterator[None]:
    """End the run of a training that fails within the block, with what it left; the error goes on."""
    from search.follow import leave_together

    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, InterruptedWorkError)
        try:
            record.write_results(keep_checkpoint=True, failure=str(error))
        finally:
            record.close("KILLED" if interrupted else "FAILED", str(error), "interrupted" if interrupted else None)
            prepared.store.outbox.deliver()
        leave_together(error, ranks)
        raise


if __name__ == "__main__":
    run(main)
