from collections.abc import Callable
from pathlib import Path

import pytest
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from model.network.critic import Critic
from model.recipe import Recipe
from model.training.regions import CACHE_VARIABLE, PARTS, Regions, cache_folder, compile_regions


@pytest.mark.parametrize("given", [None, default_cache_dir()])
def test_the_compilers_cache_is_below_the_cache_folder(
    recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """Importing any part of torch's compiler names torch's own folder, which is no wish of a person's."""
    monkeypatch.setenv(CACHE_VARIABLE, given or "")
    if given is None:
        monkeypatch.delenv(CACHE_VARIABLE)
    wanted = Path("some/where").absolute() / "compiled"
    assert cache_folder(recipe("data.cache_dir=some/where")) == wanted
    assert cache_folder(recipe("data.cache_dir=elsewhere")) == wanted  # a process has one


def test_a_folder_that_a_person_named_stays(
    recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_folder(recipe()) == tmp_path


def test_only_the_named_parts_are_compiled(
    recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    critic, regions = Critic(3, 4, 0.125, 0), Regions()
    compile_regions(regions, critic, recipe(), ("encoder", "losses"))
    assert {name for name, part in vars(regions).items() if part} == {"encode", "losses", "finish"}
    compile_regions(regions, critic, recipe(), PARTS)
    assert all(vars(regions).values())
