"""All repeats of a promotion together: what each setting came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.promotion.candidates import Candidate
from search.promotion.comparison import Summary, summarise
from search.promotion.repeats import Plan, Repeat


@dataclass(frozen=True)
class Confirmed:
    """A candidate with its repeats of both lengths, in the order of the seeds."""

    candidate: Candidate
    short: tuple[Repeat, ...]
    long: tuple[Repeat, ...]

    @property
    def is_baseline(self) -> bool:
        """Whether it is there to be beaten."""
        return bool(self.candidate.baseline)

    @property
    def summaries(self) -> tuple[Summary, Summary]:
        """At the trial's number of steps, and at the longer one."""
        return summarise(self.short), summarise(self.long)

    @property
    def mean(self) -> float:
        """Mean score of the long repeats: what candidates are ranked by."""
        return summarise(self.long).mean


def find_diverged(plans: Sequence[Plan], repeats: Mapping[str, Repeat]) -> dict[int, Plan]:
    """The first plan of each setting whose repeat diverged, by the number of the trial."""
    found: dict[int, Plan] = {}
    for plan in plans:
        if plan.identity in repeats and repeats[plan.identity].diverged:
            found.setdefault(plan.candidate.trial, plan)
    return found


def gather(plans: Sequence[Plan], repeats: Mapping[str, Repeat], trial_steps: int) -> list[Confirmed]:
    """Put finished repeats to their candidates, the best first by the mean score of the long ones; none that diverged once."""
    diverged = find_diverged(plans, repeats)
    candidates = {plan.candidate.trial: plan.candidate for plan in plans if plan.candidate.trial not in diverged}
    confirmed = []
    for trial, candidate in candidates.items():
        own = [(plan.steps, repeats[plan.identity]) for plan in plans if plan.candidate.trial == trial]
        short = tuple(repeat for steps, repeat in own if steps == trial_steps)
        long = tuple(repeat for steps, repeat in own if steps != trial_steps)
        confirmed.append(Confirmed(candidate, short, long))
    return sorted(confirmed, key=lambda one: -one.mean)
