import pytest

from search.page.ticks import ticks


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.01, 1.0, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (2e-5, 2e-3, ["3e-5", "1e-4", "3e-4", "0.001"]),
        (8.0, 2e4, ["10", "30", "100", "300", "1000", "3000", "1e4"]),
        (0.5, 0.9, []),
    ],
)
def test_ones_and_threes_are_written_as_people_write_them(low: float, high: float, texts: list[str]) -> None:
    values, written = ticks(low, high)
    assert written == texts
    assert values == pytest.approx([float(text) for text in texts])
