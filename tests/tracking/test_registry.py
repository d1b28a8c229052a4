from tests.places import at
from tracking.registry import find_alias, newest_version, register_version, set_alias
from tracking.run import start_run

pytestmark = at("sqlite", "postgresql", "server")


def make(store, text: str = "x"):
    run = start_run(store, "full", "full", None, {})
    run.text("model/README.md", text)
    store.outbox.deliver()
    return register_version(store, "taehv", run.id, "model", {"score": "1.5"}, "what it is"), run


def test_a_runs_folder_becomes_a_version_once(store) -> None:
    first, run = make(store)
    assert (first.name, first.number, first.tags["score"]) == ("taehv", "1", "1.5")
    again = register_version(store, "taehv", run.id, "model", {"score": "9"}, "other")
    assert again == first
    assert newest_version(store, "taehv") == first
    second, _ = make(store)
    assert second.number == "2"
    assert newest_version(store, "taehv") == second


def test_an_alias_is_of_one_version_at_a_time(store) -> None:
    assert find_alias(store, "taehv", "champion") is None
    first, _ = make(store)
    second, _ = make(store)
    assert find_alias(store, "taehv", "champion") is None
    set_alias(store, first, "champion")
    assert find_alias(store, "taehv", "champion") == first
    set_alias(store, second, "champion")
    assert find_alias(store, "taehv", "champion") == second
