"""A single run that has too little memory says which batch size fits, as trials do."""

import contextlib
import traceback
from collections.abc import Iterator
from dataclasses import asdict

from model.ranks import Ranks
from model.training.memory import is_out_of_memory, measure_shortage
from search.preparation import Preparation
from search.record import TrainingRecord
from search.settings import recipe_of


@contextlib.contextmanager
def naming_what_fits(record: TrainingRecord, prepared: Preparation, ranks: Ranks) -> Iterator[None]:
    """Turn too little memory within the block into an error with the batch size that fits; the record keeps what was tried.

    With several ranks nothing is tried: the others may still be waiting in the middle of a step.

    Raises:
        RuntimeError: out of memory, and the remedy.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        recipe, said = recipe_of(record.settings), f"{type(error).__name__}: {error}"
        if not ranks.alone:
            raise RuntimeError(
                f"out of memory at training.batch_size = {recipe.training.batch_size} on {ranks.count} processes: {said}; "
                "set a smaller training.batch_size or start more processes (what fits is tried by a run of one process alone)"
            ) from error
        traceback.clear_frames(error.__traceback__)  # they hold what the training had allocated
        shortage = measure_shortage(recipe, prepared.bank, prepared.perceptual, prepared.device)
        record.shortage = asdict(shortage)
        raise RuntimeError(shortage.explain(said)) from error
