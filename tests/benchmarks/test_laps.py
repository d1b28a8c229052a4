import pytest

from benchmarks.laps import CHECKPOINTS, EVALUATIONS, REST, START, STEPS, Lap, check_laps, share_out, wall_step_ms
from model.settings import read_tables
from model.training.settings import TrainingSettings
from tests.commands import ROOT


def training(**changes: int) -> TrainingSettings:
    tables = read_tables(ROOT / "conf.toml", "h100")
    return TrainingSettings.model_validate(tables["training"] | changes)


#: 40 steps of 0.1 s, but the first comes 7 s late; an evaluation of 2 s at step 20, a checkpoint of 3 s after step 25, an
#: evaluation of 2.5 s at step 40.
LAPS = [
    Lap(10, 8.0, 800.0, False),
    Lap(20, 3.0, 100.0, True),
    Lap(30, 4.0, 100.0, False),
    Lap(40, 3.6, 110.0, True),
]


def test_seconds_go_where_they_were_spent() -> None:
    seconds = share_out(LAPS, 0.5, training(steps=40, checkpoint_every=25))
    assert seconds == pytest.approx(
        {START: 7.0, STEPS: 1.0 + 1.0 + 1.0 + 1.1, EVALUATIONS: 2.0 + 2.5, CHECKPOINTS: 3.0 + 0.5, REST: 0.0}
    )
    assert sum(seconds.values()) == pytest.approx(sum(lap.seconds for lap in LAPS) + 0.5)


@pytest.mark.parametrize(("every", "part"), [(20, CHECKPOINTS), (29, CHECKPOINTS), (30, REST), (19, REST), (0, REST)])
def test_a_checkpoint_falls_into_the_lap_after_its_step(every: int, part: str) -> None:
    # The third lap goes from step 20 to 30; that of step 30 itself is saved after it.
    assert share_out(LAPS, 0.0, training(steps=40, checkpoint_every=every))[part] == pytest.approx(3.0)


def test_the_clock_knows_steps_without_evaluations() -> None:
    assert wall_step_ms([*LAPS, Lap(50, 2.0, 100.0, False)]) == pytest.approx((400 + 200) / 2)
    assert wall_step_ms(LAPS[:2]) is None


@pytest.mark.parametrize(
    "changes", [{"log_every": 250, "probe_every": 250}, {"log_every": 10, "probe_every": 20, "steps": 10}]
)
def test_a_first_measurement_that_holds_an_evaluation_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"lower training\.log_every"):
        check_laps(training(**changes))


def test_the_profiles_own_intervals_are_fine() -> None:
    check_laps(training())
