from collections.abc import Callable

import pytest
import torch

from benchmarks.noise import OTHER, SAME, measure_noise, to_table
from benchmarks.result import describe_machine
from model.cli import make_console
from search.settings import recipe_of


def test_one_seed_gives_the_same_bits_on_a_cpu_and_other_seeds_do_not(
    tiny: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, cpu = recipe_of(tiny()), torch.device("cpu")
    result = measure_noise(recipe, cpu, 2, print)
    assert result[SAME][0] == result[SAME][1]
    assert len({scores["val/psnr"] for scores in (*result[SAME], *result[OTHER])}) == 3

    make_console().print(to_table(describe_machine(cpu), recipe, {SAME: [{"val/psnr": 20.0}, {"val/psnr": 22.0}]}))
    row = next(line for line in capsys.readouterr().out.splitlines() if "the same seed, 2" in line)
    assert row.split()[-3:] == ["21.0000", "1.4142", "2.0000"]
