import pytest

from tracking.summary.scale import scale_of


def test_the_ends_lie_at_0_and_1_and_between_them_it_is_even() -> None:
    scale = scale_of([10.0, 30.0, 20.0])
    assert [scale.place(value) for value in (10, 20, 30)] == [0, 0.5, 1]


def test_a_logarithmic_scale_counts_factors_and_leaves_out_what_has_no_logarithm() -> None:
    scale = scale_of([0.01, 1.0, 0.0, -5.0], logarithmic=True)
    assert [scale.place(value) for value in (0.01, 0.1, 1)] == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize(("value", "logarithmic"), [(0.0, False), (3.0, False), (0.3, True)])
def test_equal_values_lie_in_the_middle(value: float, logarithmic: bool) -> None:
    assert scale_of([value, value], logarithmic=logarithmic).place(value) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.0, 1000.0], [0, 500, 1000]),
        ([0.0, 1.0], [0, 0.5, 1]),
        ([21.3, 24.9], [22, 23, 24]),
        ([-1.0, 1.0], [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(values: list[float], ticks: list[float]) -> None:
    assert scale_of(values).ticks() == pytest.approx(ticks)


def test_ticks_of_a_logarithmic_scale_are_powers_of_ten() -> None:
    assert scale_of([0.002, 30.0], logarithmic=True).ticks() == pytest.approx([0.01, 0.1, 1, 10])
    assert len(scale_of([1e-12, 1e8], logarithmic=True).ticks()) <= 5


def test_a_short_logarithmic_scale_has_ticks_too() -> None:
    assert scale_of([2.0, 8.0], logarithmic=True).ticks() == pytest.approx([2, 4, 6, 8])
