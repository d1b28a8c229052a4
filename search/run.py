"""python -m search.run: run or resume the study, rank its trials, say what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Finished trials that the study shall have in all.")
    ] = 50,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Search loss weights, learning rate and schedule; give the same command again to go on after an interruption.

    Example: python -m search.run --trials 50 --set data.source=/path/to/videos
    """
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    search(settings, trials, console, force=force)


def search(settings: "Settings", target: int, console: "Console", *, force: bool = False) -> None:
    """Check, bring the study to `target` finished trials and report it.

    Raises:
        ValueError: settings or data break a rule.
        RuntimeError: the work failed, or the preflight found an error and `force` is not given.
        InterruptedWorkError: the person asked to stop.
    """
    from search.conclusion import conclude
    from search.coordinator import Coordinator
    from search.lock import study_lock
    from search.opening import open_everything
    from search.preflight import check_study
    from search.progress import TrialProgress
    from search.ranking import rank
    from search.signals import stop_on_signal
    from search.workers.assignments import assignments

    with study_lock(Path(settings.tracking.root)):
        opened = open_everything(settings, speaker(console), target)
        already = opened.num_finished()
        console.print(f"study {opened.study.study_name}: {already} of {target} trials finished")
        if already < target:
            opened = check_study(opened, settings, speaker(console), force=force)
            opened.queue_baselines(settings)
        with stop_on_signal() as stop:
            try:
                with TrialProgress(console, already, target, settings.training.steps) as progress:
                    Coordinator(opened, settings, target, progress, stop).run(assignments(settings, opened.prepared))
            finally:
                conclude(opened, settings, console, interrupted=bool(stop))
    if stop:
        raise InterruptedWorkError(
            f"stopped by {stop.signal_name} with {opened.num_finished()} of {target} trials finished; "
            "finished trials are kept, the same command goes on from here"
        )
    if not any(row.metrics for row in rank(opened.study)):
        raise RuntimeError(
            "a study needs a trial with a score, but in every one a loss or gradient was not finite; "
            "look at a trial's diagnosis (python -m tracking.ui) and lower search.space.learning_rate"
        )


if __name__ == "__main__":
    run(main)
