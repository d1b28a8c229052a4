"""The evidence in the files of a foreign run: any subset of them."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracking.diagnosis import Evidence
from tracking.diagnosis.stored import CheckpointFacts
from tracking.foreign.checkpoint_files import find_checkpoints
from tracking.foreign.checkpoints import gather_facts
from tracking.foreign.configs import Config, read_config
from tracking.foreign.evaluation import Evaluation, read_evaluation
from tracking.foreign.events import Events, read_events
from tracking.settings import DiagnosisSettings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Files:
    """What was given of a run; None for what was not."""

    checkpoints: Path | None = None
    events: Path | None = None
    evaluation: Path | None = None
    config: Path | None = None
    pretrained: Path | None = None

    def given(self) -> bool:
        """Whether there is anything to look at."""
        return any((self.checkpoints, self.events, self.evaluation, self.config))


@dataclass(frozen=True)
class Gathered:
    """The evidence, and the settings that have no name here."""

    evidence: Evidence
    others: dict[str, Any]


def gather(files: Files, names: DiagnosisSettings, say: Say) -> Gathered:
    """Read the files and say what was taken of each and what was not.

    Raises:
        ValueError: a file is missing, damaged or of another kind.
    """
    # The quick ones first: what is wrong with them is said before the checkpoints are read.
    config = tell_config(read_config(files.config, names.setting_names()), say) if files.config else None
    evaluation = tell_evaluation(read_evaluation(files.evaluation), say) if files.evaluation else None
    events = tell_events(read_events(files.events, names.tags), say) if files.events else None
    facts = read_checkpoints(files.checkpoints, files.pretrained, say) if files.checkpoints else ()
    curves = events.curves if events else {}
    evidence = Evidence(
        settings=config.settings if config else {},
        curves=curves,
        evaluation=evaluation.scores if evaluation else last_scores(curves),
        failure=divergence(curves, facts),
        baselines=evaluation.baselines if evaluation else {},
        reference=evaluation.reference if evaluation else None,
        checkpoints=facts,
        origins=(config.origins if config else {}) | (events.origins if events else {}),
    )
    return Gathered(evidence, config.others if config else {})


def last_scores(curves: Mapping[str, list[tuple[int, float]]]) -> dict[str, float] | None:
    """The last validation scores among the curves; None where there is no PSNR."""
    found = {
        name: sorted(curves[f"val/{name}"])[-1][1] for name in ("psnr", "ssim", "lpips") if curves.get(f"val/{name}")
    }
    return found if "psnr" in found else None


def divergence(curves: Mapping[str, list[tuple[int, float]]], facts: tuple[CheckpointFacts, ...]) -> str | None:
    """Say where values stopped being finite: from then on nothing that is measured means anything."""
    first = min(
        ((step, name) for name, points in curves.items() for step, value in points if not math.isfinite(value)),
        default=None,
    )
    parts = [f"{first[1]} is not finite from step {first[0]} on"] if first else []
    parts += [f"{fact.name} holds values that are not finite" for fact in facts if fact.mean is None][:1]
    return f"the training diverged: {'; '.join(parts)}; lower optimizer.learning_rate" if parts else None


def read_checkpoints(path: Path, pretrained: Path | None, say: Say) -> tuple[CheckpointFacts, ...]:
    """Read the checkpoints of a folder, or one file."""
    found = find_checkpoints(path)
    facts = gather_facts(found.files, pretrained)
    steps = [str(fact.step) for fact in facts if fact.step is not None]
    between = f", steps {steps[0]} to {steps[-1]}" if len(steps) > 1 else "".join(f", step {step}" for step in steps)
    say(f"checkpoints {len(facts)} read{between}")
    if pretrained is None:
        say("            not compared with what training started from: that takes --pretrained")
    tell("left out", found.left_out, say)
    not_finite = [fact.name for fact in facts if fact.mean is None]
    tell("values that are not finite in", not_finite, say)
    return facts


def tell_events(events: Events, say: Say) -> Events:
    """Say which tags became curves."""
    points = sum(len(points) for points in events.curves.values())
    say(f"events      {len(events.curves)} tags with {points} points, {len(events.origins)} known here")
    tell("not known here", events.unmapped, say)
    if events.unmapped:
        say("            a tag that means a curve of ours: --set diagnosis.tags.loss/decoder=TAG, or in conf.toml")
    return events


def tell_config(config: Config, say: Say) -> Config:
    """Say which settings were understood."""
    say(f"config      {len(config.settings)} settings known here, {len(config.others)} others")
    tell("not known here", config.others, say)
    tell("not read", config.not_read, say)
    return config


def tell_evaluation(evaluation: Evaluation, say: Say) -> Evaluation:
    """Say what the scores are compared with."""
    floors = ", ".join(evaluation.baselines) or "no trivial outputs"
    say(f"evaluation  PSNR {evaluation.scores['psnr']:.2f} dB; beside it {floors}")
    return evaluation


def tell(what: str, names: Iterable[str], say: Say) -> None:
    """List names in one line, where there are any."""
    text = "; ".join(names)
    if text:
        say(f"            {what}: {text}")
