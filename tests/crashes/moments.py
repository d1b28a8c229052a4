"""Moments at which a study is killed, drawn by a seed."""

import random
from dataclasses import dataclass
from typing import Literal

#: Lines that a study of TRIALS trials prints on its way, from "bank: ..." (its workers are there since before) to its ranking.
LINES = 9

#: Seconds after a line within which the kill comes.
SPREAD_S = 1.5


@dataclass(frozen=True)
class Moment:
    """Kill the victim `delay_s` seconds after the study's n-th line that is counted."""

    victim: Literal["coordinator", "worker"]
    line: int
    delay_s: float


def moments(count: int, seed: int = 0) -> list[Moment]:
    """Draw moments, coordinator and worker in turn."""
    chance = random.Random(seed)
    return [
        Moment("worker" if index % 2 else "coordinator", chance.randrange(LINES), chance.uniform(0, SPREAD_S))
        for index in range(count)
    ]
