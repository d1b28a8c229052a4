from search.promotion.candidates import Candidate
from search.promotion.confirmation import best_baseline_of, gather, lead, winner_of
from search.promotion.repeats import Plan


def test_repeats_come_to_their_candidates_the_best_first(repeat) -> None:
    plans, repeats = [], {}
    for trial, psnr in ((1, 20.0), (2, 25.0)):
        for steps in (4, 8):
            for seed in (1, 2):
                identity = f"{trial}-{steps}-{seed}"
                plans.append(Plan(Candidate(trial, "", 50.0, {}), seed, steps, {}, identity))
                repeats[identity] = repeat(trial, seed, steps, psnr + steps)
    confirmed = gather(plans, repeats, 4)
    assert [one.candidate.trial for one in confirmed] == [2, 1]
    assert [(each.seed, each.steps) for each in confirmed[0].short] == [(1, 4), (2, 4)]
    assert [(each.seed, each.steps) for each in confirmed[0].long] == [(1, 8), (2, 8)]
    assert confirmed[0].mean == 50 * 33 / 40 + 25


def test_the_winner_is_no_baseline_however_good_one_is(confirmed) -> None:
    ranked = [
        confirmed(0, [30.0, 30.0], "seed_old"),
        confirmed(4, [29.0, 29.0]),
        confirmed(1, [20.0, 20.0], "seed_new"),
    ]
    assert winner_of(ranked).candidate.trial == 4
    assert best_baseline_of(ranked).candidate.baseline == "seed_old"
    assert lead(ranked, 100).psnr_db == -1.0
