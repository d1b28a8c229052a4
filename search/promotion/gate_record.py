"""What confirmations and gate came to, as the record keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from model.evaluation.scores import Scores
from search.promotion.comparison import Difference
from search.promotion.confirmation import Confirmed
from search.promotion.estimate import METRICS, Estimate, extrapolate
from search.promotion.gate import reasons_against
from search.promotion.leads import Leads, closest
from search.settings import Settings
from tracking.recorded import artifact
from tracking.store import Store

#: Artifact of the study's run.
PROMOTION = "promotion.json"


@dataclass(frozen=True)
class GateRecord:
    """The decision and what it rests on.

    Attributes:
        winner: number of the trial.
        baseline: label of the baseline that it beats least surely; "" where every one diverged.
        lead: of the winner over it.
        reasons: against the winner; none when the gate is open.
        forced: whether a person went on in spite of them.
        estimates: of the full run's scores, by metric.
        passed_over: candidates with a better mean, each with the reasons against it.
    """

    winner: int
    baseline: str
    lead: Difference | None
    reasons: tuple[str, ...]
    forced: bool
    estimates: dict[str, Estimate]
    passed_over: tuple[str, ...] = ()

    def in_words(self) -> str:
        """The decision in one line."""
        verdict = "not confirmed" if self.reasons else "confirmed"
        gain = f"{verdict}: every baseline diverged"
        if self.lead is not None:
            gain = (
                f"{verdict} {self.lead.mean:+.2f} in score ({self.lead.psnr_db:+.2f} dB) against {self.baseline} "
                f"({self.lead.in_words()})"
            )
        return gain + (f"; forced in spite of: {'; '.join(self.reasons)}" if self.forced else "")

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        lead: dict[str, Any] | None = content["lead"]
        if lead is not None:
            lead = {name: tuple(value) if isinstance(value, list) else value for name, value in lead.items()}
        parts = {
            "lead": None if lead is None else Difference(**lead),
            "reasons": tuple(content["reasons"]),
            "estimates": {metric: Estimate(**values) for metric, values in content["estimates"].items()},
            "passed_over": tuple(content.get("passed_over", ())),
        }
        return cls(**dict(content) | parts)


def judge_winner(
    confirmed: Sequence[Confirmed], leads: Leads, yardsticks: Mapping[str, Scores], settings: Settings, *, force: bool
) -> GateRecord:
    """Take the best candidate that nothing speaks against, or the best of all with what does, and estimate its full run.

    Args:
        confirmed: all candidates and baselines, the best first.
        leads: of the candidates over the baselines.
        yardsticks: trivial pictures and the reference's own round trip, on the same clips.
        settings: of the study.
        force: whether the person goes on in spite of reasons.
    """
    promotion = settings.promotion
    candidates = [one for one in confirmed if not one.is_baseline]
    against = [
        reasons_against(one, leads[one.candidate.trial], yardsticks, promotion.reference_gap_db) for one in candidates
    ]
    place = against.index([]) if [] in against else 0
    winner, reasons = candidates[place], tuple(against[place])
    lead = closest(leads[winner.candidate.trial])
    return GateRecord(
        winner=winner.candidate.trial,
        baseline="" if lead is None else lead[0],
        lead=None if lead is None else lead[1],
        reasons=reasons,
        forced=force and bool(reasons),
        estimates={
            metric: extrapolate(winner.short, winner.long, metric, promotion.steps)
            for metric in METRICS
            if all(metric in repeat.metrics for repeat in (*winner.short, *winner.long))
        },
        passed_over=tuple(
            f"{one.candidate.label}: {'; '.join(theirs)}"
            for one, theirs in zip(candidates[:place], against[:place], strict=True)
        ),
    )


def recorded_gate(store: Store, study_run: str) -> GateRecord | None:
    """The decision that the record has of a study; None where none was made."""
    content = artifact(store, study_run, PROMOTION)
    return None if content is None else GateRecord.from_json(content)


def keep_force(gate: GateRecord, earlier: GateRecord | None) -> GateRecord:
    """The decision as it is to be recorded: that a person has gone on with this winner once is not taken back."""
    was_forced = earlier is not None and earlier.forced and earlier.winner == gate.winner
    return replace(gate, forced=bool(gate.reasons) and (gate.forced or was_forced))
