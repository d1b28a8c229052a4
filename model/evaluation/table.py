"""What a person sees of an evaluation: a table and the sentences that must not be missed."""

from collections.abc import Mapping

from rich import box
from rich.table import Table

from model.evaluation.scores import METRICS, Scores


def to_table(title: str, scores: Scores, floors: Mapping[str, Scores]) -> Table:
    """Return a table of metric, value, 95 % interval, and the value of each trivial output in `floors`."""
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for heading in ("value", "95 %\ninterval", *(name.replace("_", "\n") for name in floors)):  # fits 80 columns
        table.add_column(heading, justify="right", no_wrap=True)
    for name in scores.metrics():
        metric = METRICS[name]
        label = " ".join(filter(None, (name, metric.unit, "↑" if metric.better == "higher" else "↓")))
        digits = ".2f" if metric.unit else ".3f"
        interval = "–".join(format(bound, digits) for bound in scores.intervals.get(name, ()))
        cells = (format(of.metrics()[name], digits) for of in (scores, *floors.values()))
        table.add_row(label, next(cells), interval, *cells)
    return table


def remarks(scores: Scores, floors: Mapping[str, Scores]) -> list[str]:
    """Return a sentence for each sign that the numbers do not mean what they should."""
    found = []
    unbeaten = [name.replace("_", " ") for name, floor in floors.items() if scores.psnr <= floor.psnr]
    if unbeaten:
        found.append(f"the PSNR does not beat {', '.join(unbeaten)}: the output is worth no more than a trivial one")
    if scores.best_frame_shift:
        frames, side = abs(scores.best_frame_shift), "late" if scores.best_frame_shift > 0 else "early"
        found.append(
            f"the output fits better when it is taken to be {frames} frames {side}: output and clip are misaligned"
        )
    return found
