"""What a promotion decided, expected, and came to."""

from search.page.evidence import PageEvidence
from search.page.frame import paragraph, table
from search.page.sections.verdict import decision, outcome


def section(page: PageEvidence) -> str:
    """The decision with who was passed over, each estimate beside what came, and the full run."""
    if page.gate is None:
        return paragraph("Nothing was promoted yet: no setting was compared with the baselines over fresh seeds.")
    parts = [paragraph(line) for line in decision(page.gate)]
    parts += [paragraph(f"Passed over, {one}.") for one in page.gate.passed_over]
    came = {} if page.full is None else page.full.came
    rows = [
        [
            metric,
            f"{estimate.value:.4g}",
            f"{estimate.low:.4g} to {estimate.high:.4g}",
            *(
                [f"{came[metric]:.4g}, {page.full.places[metric]}" if metric in came else "not measured"]
                if page.full
                else []
            ),
        ]
        for metric, estimate in page.gate.estimates.items()
    ]
    steps = {estimate.steps for estimate in page.gate.estimates.values()}
    estimated = f"estimate for {', '.join(map(str, sorted(steps)))} steps"
    parts.append(table(["metric", estimated, "low to high", *(["came"] if page.full else [])], rows) if rows else "")
    return "".join([*parts, *(paragraph(line) for line in outcome(page))])
