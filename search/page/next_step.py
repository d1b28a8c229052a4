"""What a person does after a study."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from model.evaluation.scores import Scores
from model.settings import flatten
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord
from search.ranking import Row, best_row
from search.settings import Settings, recorded
from tracking.diagnosis.rules_output import CONSTANT_BASELINES

#: A study whose best trial shows no picture is followed by a run of so many times its steps, and not by a full one.
LONGER = 10
#: Learning rates are lowered by this factor where those of a study made every trial diverge.
SLOWER = 10
#: Trials that a study gets more where its best ones are not to be promoted: as many as a search has by itself.
MORE_TRIALS = 50


def next_step(
    settings: Settings,
    rows: Sequence[Row],
    yardsticks: Mapping[str, Scores],
    folder: Path,
    asked: int,
    gate: GateRecord | None = None,
    full: FullResult | None = None,
) -> tuple[str, str]:
    """Return a note, which may be empty, and the command that comes next.

    Trials that were asked for come first, then a promotion that has begun, then what the ranking shows.

    Args:
        settings: of the study.
        rows: its finished trials, the best first.
        yardsticks: scores that need no training.
        folder: with the study's conf.toml and best.toml.
        asked: finished trials that the study shall have.
        gate: the decision of its promotion, where one was made.
        full: what its registered full run came to, where there is one.
    """
    # A pruned trial has a score of an earlier step: nothing to begin a full run with.
    best = best_row(rows)
    options = config_options(settings, folder / "conf.toml")
    if len(rows) < asked:
        return f"the study has {len(rows)} of {asked} trials", f"python -m search.run --trials {asked} {options}"
    if best is None or "val/psnr" not in best.metrics:
        return without_winner(settings, rows, asked, options)
    if full is not None:
        weights, config = (quote(str(full.folder / name)) for name in ("model.safetensors", "conf.toml"))
        note = (
            f"the full run is done{f', registered as {full.version}' if full.version else ''}; score its weights again"
        )
        return note, f"python -m model.evaluate {weights} --config {config}"
    if gate is not None and (gate.forced or not gate.reasons):
        force = " --force" if gate.forced else ""
        return "the promotion goes on where it stopped", f"python -m search.promote {options}{force}"
    alone = f"python -m search.train --config {quote(str(folder / 'best.toml'))} --set training.steps="
    constant = max(yardsticks[name].psnr for name in CONSTANT_BASELINES)
    if best.metrics["val/psnr"] <= constant:
        note = f"no trial is better than a frame of one colour ({constant:.2f} dB): a longer run shows if steps are missing"
        return note, f"{alone}{LONGER * settings.training.steps}"
    complete = [row for row in rows if row.state == "COMPLETE" and "score" in row.metrics]
    if not any(row.name for row in complete):
        note = "no baseline has a score, so nothing can be promoted: the best settings in full"
        return note, f"{alone}{settings.promotion.steps}"
    more = f"python -m search.run --trials {max(asked, len(rows)) + MORE_TRIALS} {options}"
    if all(row.name for row in complete):
        return "only baselines have a score: search further", more
    if gate is not None:
        return "the promotion was refused: search further", more
    return "", f"python -m search.promote {options}"


def without_winner(settings: Settings, rows: Sequence[Row], asked: int, options: str) -> tuple[str, str]:
    """What follows where no complete trial has a score: more trials, or a study of other settings.

    A space and a pruner belong to a study's identity, so the last two commands begin another one with as many trials.
    """
    scored = any("score" in row.metrics for row in rows)
    if not rows or (scored and settings.search.pruner == "none"):
        more = f"python -m search.run --trials {max(asked, len(rows)) + MORE_TRIALS} {options}"
        return "no trial came to its last step: search further", more
    another = f"python -m search.run --trials {max(asked, len(rows))} {options} --set"
    if scored:
        note = "every trial was stopped before its last step: another study without a pruner"
        return note, f"{another} search.pruner=none"
    low, high = (f"{bound / SLOWER:.3g}" for bound in settings.search.space.learning_rate)
    change = quote(f"search.space.learning_rate=[{low}, {high}]")
    return "no trial has a score: another study with lower learning rates", f"{another} {change}"


def config_options(settings: Settings, config: Path) -> str:
    """The options that give a command these settings: the study's conf.toml, and what differs from it now."""
    then = flatten(tomllib.loads(config.read_text(encoding="utf-8"))) if config.is_file() else None
    now = flatten(recorded(settings).model_dump(mode="json"))
    differing = {} if then is None else {name: value for name, value in now.items() if then.get(name) != value}
    changes = [f"--set {quote(f'{name}={json.dumps(value)}')}" for name, value in differing.items()]
    return " ".join([f"--config {quote(str(config))}", *changes])
