"""Faults of what moves the weights."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from tracking.diagnosis import rules_training
from tracking.diagnosis.evidence import LOSSES, Evidence

EvidenceOf = Callable[..., Evidence]


def test_a_loss_that_was_never_computed_is_inert(evidence_of: EvidenceOf) -> None:
    (finding,) = rules_training.inert_losses(evidence_of(curves={"loss/perceptual": None})) or ()
    assert (finding.code, finding.severity, finding.subject) == ("loss.inert", "error", "perceptual")
    assert finding.evidence == (
        "loss/perceptual was never logged: 0 points (curves)",
        "losses.perceptual = 0.5 (settings)",
    )
    assert "losses.perceptual = 0" in finding.remedy


def test_a_loss_without_a_gradient_is_inert(evidence_of: EvidenceOf) -> None:
    (finding,) = rules_training.inert_losses(evidence_of(curves={"gradient_share/decoder": 0.0})) or ()
    assert (finding.code, finding.subject) == ("loss.inert", "decoder")
    late = [(50, 0.0), (100, 0.0), (150, 0.2)]  # the critic starts blind
    assert rules_training.inert_losses(evidence_of(curves={"gradient_share/seraena": late})) == []


def test_a_loss_without_a_weight_may_be_silent(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(settings={"losses.perceptual": 0.0}, curves={"loss/perceptual": None})
    assert rules_training.inert_losses(evidence) == []
    assert rules_training.inert_losses(evidence_of(settings={}, curves={f"loss/{name}": None for name in LOSSES})) != []
    assert rules_training.inert_losses(evidence_of(curves={name: None for name in evidence_of().curves})) is None


@pytest.mark.parametrize(
    ("curves", "subjects"),
    [
        ({"gradient_share/encoder": 0.95}, ["encoder"]),
        ({"gradient_share/encoder": 0.85}, []),
        (
            {"gradient_share/encoder": [(50, 0.99), (100, 0.99), (500, 0.5), (600, 0.5), (700, 0.4)]},
            [],
        ),  # at the start only
        ({"share/seraena": 0.97}, []),  # its value is 1 by construction
        ({"share/encoder": 0.97}, []),  # the gradient was measured and says otherwise
        ({f"gradient_share/{name}": None for name in LOSSES} | {"share/encoder": 0.97}, ["encoder"]),
        ({f"gradient_share/{name}": None for name in LOSSES} | {"share/seraena": 0.97}, []),
    ],
)
def test_one_loss_of_several_dominates(evidence_of: EvidenceOf, curves: dict, subjects: list[str]) -> None:
    findings = rules_training.dominating_loss(evidence_of(curves=curves))
    assert findings is not None
    assert [finding.subject for finding in findings] == subjects
    assert {(finding.code, finding.severity) for finding in findings} <= {("loss.dominates", "warning")}


def test_a_dominating_reconstruction_is_only_a_remark(evidence_of: EvidenceOf) -> None:
    (finding,) = rules_training.dominating_loss(evidence_of(curves={"gradient_share/reconstruction": 0.95})) or ()
    assert (finding.code, finding.severity) == ("loss.dominates", "info")


def test_the_only_loss_may_dominate(evidence_of: EvidenceOf) -> None:
    alone = {f"losses.{name}": 0.0 for name in LOSSES if name != "reconstruction"}
    assert rules_training.dominating_loss(evidence_of(alone, {"gradient_share/reconstruction": 1.0})) == []


def test_dominance_at_the_start_is_not_judged(evidence_of: EvidenceOf) -> None:
    early = {name: points[:5] for name, points in evidence_of().curves.items()}
    assert rules_training.dominating_loss(evidence_of(curves=early)) is None


@pytest.mark.parametrize(
    ("curves", "evidence_starts"),
    [
        ({}, None),
        ({"critic/correction_rms": 0.02}, "critic/correction_rms = 0.02 < 0.1"),
        ({"critic/loss": 0.01}, "critic/loss = 0.01 < 0.05"),
        ({"critic/loss": 1.0}, "critic/loss = 1 > 0.98"),
        ({"critic/correction_rms": [(50, 0.01), (100, 0.05), (500, 0.9), (600, 0.9), (700, 1.0)]}, None),
    ],
)
def test_a_critic_that_corrects_nothing_knows_all_or_sees_nothing(
    evidence_of: EvidenceOf, curves: dict, evidence_starts: str | None
) -> None:
    findings = rules_training.inactive_critic(evidence_of(curves=curves))
    assert findings is not None
    assert [finding.code for finding in findings] == (["seraena.inactive"] if evidence_starts else [])
    assert all(finding.evidence[0].startswith(str(evidence_starts)) for finding in findings)


def test_a_critic_is_judged_only_when_it_matters(evidence_of: EvidenceOf) -> None:
    dead = {"critic/correction_rms": 0.0}
    assert rules_training.inactive_critic(evidence_of({"losses.seraena": 0.0}, dead)) == []
    early = {name: points[:10] for name, points in evidence_of(curves=dead).curves.items()}
    assert rules_training.inactive_critic(evidence_of(curves=early)) is None


@pytest.mark.parametrize(
    ("kind", "share", "found"),
    [("cosine", 0.05, 0), ("cosine", 0.2, 0), ("cosine", 0.21, 1), ("constant", 0.9, 0), ("linear", 1.0, 1)],
)
def test_a_long_warmup(evidence_of: EvidenceOf, kind: str, share: float, found: int) -> None:
    evidence = evidence_of({"schedule.kind": kind, "schedule.warmup_share": share})
    assert [finding.code for finding in rules_training.long_warmup(evidence) or ()] == [
        "schedule.warmup_too_long"
    ] * found


def restarts(step: int) -> float:
    """The failed run's schedule: 2 % warm-up, then three cosines over 100,000 steps."""
    if step < 2000:
        return 5e-5 * step / 2000
    return 5e-5 * 0.5 * (1 + math.cos(math.pi * ((step - 2000) / 98000 * 3 % 1)))


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        (lambda step: 1e-4, []),
        (lambda step: 1e-4 * (1 - step / 100000) ** 2, []),
        (restarts, []),  # "decayed to 0 from step 80,000" was wrong: 58 % of the peak at 82,000
        (lambda step: 1e-4 * math.exp(-step / 5000), ["schedule.decayed_early"]),
        (lambda step: max(0.0, 1e-4 * (1 - step / 70000)), ["schedule.decayed_early"]),
        (lambda step: 1e-4 * step / 100000, []),  # a warm-up is no decay
    ],
)
def test_a_rate_near_zero_for_long(evidence_of: EvidenceOf, schedule: Callable[[int], float], found: list[str]) -> None:
    rates = [(step, schedule(step)) for step in range(0, 100001, 500)]
    findings = rules_training.early_decay(evidence_of(curves={"learning_rate": rates}))
    assert [finding.code for finding in findings or ()] == found


@pytest.mark.parametrize(
    ("share", "norm", "allowed", "found"),
    [
        (1.0, 5.0, 1.0, ["gradient.always_clipped"]),
        (1.0, 2.0, 1.0, []),  # cut, but not by much
        (0.8, 5.0, 1.0, []),
        (1.0, 5.0, 0.0, []),  # no clipping
    ],
)
def test_a_gradient_that_is_always_cut(
    evidence_of: EvidenceOf, share: float, norm: float, allowed: float, found: list[str]
) -> None:
    evidence = evidence_of({"optimizer.max_gradient_norm": allowed}, {"gradient/clipped": share, "gradient/norm": norm})
    assert [finding.code for finding in rules_training.clipped_gradient(evidence) or ()] == found


@pytest.mark.parametrize(("norm", "found"), [(1e-8, ["gradient.vanishing"]), (1e-6, [])])
def test_a_gradient_that_vanishes(evidence_of: EvidenceOf, norm: float, found: list[str]) -> None:
    findings = rules_training.vanishing_gradient(evidence_of(curves={"gradient/norm": norm}))
    assert [finding.code for finding in findings or ()] == found


def test_what_is_missing_is_not_measured(evidence_of: EvidenceOf) -> None:
    nothing = evidence_of(curves={name: None for name in evidence_of().curves})
    for rule in (
        rules_training.dominating_loss,
        rules_training.inactive_critic,
        rules_training.early_decay,
        rules_training.clipped_gradient,
        rules_training.vanishing_gradient,
    ):
        assert rule(nothing) is None
    assert rules_training.long_warmup(evidence_of({"schedule.kind": None})) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"error": "RuntimeError: shapes", "value": None, "gradient_norm": None}, "raises RuntimeError: shapes"),
        ({"value": None, "gradient_norm": None}, "was not computed"),
        ({"gradient_norm": 0.0}, "gradient norm of the loss = 0.0"),
        ({"gradient_norm": math.nan}, "gradient norm of the loss = nan"),
    ],
)
def test_a_loss_that_is_dead_in_the_preflight_is_inert(
    preflight_of: Callable[..., dict[str, Any]], changes: dict[str, Any], text: str
) -> None:
    losses = {name: dict(loss) for name, loss in preflight_of()["losses"].items()}
    losses["seraena"] |= changes
    settings = {f"losses.{name}": 0.5 for name in LOSSES}
    (finding,) = rules_training.inert_losses(Evidence(settings, preflight=preflight_of() | {"losses": losses})) or ()
    assert (finding.code, finding.subject) == ("loss.inert", "seraena")
    assert text in finding.evidence[0]
    # Without a weight nothing is expected of it.
    losses["seraena"]["weight"] = 0.0
    assert rules_training.inert_losses(Evidence(settings, preflight=preflight_of() | {"losses": losses})) == []


def test_gradients_below_adam_s_epsilon_vanish(evidence_of: EvidenceOf) -> None:
    (finding,) = rules_training.vanishing_gradient(evidence_of(curves={"adam/starved_share": 0.8})) or ()
    assert (finding.code, finding.severity) == ("gradient.vanishing", "error")


def test_a_schedule_is_judged_without_its_curve() -> None:
    schedule = {"schedule.kind": "cosine", "optimizer.learning_rate": 1e-3, "training.steps": 1000}
    assert rules_training.early_decay(Evidence(schedule)) == []
    dying = schedule | {"schedule.kind": "polynomial", "schedule.power": 12.0}
    (finding,) = rules_training.early_decay(Evidence(dying)) or ()
    assert finding.code == "schedule.decayed_early"
    assert "formula" in finding.evidence[0]
