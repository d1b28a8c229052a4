from search.page.fidelity import comparison, scatter, section
from search.promotion.agreement import Agreement, Point, agree


def agreement(*pairs: tuple[float, float], long_steps: int = 5000) -> Agreement:
    points = [Point(f"trial {number}", short, long) for number, (short, long) in enumerate(pairs)]
    found = agree(points, 1000, long_steps)
    assert found is not None
    return found


#: The best short training is the second best long one: 1 is lost, and of the six pairs one is turned round.
TURNED = ((10.0, 20.0), (11.0, 21.0), (12.0, 24.0), (13.0, 23.0))


def test_what_was_not_compared_is_called_so() -> None:
    assert "Not measured" in section(())


def test_each_longer_training_has_its_numbers_and_its_points() -> None:
    same = agreement((1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), long_steps=100_000)
    text = section((agreement(*TURNED), same))
    # 1 - 6 * (1 + 1) / (4 * 15) and (5 - 1) / 6
    assert "1000 against 5000 steps over 4 settings: Spearman 0.80" in text
    assert "Kendall 0.67" in text
    assert "regret of the top pick 1.00 in score" in text
    assert "1000 against 100000 steps over 4 settings: Spearman 1.00" in text
    assert text.count('class="plot"') == 2


def test_a_point_is_one_setting_by_its_two_scores() -> None:
    found = agreement(*TURNED)
    (points,) = scatter(found).data
    assert (list(points.x), list(points.y)) == ([10, 11, 12, 13], [20, 21, 24, 23])
    assert points.text[3] == "trial 3"
    assert "score after 5000 steps" in comparison(found)
