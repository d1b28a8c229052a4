"""The verdict in words: what won, by how much, whether to believe it, what to do next."""

from model.evaluation.yardsticks import REFERENCE
from search.baselines import called
from search.page.evidence import PageEvidence
from search.page.frame import escape, paragraph
from search.page.gains import DEVIATIONS, Gain, exceeds, gain, seed_noise
from search.promotion.gate_record import GateRecord
from search.ranking import Row, show, without_model
from tracking.diagnosis.rules_study import SPACE

#: Below this number of complete trials a study has hardly looked at its space (search.startup_trials of conf.toml).
FEW_TRIALS = 10


def section(page: PageEvidence) -> str:
    """Say it all in a few sentences that are true of any study."""
    best = best_of(page)
    parts = [paragraph(how_many(page), "dim")]
    if best is None:
        return "".join([paragraph(nothing_won(page), "verdict"), *parts, *next_lines(page)])
    parts.insert(0, paragraph(who_won(best), "verdict"))
    parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in comparisons(page, best)) + "</ul>")
    parts.append(paragraph(belief(page, best)))
    parts += [paragraph(line, "warning") for line in warnings(page, best)]
    parts += [paragraph(line) for line in (*decision(page.gate), *outcome(page))]
    return "".join(parts + next_lines(page))


def best_of(page: PageEvidence) -> Row | None:
    """The best complete trial that has a score."""
    return next((each.row for each in page.shown if each.label == "best"), None)


def how_many(page: PageEvidence) -> str:
    """How far the study is."""
    counts = page.counts
    done = counts.complete + counts.pruned
    asked = f" of {counts.asked} asked for" if counts.asked else ""
    trials = "1 trial" if done == 1 else f"{done} trials"
    parts = [f"{trials} finished{asked}: {counts.complete} complete, {counts.pruned} pruned or diverged"]
    parts += [f"{counts.failed} failed"] if counts.failed else []
    parts += [f"{counts.interrupted} interrupted"] if counts.interrupted else []
    parts += [f"{counts.open} queued or running"] if counts.open else []
    return "; ".join(parts) + "."


def nothing_won(page: PageEvidence) -> str:
    """Why there is no best trial."""
    counts = page.counts
    ended = counts.complete + counts.pruned + counts.failed
    if not ended:
        verb = "was" if counts.interrupted == 1 else "were"
        cut = f"; {counts.interrupted} {verb} interrupted and queued again" if counts.interrupted else ""
        return f"Nothing is known yet: no trial has a score yet, because none has ended{cut}."
    reason = f" The last reason: {list(page.failures.values())[-1]}." if page.failures else ""
    subject = "the only one that ended" if ended == 1 else f"all {ended} that ended"
    if counts.failed == ended:
        return f"Nothing won: no trial has a score yet, {subject} failed.{reason}"
    if counts.pruned == ended:
        verb = "was" if ended == 1 else "were"
        early = (
            "the scores in the ranking are of earlier steps"
            if any("score" in row.metrics for row in page.rows)
            else "none was measured"
        )
        return f"Nothing won: no complete trial has a score yet, {subject} {verb} pruned or diverged ({early}).{reason}"
    return f"Nothing won: no complete trial has a score yet, none of {ended} that ended.{reason}"


def who_won(best: Row) -> str:
    """The best trial, its scores and its settings."""
    named = f", {called(best.name)}" if best.name else ""
    scores = f"score {best.metrics['score']:.2f}"
    scores += f", {best.metrics['val/psnr']:.2f} dB" if "val/psnr" in best.metrics else ""
    scores += f", SSIM {best.metrics['val/ssim']:.3f}" if "val/ssim" in best.metrics else ""
    settings = ", ".join(f"{name.replace('_', ' ')} {show(value)}" for name, value in best.parameters.items())
    return f"Best: trial {best.number}{named}, with {scores}. Its settings: {settings}."


def comparisons(page: PageEvidence, best: Row) -> list[str]:
    """The gain over each baseline, over what needs no model, and over the reference's own round trip, in dB."""
    rows = {row.name: row for row in page.rows if row.name}
    noise = seed_noise(page.repeats)
    lines = [against_trial(page, best, name, rows.get(name), noise) for name in page.baselines]
    if "val/psnr" in best.metrics:
        lines += over_yardsticks(page, best.metrics["val/psnr"])
    return lines


def over_yardsticks(page: PageEvidence, psnr: float) -> list[str]:
    """The gain of a PSNR (dB) over what needs no model, and over the reference's own round trip."""
    gains = {name: f"{psnr - scores.psnr:+.2f} dB" for name, scores in page.yardsticks.items()}
    each = ", ".join(f"{name.replace('_', ' ')} {db}" for name, db in gains.items() if name != REFERENCE)
    lines = [f"against outputs that need no model: {each}"]
    return lines + ([f"against the reference's own round trip: {gains[REFERENCE]}"] if REFERENCE in gains else [])


def against_trial(page: PageEvidence, best: Row, name: str, other: Row | None, noise: float | None) -> str:
    """The gain over one baseline."""
    title = f"against {called(name)}"
    if other is not None and other.number == best.number:
        return f"{title}: it is the best trial itself, nothing that was searched beats it"
    if other is None or "val/psnr" not in other.metrics or "val/psnr" not in best.metrics:
        return f"{title}: unknown, because that trial has no score"
    if other.state != "COMPLETE":
        return f"{title}: not comparable, because that trial was pruned and its score is of an earlier step"
    found = gain(
        best.metrics["val/psnr"],
        other.metrics["val/psnr"],
        page.clip_psnr.get(best.number, {}),
        page.clip_psnr.get(other.number, {}),
    )
    return f"{title}: {found.decibels:+.2f} dB{over_clips(found)}{over_seeds(found, noise)}"


def over_clips(found: Gain) -> str:
    """The interval over clips in words."""
    if found.interval is None:
        return ""
    low, high = found.interval
    outside = "0 lies outside" if low > 0 or high < 0 else "0 lies inside: the clips do not tell them apart"
    return f" (95 % interval over the validation clips {low:+.2f} to {high:+.2f}; {outside})"


def over_seeds(found: Gain, noise: float | None) -> str:
    """The gain against the noise between seeds in words; nothing where that is unknown."""
    if noise is None:
        return ""
    limit = f"the noise between seeds ({DEVIATIONS:g} x {noise:.2f} dB)"
    if exceeds(found.decibels, noise):
        return f", a gain beyond {limit}"
    return f", a loss beyond {limit}" if exceeds(-found.decibels, noise) else f", within {limit}"


def belief(page: PageEvidence, best: Row) -> str:
    """What is known of the noise, and the lead over the second."""
    noise = seed_noise(page.repeats)
    complete = [row for row in page.rows if row.state == "COMPLETE" and "score" in row.metrics]
    lead = (
        f"The lead over the second is {best.metrics['score'] - complete[1].metrics['score']:.2f} in score. "
        if len(complete) > 1
        else ""
    )
    if noise is None:
        return (
            f"{lead}Noise between seeds: unknown, no settings were trained with several fresh seeds for a trial's number of "
            f"steps.{lucky(len(complete))}"
        )
    number = sum(len(values) for values in page.repeats.values())
    return (
        f"{lead}Noise between seeds: two trainings of the same settings differ by {noise:.2f} dB "
        f"(one deviation, {number} trainings)."
    )


def lucky(trials: int) -> str:
    """What choosing among single trainings does; nothing where there was no choice."""
    if trials < 2:
        return ""
    best = f" The best of {trials} single trainings is partly the luckiest of them"
    return f"{best}, so a full run may gain less than this page says."


def warnings(page: PageEvidence, best: Row) -> list[str]:
    """What makes the verdict worth less than it looks."""
    psnr = best.metrics.get("val/psnr")
    above = [
        name.replace("_", " ")
        for name, scores in page.yardsticks.items()
        if name != REFERENCE and psnr is not None and scores.psnr >= psnr
    ]
    lines = [f"It is not better than {without_model(above)}: train longer (training.steps)."] if above else []
    if any(finding.code == "search.noise_floor" for finding in page.diagnosis.findings):
        lines.append("The lead over the second is within the noise between seeds: another trial may be the best one.")
    edges = [finding.subject for finding in page.diagnosis.findings if finding.code == "search.edge_of_space"]
    if edges:
        names = " and ".join(edge.removeprefix(f"{SPACE}.").replace("_", " ") for edge in edges)
        verb = "lies" if len(edges) == 1 else "lie"
        lines.append(f"The best {names} {verb} at the edge of what was searched: better settings may lie beyond.")
    if page.counts.complete < FEW_TRIALS:
        trials = "1 complete trial" if page.counts.complete == 1 else f"{page.counts.complete} complete trials"
        lines.append(f"Only {trials}: too few to say much about the space.")
    return lines


def decision(gate: GateRecord | None) -> list[str]:
    """What a promotion decided; nothing where there was none."""
    if gate is None:
        return []
    lines = [f"Promotion: trial {gate.winner}, {gate.in_words()}."]
    if gate.reasons and not gate.forced:
        lines.append(f"The gate is closed: {'; '.join(gate.reasons)}.")
    return lines


def outcome(page: PageEvidence) -> list[str]:
    """What the full run came to, and whether that is good; nothing where none was registered."""
    if page.full is None:
        return []
    full = page.full
    scores = ", ".join(f"{name.removeprefix('val/')} {value:.4g}" for name, value in full.came.items())
    gains = f" ({'; '.join(over_yardsticks(page, full.came['val/psnr']))})" if "val/psnr" in full.came else ""
    named = f"; registered as {full.version}" if full.version else ""
    champion = f" Champion: {full.champion}." if full.champion else ""
    return [
        f"{full.name[:1].upper()}{full.name[1:]}: {scores}{gains}, with the weights of step {full.step}{named}.{champion}"
    ]


def next_lines(page: PageEvidence) -> list[str]:
    """What to do next."""
    note, command = page.next_step
    if note and page.counts.failed and best_of(page) is None:
        note = f"mend what failed (the reasons are under Diagnosis); {note}"
    ask = f"Next: {note}:" if note else "Next, confirm the best settings over seeds and train the winner in full:"
    return [paragraph(ask), f"<pre>{escape(command)}</pre>"]
