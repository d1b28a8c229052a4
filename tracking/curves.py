"""Points of curves on their way into the record, in batches."""

import math
import threading
import time
from collections.abc import Mapping

from tracking.failure import record_errors
from tracking.operations import Batch, Point
from tracking.outbox import Outbox

#: Points that are sent together. 100 take 13-15 ms, one call a step takes 7 ms each, and the cost of
#: larger batches grows faster than their size (docs/facts.md 4).
BATCH_POINTS = 100


class Curves:
    """Buffer of one run's points; safe on several threads.

    Points that could not be sent stay in the buffer, so a later flush sends them.
    """

    def __init__(self, outbox: Outbox, run_id: str) -> None:
        self.outbox = outbox
        self.run_id = run_id
        self._points: list[Point] = []
        self._lock = threading.Lock()

    def add(self, values: Mapping[str, float], step: int) -> dict[str, float]:
        """Take the values of one step and send what makes full batches.

        Returns:
            The values that are not finite: MLflow would store infinity as 1.8e308, so they are not sent.
        """
        now_ms = int(time.time() * 1000)
        numbers = {name: float(value) for name, value in values.items()}
        with self._lock:
            self._points += [(name, value, now_ms, step) for name, value in numbers.items() if math.isfinite(value)]
            if len(self._points) >= BATCH_POINTS:
                self._send()
        return {name: value for name, value in numbers.items() if not math.isfinite(value)}

    def flush(self) -> None:
        """Send everything."""
        with self._lock:
            self._send()

    def _send(self) -> None:
        while self._points:
            with record_errors(f"writing metrics of run {self.run_id}"):
                self.outbox.send(Batch(self.run_id, points=self._points[:BATCH_POINTS]))
            del self._points[:BATCH_POINTS]
