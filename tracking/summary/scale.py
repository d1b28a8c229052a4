"""Axes: where a value lies between two ends, and which round values are written beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Ticks that an axis has at most, ends included where they are round.
MOST_TICKS = 5


@dataclass(frozen=True)
class Scale:
    """Maps `low`..`high` to 0..1, by the logarithm where `logarithmic`."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies; outside of 0..1 where it is beyond the ends."""
        if self.logarithmic:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values between the ends."""
        return log_ticks(self.low, self.high) if self.logarithmic else round_ticks(self.low, self.high)


def scale_of(values: Sequence[float], *, logarithmic: bool = False) -> Scale:
    """A scale that holds all values; equal values get room around them, as an axis needs two ends.

    A logarithmic one is of the values above 0.
    """
    if logarithmic:
        values = [value for value in values if value > 0]
    low, high = (min(values), max(values)) if values else (1.0, 1.0)
    if low == high:
        room = 10.0 if logarithmic else abs(low) * 0.1 or 0.5
        low, high = (low / room, high * room) if logarithmic else (low - room, high + room)
    return Scale(low, high, logarithmic)


def round_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    finest = (high - low) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(finest))
    step = next(power * factor for factor in (1, 2, 5, 10) if factor == 10 or power * factor >= finest * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [count * step for count in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten; round values where fewer than two of these lie between the ends."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 1:
        return round_ticks(low, high)
    every = math.ceil((last - first + 1) / MOST_TICKS)
    return [10.0**power for power in range(first, last + 1, every)]
