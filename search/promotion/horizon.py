"""The winner's settings over the full horizon."""

from model.settings import change
from search.promotion.candidates import Candidate
from search.settings import Settings
from search.space import changes

#: A full run is measured this often, and probed this often: curves a person can read, and a share of the time below 2 %.
MEASUREMENTS, PROBES = 1000, 200


def full_settings(settings: Settings, candidate: Candidate) -> Settings:
    """The candidate's settings over the full number of steps; what is a share of the horizon stretches with it."""
    promotion = settings.promotion
    wanted = changes(candidate.parameters) | {
        "training.steps": promotion.steps,
        "training.evaluate_every": promotion.evaluate_every,
        "training.checkpoint_every": promotion.evaluate_every,
        "training.renew_every": promotion.renew_every,
        "training.log_every": max(1, promotion.steps // MEASUREMENTS),
        "training.probe_every": max(1, promotion.steps // PROBES),
    }
    return change(settings, wanted)


def describe_stretch(trial_steps: int, full: Settings) -> str:
    """Say what is other than in the trial."""
    steps, share = full.training.steps, full.training.average_share
    return (
        f"schedule {full.schedule.kind} stretched from {trial_steps} to {steps} steps, the average's window from "
        f"{share * trial_steps:.0f} to {share * steps:.0f} (both are shares of the horizon)"
    )
