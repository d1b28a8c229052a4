"""Which settings are confirmed: the best trials of a study, and its baselines."""

from dataclasses import dataclass
from typing import Any

from search.ranking import Row


@dataclass(frozen=True)
class Candidate:
    """A setting of the study that is trained again; `baseline` is its name where it is one, else ""."""

    trial: int
    baseline: str
    score: float
    parameters: dict[str, Any]

    @property
    def label(self) -> str:
        """How it is called to people: "trial 42", or "trial 2 seed_new"."""
        return f"trial {self.trial} {self.baseline}".strip()


def choose_candidates(rows: list[Row], count: int) -> list[Candidate]:
    """The best `count` trials and every baseline, in the order of the ranking; only trials that came to their last step.

    A baseline among the best counts as a baseline and takes nobody's place: what is promoted must be better than it.

    Raises:
        ValueError: no trial but baselines has a score, or no baseline has one.
    """
    scored = [candidate_of(row) for row in rows if row.state == "COMPLETE" and "score" in row.metrics]
    best = [one for one in scored if not one.baseline][:count]
    baselines = [one for one in scored if one.baseline]
    if not best or not baselines:
        missing = "trial of its own" if not best else "baseline"
        raise ValueError(
            f"a promotion compares trials with baselines, but the study has no {missing} with a score; "
            "go on with python -m search.run --trials N, or give the study baselines in [search.baselines]"
        )
    return sorted([*best, *baselines], key=lambda one: -one.score)


def spread_over(rows: list[Row], count: int) -> list[Candidate]:
    """`count` different trials at even distances over the ranking, the best and the worst among them.

    Raises:
        ValueError: fewer trials than that came to their last step.
    """
    scored = [candidate_of(row) for row in rows if row.state == "COMPLETE" and "score" in row.metrics]
    if len(scored) < count:
        raise ValueError(
            f"--configs must not exceed the trials that came to their last step, but it is {count} and there are "
            f"{len(scored)}; give fewer, or go on with python -m search.run --trials N"
        )
    places = [round(index * (len(scored) - 1) / (count - 1)) for index in range(count)] if count > 1 else [0]
    return [scored[place] for place in places]


def candidate_of(row: Row) -> Candidate:
    """A ranked trial as a setting to be trained again."""
    return Candidate(row.number, row.name, row.metrics["score"], row.parameters)
