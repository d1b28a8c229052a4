"""Trials with made-up numbers in both records, as the coordinator leaves them, and the page that is made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.trial import TrialState, create_trial

from model.data.pixels import to_unit
from model.evaluation.strips import strip
from search.opening import OpenStudy
from search.page.evidence import PageEvidence
from search.page.gathering import gather
from search.page.page import to_html
from search.promotion.candidates import choose_candidates
from search.promotion.full_result import full_result
from search.promotion.repeats import finished_repeats, fresh_seeds, plan_repeats
from search.ranking import rank
from search.settings import Settings
from search.space import LOSSES, distributions
from search.study import BASELINE, METRICS, REASON, RUN_ID
from search.study_evidence import study_evidence
from tracking.diagnosis import diagnose
from tracking.run import Run, start_run

#: Steps at which a trial with made-up numbers was evaluated.
STEPS = (2, 4)


def add_recorded(
    opened: OpenStudy,
    settings: Settings,
    score: float | None,
    state: TrialState = TrialState.COMPLETE,
    baseline: str = "",
    reason: str = "",
    clips: dict[str, float] | None = None,
    pictures: bool = False,
    perceptual: bool = True,
    **parameters: Any,
) -> int:
    """Add a trial to the study and its run to the record; returns its number. PSNR is half of the score."""
    study, number = opened.study, len(opened.study.trials)
    tags = {"study": study.study_name, "trial_number": str(number), "diagnosis": "ok"}
    run = start_run(opened.prepared.store, f"trial {number:03d} {baseline}", "trial", opened.parent, tags)
    metrics = {} if score is None else {"score": score, "val/psnr": score / 2, "val/ssim": 0.5}
    for step in STEPS:
        write_shares(run, step)
        if pictures:
            draw(opened, settings, run, step)
    run.metrics(metrics, STEPS[-1])
    if clips is not None:
        run.json("evaluation.json", {"clips": [{"name": name, "psnr": psnr} for name, psnr in clips.items()]})
    run.json("diagnosis.json", {"findings": [{"code": "score.below_trivial"}]})
    run.finish({"COMPLETE": "FINISHED", "PRUNED": "KILLED"}.get(state.name, "FAILED"))
    space = distributions(settings.search.space, perceptual=perceptual)
    values = dict.fromkeys(space, 0.1) | {"schedule": "cosine", "learning_rate": 1e-4} | parameters
    attributes = {METRICS: metrics, RUN_ID: run.id}
    study.add_trial(
        create_trial(
            state=state,
            value=score if state == TrialState.COMPLETE else None,
            params=values,
            distributions=space,
            intermediate_values={} if score is None else {2: score / 2, 4: score},
            user_attrs=attributes | ({BASELINE: baseline} if baseline else {}) | ({REASON: reason} if reason else {}),
        )
    )
    return number


def add_repeat(
    opened: OpenStudy,
    trial: int,
    seed: int,
    steps: int,
    score: float,
    status: str = "FINISHED",
    identity: str = "",
    clips: Sequence[str] = ("a", "b"),
) -> None:
    """Add the run of a confirmation of a trial. PSNR is half of the score, that of each of its clips too."""
    name = f"{trial}-{seed}-{steps}"
    tags = {"trial_number": str(trial), "seed": str(seed), "horizon": str(steps), "identity": identity or name}
    run = start_run(opened.prepared.store, f"confirm {name}", "confirm", opened.parent, tags | {"diagnosis": "ok"})
    run.metrics({"score": score, "val/psnr": score / 2, "val/ssim": 0.5}, steps)
    run.json("evaluation.json", {"clips": [{"name": clip, "psnr": score / 2, "ssim": 0.5} for clip in clips]})
    run.finish(status)


def add_confirmations(
    opened: OpenStudy, settings: Settings, psnrs: Mapping[int, Sequence[float]], leave_out: int = 0
) -> None:
    """Add the confirmations that a promotion wants, but for the last `leave_out` of them.

    Each trial has a PSNR (dB) for each seed, 1 dB less after a trial's steps; a trial without any diverged with its first.
    """
    candidates = choose_candidates(rank(opened.study), settings.promotion.candidates)
    horizons, seeds = (settings.training.steps, settings.promotion.long_steps), fresh_seeds(settings)
    plans = plan_repeats(settings, candidates, seeds, horizons)
    for plan in plans[: len(plans) - leave_out]:
        trial, found = plan.candidate.trial, psnrs[plan.candidate.trial]
        tags = {"trial_number": str(trial), "seed": str(plan.seed), "horizon": str(plan.steps)}
        if found:
            psnr = found[seeds.index(plan.seed)] - (plan.steps == horizons[0])
            names = opened.prepared.bank.validation_names
            add_repeat(opened, trial, plan.seed, plan.steps, 2 * psnr, identity=plan.identity, clips=names)
        elif (plan.seed, plan.steps) == (seeds[0], horizons[0]):
            tags |= {"identity": plan.identity, "diverged": "true", "reason": "NonFiniteError: loss"}
            start_run(opened.prepared.store, "confirm", "confirm", opened.parent, tags).finish("FAILED")


def write_shares(run: Run, step: int) -> None:
    """Equal shares of all losses in the value, and all of the gradient from the first."""
    gradient = {f"gradient_share/{name}": float(name == LOSSES[0]) for name in LOSSES}
    run.metrics({f"share/{name}": 1 / len(LOSSES) for name in LOSSES} | gradient, step)


def draw(opened: OpenStudy, settings: Settings, run: Run, step: int) -> None:
    """A strip as an evaluation draws it: the input, a little darker at each step."""
    clips = opened.prepared.bank.validation[: settings.evaluation.pictures]
    image: np.ndarray = strip(clips, to_unit(clips) * (1 - 0.1 * step), len(clips))
    run.picture(image, "validation", step)


def evidence_of(opened: OpenStudy, settings: Settings) -> PageEvidence:
    """What the page shows, gathered as the end of a command does it."""
    rows = rank(opened.study)
    store, parent = opened.prepared.store, opened.parent.id
    repeats, full = list(finished_repeats(store, parent).values()), full_result(store, parent)
    diagnosis = diagnose(study_evidence(opened, settings, rows, repeats))
    return gather(opened, settings, rows, diagnosis, repeats, full=full)


def page_of(opened: OpenStudy, settings: Settings) -> str:
    """The page itself."""
    return to_html(evidence_of(opened, settings))
