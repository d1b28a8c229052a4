"""python -m search.fidelity: does the score after a trial's steps say how a longer training ends?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from rich.console import Console

    from search.settings import Settings


def main(
    configs: Annotated[
        int, typer.Option("--configs", min=4, help="Trials to train longer, spread over the ranking.")
    ] = 8,
    steps: Annotated[int, typer.Option("--steps", min=2, help="Steps of each.")] = 5000,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Train some of a study's trials longer, with the seed that they had, and compare the two rankings.

    Example: python -m search.fidelity --configs 8 --steps 5000 --set data.source=/path/to/videos
    """
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    measure_fidelity(settings, configs, steps, console)


def measure_fidelity(settings: "Settings", configs: int, steps: int, console: "Console") -> None:
    """Train what is missing and say how well the two lengths agree.

    Args:
        settings: of the study.
        configs: trials to train longer.
        steps: of each.
        console: for people.

    Raises:
        ValueError: fewer trials than that, no study, or no more steps than a trial has.
        RuntimeError: the work failed.
        InterruptedWorkError: the person asked to stop.
    """
    from search.conclusion import close_study, print_pointers
    from search.lock import study_lock
    from search.opening import open_everything
    from search.promotion.candidates import spread_over
    from search.promotion.confirm import confirm
    from search.promotion.points import agreements
    from search.promotion.repeats import plan_repeats
    from search.ranking import rank
    from search.signals import sigterm_as_interrupt

    say, trial_steps = speaker(console), settings.training.steps
    if steps <= trial_steps:
        raise ValueError(
            f"--steps must be more than a trial has (training.steps), but {steps} <= {trial_steps}; give more"
        )
    with sigterm_as_interrupt(), study_lock(Path(settings.tracking.root)):
        opened = open_everything(settings, say)
        try:
            rows = rank(opened.study)
            plans = plan_repeats(settings, spread_over(rows, configs), [settings.training.seed], [steps])
            repeats = confirm(opened, settings, plans, console)
            found = agreements(rows, repeats.values(), trial_steps, settings.training.seed)
            opened.parent.json("fidelity.json", [agreement.to_json() for agreement in found])
            for agreement in found:
                say(f"fidelity   {agreement.in_words()}")
            if not found:
                say("fidelity   all settings ended equal: their order cannot be compared")
        finally:
            results = close_study(opened, settings)
        if results is not None:
            print_pointers(opened, settings, results, say)


if __name__ == "__main__":
    run(main)
