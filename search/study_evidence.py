"""What a study's own diagnosis may look at: its preflight, its best trial, its space."""

from collections.abc import Sequence
from dataclasses import replace

from search.opening import StudyRecord
from search.preflight import typical_recipe
from search.promotion.points import seed_values
from search.promotion.repeats import Repeat
from search.ranking import Row
from search.record import evidence_before
from search.settings import Settings
from tracking.diagnosis import Evidence
from tracking.diagnosis.stored import StudyFacts
from tracking.recorded import PREFLIGHT, artifact


def study_evidence(
    opened: StudyRecord, settings: Settings, rows: list[Row], repeats: Sequence[Repeat] = ()
) -> Evidence:
    """Gather the evidence about a study from its ranking; one that trained nothing now has the preflight of its record.

    Args:
        opened: the study with its preflight and yardsticks.
        settings: of the study.
        rows: its finished trials, the best first.
        repeats: finished ones of all lengths.
    """
    prepared = opened.prepared
    complete = [row for row in rows if row.state == "COMPLETE"]
    best = complete[0] if complete else None
    seed_scores = seed_values(repeats, settings.training.steps, "score")
    searched = {name: kind for name, kind in settings.search.space.model_dump().items() if name != "schedule"}
    recipe = typical_recipe(settings, prepared.perceptual is not None)
    evidence = evidence_before(recipe, prepared.yardsticks, prepared.preflight)
    return replace(
        evidence,
        preflight=evidence.preflight or artifact(prepared.store, opened.parent.id, PREFLIGHT),
        evaluation={name.removeprefix("val/"): value for name, value in best.metrics.items()} if best else None,
        study=StudyFacts(
            best={name: best.parameters[name] for name in searched} if best else {},
            space={name: (bounds[0], bounds[1]) for name, bounds in searched.items()},
            num_trials=len(complete),
            top_scores=tuple(row.metrics["score"] for row in complete[:2]),
            seed_scores={f"trial {number}": scores for number, scores in seed_scores.items()} or None,
        ),
    )
