"""CPU time that a thread spends outside of Optuna and MLflow: what the project's own code costs."""

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch


class OwnTime:
    """CPU seconds of one thread: `all_s` of a block, `libraries_s` of them inside calls into the libraries."""

    def __init__(self) -> None:
        self.all_s = self.libraries_s = 0.0
        self._inside = False

    @property
    def own_s(self) -> float:
        """What is left for the code that called the libraries."""
        return self.all_s - self.libraries_s

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts as the libraries'; what it calls of them itself counts once."""

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return function(*arguments, **named)
            self._inside, started_s = True, time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                self._inside, self.libraries_s = False, self.libraries_s + time.thread_time() - started_s

        return call


@contextmanager
def own_time() -> Iterator[OwnTime]:
    """Take the CPU time of this thread within the block; other threads must not call the libraries meanwhile.

    Counted as the libraries' are the methods of Optuna's studies and trials, the sampler and the storage behind them, and
    those of MLflow's client.
    """
    from mlflow import MlflowClient
    from optuna import Study, Trial

    time_of = OwnTime()
    with ExitStack() as patches:
        for library in (MlflowClient, Study, Trial):
            for name, function in inspect.getmembers(library, inspect.isfunction):
                if not name.startswith("_"):
                    patches.enter_context(patch.object(library, name, time_of.counted(function)))
        started_s = time.thread_time()
        try:
            yield time_of
        finally:
            time_of.all_s = time.thread_time() - started_s
