"""Which settings are confirmed: the best trials of a study, and its baselines."""

from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from search.ranking import Row


@dataclass(frozen=True)
class Candidate:
    """A setting of the study that is trained again.

    Attributes:
        trial: its number.
        baseline: its name where it is one, else "".
        score: of the trial; NaN for a baseline that did not come to its last step.
        parameters: of the trial.
    """

    trial: int
    baseline: str
    score: float
    parameters: dict[str, Any]

    @property
    def label(self) -> str:
        """How it is called to people: "trial 42", or "trial 2 seed_new"."""
        return f"trial {self.trial} {self.baseline}".strip()


def choose_candidates(rows: list[Row], count: int) -> list[Candidate]:
    """The best `count` trials that came to their last step, in the order of the ranking, and every baseline.

    A baseline among the best counts as a baseline and takes nobody's place: what is promoted must be better than it. One that
    was pruned or diverged as a trial is confirmed all the same: it is fresh seeds that say what it is worth.

    Raises:
        ValueError: no trial but baselines has a score, or there is no baseline.
    """
    best = [candidate_of(row) for row in rows if is_scored(row) and not row.name][:count]
    baselines = [candidate_of(row) for row in rows if row.name]
    if not best:
        raise ValueError(
            "a promotion compares trials with baselines, but the study has no trial of its own that came to its last step with "
            "a score; go on with python -m search.run --trials N and the same settings"
        )
    if not baselines:
        raise ValueError(
            "a promotion compares trials with baselines, but the study has no finished baseline; go on with python -m "
            "search.run --trials N and the same settings, which trains those of [search.baselines] first, or where its settings "
            "have none begin "
            "another study with some (they are part of what a study is)"
        )
    return sorted([*best, *baselines], key=lambda one: (isnan(one.score), -one.score))


def spread_over(rows: list[Row], count: int) -> list[Candidate]:
    """`count` different trials at even distances over the ranking, the best and the worst among them.

    Raises:
        ValueError: fewer trials than that came to their last step.
    """
    scored = [candidate_of(row) for row in rows if is_scored(row)]
    if len(scored) < count:
        raise ValueError(
            f"--configs must not exceed the trials that came to their last step, but it is {count} and there are "
            f"{len(scored)}; give fewer (4 at least), or go on with python -m search.run --trials N and the same settings"
        )
    places = [round(index * (len(scored) - 1) / (count - 1)) for index in range(count)] if count > 1 else [0]
    return [scored[place] for place in places]


def candidate_of(row: Row) -> Candidate:
    """A ranked trial as a setting to be trained again."""
    return Candidate(row.number, row.name, row.metrics["score"] if is_scored(row) else nan, row.parameters)


def is_scored(row: Row) -> bool:
    """Whether a trial came to its last step with a score."""
    return row.state == "COMPLETE" and "score" in row.metrics
