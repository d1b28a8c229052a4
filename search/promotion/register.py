"""From a finished full run to a version in the registry, and to champion when it has earned that."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.bank import sources_of
from model.evaluation.over_sources import with_intervals_over_sources
from model.evaluation.scores import Scores
from search.opening import OpenStudy
from search.promotion.card import Clips, Weights, model_card
from search.promotion.estimate import compare_with_came
from search.promotion.gate_record import GateRecord
from search.promotion.kept import BEST, step_of
from search.promotion.scoring import score_weights
from search.record import to_toml
from search.settings import Settings, ThresholdSettings
from tracking.artifacts import fetch, write_artifact
from tracking.query import RunRow
from tracking.recorded import artifact
from tracking.registry import Version, find_alias, newest_version, register_version, set_alias
from tracking.run import Run

#: Folder of the full run's artifacts that a version is made of.
MODEL = "model"

#: Tags of the full run: the version that was made of it, and what became of the champion then.
VERSION_TAG, CHAMPION_TAG = "version", "champion"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Registered:
    """A version, the scores of its weights, and what is said of the champion."""

    version: Version
    scores: Scores
    champion: str


def register(
    opened: OpenStudy, study: Settings, settings: Settings, row: RunRow, gate: GateRecord, say: Say
) -> Registered:
    """Score the best weights of a full run from their file, register them, and move the aliases.

    Args:
        opened: the study.
        study: its settings.
        settings: of the full run.
        row: the full run, at its end.
        gate: what the confirmations said.
        say: prints a line.

    Raises:
        RuntimeError: the weights are not there, or the registry cannot be used; giving the command again tries only this.
    """
    store, prepared = opened.prepared.store, opened.prepared
    weights = fetch(store, row.id, BEST.as_posix())
    if not weights.is_file():
        raise RuntimeError(
            f"a registered model needs the full run's weights, but {weights} is not there; put it back from a backup or begin "
            "another full run with --force"
        )
    step, scores = step_of(weights), score_weights(weights, settings, prepared)
    scores = with_intervals_over_sources(scores, sources_of(prepared.bank), settings.evaluation.bootstrap_resamples)
    clips = Clips.of(prepared.bank)
    origin: dict[str, Any] = artifact(store, row.id, "provenance/versions.json") or {}
    card = model_card(row, settings, Weights(step, scores, clips), prepared.yardsticks, gate, origin.get("git", {}))
    files = {
        "README.md": card.encode(),
        "conf.toml": to_toml(settings).encode(),
        "study.toml": to_toml(study).encode(),
        "evaluation.json": json.dumps(scores.to_json() | {"step": step} | vars(clips), indent=2).encode(),
        "estimate.json": json.dumps(compare_with_came(gate.estimates, scores.metrics()), indent=2).encode(),
        "model.safetensors": weights.read_bytes(),
    }
    for name, content in files.items():
        write_artifact(store, row.id, f"{MODEL}/{name}", content)
    store.outbox.deliver()
    tags = {name: str(value) for name, value in vars(clips).items()} | {"lpips": scores.lpips_backbone or "none"}
    tags |= {name.replace("/", "_"): repr(value) for name, value in scores.metrics().items()}
    version = register_version(store, settings.promotion.model, row.id, MODEL, tags, card)
    newest = newest_version(store, version.name)
    if newest.number == version.number:
        set_alias(store, version, "challenger")
        say(f"registered {version.name} version {version.number}, alias challenger")
    else:
        say(f"registered {version.name} version {version.number}, as before; the newest is version {newest.number}")
    said = crown(opened, settings, version, scores)
    say(f"champion   {said}")
    Run(store, row.id).tags({VERSION_TAG: f"{version.name} version {version.number}", CHAMPION_TAG: said})
    store.outbox.deliver()
    return Registered(version, scores, said)


def crown(opened: OpenStudy, settings: Settings, version: Version, scores: Scores) -> str:
    """Make a version champion if it passes the thresholds and is better than the present one; say what it is then, and why."""
    store = opened.prepared.store
    present = find_alias(store, version.name, "champion")
    missed = missed_thresholds(scores, settings.promotion.thresholds)
    if missed and present is not None and present.number == version.number:
        return f"version {version.number} stays champion, though it would not become it any more: {'; '.join(missed)}"
    if missed:
        return f"not moved: {'; '.join(missed)}"
    if present is not None and present.number != version.number:
        before, now = present.tags.get("validation_digest"), version.tags["validation_digest"]
        if before != now:
            return (
                f"not moved: version {present.number} was scored on other validation clips (digest {before}, here "
                f"{now}), and scores "
                "of different clips do not compare; score both with python -m model.evaluate and move the alias by hand"
            )
        best = float(present.tags["score"])
        if scores.score <= best:
            return f"not moved: version {present.number} has a score of {best:.3f}, this one {scores.score:.3f}"
    set_alias(store, version, "champion")
    return f"version {version.number} is champion"


def missed_thresholds(scores: Scores, thresholds: ThresholdSettings) -> list[str]:
    """Say which thresholds are missed and by how much; what was not measured is missed."""
    missed = []
    if scores.psnr <= thresholds.psnr:
        missed.append(
            f"PSNR {scores.psnr:.2f} dB must be above {thresholds.psnr:g}, {thresholds.psnr - scores.psnr:.2f} missing"
        )
    if scores.ssim <= thresholds.ssim:
        missed.append(
            f"SSIM {scores.ssim:.4f} must be above {thresholds.ssim:g}, {thresholds.ssim - scores.ssim:.4f} missing"
        )
    if scores.lpips is None:
        missed.append(f"LPIPS must be below {thresholds.lpips:g}, but was not measured")
    elif scores.lpips >= thresholds.lpips:
        missed.append(
            f"LPIPS {scores.lpips:.4f} must be below {thresholds.lpips:g}, {scores.lpips - thresholds.lpips:.4f} too much"
        )
    return missed
