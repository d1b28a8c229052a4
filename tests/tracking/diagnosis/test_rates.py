"""Learning rates from curves and from formulas."""

import math

import pytest

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.rates import rates_of

CONSTANT = {"schedule.kind": "constant", "optimizer.learning_rate": 1e-3, "training.steps": 1000}


def test_a_constant_rate_sums_to_rate_times_steps() -> None:
    rates = rates_of(Evidence(settings=CONSTANT))
    assert rates is not None
    assert rates.total(100, 400) == pytest.approx(0.3)
    assert rates.walk(0, 900) == pytest.approx(1e-3 * math.sqrt(900))
    assert (rates.peak, rates.steps, rates.low_share(0.01)) == (1e-3, 1000, 0.0)


def test_sums_over_more_steps_than_are_sampled_agree_with_the_integral() -> None:
    """A cosine from 1 to 0 has the mean 1/2 and the mean square 3/8."""
    settings = CONSTANT | {"schedule.kind": "cosine", "optimizer.learning_rate": 1.0, "training.steps": 1_000_000}
    rates = rates_of(Evidence(settings=settings))
    assert rates is not None
    assert rates.total(0, 1_000_000) == pytest.approx(500_000, rel=1e-4)
    assert rates.walk(0, 1_000_000) ** 2 == pytest.approx(375_000, rel=1e-4)
    # The last steps below 1 % of the peak: (1 + cos x) / 2 < 0.01 from x = 0.9362 pi on.
    assert rates.low_share(0.01) == pytest.approx(1 - math.acos(-0.98) / math.pi, abs=1e-3)


def test_the_rates_of_the_failed_run(failed_run: Evidence) -> None:
    """docs/facts.md 9: 58 % of the peak at step 82k, 21 % at 90k, nothing at the end."""
    rates = rates_of(failed_run)
    assert rates is not None
    shares = [rates.at(step) / rates.peak for step in (82_000, 90_000, 100_000)]
    assert shares == pytest.approx([0.58, 0.21, 0.0], abs=0.02)
    assert rates.low_share(0.01) < 0.07


def test_a_curve_outweighs_the_formula() -> None:
    rates = rates_of(Evidence(settings=CONSTANT, curves={"learning_rate": [(10, 2e-4), (20, 1e-4)]}))
    assert rates is not None
    assert [rates.at(step) for step in (0, 10, 15, 20, 30)] == [2e-4, 2e-4, 2e-4, 1e-4, 1e-4]
    assert rates.source == "curve learning_rate"


@pytest.mark.parametrize("missing", ["optimizer.learning_rate", "training.steps"])
def test_without_rate_or_steps_nothing_is_known(missing: str) -> None:
    assert rates_of(Evidence(settings={name: value for name, value in CONSTANT.items() if name != missing})) is None


@pytest.mark.parametrize("kind", [{}, {"schedule.kind": "cosine_with_restarts"}])
def test_without_a_schedule_the_rate_is_at_most_its_peak(kind: dict[str, str]) -> None:
    """Restarts whose number is not known are no schedule either."""
    rates = rates_of(Evidence(settings={"optimizer.learning_rate": 1e-3, "training.steps": 1000} | kind))
    assert rates is not None
    assert (rates.at(900), rates.schedule_known) == (1e-3, False)
    known = rates_of(Evidence(settings=CONSTANT | {"schedule.kind": "cosine_with_restarts", "schedule.cycles": 3}))
    assert known is not None
    assert known.schedule_known
