import pytest

from search.promotion.leads import closest, leads_of

CLEAR, NOISY = [25.0, 25.1, 25.2], [26.0, 23.0, 24.0]


def test_every_candidate_is_held_against_every_baseline(confirmed) -> None:
    ranked = [
        confirmed(5, CLEAR),
        confirmed(2, [23.0, 23.1, 23.1], "seed_new"),
        confirmed(0, [20.0, 20.1, 20.0], "seed_old"),
    ]
    leads = leads_of(ranked, {}, 200)
    assert set(leads) == {5}
    assert {label: round(difference.psnr_db, 2) for label, difference in leads[5].items()} == {
        "trial 2 seed_new": 2.03,
        "trial 0 seed_old": 5.07,
    }


def test_the_baseline_that_is_beaten_least_surely_counts_and_not_the_best_one(confirmed) -> None:
    # The second baseline is worse by its mean, but swings against the candidate's seeds.
    ranked = [
        confirmed(5, CLEAR),
        confirmed(2, [23.0, 23.1, 23.2], "seed_new"),
        confirmed(0, [20.0, 26.0, 20.0], "seed_old"),
    ]
    label, difference = closest(leads_of(ranked, {}, 200)[5]) or ("", None)
    assert label == "trial 0 seed_old"
    assert difference is not None
    assert not difference.is_gain


def test_one_candidate_has_its_whole_level(confirmed) -> None:
    leads = leads_of([confirmed(5, CLEAR), confirmed(2, [23.0, 23.1, 23.1], "seed_new")], {}, 200)
    assert leads[5]["trial 2 seed_new"].confidence == pytest.approx(0.95)


def test_of_several_the_surest_has_the_hardest_level_and_the_last_its_own(confirmed) -> None:
    # Against seeds of 20.0, 20.1, 20.2: leads of 5 (sure), 3 with some noise, and one within the noise.
    ranked = [
        confirmed(7, [23.0, 23.3, 23.1]),
        confirmed(5, [25.0, 25.1, 25.2]),
        confirmed(6, [20.5, 20.0, 20.4]),
        confirmed(2, [20.0, 20.1, 20.2], "seed_old"),
    ]
    levels = {trial: against["trial 2 seed_old"].confidence for trial, against in leads_of(ranked, {}, 200).items()}
    assert levels == pytest.approx({5: 1 - 0.05 / 3, 7: 1 - 0.05 / 2, 6: 0.95})


def test_after_the_first_that_does_not_lead_no_level_gets_easier(confirmed) -> None:
    ranked = [confirmed(5, NOISY), confirmed(6, [23.5, 23.9, 24.9]), confirmed(2, [23.0, 23.1, 23.1], "seed_old")]
    levels = [against["trial 2 seed_old"].confidence for against in leads_of(ranked, {}, 200).values()]
    assert levels == pytest.approx([0.975, 0.975])


def test_without_baselines_there_is_no_lead(confirmed) -> None:
    assert leads_of([confirmed(5, CLEAR)], {}, 200) == {5: {}}
    assert closest({}) is None
