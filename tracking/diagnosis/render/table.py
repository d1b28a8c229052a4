"""A diagnosis as a table for terminals."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tracking.diagnosis.findings import CODES, Diagnosis, Finding
from tracking.diagnosis.render.checks import new_evidence, outcome
from tracking.diagnosis.render.markdown import line, short
from tracking.diagnosis.text_english import WORDS
from tracking.diagnosis.texts import remedy

STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


def to_table(diagnosis: Diagnosis) -> Table:
    """Draw the findings, causes first, consequences indented; readable on 80 columns.

    Evidence and remedy share a column, because five columns would leave 15 characters for each of them.
    """
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("severity", no_wrap=True)
    table.add_column("code", no_wrap=True)
    table.add_column("sure", no_wrap=True, justify="right")
    table.add_column("first evidence and what to do", overflow="fold")
    if diagnosis.failure is not None:
        table.add_row(Text("error", STYLES["error"]), "", "", Text(f"{WORDS['failure']}: {line(diagnosis.failure)}"))
    told = set[str]()
    for finding in diagnosis.findings:
        cure = "as above" if finding.code in told else remedy(finding.code, "en", finding.subject)
        told.add(finding.code)
        table.add_row(*cells(finding, f"{evidence(finding)}\n-> {cure}"))
        for consequence in finding.consequences:
            new = [*new_evidence(consequence, finding), "same numbers"]
            table.add_row(*cells(consequence, line(short(new[0])), indent="  "))
    table.add_section()
    table.add_row("", "", "", Text(last_line(diagnosis)))
    return table


def cells(finding: Finding, text: str, indent: str = "") -> tuple[Text, Text, Text, Text]:
    """One row; Text, because evidence may hold what rich takes for markup."""
    return (
        Text(WORDS[f"severity.{finding.severity}"], STYLES[finding.severity]),
        Text(indent + finding.code),
        Text(f"{finding.confidence:.0%}"),
        Text(text),
    )


def evidence(finding: Finding) -> str:
    """The first line of the evidence, after the subject where there is one."""
    numbers = line(short(finding.evidence[0])) if finding.evidence else "no numbers"
    return f"{finding.subject}: {numbers}" if finding.subject else numbers


def last_line(diagnosis: Diagnosis) -> str:
    """The verdict, and how much could not be looked for."""
    thin = ", so this says little" if outcome(diagnosis) in ("thin", "unknown") else ""
    return f"verdict {diagnosis.verdict}; not measured: {len(diagnosis.not_measured)} of {len(CODES)} checks{thin}"
