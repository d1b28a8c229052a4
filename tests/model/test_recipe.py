import pytest

from model.recipe import Recipe
from model.settings import TABLES, SettingsError, build, change, identity, read_tables
from tests.commands import ROOT


def recipe(*changes: str, profile: str = "cpu") -> Recipe:
    return build(Recipe, read_tables(ROOT / "conf.toml", profile, changes))


def test_it_is_all_of_conf_toml_but_the_record_and_the_study() -> None:
    assert tuple(Recipe.model_fields) == tuple(
        name for name in TABLES if name not in ("tracking", "diagnosis", "search", "promotion")
    )


@pytest.mark.parametrize(
    "changed",
    [
        "data.seed=1",
        "reference.source=taehv:w.pth",
        "network.width=0.625",
        "losses.seraena=0.777",
        "optimizer.learning_rate=0.777",
        "schedule.kind=polynomial",
        "training.steps=7",
        "evaluation.lpips=vgg",
    ],
)
def test_every_table_is_in_its_identity(changed: str) -> None:
    assert identity(recipe(changed)) != identity(recipe())


def test_places_and_intervals_of_the_log_are_not_in_its_identity() -> None:
    elsewhere = ("data.cache_dir=x", "data.workers=3", "training.log_every=7", "training.device=cpu")
    assert identity(recipe(*elsewhere)) == identity(recipe())


def test_a_profile_is_another_recipe() -> None:
    assert identity(recipe(profile="h100")) != identity(recipe())
    assert recipe(profile="h100").network.width == 1.0


def test_a_trials_changes_make_another_recipe_and_leave_the_first() -> None:
    first = recipe()
    second = change(first, {"losses.encoder": 0.25, "schedule.kind": "constant"})
    assert (second.losses.encoder, second.schedule.kind) == (0.25, "constant")
    assert first == recipe()


def test_a_table_that_is_missing_is_named() -> None:
    tables = read_tables(ROOT / "conf.toml", "cpu")
    del tables["losses"]
    with pytest.raises(SettingsError, match=r"must have a table \[losses\]"):
        build(Recipe, tables)
