"""What the record knows about trials and longer trainings of the same settings."""

import statistics
from collections.abc import Iterable, Sequence

from search.promotion.agreement import Agreement, Point, agree
from search.promotion.repeats import Repeat
from search.ranking import Row


def seed_values(repeats: Iterable[Repeat], steps: int, metric: str) -> dict[int, tuple[float, ...]]:
    """A metric of all repeats with this number of steps that came to their end, by the trial that they repeat.

    The trial's own value is not among them: it was chosen for being high, which the noise between seeds must not know.
    """
    found: dict[int, tuple[float, ...]] = {}
    for repeat in sorted(repeats, key=lambda repeat: (repeat.trial, repeat.seed)):
        if repeat.steps == steps and not repeat.diverged:
            found[repeat.trial] = (*found.get(repeat.trial, ()), repeat.metrics[metric])
    return found


def agreements(rows: Sequence[Row], repeats: Iterable[Repeat], trial_steps: int, trial_seed: int) -> list[Agreement]:
    """The agreement of a trial's steps with each greater number of steps that at least four settings were trained for.

    A setting with several seeds counts once, with the means over the seeds that were trained at both lengths, that of the trial
    among them; where there is none, the trial's score stands against the mean of the longer ones. A training that diverged has
    score 0 and so the last place.

    Args:
        rows: the study's ranking.
        repeats: finished ones of all lengths.
        trial_steps: of a trial.
        trial_seed: of every trial.
    """
    repeats = list(repeats)
    trials = {row.number: row.metrics["score"] for row in rows if row.state == "COMPLETE" and "score" in row.metrics}
    found = []
    for steps in sorted({repeat.steps for repeat in repeats if repeat.steps > trial_steps}):
        points = []
        for trial in sorted({repeat.trial for repeat in repeats if repeat.steps == steps} & set(trials)):
            own = [repeat for repeat in repeats if repeat.trial == trial]
            long = {repeat.seed: repeat.score for repeat in own if repeat.steps == steps}
            short = {trial_seed: trials[trial]} | {
                repeat.seed: repeat.score for repeat in own if repeat.steps == trial_steps
            }
            seeds = sorted(short.keys() & long.keys())
            points.append(
                Point(
                    f"trial {trial}",
                    statistics.fmean(short[seed] for seed in seeds) if seeds else trials[trial],
                    statistics.fmean(long[seed] for seed in seeds or long),
                )
            )
        agreement = agree(points, trial_steps, steps)
        found += [agreement] if agreement is not None else []
    return found
