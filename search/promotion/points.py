"""What the record knows about trials and longer trainings of the same settings."""

import statistics
from collections.abc import Iterable, Sequence

from search.promotion.agreement import Agreement, Point, agree
from search.promotion.repeats import Repeat
from search.ranking import Row


def seed_values(repeats: Iterable[Repeat], steps: int, metric: str) -> dict[int, tuple[float, ...]]:
    """A metric of all repeats with this number of steps, by the trial that they repeat.

    The trial's own value is not among them: it was chosen for being high, which the noise between seeds must not know.
    """
    found: dict[int, tuple[float, ...]] = {}
    for repeat in sorted(repeats, key=lambda repeat: (repeat.trial, repeat.seed)):
        if repeat.steps == steps:
            found[repeat.trial] = (*found.get(repeat.trial, ()), repeat.metrics[metric])
    return found


def agreements(rows: Sequence[Row], repeats: Iterable[Repeat], trial_steps: int) -> list[Agreement]:
    """The agreement of a trial's steps with each greater number of steps that at least four settings were trained for.

    A setting with several seeds counts once, with their means; its shorter score is of the same seeds where those were trained,
    else it is the trial's.

    Args:
        rows: the study's ranking.
        repeats: finished ones of all lengths.
        trial_steps: of a trial.
    """
    repeats = list(repeats)
    trials = {row.number: row.metrics["score"] for row in rows if row.state == "COMPLETE" and "score" in row.metrics}
    found = []
    for steps in sorted({repeat.steps for repeat in repeats if repeat.steps > trial_steps}):
        points = []
        for trial in sorted({repeat.trial for repeat in repeats if repeat.steps == steps} & set(trials)):
            own = [repeat for repeat in repeats if repeat.trial == trial]
            long = {repeat.seed: repeat.metrics["score"] for repeat in own if repeat.steps == steps}
            short = {
                repeat.seed: repeat.metrics["score"]
                for repeat in own
                if repeat.steps == trial_steps and repeat.seed in long
            }
            same = short if set(short) == set(long) else {}
            points.append(
                Point(
                    f"trial {trial}",
                    statistics.fmean(same.values()) if same else trials[trial],
                    statistics.fmean(long.values()),
                )
            )
        agreement = agree(points, trial_steps, steps)
        found += [agreement] if agreement is not None else []
    return found
