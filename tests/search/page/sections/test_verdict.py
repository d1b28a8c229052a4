from dataclasses import replace

from search.page.evidence import PageEvidence
from search.page.gains import Gain
from search.page.sections.verdict import (
    against_trial,
    belief,
    best_of,
    comparisons,
    decision,
    how_many,
    next_lines,
    nothing_won,
    outcome,
    over_clips,
    over_seeds,
    section,
    warnings,
    who_won,
)
from search.promotion.comparison import Difference
from search.promotion.estimate import Estimate
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord
from tracking.diagnosis import Diagnosis
from tracking.diagnosis.texts import finding


def test_the_best_trial_is_named_with_its_scores_and_settings(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    text = who_won(best)
    assert text.startswith("Best: trial 5, with score 36.00, 18.00 dB, SSIM 0.500. Its settings: encoder 0.5, ")
    assert "schedule linear" in text
    assert how_many(evidence) == (
        "6 trials finished of 50 asked for: 5 complete, 1 pruned or diverged; 1 failed; 3 queued or running."
    )


def test_gains_are_in_decibels_over_each_baseline_and_what_needs_no_training(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    lines = comparisons(evidence, best)
    # Both clips gain exactly 3 dB over the old settings.
    assert lines[0] == (
        "against the user's old settings: +3.00 dB (95 % interval over the validation clips +3.00 to +3.00; 0 lies outside)"
    )
    assert lines[1].startswith("against the user's new settings: +2.00 dB")
    assert lines[2] == "against the Seraena author's settings: unknown, because that trial has no score"
    mean = evidence.yardsticks["mean_colour"].psnr
    assert lines[3].startswith("against outputs that need no model: ")
    assert f"mean colour {18 - mean:+.2f} dB" in lines[3]
    assert "reference" not in lines[3]
    reference = evidence.yardsticks["reference"].psnr
    assert lines[4] == f"against the reference's own round trip: {18 - reference:+.2f} dB"


def test_a_pruned_baseline_is_not_compared(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    pruned = replace(evidence.rows[-1], name="seed_old")
    assert "pruned and its score is of an earlier step" in against_trial(evidence, best, "seed_old", pruned, None)
    assert "nothing that was searched beats it" in against_trial(evidence, best, "seed_old", best, None)


def test_clips_that_disagree_are_said_to(evidence: PageEvidence) -> None:
    assert "the clips do not tell them apart" in over_clips(Gain(0.5, (-1.0, 2.0)))
    assert over_clips(Gain(0.5, None)) == ""


def test_a_gain_stands_against_the_noise_between_seeds() -> None:
    assert over_seeds(Gain(1.0, None), None) == ""
    assert over_seeds(Gain(1.0, None), 0.2) == ", a gain beyond the noise between seeds (2 x 0.20 dB)"
    assert over_seeds(Gain(0.3, None), 0.2) == ", within the noise between seeds (2 x 0.20 dB)"
    assert over_seeds(Gain(-0.3, None), 0.2) == ", within the noise between seeds (2 x 0.20 dB)"
    assert over_seeds(Gain(-6.0, None), 0.2) == ", a loss beyond the noise between seeds (2 x 0.20 dB)"


def test_unknown_noise_is_called_unknown_and_known_noise_is_used(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    assert "The lead over the second is 2.00 in score. Noise between seeds: unknown" in belief(evidence, best)
    known = replace(evidence, repeats={5: (18.0, 18.0), 6: (17.0, 19.0)})
    assert "differ by 1.41 dB (one deviation, 4 trainings)" in belief(known, best)  # variances 0 and 2
    assert "within the noise between seeds (2 x 1.41 dB)" in comparisons(known, best)[1]


def test_what_is_no_better_than_a_yardstick_is_said(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    bad = replace(best, metrics=best.metrics | {"val/psnr": 1.0})
    assert any("which need no model" in line and "mean colour" in line for line in warnings(evidence, bad))
    assert "Only 5 complete trials" in warnings(evidence, best)[-1]
    many = replace(evidence, counts=replace(evidence.counts, complete=10))
    assert not any("Only" in line for line in warnings(many, best))


def test_a_lead_within_the_noise_is_said(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    found = finding("search.noise_floor", "warning", 0.8, ("lead of the best trial = 0.10",))
    noisy = replace(evidence, diagnosis=Diagnosis((found,), (), "warning", None))
    assert any("within the noise between seeds" in line for line in warnings(noisy, best))


def test_best_settings_at_the_edge_of_the_space_are_said(evidence: PageEvidence) -> None:
    best = best_of(evidence)
    assert best is not None
    assert not any("edge" in line for line in warnings(evidence, best))
    names = ("encoder", "learning_rate")
    found = tuple(finding("search.edge_of_space", "warning", 0.6, ("x",), f"search.space.{name}") for name in names)
    both = replace(evidence, diagnosis=Diagnosis(found, (), "warning", None))
    assert "The best encoder and learning rate lie at the edge of what was searched" in section(both)
    one = replace(evidence, diagnosis=Diagnosis(found[:1], (), "warning", None))
    assert "The best encoder lies at the edge of what was searched" in section(one)


def test_a_promotions_decision_is_told(evidence: PageEvidence) -> None:
    lead = Difference(mean=2.0, seed_interval=(-1.0, 5.0), clip_interval=(1.0, 3.0), psnr_db=1.5)
    estimates = {"val/psnr": Estimate(100_000, 30.0, 28.0, 32.0)}
    closed = GateRecord(5, "trial 4 seed_new", lead, ("a winner must beat the baselines",), False, estimates)
    assert decision(None) == []
    text = section(replace(evidence, gate=closed))
    assert "Promotion: trial 5, not confirmed +2.00 in score (+1.50 dB) against trial 4 seed_new" in text
    assert "The gate is closed: a winner must beat the baselines." in text
    assert not any("closed" in line for line in decision(replace(closed, forced=True)))


def test_what_the_full_run_came_to_is_told_and_whether_it_is_good(evidence: PageEvidence) -> None:
    assert outcome(evidence) == []
    bare = FullResult("full trial 5, 40 steps", 30, {"score": 77.634}, {})
    assert outcome(replace(evidence, full=bare)) == [
        "Full trial 5, 40 steps: score 77.63, with the weights of step 30."
    ]
    full = replace(bare, came={"val/psnr": 28.163}, version="taehv version 1", champion="not moved: SSIM is too low")
    (line,) = outcome(replace(evidence, full=full))
    reference, mean = (evidence.yardsticks[name].psnr for name in ("reference", "mean_colour"))
    assert line.startswith("Full trial 5, 40 steps: psnr 28.16 (against outputs that need no model: black ")
    assert f"mean colour {28.163 - mean:+.2f} dB" in line
    assert (
        f"; against the reference's own round trip: {28.163 - reference:+.2f} dB), with the weights of step 30" in line
    )
    assert line.endswith("; registered as taehv version 1. Champion: not moved: SSIM is too low.")
    assert "Full trial 5, 40 steps: psnr 28.16" in section(replace(evidence, full=full))


def test_the_next_command_is_printed_or_the_study_goes_on(evidence: PageEvidence) -> None:
    assert "the study has 6 of 50 trials" in next_lines(evidence)[0]
    assert "python -m search.run --trials 50 --config" in next_lines(evidence)[1]
    assert "mend" not in next_lines(evidence)[0]
    promoted = replace(evidence, next_step=("", "python -m search.promote"))
    assert "confirm the best settings over seeds" in next_lines(promoted)[0]
    assert next_lines(evidence)[1] in section(evidence)
    stuck = replace(evidence, shown=())
    assert "Next: mend what failed (the reasons are under Diagnosis); the study has 6 of 50" in next_lines(stuck)[0]
    assert next_lines(stuck)[1] == next_lines(evidence)[1]


def test_without_a_best_there_is_a_reason(evidence: PageEvidence) -> None:
    none = replace(evidence, shown=(), counts=replace(evidence.counts, complete=0))
    assert best_of(none) is None
    assert nothing_won(none) == (
        "Nothing won: no complete trial has a score yet, none of 2 that ended. The last reason: its worker exited with code 1."
    )
