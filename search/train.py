"""python -m search.train: one tracked run of the settings as they stand."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from model.cli import (
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
    """
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    train_once(settings, console, force=force)


def train_once(settings: "Settings", console: "Console", *, force: bool = False) -> None:
    """Check, train, record and diagnose one run.

    Raises:
        ValueError: the settings or the data break a rule.
        RuntimeError: the preflight found an error and `force` is not given, a value was not finite, or the work failed
            otherwise; the run is recorded as failed.
        InterruptedWorkError: the person asked to stop.
    """
    import contextlib

    from model.training.loop import check_recipe, train
    from search.preflight import check_run
    from search.preparation import prepare
    from search.progress import StepProgress
    from search.record import start_training_record
    from search.settings import recipe_of
    from search.signals import stop_on_signal
    from tracking.diagnosis import to_table
    from tracking.store import artifact_folder

    recipe, say = recipe_of(settings), speaker(console)
    prepared = prepare(settings, say)
    check_recipe(recipe, prepared.perceptual, prepared.device)
    name = f"train {settings.training.steps} steps"
    record = start_training_record(prepared, settings, name=name, role="train", parent=None, tags={})
    folder = artifact_folder(prepared.store, record.run.id)
    try:
        check_run(record, prepared, say, force=force)
        steps = train(
            recipe, prepared.bank, perceptual=prepared.perceptual, device=prepared.device, folder=record.folder
        )
        with (
            stop_on_signal() as stop,
            StepProgress(console, settings.training.steps) as progress,
            contextlib.closing(steps),
        ):
            for measurement in steps:
                record.measure(measurement)
                progress.step(measurement)
                if stop:
                    raise InterruptedWorkError(
                        f"stopped by {stop.signal_name} at step {measurement.step}; the run is kept in "
                        f"{folder}, the same command begins a new run"
                    )
        diagnosis = record.write_results(keep_checkpoint=True)
        record.close("FINISHED")
    except BaseException as error:
        interrupted = isinstance(error, InterruptedWorkError)
        try:
            record.write_results(keep_checkpoint=True, failure=str(error))
        finally:
            record.close("KILLED" if interrupted else "FAILED", str(error), "interrupted" if interrupted else None)
            prepared.store.outbox.deliver()
        raise
    prepared.store.outbox.deliver()
    config, weights = quote(str(folder / "conf.toml")), quote(str(folder / "checkpoint" / "model.safetensors"))
    say(f"scores    {record.summary()}")
    console.print(to_table(diagnosis))
    say(f"diagnosis {diagnosis.verdict}: {folder / 'diagnosis.md'}")
    say(f"next      python -m model.evaluate {weights} --config {config}")


if __name__ == "__main__":
    run(main)
