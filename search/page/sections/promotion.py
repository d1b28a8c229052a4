"""What a promotion expected of the full run beside what came, and whom it passed over."""

from search.page.evidence import PageEvidence
from search.page.frame import paragraph, table

#: What the numbers of the table are (search/promotion/estimate.py).
MEANING = (
    "Estimated before the full run from what the confirmations gained with their steps. Low and high are bounds of 95 % for one "
    "more training, from no further gain at all to one that goes on undiminished."
)


def section(page: PageEvidence) -> str:
    """Each estimate beside what came, and the candidates that were passed over; the decision stands in the verdict."""
    if page.gate is None:
        return paragraph("Nothing was promoted yet: no setting was compared with the baselines over fresh seeds.")
    estimates, full = page.gate.estimates, page.full
    headings = ["metric", "estimate", "low to high", "after steps", *(["came"] if full else [])]
    rows = [
        [
            metric,
            f"{estimate.value:.4g}",
            f"{estimate.low:.4g} to {estimate.high:.4g}",
            str(estimate.steps),
            *(
                [f"{full.came[metric]:.4g}, {full.places[metric]}" if metric in full.came else "not measured"]
                if full
                else []
            ),
        ]
        for metric, estimate in estimates.items()
    ]
    parts = [paragraph(MEANING), table(headings, rows)] if rows else []
    return "".join([*parts, *(paragraph(f"Passed over, {one}.") for one in page.gate.passed_over)])
