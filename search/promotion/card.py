"""The model card: what a registered model is, what it can, and how to make it again."""

from collections.abc import Mapping

from model.evaluation.scores import METRICS, Scores
from model.evaluation.yardsticks import REFERENCE
from model.settings import flatten
from search.promotion.gate_record import GateRecord
from search.settings import Settings, recipe_of
from tracking.query import RunRow

#: Tables of the settings that a reader of the card wants to see; the whole of them is conf.toml beside it.
SHOWN_TABLES = ("network", "losses", "optimizer", "schedule", "training", "data", "reference")


def model_card(
    row: RunRow, settings: Settings, step: int, scores: Scores, yardsticks: Mapping[str, Scores], gate: GateRecord
) -> str:
    """Write the card as markdown.

    Args:
        row: the full run.
        settings: of it.
        step: that the weights are of.
        scores: of these weights, measured from their file.
        yardsticks: trivial pictures and the reference's own round trip, on the same clips.
        gate: what the confirmations said.
    """
    return "\n".join(
        [
            f"# {settings.promotion.model}",
            "",
            f"A TAEHV ({settings.network.variant}, width {settings.network.width:g}), the settings of trial "
            f"{gate.winner} of study "
            f"{row.tags['study']} trained for {settings.training.steps} steps; averaged weights of step {step}, the "
            "best of the run's "
            "evaluations. `model.safetensors` has the keys of the public TAEHV weights and loads there.",
            "",
            "## Scores",
            f"On {len(scores.clips)} validation clips of {settings.data.frames} frames at {settings.data.crop_px} px, "
            "from sources that training "
            "never saw; 95 % bootstrap intervals over clips. LPIPS with "
            f"{scores.lpips_backbone or 'nothing: it was not to be had'}.",
            "The weights are the best of the run's evaluations on these same clips, so the numbers flatter by what "
            "that choice is worth.",
            "",
            "| | " + " | ".join(name.removeprefix("val/") for name in scores.metrics()) + " |",
            "|---" * (len(scores.metrics()) + 1) + "|",
            score_line("this model", scores, scores.intervals),
            *(
                score_line(name.replace("_", " "), found, {}, scores)
                for name, found in yardsticks.items()
                if name != REFERENCE
            ),
            score_line("the reference's own round trip", yardsticks[REFERENCE], {}, scores),
            "",
            "## Where it comes from",
            f"- run {row.id} below study {row.tags['study']}; diagnosis of the run: "
            f"{row.tags.get('diagnosis', 'not measured')}",
            f"- data digest {row.tags['data_digest']}, code {row.tags['git_commit']}",
            f"- {gate.in_words()}",
            "",
            "## To make it again",
            "With `conf.toml` from beside this file:",
            "",
            "    python -m search.train --config conf.toml",
            "    python -m model.evaluate model.safetensors --config conf.toml",
            "",
            "## Settings",
            *(
                f"- {name} = {value}"
                for name, value in flatten(recipe_of(settings)).items()
                if name.split(".")[0] in SHOWN_TABLES and not name.endswith(("cache_dir", "root", "device"))
            ),
            "",
        ]
    )


def score_line(
    label: str, scores: Scores, intervals: Mapping[str, tuple[float, float]], columns: Scores | None = None
) -> str:
    """A row of the table; a dash for what was not measured."""
    found = scores.metrics()
    cells = []
    for name in (columns or scores).metrics():
        text = format(found[name], ".2f" if METRICS[name].unit else ".4f") if name in found else "-"
        low_high = intervals.get(name)
        cells.append(f"{text} ({low_high[0]:.4g} to {low_high[1]:.4g})" if low_high else text)
    return f"| {label} | " + " | ".join(cells) + " |"
