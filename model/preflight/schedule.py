"""The learning rate over the horizon of a run."""

from model.preflight.report import ScheduleCheck
from model.recipe import Recipe
from model.training.schedules import multiplier

#: Share of the peak below which a step changes nothing that matters.
LOW = 0.01


def check_schedule(recipe: Recipe) -> ScheduleCheck:
    """Count the steps before the peak, and those after it that are below 1 % of it."""
    horizon = recipe.training.steps
    rates = [multiplier(step, horizon, recipe.schedule) for step in range(horizon)]
    peak = max(rates)
    first = rates.index(peak)
    low = sum(rate < LOW * peak for rate in rates[first:])
    return ScheduleCheck(horizon, first / horizon, low / horizon)
