from dataclasses import replace

from search.promotion.candidates import Candidate
from search.promotion.confirmation import find_diverged, gather
from search.promotion.repeats import Plan, Repeat


def planned(repeat) -> tuple[list[Plan], dict[str, Repeat]]:
    plans, repeats = [], {}
    for trial, psnr in ((1, 20.0), (2, 25.0)):
        for steps in (4, 8):
            for seed in (1, 2):
                identity = f"{trial}-{steps}-{seed}"
                plans.append(Plan(Candidate(trial, "", 50.0, {}), seed, steps, {}, identity))
                repeats[identity] = repeat(trial, seed, steps, psnr + steps)
    return plans, repeats


def test_repeats_come_to_their_candidates_the_best_first(repeat) -> None:
    confirmed = gather(*planned(repeat), 4)
    assert [one.candidate.trial for one in confirmed] == [2, 1]
    assert [(each.seed, each.steps) for each in confirmed[0].short] == [(1, 4), (2, 4)]
    assert [(each.seed, each.steps) for each in confirmed[0].long] == [(1, 8), (2, 8)]
    assert confirmed[0].mean == 50 * 33 / 40 + 25


def test_a_setting_that_diverged_once_is_left_out_with_all_that_it_has_and_lacks(repeat) -> None:
    plans, repeats = planned(repeat)
    repeats["2-4-2"] = replace(repeats["2-4-2"], diverged=True, metrics={}, clips={})
    del repeats["2-8-1"], repeats["2-8-2"]
    assert {trial: plan.identity for trial, plan in find_diverged(plans, repeats).items()} == {2: "2-4-2"}
    assert [one.candidate.trial for one in gather(plans, repeats, 4)] == [1]
