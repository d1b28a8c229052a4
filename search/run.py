"""python -m search.run: run or resume the study, rank its trials, say what to do next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    from contextlib import AbstractContextManager

    from rich.console import Console

    from search.opening import OpenStudy
    from search.settings import Settings
    from search.signals import StopRequest
    from search.workers.handle import WorkerHandle


def main(
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Finished trials that the study shall have in all.")
    ] = 50,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    slots_per_gpu: Annotated[
        int | None,
        typer.Option(
            "--slots-per-gpu",
            metavar="N",
            min=1,
            help="Trials side by side on one GPU (search.slots_per_gpu, 1). Worth at most 1.2x: an H200 took 78, 91 and 94 steps "
            "a second in all with 1, 2 and 4.",
        ),
    ] = None,
    executor: Annotated[
        Literal["local", "ray"],
        typer.Option(
            "--executor", help="Where workers run: on this machine, or on the nodes of a Ray cluster that is there."
        ),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address", metavar="HOST:PORT", help="The cluster's head; auto: the cluster of this machine."
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print the end alone: ranking, verdict, what to do next.")
    ] = False,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> None:
    """Search loss weights, learning rate and schedule; give the same command again to go on after an interruption.

    Example: python -m search.run --trials 50 --set data.source=/path/to/videos
    """
    from search.settings import load_settings

    if ray_address is not None and executor != "ray":
        raise ValueError(
            f"--ray-address needs --executor ray, but the executor is {executor}; add it or leave the address out"
        )
    console = make_console()
    slots = [] if slots_per_gpu is None else [f"search.slots_per_gpu={slots_per_gpu}"]
    settings = load_settings(
        config, resolve_profile(profile, speaker(before_end(console, quiet))), [*(set_ or ()), *slots]
    )
    cluster = (ray_address or "auto") if executor == "ray" else None
    search(settings, trials, console, force=force, cluster=cluster, quiet=quiet)


def before_end(console: "Console", quiet: bool) -> "Console":
    """Where lines go that come before a study's end."""
    from rich.console import Console

    return Console(quiet=True) if quiet else console


def search(
    settings: "Settings",
    target: int,
    console: "Console",
    *,
    force: bool = False,
    cluster: str | None = None,
    quiet: bool = False,
) -> None:
    """Check, bring the study to `target` finished trials and report it.

    Args:
        settings: of the study.
        target: finished trials that it shall have in all.
        console: for people.
        force: whether to go on although the preflight found an error.
        cluster: address of the Ray cluster that trains; None trains on this machine.
        quiet: whether only the end is printed.

    Raises:
        ValueError: settings or data break a rule.
        RuntimeError: the work failed, or the preflight found an error and `force` is not given.
        InterruptedWorkError: the person asked to stop.
    """
    import contextlib

    from search.lock import study_lock
    from search.signals import sigterm_as_interrupt, stop_on_signal

    during = before_end(console, quiet)
    starting = workers_of(settings, cluster, during)
    with sigterm_as_interrupt(), study_lock(Path(settings.tracking.root)), contextlib.ExitStack() as ending:
        # Workers load, and on a GPU compile, while the record is opened and the clips are decoded and checked.
        workers = ending.enter_context(starting)
        # Not above: MLflow and Optuna take as long to import as all that the workers need to begin.
        from search.conclusion import conclude
        from search.opening import closed_on_error, open_everything
        from search.preflight import check_study
        from search.ranking import rank

        opened = open_everything(settings, speaker(during), target)
        ending.callback(opened.lease.close)
        with closed_on_error(opened.parent):
            already = opened.num_finished()
            during.print(f"study {opened.study.study_name}: {already} of {target} trials finished")
            if already < target:
                opened = check_study(opened, settings, speaker(during), force=force)
                opened.queue_baselines(settings)
        if already < target:
            stop = run_trials(opened, settings, target, workers, console, during)
        else:
            with stop_on_signal() as stop:
                conclude(opened, settings, console, interrupted=False)
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


def workers_of(
    settings: "Settings", cluster: str | None, console: "Console"
) -> "AbstractContextManager[list[WorkerHandle]]":
    """The study's workers, which start when this is entered.

    Raises:
        ValueError: numbers of workers contradict each other or the device, or Ray is not installed.
    """
    from model.training.device import resolve_device

    device = resolve_device(settings.training.device)
    if cluster is not None:
        from search.workers.ray import cluster_workers

        return cluster_workers(settings, device, cluster, speaker(console))
    from search.workers.assignments import assignments
    from search.workers.local import started_workers

    return started_workers(assignments(settings, device))


def run_trials(
    opened: "OpenStudy",
    settings: "Settings",
    target: int,
    workers: "list[WorkerHandle]",
    console: "Console",
    during: "Console",
) -> "StopRequest":
    """Run the missing trials of a study, shown on `during`, and report it on `console`; returns whether a stop was asked for.

    Raises:
        RuntimeError: the work failed.
    """
    from search.conclusion import conclude
    from search.coordinator import Coordinator
    from search.progress import TrialProgress
    from search.ranking import best_score, rank
    from search.signals import stop_on_signal
    from search.study import failures
    from search.workers.messages import Supply

    for worker in workers:
        worker.supply(Supply(opened.prepared.bank.path, opened.prepared.perceptual is not None))
    with stop_on_signal() as stop:
        opened.heed(stop)
        try:
            already, best = opened.num_finished(), best_score(rank(opened.study))
            faults = len(failures(opened.study.get_trials(deepcopy=False)))
            with TrialProgress(during, already, target, settings.training.steps, best, faults) as progress:
                Coordinator(opened, settings, target, progress, stop).run(workers)
        finally:
            if opened.lease.taken_by is None:  # else the study, and its end, is another command's
                conclude(opened, settings, console, interrupted=bool(stop))
    return stop


if __name__ == "__main__":
    run(main)
