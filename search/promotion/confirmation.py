"""All repeats of a promotion together: what each setting came to, the winner, and how far it leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.promotion.candidates import Candidate
from search.promotion.comparison import Difference, Summary, compare, summarise
from search.promotion.repeats import Plan, Repeat


@dataclass(frozen=True)
class Confirmed:
    """A candidate with its repeats of both lengths, in the order of the seeds."""

    candidate: Candidate
    short: tuple[Repeat, ...]
    long: tuple[Repeat, ...]

    @property
    def summaries(self) -> tuple[Summary, Summary]:
        """At the trial's number of steps, and at the longer one."""
        return summarise(self.short), summarise(self.long)

    @property
    def mean(self) -> float:
        """Mean score of the long repeats: what candidates are ranked by."""
        return summarise(self.long).mean


def gather(plans: Sequence[Plan], repeats: Mapping[str, Repeat], trial_steps: int) -> list[Confirmed]:
    """Put finished repeats to their candidates, the best first by the mean score of the long ones."""
    candidates = {plan.candidate.trial: plan.candidate for plan in plans}
    confirmed = []
    for trial, candidate in candidates.items():
        own = [(plan.steps, repeats[plan.identity]) for plan in plans if plan.candidate.trial == trial]
        short = tuple(repeat for steps, repeat in own if steps == trial_steps)
        long = tuple(repeat for steps, repeat in own if steps != trial_steps)
        confirmed.append(Confirmed(candidate, short, long))
    return sorted(confirmed, key=lambda one: -one.mean)


def winner_of(confirmed: Sequence[Confirmed]) -> Confirmed:
    """The best candidate that is no baseline."""
    return next(one for one in confirmed if not one.candidate.baseline)


def best_baseline_of(confirmed: Sequence[Confirmed]) -> Confirmed:
    """The best baseline: who beats it by more than the noise beats them all."""
    return next(one for one in confirmed if one.candidate.baseline)


def lead(confirmed: Sequence[Confirmed], resamples: int) -> Difference:
    """The winner less the best baseline, at the longer number of steps."""
    return compare(winner_of(confirmed).long, best_baseline_of(confirmed).long, resamples)
