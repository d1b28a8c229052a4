from collections.abc import Callable

from search.description import PURPOSE, describe_study, describe_training
from search.settings import recipe_of


def test_a_trial_is_described_by_its_settings_and_its_study(tiny: Callable) -> None:
    recipe = recipe_of(tiny())
    text = describe_training("trial", recipe, {"study": "taehv-1234"})
    assert text.startswith("**Trial** of the study `taehv-1234`: a short training that tries settings. 4 steps")
    assert f"reconstruction {recipe.losses.reconstruction:.4g}" in text
    assert f"Learning rate {recipe.optimizer.learning_rate:.4g}, schedule {recipe.schedule.kind}, seed 0." in text


def test_a_baseline_is_named(tiny: Callable) -> None:
    text = describe_training("trial", recipe_of(tiny()), {"study": "s", "baseline": "seed_old"})
    assert "the settings `seed_old`, which every study tries for comparison" in text


def test_every_role_of_a_training_has_words(tiny: Callable) -> None:
    texts = {describe_training(role, recipe_of(tiny()), {}) for role in PURPOSE}
    assert len(texts) == len(PURPOSE)
    assert all("the study" not in text.splitlines()[0] for text in texts)


def test_a_study_says_what_it_searches_and_what_is_the_same(tiny: Callable) -> None:
    text = describe_study("taehv-1234", recipe_of(tiny()))
    assert text.startswith("**Study** `taehv-1234`: trials of 4 steps")
    assert "width 0.125" in text
    assert "(`pca`)" in text
    assert "`report.html`" in text
