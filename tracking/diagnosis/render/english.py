"""The English page."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis, Finding
from tracking.diagnosis.render.checks import new_evidence, num_measured, outcome, passed
from tracking.diagnosis.render.markdown import block, code, inline, short, table
from tracking.diagnosis.render.next_command import Purpose, next_command
from tracking.diagnosis.render.scores import (
    TITLES,
    Comparison,
    comparisons,
    differences_db,
    outputs,
    shown,
    shown_interval,
    shown_usual,
    value_of,
)
from tracking.diagnosis.render.settings_named import settings_named
from tracking.diagnosis.text_english import WORDS
from tracking.diagnosis.texts import remedy, title

OUTPUTS = {
    "black": "black",
    "grey": "grey",
    "mean_colour": "mean colour",
    "average_8x8": "8x8 average",
    "reference": "the reference",
}

NEXT: dict[Purpose, str] = {
    "check_fix": "Next: repair what stands above, then see whether it is gone (`--config` takes the conf.toml beside this page):",
    "search_again": "Next: widen the space as said above, then search it:",
    "confirm": "Next: confirm the best settings over fresh seeds (the study's conf.toml lies beside this page):",
    "diagnose_again": "Next: repair what stands above, train again and diagnose that run from all the files it left:",
    "measure_more": "Next: look again, with as many files of the run as there are:",
    "begin": "Next: nothing measured speaks against this training; begin it:",
    "compare": "Next: nothing was found to repair; compare this run with the others:",
}


def english_page(diagnosis: Diagnosis, evidence: Evidence) -> str:
    """Write the page: verdict, scores, findings with their consequences, what was not measured, the next command."""
    lines = ["# Diagnosis", "", verdict(diagnosis), ""]
    if diagnosis.failure is not None:
        lines += [f"{WORDS['failure']}:", "", *block([diagnosis.failure]), ""]
    if not all(one.is_unknown for one in comparisons(evidence)):
        lines += ["## Scores", "", *score_lines(evidence), ""]
    if diagnosis.findings:
        lines += ["## Findings", ""]
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += section(number, finding, evidence)
    lines += check_lines(diagnosis)
    purpose, command = next_command(diagnosis, evidence)
    lines += [NEXT[purpose], "", f"    {command}"]
    return "\n".join(lines) + "\n"


def verdict(diagnosis: Diagnosis) -> str:
    """Say in one sentence what is wrong first, and how much of the run was looked at."""
    measured = f"{num_measured(diagnosis)} of {len(CODES)} checks had what they need"
    parts = [f"**{WORDS[outcome(diagnosis)]}**"]
    if diagnosis.failure is not None:
        parts.append("The run broke off before its end.")
    if diagnosis.findings:
        first, others = diagnosis.findings[0], len(diagnosis.findings) - 1
        parts.append(f"{inline(title(first.code, 'en', first.subject))} (confidence {first.confidence:.0%}).")
        measured = f"{others} more {'finding' if others == 1 else 'findings'}; {measured}" if others else measured
    elif outcome(diagnosis) == "ok":
        measured += ", and none of these found a fault"
    return " ".join([*parts, f"{measured}."])


def score_lines(evidence: Evidence) -> list[str]:
    """The run's scores above what they must beat."""
    every = comparisons(evidence)
    compared = [one for one in every if not one.is_unknown]
    unknown = [TITLES[one.metric.name] for one in every if one.is_unknown]
    missing = f" Not measured: {', '.join(unknown)}." if unknown else ""
    rows = [["**this run**", *(own_cell(one) for one in compared)]]
    for name, scores in outputs(evidence).items():
        rows.append(
            [f"must beat: {OUTPUTS[name]}", *(cell(one, value_of(scores, one.metric.name)) for one in compared)]
        )
    if evidence.reference is not None:
        rows.append(["ceiling: reference round trip", *(cell(one, one.ceiling) for one in compared)])
    lines = table(["output", *(TITLES[one.metric.name] for one in compared)], rows)
    if outputs(evidence):
        gaps = [f"{gap:+.2f} dB against {OUTPUTS[name]}" for name, gap in differences_db(evidence).items()]
        difference = f" PSNR of this run: {', '.join(gaps)}." if gaps else " The run has no evaluation."
        return [*lines, "", f"All on the same clips.{difference}{missing}"]
    usual = ", ".join(
        f"{TITLES[one.metric.name]} {shown_usual(one.metric, one.usual)}" for one in compared if one.usual is not None
    )
    return [
        *lines,
        "",
        "What a black, grey or blurred output scores on these clips is not known, so nothing says what must be beaten. "
        f"Good models elsewhere reach {usual}.{missing}",
    ]


def cell(comparison: Comparison, value: float | None) -> str:
    """One value of the table."""
    return "not measured" if value is None else shown(comparison.metric, value)


def own_cell(comparison: Comparison) -> str:
    """The run's own value, with its 95 % interval over clips."""
    if comparison.interval is None:
        return f"**{cell(comparison, comparison.value)}**"
    interval = shown_interval(comparison.metric, comparison.interval, "to")
    return f"**{cell(comparison, comparison.value)}** (95 %: {interval})"


def section(number: int, finding: Finding, evidence: Evidence) -> list[str]:
    """One finding with its numbers, what to do, and what it explains."""
    lines = [
        f"### {number}. {inline(title(finding.code, 'en', finding.subject))}",
        "",
        f"`{finding.code}` · {WORDS[f'severity.{finding.severity}']} · {WORDS['confidence']} {finding.confidence:.0%}",
        "",
        f"**{WORDS['evidence']}:**",
        "",
        *(block(map(short, finding.evidence)) if finding.evidence else ["No numbers were kept."]),
        "",
        f"**{WORDS['remedy']}:** {inline(remedy(finding.code, 'en', finding.subject))}",
        "",
    ]
    now = settings_named(remedy(finding.code, "en", finding.subject), evidence)
    if now:
        lines += [f"Now: {', '.join(map(code, now))}", ""]
    if finding.consequences:
        lines += [f"**{WORDS['consequences']}** (no work of its own):", ""]
        for consequence in finding.consequences:
            lines += consequence_lines(consequence, finding)
        lines += [""]
    return lines


def consequence_lines(consequence: Finding, cause: Finding) -> list[str]:
    """One consequence, with the numbers that its cause has not shown."""
    severity = WORDS[f"severity.{consequence.severity}"]
    new = new_evidence(consequence, cause)
    same = "" if new else "; same numbers"
    name = inline(title(consequence.code, "en", consequence.subject))
    return [f"- `{consequence.code}` ({severity}{same}): {name}", *(f"  - {code(short(line))}" for line in new)]


def check_lines(diagnosis: Diagnosis) -> list[str]:
    """What was looked for and not found, and what could not be looked for."""
    lines = []
    if passed(diagnosis):
        lines += ["## Looked for and not found", "", ", ".join(map(code, passed(diagnosis))), ""]
    names = [f"- `{name}` {title(name, 'en')}" for name in diagnosis.not_measured] or [WORDS["nothing"]]
    return [*lines, f"## {WORDS['not_measured']}", "", *names, ""]
