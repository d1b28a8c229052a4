"""Labels of logarithmic axes: the values themselves, as people write them in a configuration."""

import math

#: What is labelled in each power of ten.
FACTORS = (1, 3)


def ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """The values 1 and 3 of each power of ten from `low` to `high`, both above 0, and how they are written."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    exact = [(factor, power) for power in powers for factor in FACTORS if low <= factor * 10.0**power <= high]
    return [factor * 10.0**power for factor, power in exact], [written(*each) for each in exact]


def written(factor: int, power: int) -> str:
    """A value in few characters: 0.003 and 30, but 3e-4 and 1e5."""
    return f"{factor * 10.0**power:g}" if -4 < power < 4 else f"{factor}e{power}"
