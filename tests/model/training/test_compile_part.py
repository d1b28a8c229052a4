import os
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import psutil
import pytest
import torch
from torch import fx

from model.recipe import Recipe
from model.training import regions
from model.training.capture import without_numbers
from model.training.compile_part import compile_part, compiled_beside, mark_of, parts_for_others, start_compiling
from model.training.regions import CACHE_VARIABLE, PARTS

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))


@pytest.mark.filterwarnings(
    "ignore:The .grad attribute of a Tensor that is not a leaf"
)  # the compiler looks at all it gets
def test_each_part_is_compiled_alone(recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: list[str] = []

    def note(graph: fx.GraphModule, _inputs: object) -> Callable[..., object]:
        graphs.append(graph.code)
        return graph.forward

    monkeypatch.setattr(regions, "COMPILER", {"fullgraph": True, "dynamic": False, "backend": note})
    seen = {}
    for part in PARTS:
        torch._dynamo.reset()
        graphs.clear()
        compile_part(recipe("training.device=cpu"), part)
        seen[part] = list(graphs)
    expected = {"decoder": 1, "encoder": 1, "critic": 3, "targets": 0, "perceptual": 0, "losses": 2}  # without LPIPS
    assert {part: len(codes) for part, codes in seen.items()} == expected
    assert all(not set(seen[one]) & set(seen[other]) for one, other in combinations(PARTS, 2))


def test_a_process_ends_with_the_one_that_started_it(recipe: Callable[..., Recipe]) -> None:
    with start_compiling(recipe("training.device=cpu"), "losses") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 1


def test_the_end_is_waited_for_and_a_failure_is_left_to_who_needs_the_part(recipe: Callable[..., Recipe]) -> None:
    with compiled_beside(recipe("training.device=cpu"), ("no such part", "nor this")) as done:
        assert list(done) == ["nor this", "no such part"]
        assert not [child for child in psutil.Process().children() if "model.training.compile_part" in child.cmdline()]


def test_a_step_that_is_in_the_cache_needs_no_processes(
    recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(len(PARTS) + 1)))
    mark = mark_of(recipe(), without_numbers(recipe()), CPU)
    assert parts_for_others(mark) == PARTS[1:]
    mark.touch()
    assert parts_for_others(mark) == ()
    others = recipe("losses.encoder=0.5"), recipe("network.width=0.25")
    again, other = (mark_of(settings, without_numbers(settings), CPU) for settings in others)
    assert again == mark
    assert parts_for_others(other) == PARTS[1:]


def test_few_cores_have_enough_to_do(recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(len(PARTS))))
    assert parts_for_others(mark_of(recipe(), {}, CPU)) == ()


#: Takes a step with all parts compiled and says what of that was in the cache.
COUNTING = """
import sys, torch
from torch._dynamo.utils import counters
from model.recipe import Recipe
from model.training.capture import compile_step, noise_feed, prepare_step, weighted_names
from model.training.device import make_repeatable
recipe, cuda = Recipe.model_validate_json(sys.argv[1]), torch.device("cuda")
make_repeatable(cuda)
step = prepare_step(recipe, noise_feed(recipe, cuda), None, weighted_names(recipe))
compile_step(step, recipe)
step()
print(counters["inductor"]["fxgraph_cache_hit"], counters["inductor"]["fxgraph_cache_miss"])
"""


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_other_processes_compiled_is_in_the_cache(recipe: Callable[..., Recipe]) -> None:
    settings = recipe("training.precision=bfloat16", "training.device=cuda")
    with compiled_beside(settings, PARTS):
        pass
    counting = [sys.executable, "-c", COUNTING, settings.model_dump_json()]
    hits, misses = map(int, subprocess.run(counting, capture_output=True, text=True, check=True).stdout.split())
    assert (hits > 8, misses) == (True, 0)
