"""A full run watched by its evaluations: whether it keeps up with its confirmations, whether it is worth going on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.training.measurement import Measurement

#: How far (dB) the full run may lie behind the confirmations at the same step. Their rate has come down by then and theirs
#: is the average of a shorter window, so some lag is no fault: a sound run lay 2.4 and 2.5 dB behind (docs/LOG.md), the run
#: of the failed report 20 dB.
ALLOWED_LAG_DB = 3.0

#: Share of the steps after which a run that shows no picture is given up. The failed run that this project comes from was at
#: 4 dB from its beginning to step 100,000.
GIVE_UP_SHARE = 0.1

#: But never earlier: what a network shows after fewer steps says nothing yet.
GIVE_UP_STEPS = 1000

#: Tag of a full run: what was said of it at each mark.
WATCH_TAG = "watch"


class HopelessRunError(RuntimeError):
    """A full run was stopped early by its one rule; the text says so with its numbers."""


@dataclass
class Watch:
    """Judges the evaluations of a full run.

    Attributes:
        steps: of the full run.
        marks: PSNR (dB) of the confirmations by step; the full run is evaluated at these steps too.
        constant_db: PSNR of the best frame of one colour on the same clips.
        said: of the marks so far, by earlier commands as well.
    """

    steps: int
    marks: Mapping[int, float]
    constant_db: float
    said: list[str] = field(default_factory=list)

    @property
    def give_up_step(self) -> int:
        """The step from which on a run must show a picture."""
        return max(GIVE_UP_STEPS, round(GIVE_UP_SHARE * self.steps))

    def judge(self, measurement: Measurement) -> str:
        """Say how an evaluation at a mark compares; empty at other steps, and at a mark that was judged before.

        Raises:
            HopelessRunError: from a tenth of the steps on, it is not better than a frame of one colour.
        """
        if measurement.scores is None:
            return ""
        step, psnr = measurement.step, measurement.scores.psnr
        if step >= self.give_up_step and psnr <= self.constant_db:
            raise HopelessRunError(
                f"a full run must be better than a frame of one colour from step {self.give_up_step} on, but at step {step} it "
                f"has {psnr:.2f} dB and that frame {self.constant_db:.2f}; read its diagnosis, mend the cause, and begin it anew "
                "with --force"
            )
        place = f"at step {step} the full run has"
        if step not in self.marks or any(place in line for line in self.said):
            return ""
        expected = self.marks[step]
        compared = f"{place} {psnr:.2f} dB, its confirmations had {expected:.2f}"
        late = expected - psnr > ALLOWED_LAG_DB
        line = (
            f"warning: {compared}: it falls behind by more than {ALLOWED_LAG_DB:g} dB"
            if late
            else f"keeps up: {compared}; up to {ALLOWED_LAG_DB:g} dB less is what a longer schedule costs so early"
        )
        self.said.append(line)
        return line
