"""The gate before a full run: every reason why a candidate must not be promoted."""

from collections.abc import Mapping

from model.evaluation.scores import Scores
from model.evaluation.yardsticks import REFERENCE
from search.promotion.comparison import Difference, summarise
from search.promotion.confirmation import Confirmed
from search.promotion.leads import closest


def reasons_against(
    winner: Confirmed,
    differences: Mapping[str, Difference],
    yardsticks: Mapping[str, Scores],
    reference_gap_db: float,
) -> list[str]:
    """Say why a candidate must not be promoted, each reason with its numbers; empty: the gate is open.

    Args:
        winner: the candidate.
        differences: it less each baseline, by the baseline's label.
        yardsticks: trivial pictures and the reference's own round trip, on the same clips.
        reference_gap_db: how far below the reference's round trip it may lie after the long repeats.
    """
    label, long, reasons = winner.candidate.label, summarise(winner.long), []
    lead = closest(differences)
    if lead is not None and not lead[1].is_gain:
        baseline, difference = lead
        reasons.append(
            f"a winner must beat the baselines by more than the noise, but {label} leads {baseline} by "
            f"{difference.mean:+.2f} in score ({difference.in_words()}); search further or confirm with more seeds "
            "(--set promotion.seeds=N)"
        )
    wrong = [repeat.run_id for repeat in (*winner.short, *winner.long) if repeat.verdict == "error"]
    if wrong:
        reasons.append(
            f"a winner's runs must be without an error, but the diagnosis of {len(wrong)} of "
            f"{len(winner.short) + len(winner.long)} "
            f"has one; read it with python -m tracking.diagnose {wrong[0]}"
        )
    trivial = {name: scores.psnr for name, scores in yardsticks.items() if name != REFERENCE}
    above = [f"{name.replace('_', ' ')} ({psnr:.2f} dB)" for name, psnr in trivial.items() if psnr >= long.psnr]
    if above:
        reasons.append(
            f"a winner must be better than pictures that need no model, but {label} has {long.psnr:.2f} dB after "
            f"{long.steps} steps "
            f"and is not better than {', '.join(above)}; search longer trials (--set training.steps=N)"
        )
    floor = yardsticks[REFERENCE].psnr - reference_gap_db
    if long.psnr < floor:
        reasons.append(
            f"a winner must come within {reference_gap_db:g} dB of the reference (promotion.reference_gap_db), but {label} has "
            f"{long.psnr:.2f} dB after {long.steps} steps and the reference {yardsticks[REFERENCE].psnr:.2f}; confirm longer "
            "(--set promotion.long_steps=N) or search further"
        )
    return reasons
