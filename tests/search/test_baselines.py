from search.baselines import CALLED, called
from search.settings import Settings


def test_the_baselines_of_the_configuration_have_names_that_are_read_aright(tiny) -> None:
    settings: Settings = tiny()
    assert set(CALLED) == set(settings.search.baselines)
    assert not any("seed" in called(name) for name in settings.search.baselines)


def test_a_baseline_that_a_person_added_keeps_its_name() -> None:
    assert called("my_own") == "my own"
