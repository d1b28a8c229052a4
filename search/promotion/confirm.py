"""The best trials trained again: the confirmations that are missing are trained, what is there is read from the record."""

from collections.abc import Sequence

from rich.console import Console

from model.cli import speaker
from search.opening import OpenStudy
from search.progress import RepeatProgress
from search.promotion.candidates import choose_candidates
from search.promotion.confirmation import Confirmed, find_diverged, gather
from search.promotion.crew import Crew
from search.promotion.repeats import Plan, Repeat, finished_repeats, fresh_seeds, plan_repeats
from search.ranking import rank
from search.settings import Settings
from search.signals import stop_on_signal
from search.workers.assignments import assignments
from search.workers.local import started_workers


def confirm_candidates(opened: OpenStudy, settings: Settings, console: Console) -> list[Confirmed]:
    """Train the best trials and the baselines again with fresh seeds, and say which of them diverged.

    Raises:
        RuntimeError: every candidate diverged, or the work failed.
    """
    candidates = choose_candidates(rank(opened.study), settings.promotion.candidates)
    horizons = (settings.training.steps, settings.promotion.long_steps)
    plans = plan_repeats(settings, candidates, fresh_seeds(settings), horizons)
    repeats = confirm(opened, settings, plans, console)
    for plan in find_diverged(plans, repeats).values():
        result = "counts as beaten" if plan.candidate.baseline else "is no candidate any more"
        speaker(console)(f"diverged   {plan.label}: {plan.candidate.label} {result}")
    confirmed = gather(plans, repeats, settings.training.steps)
    if all(one.is_baseline for one in confirmed):
        raise RuntimeError(
            f"a promotion needs a candidate that comes to its end with every seed, but all {settings.promotion.candidates} best "
            "trials diverged with one; confirm more of them (--set promotion.candidates=N) or search further"
        )
    return confirmed


def confirm(opened: OpenStudy, settings: Settings, plans: Sequence[Plan], console: Console) -> dict[str, Repeat]:
    """Train those of the planned repeats that the record does not have; returns all finished ones by their identity.

    One that diverged is finished too, and what else its setting was planned for is not trained.

    Raises:
        RuntimeError: one could not be trained.
        InterruptedWorkError: the person asked to stop.
    """
    store, parent = opened.prepared.store, opened.parent.id
    known = finished_repeats(store, parent)
    settled = find_diverged(plans, known)
    missing = [plan for plan in plans if plan.identity not in known and plan.candidate.trial not in settled]
    speaker(console)(
        f"confirmations: {len(plans)}, of them {sum(plan.identity in known for plan in plans)} in the record; "
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
