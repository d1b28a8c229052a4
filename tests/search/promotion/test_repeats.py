import pytest

from model.settings import change, identity
from search.promotion.candidates import Candidate
from search.promotion.repeats import finished_repeats, fresh_seeds, plan_repeats
from search.record import start_training_record
from search.settings import recipe_of

PARAMETERS = {"encoder": 0.5, "learning_rate": 1e-3, "schedule": "cosine"}
ONE, OTHER = Candidate(3, "", 20.0, PARAMETERS), Candidate(0, "seed_old", 10.0, PARAMETERS | {"encoder": 1.0})


def test_each_candidate_has_each_seed_at_each_length_short_ones_first(tiny) -> None:
    plans = plan_repeats(tiny(), [ONE, OTHER], [1, 2], [4, 50])
    assert [(plan.steps, plan.seed, plan.candidate.trial) for plan in plans] == [
        *((4, 1, 3), (4, 1, 0), (4, 2, 3), (4, 2, 0)),
        *((50, 1, 3), (50, 1, 0), (50, 2, 3), (50, 2, 0)),
    ]
    assert len({plan.identity for plan in plans}) == 8
    assert plans[4].label == "trial 3, seed 1, 50 steps"


def test_a_plan_is_the_trials_settings_with_another_seed_and_horizon(tiny) -> None:
    settings = tiny()
    plan = plan_repeats(settings, [ONE], [7], [50])[0]
    made = change(settings, plan.changes)
    assert (made.losses.encoder, made.optimizer.learning_rate, made.schedule.kind) == (0.5, 1e-3, "cosine")
    assert (made.training.seed, made.training.steps, made.training.evaluate_every) == (7, 50, 5)
    assert plan.identity == identity(recipe_of(made))


def test_fresh_seeds_are_those_of_no_trial(tiny) -> None:
    assert fresh_seeds(tiny("training.seed=4", "promotion.seeds=3")) == [5, 6, 7]


def test_only_finished_repeats_are_read_back(opened, tiny) -> None:
    settings, prepared = tiny(), opened.prepared
    ids = {}
    for seed, status in ((1, "FINISHED"), (2, "FAILED"), (3, "FINISHED")):
        plan = plan_repeats(settings, [ONE], [seed], [4])[0]
        tags = {"study": "s", "trial_number": "3", "seed": str(seed), "horizon": "4"}
        made = change(settings, plan.changes)
        record = start_training_record(prepared, made, name="c", role="confirm", parent=opened.parent, tags=tags)
        record.run.metrics({"score": 20.0 + seed, "val/psnr": 10.0, "loss/total": 1.0}, 4)
        record.scores, record.step = prepared.yardsticks["grey"], 4
        record.write_measured()
        record.run.tags({"diagnosis": "warning"})
        record.close(status)
        ids[seed] = plan.identity
    found = finished_repeats(prepared.store, opened.parent.id)
    assert set(found) == {ids[1], ids[3]}
    repeat = found[ids[3]]
    assert (repeat.trial, repeat.seed, repeat.steps, repeat.verdict) == (3, 3, 4, "warning")
    assert repeat.metrics == {"score": 23.0, "val/psnr": 10.0}
    assert repeat.curve == ((4, 10.0),)
    grey = prepared.yardsticks["grey"]
    assert repeat.clips == {clip.name: (clip.psnr, clip.ssim) for clip in grey.clips}
    assert not repeat.diverged


def test_one_that_diverged_is_read_back_without_an_evaluation(opened, tiny) -> None:
    plan = plan_repeats(tiny(), [ONE], [1], [4])[0]
    tags = {"trial_number": "3", "seed": "1", "horizon": "4", "diverged": "true"}
    made = change(tiny(), plan.changes)
    record = start_training_record(opened.prepared, made, name="c", role="confirm", parent=opened.parent, tags=tags)
    record.close("FAILED", "NonFiniteError: loss")
    (repeat,) = finished_repeats(opened.prepared.store, opened.parent.id).values()
    assert (repeat.trial, repeat.seed, repeat.steps, repeat.diverged, repeat.score) == (3, 1, 4, True, 0.0)


def test_a_finished_repeat_without_its_evaluation_is_an_error(opened, tiny) -> None:
    plan = plan_repeats(tiny(), [ONE], [1], [4])[0]
    made = change(tiny(), plan.changes)
    tags = {"study": "s", "trial_number": "3", "seed": "1", "horizon": "4"}
    record = start_training_record(opened.prepared, made, name="c", role="confirm", parent=opened.parent, tags=tags)
    record.close("FINISHED")
    with pytest.raises(ValueError, match=r"must have its evaluation\.json"):
        finished_repeats(opened.prepared.store, opened.parent.id)
