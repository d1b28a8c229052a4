"""What a promotion shows on the terminal."""

from collections.abc import Mapping, Sequence
from math import isnan

from rich.box import SIMPLE_HEAD
from rich.table import Table

from model.evaluation.scores import Scores
from search.promotion.confirmation import Confirmed
from search.promotion.gate_record import GateRecord
from search.promotion.leads import Leads

#: With fewer sources of clips than this a bootstrap over them is known to be too narrow.
FEW_SOURCES = 20


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
            "-" if isnan(one.candidate.score) else f"{one.candidate.score:.2f}",
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


def to_differences(confirmed: Sequence[Confirmed], leads: Leads) -> Table:
    """Each candidate less each baseline after the longer trainings, paired by seed and clip, with both intervals."""
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("difference", no_wrap=True)
    for heading in ("score", "PSNR dB", "over seeds", "over sources of clips", "level"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in confirmed:
        for label, difference in leads.get(one.candidate.trial, {}).items():
            cells = [f"{difference.mean:+.2f}", f"{difference.psnr_db:+.2f}"]
            cells += [
                f"{low:+.2f} to {high:+.2f}" for low, high in (difference.seed_interval, difference.clip_interval)
            ]
            level = f"{100 * difference.confidence:.3g} %"
            table.add_row(f"{one.candidate.label} - {label}", *cells, level, style="bold" if difference.is_gain else "")
    return table


def level_line(leads: Leads) -> str:
    """What the intervals of the differences allow for and what they do not, in words."""
    differences = [difference for against in leads.values() for difference in against.values()]
    if not differences:
        return "levels     no baseline came to its end, so there is nothing to compare with"
    sources = differences[0].sources
    few = " (with so few the interval is narrower than it should be)" if sources < FEW_SOURCES else ""
    return (
        f"levels     5 % in all over {len(leads)} candidates (Holm), each against every baseline; clips drawn by their "
        f"{sources} sources{few}"
    )


def decision_lines(gate: GateRecord) -> list[str]:
    """The gate's decision, who was passed over, and the estimate, in words."""
    lines = [f"passed     over {reason}" for reason in gate.passed_over]
    lines.append(f"winner     trial {gate.winner}: {gate.in_words()}")
    if not gate.reasons:
        lines.append("gate       open")
    lines.append(
        "estimate   for one training: each factor of ten of steps brings half of what the one before brought; low: nothing, "
        "high: the same"
    )
    for metric, estimate in gate.estimates.items():
        bounds = f"{estimate.low:.4g} to {estimate.high:.4g}"
        lines.append(f"           {metric} {estimate.value:.4g} after {estimate.steps} steps ({bounds})")
    return lines
