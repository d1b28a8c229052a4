"""What a promotion shows on the terminal."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from model.evaluation.scores import Scores
from search.promotion.confirmation import Confirmed
from search.promotion.gate_record import GateRecord


def to_table(confirmed: Sequence[Confirmed], yardsticks: Mapping[str, Scores]) -> Table:
    """The confirmed settings, the best first: the trial's score, and mean and deviation between seeds at both lengths."""
    short, long = confirmed[0].summaries
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("setting", no_wrap=True)
    headings = ["trial's score", f"score at {short.steps}", f"at {long.steps}", "PSNR dB", "SSIM", "LPIPS"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for place, one in enumerate(confirmed):
        before, after = one.summaries
        cells = [
            f"{one.candidate.score:.2f}",
            *(f"{summary.mean:.2f} ± {summary.deviation:.2f}" for summary in (before, after)),
            f"{after.psnr:.2f}",
            f"{after.ssim:.3f}",
            "-" if after.lpips is None else f"{after.lpips:.3f}",
        ]
        table.add_row(one.candidate.label, *cells, style="bold" if place == 0 else "")
    table.add_section()
    for name, scores in yardsticks.items():
        lpips = "-" if scores.lpips is None else f"{scores.lpips:.3f}"
        row = ["", "", f"{scores.score:.2f}", f"{scores.psnr:.2f}", f"{scores.ssim:.3f}", lpips]
        table.add_row(name.replace("_", " "), *row, style="dim")
    return table


def decision_lines(gate: GateRecord) -> list[str]:
    """The gate's decision and the estimate, in words."""
    lines = [f"winner     trial {gate.winner}: {gate.in_words()}"]
    if not gate.reasons:
        lines.append("gate       open")
    lines.append(
        "estimate   each factor of ten of steps brings half of what the one before brought; low: nothing, high: the same"
    )
    for metric, estimate in gate.estimates.items():
        bounds = f"{estimate.low:.4g} to {estimate.high:.4g}"
        lines.append(f"           {metric} {estimate.value:.4g} after {estimate.steps} steps ({bounds})")
    return lines
