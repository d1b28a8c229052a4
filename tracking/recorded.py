"""What the record knows of one of its runs, as evidence for a diagnosis."""

import ast
import tomllib
from pathlib import Path
from typing import Any

from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from model.settings import flatten
from tracking.artifacts import fetch
from tracking.diagnosis import Evidence
from tracking.diagnosis.stored import CheckpointFacts
from tracking.foreign.checkpoint_files import find_checkpoints
from tracking.foreign.checkpoints import gather_facts
from tracking.foreign.evaluation import Evaluation, parse_evaluation
from tracking.query import RunRow, find_runs, history, read_json
from tracking.settings import recipe_fields
from tracking.store import Store

#: Artifacts of a run; the last is what was known of a foreign run when it was imported.
CONFIG, WEIGHTS, PREFLIGHT = "conf.toml", Path("checkpoint", "model.safetensors"), "preflight.json"
EVALUATION, SHORTAGE, IMPORTED = "evaluation.json", "shortage.json", "foreign.json"

#: Runs that an error names.
SHOWN = 5


def find_run(store: Store, called: str) -> RunRow:
    """The run of this name, or whose id begins so.

    Raises:
        ValueError: the record has none, or several.
    """
    rows = find_runs(store)
    fitting = [row for row in rows if row.name == called] or [row for row in rows if row.id.startswith(called)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        named = ", ".join(f"{row.id} ({row.name})" for row in fitting[-SHOWN:])
        raise ValueError(
            f"RUN_ID must be one run's name or how its id begins, but '{called}' fits {len(fitting)} runs, the newest are "
            f"{named}; give an id"
        )
    newest = ", ".join(f"{row.id} ({row.name})" for row in rows[-SHOWN:]) or "no run at all"
    raise ValueError(
        f"RUN_ID must name a run of {store.place}, but none is called '{called}' and no id begins so; the newest are {newest}"
    )


def evidence_of_run(store: Store, row: RunRow) -> Evidence:
    """Gather what the record has: settings, curves, evaluation, preflight and the stored weights.

    Raises:
        RecordError: the record cannot be read.
        ValueError: an artifact is damaged.
    """
    settings = settings_of(store, row)
    evaluation = evaluation_of(store, row)
    imported = artifact(store, row.id, IMPORTED) or {}
    return Evidence(
        settings=settings,
        curves={metric: history(store, row.id, metric) for metric in row.metrics},
        evaluation=evaluation.scores if evaluation else None,
        baselines=evaluation.baselines if evaluation else {},
        reference=evaluation.reference if evaluation else None,
        failure=row.tags.get("reason") or None,  # a run that went on has an empty one
        preflight=preflight_of(store, row),
        shortage=artifact(store, row.id, SHORTAGE),
        checkpoints=imported_facts(imported) if imported else checkpoint_facts(store, row, settings),
        origins=imported.get("origins", {}),
    )


def artifact(store: Store, run_id: str, name: str) -> Any:
    """A JSON artifact; None where the run has none."""
    try:
        return read_json(store, run_id, name)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"artifact {name} of run {run_id} must be JSON, but {error}; write it again") from error


def settings_of(store: Store, row: RunRow) -> dict[str, Any]:
    """Resolved settings "table.key": those of conf.toml, else of the parameters, which are texts in the record."""
    path = fetch(store, row.id, CONFIG)
    if path.is_file():
        try:
            found = flatten(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"artifact {CONFIG} of run {row.id} must be TOML, but {error}; write it again") from error
    else:
        found = {name: as_value(text) for name, text in row.parameters.items()}
    # What a training is a function of, as it was diagnosed at its end: not the study's space or the record's place.
    return {name: found[name] for name in recipe_fields() if name in found}


def as_value(text: str) -> Any:
    """The value that a parameter's text was made of."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a text stands in the record without quotes


def evaluation_of(store: Store, row: RunRow) -> Evaluation | None:
    """The run's evaluation with its yardsticks."""
    content = artifact(store, row.id, EVALUATION)
    return None if content is None else parse_evaluation(content, f"{EVALUATION} of run {row.id}")


def preflight_of(store: Store, row: RunRow) -> Any:
    """The preflight of the run, or of the study that it belongs to: trials share one."""
    own = artifact(store, row.id, PREFLIGHT)
    parent = row.tags.get(MLFLOW_PARENT_RUN_ID)
    return artifact(store, parent, PREFLIGHT) if own is None and parent else own


def checkpoint_facts(store: Store, row: RunRow, settings: dict[str, Any]) -> tuple[CheckpointFacts, ...]:
    """Facts of the stored weights, against those that training started from where that file is still there."""
    path = fetch(store, row.id, WEIGHTS.as_posix())
    if not path.is_file():
        return ()
    start = settings.get("network.weights")
    pretrained = Path(start) if start and Path(start).is_file() else None
    return gather_facts(find_checkpoints(path).files, pretrained)


def imported_facts(imported: dict[str, Any]) -> tuple[CheckpointFacts, ...]:
    """Facts of a foreign run's weights as they were when it was imported."""
    return tuple(
        CheckpointFacts(**fact | {"not_loaded": tuple(fact["not_loaded"])}) for fact in imported["checkpoints"]
    )
