"""A full run watched by its evaluations: whether it keeps up with its confirmations, whether it is worth going on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.training.measurement import Measurement

#: How far (dB) the full run may lie behind the confirmations at the same step. Their rate has come down by then and theirs
#: is the
#: average of a shorter window, so some lag is no fault: docs/LOG.md has what was measured. The run of the failed report lay
#: 20 dB behind.
ALLOWED_LAG_DB = 3.0

#: Share of the steps after which a run that shows no picture is given up. The failed run that this project comes from was at
#: 4 dB from its beginning to step 100,000.
GIVE_UP_SHARE = 0.1

#: But never earlier: what a network shows after fewer steps says nothing yet.
GIVE_UP_STEPS = 1000


class HopelessRunError(RuntimeError):
    """A full run was stopped early by its one rule; the text says so with its numbers."""


@dataclass
class Watch:
    """Judges the evaluations of a full run.

    Attributes:
        steps: of the full run.
        marks: PSNR (dB) of the confirmations by step.
        constant_db: PSNR of the best frame of one colour on the same clips.
        warnings: what was said so far, by mark.
    """

    steps: int
    marks: Mapping[int, float]
    constant_db: float
    warnings: dict[int, str] = field(default_factory=dict)

    @property
    def give_up_step(self) -> int:
        """The step from which on a run must show a picture."""
        return max(GIVE_UP_STEPS, round(GIVE_UP_SHARE * self.steps))

    def judge(self, measurement: Measurement) -> list[str]:
        """Say what is new to say about an evaluation.

        Raises:
            HopelessRunError: from a tenth of the steps on, it is not better than a frame of one colour.
        """
        if measurement.scores is None:
            return []
        step, psnr = measurement.step, measurement.scores.psnr
        if step >= self.give_up_step and psnr <= self.constant_db:
            raise HopelessRunError(
                f"a full run must be better than a frame of one colour from step {self.give_up_step} on, but at step {step} it "
                f"has {psnr:.2f} dB and that frame {self.constant_db:.2f}; read its diagnosis, mend the cause, and begin it anew "
                "with --force"
            )
        lines = []
        for mark, expected in self.marks.items():
            if mark <= step and mark not in self.warnings:
                late = expected - psnr > ALLOWED_LAG_DB
                compared = f"at step {step} the full run has {psnr:.2f} dB, its confirmations had {expected:.2f} at step {mark}"
                self.warnings[mark] = (
                    f"warning: {compared}: it falls behind by more than {ALLOWED_LAG_DB:g} dB" if late else ""
                )
                lines.append(self.warnings[mark] or f"keeps up: {compared}")
        return lines
