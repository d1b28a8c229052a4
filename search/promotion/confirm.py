"""The confirmations that are missing are trained; what is there is read from the record."""

from collections.abc import Sequence

from rich.console import Console

from model.cli import speaker
from search.opening import OpenStudy
from search.progress import RepeatProgress
from search.promotion.crew import Crew
from search.promotion.repeats import Plan, Repeat, finished_repeats
from search.settings import Settings
from search.signals import stop_on_signal
from search.workers.assignments import assignments
from search.workers.local import started_workers


def confirm(opened: OpenStudy, settings: Settings, plans: Sequence[Plan], console: Console) -> dict[str, Repeat]:
    """Train those of the planned repeats that the record does not have; returns all finished ones by their identity.

    Raises:
        RuntimeError: one could not be trained.
        InterruptedWorkError: the person asked to stop.
    """
    store, parent = opened.prepared.store, opened.parent.id
    known = finished_repeats(store, parent)
    missing = [plan for plan in plans if plan.identity not in known]
    speaker(console)(
        f"confirmations: {len(plans)}, of them {len(plans) - len(missing)} in the record; "
        f"{sum(plan.steps for plan in missing)} steps to train"
    )
    if not missing:
        return known
    workers = assignments(settings, opened.prepared.device)[: len(missing)]
    with (
        stop_on_signal() as stop,
        started_workers(workers) as started,
        RepeatProgress(console, sum(plan.steps for plan in missing)) as progress,
    ):
        Crew(opened, settings, progress, stop, missing).run(started)
    opened.prepared.store.outbox.deliver()
    return finished_repeats(store, parent)
