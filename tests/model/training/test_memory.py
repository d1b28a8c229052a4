import pytest
import torch

from model.bank import build_bank
from model.recipe import Recipe
from model.training import memory
from model.training.memory import Shortage, is_out_of_memory, measure_shortage
from search.settings import recipe_of

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_an_error_of_memory_is_told_from_others(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_real_allocations_that_cannot_be_had() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


@pytest.mark.parametrize(
    ("room", "fitting", "remedy"),
    [
        (5, 4, "set training.batch_size = 4, which fits"),
        (1, 1, "set training.batch_size = 1, which fits"),
        (
            0,
            None,
            "not even training.batch_size = 1 fitted beside what this process still held, try it in a new one or lower "
            "data.crop_px or network.width",
        ),
    ],
)
def test_halves_are_tried_until_one_trains(
    tiny, monkeypatch: pytest.MonkeyPatch, room: int, fitting: int | None, remedy: str
) -> None:
    recipe = recipe_of(tiny("training.batch_size=8", "losses.perceptual=0"))
    bank = build_bank(recipe, CPU, lambda _line: None)
    tried: list[int] = []
    real = memory.train

    def train_in(room: int, recipe: Recipe, *arguments, **named):
        tried.append(recipe.training.batch_size)
        if recipe.training.batch_size > room:
            raise torch.OutOfMemoryError(f"no room for {recipe.training.batch_size}")
        return real(recipe, *arguments, **named)

    # A machine's own memory cannot be made so small that one size fits for sure and the next does not.
    monkeypatch.setattr(memory, "train", lambda *arguments, **named: train_in(room, *arguments, **named))
    shortage = measure_shortage(recipe, bank, None, CPU)
    assert shortage == Shortage(8, fitting, None, None)
    assert tried == [size for size in (4, 2, 1) if fitting is None or size >= fitting]
    assert shortage.remedy() == remedy


def test_on_a_gpu_whose_memory_was_given_back_nothing_fits_means_just_that() -> None:
    shortage = Shortage(8, None, None, 24_000.0)
    assert shortage.remedy() == "not even training.batch_size = 1 fits, lower data.crop_px or network.width"


def test_another_error_of_a_trial_step_is_not_taken_for_memory(tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of(tiny())
    bank = build_bank(recipe, CPU, lambda _line: None)

    def fail(*_arguments, **_named):
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(memory, "train", fail)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        measure_shortage(recipe, bank, None, CPU)
