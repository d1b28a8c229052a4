"""Moments at which a study is killed, drawn by a seed."""

import random
from dataclasses import dataclass
from typing import Literal

#: How a line of a study begins, and seconds after it within which the kill comes: while the study is opened, while it is
#: checked and its first trials begin, while trials run and end, while the report is written.
SPREADS_S = {"bank:": 2.0, "preflight:": 6.0, "[1/": 4.0, "[2/": 4.0, "[3/": 4.0, "[4/": 4.0, "[6/": 1.5}


@dataclass(frozen=True)
class Moment:
    """Kill the victim `delay_s` seconds after the study's first line that begins so; of several workers one by `lot`."""

    victim: Literal["coordinator", "worker"]
    line: str
    delay_s: float
    lot: int


def moments(count: int, seed: int = 0) -> list[Moment]:
    """Draw moments, coordinator and worker in turn."""
    chance, drawn = random.Random(seed), list[Moment]()
    while len(drawn) < count:
        line = chance.choice(list(SPREADS_S))
        delay_s, lot = chance.uniform(0, SPREADS_S[line]), chance.randrange(1000)
        drawn.append(Moment("worker" if len(drawn) % 2 else "coordinator", line, delay_s, lot))
    return drawn
