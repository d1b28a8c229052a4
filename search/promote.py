"""python -m search.promote: from the best trial of a study to a full run and a registered model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli import (
    FAILED,
    ConfigOption,
    DebugOption,
    ProfileOption,
    SetOption,
    make_console,
    resolve_profile,
    run,
    speaker,
)

if TYPE_CHECKING:
    from rich.console import Console

    from model.ranks import Ranks
    from search.opening import OpenStudy
    from search.promotion.confirmation import Confirmed
    from search.promotion.gate_record import GateRecord
    from search.settings import Settings
    from tracking.query import RunRow


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Go on with an unfinished study, past gate and preflight, and begin a failed full run anew; recorded.",
        ),
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Confirm the best trials over seeds, let the winner through the gate, train it in full, register it.

    Give the settings that the study was begun with. Every part is kept in the record: the same command goes on after an
    interruption, and says the result again when everything is done.

    Example: python -m search.promote --set data.source=/path/to/videos

    On several GPUs: torchrun --standalone --nproc-per-node 2 -m search.promote ...
    """
    from model.ranks import open_ranks
    from search.promotion.prerequisites import naming_the_profile
    from search.settings import load_settings

    with open_ranks() as ranks:
        if not ranks.first:
            from search.follow import follow

            if not follow(ranks):
                raise typer.Exit(FAILED)  # the first rank says why
            return
        console = make_console()
        taken = resolve_profile(profile, speaker(console))
        with naming_the_profile(profile, taken):
            promote(load_settings(config, taken, set_ or ()), console, ranks, force=force)


def promote(settings: "Settings", console: "Console", ranks: "Ranks", *, force: bool = False) -> None:
    """Confirm, gate, train in full, register; what the record has is not done again.

    Args:
        settings: of the study.
        console: for people.
        ranks: that train the full run, of which this process is the first.
        force: go on in spite of what refuses, but for settings and data that break a rule.

    Raises:
        ValueError: settings or data break a rule, or there is no such study.
        RuntimeError: the gate or the preflight refused, or the work failed.
        InterruptedWorkError: the person asked to stop.
    """
    from search.conclusion import close_study
    from search.lock import study_lock
    from search.opening import open_everything
    from search.promotion.confirm import confirm_candidates
    from search.promotion.horizon import full_settings
    from search.promotion.prerequisites import check_finished, warn_of_other_code
    from search.signals import sigterm_as_interrupt

    say = speaker(console)
    check_lengths(settings)
    with sigterm_as_interrupt(), study_lock(Path(settings.tracking.root)):
        opened = open_everything(settings, say)
        try:
            forced = check_finished(opened, force=force)
            warn_of_other_code(opened, say)
            confirmed = confirm_candidates(opened, settings, console)
            gate, winner = pass_gate(opened, settings, confirmed, console, force=force)
            forced += ("gate",) if gate.forced else ()
            wanted = full_settings(settings, winner.candidate)
            row = full_run(opened, wanted, winner, console, ranks, force=force, forced=forced)
            finish(opened, settings, wanted, gate, row, console)
        finally:
            close_study(opened, settings)


def check_lengths(settings: "Settings") -> None:
    """Refuse numbers of steps that do not grow.

    Raises:
        ValueError: the confirmation is not longer than a trial, or the full run shorter than the confirmation.
    """
    trial, promotion = settings.training.steps, settings.promotion
    if not trial < promotion.long_steps <= promotion.steps:
        raise ValueError(
            "a promotion goes from a trial over a longer confirmation to a full run, but training.steps, "
            "promotion.long_steps and "
            f"promotion.steps are {trial}, {promotion.long_steps} and {promotion.steps}; make them grow"
        )


def pass_gate(
    opened: "OpenStudy", settings: "Settings", confirmed: "list[Confirmed]", console: "Console", *, force: bool
) -> "tuple[GateRecord, Confirmed]":
    """Compare, decide, record and say whether a candidate may be trained in full; returns it too.

    Raises:
        RuntimeError: none may, and `force` is not given.
    """
    from model.bank import sources_of
    from search.promotion.gate_record import PROMOTION, judge_winner, keep_force, recorded_gate
    from search.promotion.leads import leads_of
    from search.promotion.tables import decision_lines, level_line, to_differences, to_table

    prepared, say = opened.prepared, speaker(console)
    leads = leads_of(confirmed, sources_of(prepared.bank), settings.evaluation.bootstrap_resamples)
    console.print(to_table(confirmed, prepared.yardsticks))
    console.print(to_differences(confirmed, leads))
    say(level_line(leads))
    gate = judge_winner(confirmed, leads, prepared.yardsticks, settings, force=force)
    gate = keep_force(gate, recorded_gate(prepared.store, opened.parent.id))
    opened.parent.json(PROMOTION, gate.to_json())
    for line in decision_lines(gate):
        say(line)
    if gate.reasons and not force:
        before = ", as an earlier command did" if gate.forced else ""
        raise RuntimeError(f"the gate is closed: {'; '.join(gate.reasons)}; --force goes on in spite of it{before}")
    return gate, next(one for one in confirmed if one.candidate.trial == gate.winner)


def full_run(
    opened: "OpenStudy",
    settings: "Settings",
    winner: "Confirmed",
    console: "Console",
    ranks: "Ranks",
    *,
    force: bool,
    forced: tuple[str, ...],
) -> "RunRow":
    """Train the winner over all steps, or go on with that, or find it done.

    Args:
        opened: the study.
        settings: of the full run.
        winner: that is trained.
        console: for people.
        ranks: that train it, of which this process is the first.
        force: begin one that has failed anew, and go on past the preflight.
        forced: what the person has gone on with so far; the run's tag has it, with what earlier commands went on with.

    Raises:
        RuntimeError: the work failed, now or at an earlier command (`force` begins it anew then).
    """
    from model.settings import identity
    from model.training.division import check_division
    from search.follow import NOTHING_TO_TRAIN
    from search.promotion.full import find_full_run, full_runs, open_full_run, train_full, watch_of
    from search.promotion.full_files import warn_of_others
    from search.promotion.horizon import describe_stretch
    from search.promotion.watch import WATCH_TAG
    from search.record import forced_tag
    from search.settings import recipe_of

    say, recipe = speaker(console), recipe_of(settings)
    check_division(recipe, opened.prepared.device, ranks)
    warn_of_others(opened.prepared.store, full_runs(opened), identity(recipe), say)
    found = find_full_run(opened, settings)
    if found is not None and found.status == "FINISHED":
        say(f"full run   {found.name} is in the record")
        ranks.tell(NOTHING_TO_TRAIN)
        ranks.wait()
        return found
    if found is not None and found.status == "FAILED":
        if not force:
            reason = found.tags.get("reason") or "no reason was recorded"
            raise RuntimeError(f"the full run of these settings has failed: {reason}; --force begins it anew")
        found = None
    say(f"full run   {winner.candidate.label}: {describe_stretch(winner.short[0].steps, settings)}")
    watch, tags = watch_of(winner, opened.prepared, settings), {} if found is None else found.tags
    watch.said += [tags[WATCH_TAG]] if WATCH_TAG in tags else []
    earlier = tags["forced"].split(", ") if tags.get("forced") else []
    forced = tuple(dict.fromkeys((*earlier, *forced)))
    record = open_full_run(opened, settings, winner.candidate, found)
    record.run.tags(forced_tag(forced))
    train_full(record, opened, watch, console, ranks, force=force, forced=forced)
    done = find_full_run(opened, settings)
    assert done is not None, "a full run that was trained is in the record"
    return done


def finish(
    opened: "OpenStudy", study: "Settings", full: "Settings", gate: "GateRecord", row: "RunRow", console: "Console"
) -> None:
    """Register the full run's best weights, compare with the estimate, and say where everything is."""
    from shlex import quote

    from search.promotion.register import MODEL, register
    from tracking.store import artifact_folder

    say = speaker(console)
    done = register(opened, study, full, row, gate, say)
    came = done.scores.metrics()
    scores = ", ".join(f"{name.removeprefix('val/')} {value:.4g}" for name, value in came.items())
    say(f"scores     {scores}")
    for metric, estimate in gate.estimates.items():
        if metric in came:
            say(f"           {metric} {estimate.says(came[metric])}")
    folder = artifact_folder(opened.prepared.store, row.id) / MODEL
    say(f"card       {folder / 'README.md'}")
    weights, config = quote(str(folder / "model.safetensors")), quote(str(folder / "conf.toml"))
    say(f"next       python -m model.evaluate {weights} --config {config}")


if __name__ == "__main__":
    run(main)
