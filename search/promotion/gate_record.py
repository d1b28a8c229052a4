"""What confirmations and gate came to, as the record keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from model.evaluation.scores import Scores
from search.promotion.comparison import Difference
from search.promotion.confirmation import Confirmed, best_baseline_of, lead, winner_of
from search.promotion.estimate import Estimate, extrapolate
from search.promotion.gate import reasons_against
from search.settings import Settings

#: Artifact of the study's run.
PROMOTION = "promotion.json"


@dataclass(frozen=True)
class GateRecord:
    """The decision and what it rests on.

    Attributes:
        winner: number of the trial.
        baseline: label of the best baseline.
        lead: of the winner over it.
        reasons: against the winner; none when the gate is open.
        forced: whether a person went on in spite of them.
        estimates: of the full run's scores, by metric.
    """

    winner: int
    baseline: str
    lead: Difference
    reasons: tuple[str, ...]
    forced: bool
    estimates: dict[str, Estimate]

    def in_words(self) -> str:
        """The decision in one line."""
        seeds = self.lead.seed_interval
        gain = (
            f"confirmed {self.lead.mean:+.2f} in score ({self.lead.psnr_db:+.2f} dB) against {self.baseline} "
            f"(95 % over seeds: {seeds[0]:+.2f} to {seeds[1]:+.2f})"
        )
        return gain + (f"; forced in spite of: {'; '.join(self.reasons)}" if self.forced else "")

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        lead: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content["lead"].items()
        }
        estimates = {metric: Estimate(**values) for metric, values in content["estimates"].items()}
        parts = {"lead": Difference(**lead), "reasons": tuple(content["reasons"]), "estimates": estimates}
        return cls(**dict(content) | parts)


def judge_winner(
    confirmed: Sequence[Confirmed], yardsticks: Mapping[str, Scores], settings: Settings, *, force: bool
) -> GateRecord:
    """Hold the best candidate against baselines, trivial pictures and the reference, and estimate its full run."""
    promotion, winner = settings.promotion, winner_of(confirmed)
    difference = lead(confirmed, settings.evaluation.bootstrap_resamples)
    reasons = tuple(reasons_against(confirmed, difference, yardsticks, promotion.reference_gap_db))
    estimates = {
        metric: extrapolate(winner.short, winner.long, metric, promotion.steps) for metric in ("val/psnr", "val/ssim")
    }
    return GateRecord(
        winner=winner.candidate.trial,
        baseline=best_baseline_of(confirmed).candidate.label,
        lead=difference,
        reasons=reasons,
        forced=force and bool(reasons),
        estimates=estimates,
    )
