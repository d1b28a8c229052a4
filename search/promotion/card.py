"""The model card: what a registered model is, what it can, and how to make it again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from model.bank import Bank, sources_of
from model.evaluation.scores import METRICS, Scores
from model.evaluation.yardsticks import REFERENCE
from model.settings import flatten
from search.promotion.gate_record import GateRecord
from search.settings import Settings, recipe_of
from tracking.query import RunRow

#: Tables of the settings that a reader of the card wants to see; the whole of them is conf.toml beside it.
SHOWN_TABLES = ("network", "losses", "optimizer", "schedule", "training", "data", "reference")


@dataclass(frozen=True)
class Clips:
    """What scores were taken on: the digest of the clips' pixels, how many they are, and of how many sources."""

    validation_digest: str
    validation_clips: int
    validation_sources: int

    @classmethod
    def of(cls, bank: Bank) -> Self:
        """The validation clips of a bank."""
        return cls(digest_of(bank.validation), len(bank.validation), len(set(sources_of(bank).values())))


def digest_of(clips: Tensor) -> str:
    """12 hex digits of clips (uint8 NTCHW): equal digests, the same pictures. The same as model.evaluate writes."""
    return hashlib.sha256(clips.numpy().tobytes()).hexdigest()[:12]


@dataclass(frozen=True)
class Weights:
    """The weights of a card: the step that they are of, and their scores, measured from their file on these clips."""

    step: int
    scores: Scores
    clips: Clips


def model_card(
    row: RunRow,
    settings: Settings,
    weights: Weights,
    yardsticks: Mapping[str, Scores],
    gate: GateRecord,
    git: Mapping[str, Any],
) -> str:
    """Write the card as markdown.

    Args:
        row: the full run.
        settings: of it.
        weights: what is registered.
        yardsticks: trivial pictures and the reference's own round trip, on the same clips.
        gate: what the confirmations said.
        git: of the run's code, as provenance/versions.json has it.
    """
    scores, clips, study = weights.scores, weights.clips, row.tags["study"]
    forced = [f"- forced in spite of: {row.tags['forced']}"] if row.tags.get("forced") else []
    watched = [f"- the full run against its confirmations: {row.tags['watch']}"] if row.tags.get("watch") else []
    return "\n".join(
        [
            f"# {settings.promotion.model}",
            "",
            f"A TAEHV ({settings.network.variant}, width {settings.network.width:g}), the settings of trial {gate.winner} of "
            f"study {study} trained for {settings.training.steps} steps. The registered weights are the averaged ones of step "
            f"{weights.step}, the best of the run's evaluations, and not those of its last step. `model.safetensors` has the "
            "keys of the public TAEHV weights and loads there.",
            "",
            "## Scores",
            f"On {clips.validation_clips} validation clips (digest {clips.validation_digest}) of {settings.data.frames} frames "
            f"at {settings.data.crop_px} px, from {clips.validation_sources} sources that training never saw; 95 % bootstrap "
            "intervals over these sources, which few sources make narrower than they should be. LPIPS with "
            f"{scores.lpips_backbone or 'nothing: it was not to be had'}.",
            "The weights are the best of the run's evaluations on these same clips, so the numbers flatter by what that choice "
            "is worth.",
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
            "Estimated before the full run, for one training of its last step:",
            *(
                f"- {metric} {came[metric]:.4g} came, {estimate.says(came[metric])}"
                for came in [scores.metrics()]
                for metric, estimate in gate.estimates.items()
                if metric in came
            ),
            "",
            "## Where it comes from",
            f"- run {row.id} below study {study}; diagnosis of the run: {row.tags.get('diagnosis', 'not measured')}",
            f"- data digest {row.tags['data_digest']}, code {row.tags['git_commit']}{changed(git)}",
            f"- {gate.in_words()}",
            *forced,
            *watched,
            "",
            "## To make it again",
            "With `study.toml` and `conf.toml` from beside this file, and the videos of the same data digest:",
            "",
            f"    git checkout {row.tags['git_commit']}"
            if git.get("commit")
            else f"    # the code was in no git checkout ({git.get('note') or 'unknown'})",
            f"    python -m search.promote --config study.toml{' --force' if gate.forced else ''}  # in the record of the study",
            "    python -m model.evaluate model.safetensors --config conf.toml",
            "",
            "`python -m search.train --config conf.toml` takes the same steps without the study, and keeps the weights of the "
            f"last one, {settings.training.steps}; those here are of step {weights.step}.",
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


def changed(git: Mapping[str, Any]) -> str:
    """Whether the code was that of its commit."""
    if git.get("dirty") is None:
        return ""
    return " with changes (provenance/git.diff of the run)" if git["dirty"] else " without changes"


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
