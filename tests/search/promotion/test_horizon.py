from search.promotion.candidates import Candidate
from search.promotion.horizon import describe_stretch, full_settings

PARAMETERS = {"encoder": 0.5, "learning_rate": 1e-3, "schedule": "cosine"}
CANDIDATE = Candidate(3, "", 20.0, PARAMETERS)


def test_settings_are_the_candidates_over_the_full_horizon(tiny) -> None:
    settings = tiny("promotion.steps=100000", "promotion.evaluate_every=2000", "promotion.keep_every=20000")
    full = full_settings(settings, CANDIDATE)
    assert (full.losses.encoder, full.optimizer.learning_rate, full.schedule.kind) == (0.5, 1e-3, "cosine")
    training = full.training
    assert (training.steps, training.evaluate_every, training.checkpoint_every) == (100_000, 2000, 2000)
    assert (training.log_every, training.probe_every) == (100, 500)
    assert training.seed == settings.training.seed
    said = describe_stretch(1000, full)
    assert said.startswith("schedule cosine stretched from 1000 to 100000 steps, the average's window from 50 to 5000")
