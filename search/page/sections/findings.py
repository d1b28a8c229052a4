"""What the diagnoses say: of the study, of its trials, and of the edge of the space and the noise."""

from collections import Counter

from search.page.evidence import PageEvidence
from search.page.frame import escape, paragraph, table
from search.page.gains import seed_noise
from tracking.diagnosis.findings import Finding
from tracking.diagnosis.texts import remedy, title

#: Findings about the study itself, which have a section of their own.
OF_SEARCH = ("search.edge_of_space", "search.noise_floor")
#: Reasons of failed trials that are named.
SHOWN_FAILURES = 10


def diagnosis_section(page: PageEvidence) -> str:
    """The study's findings, how many trials have which verdict and which findings, and why trials failed."""
    findings = [finding for finding in page.diagnosis.findings if finding.code not in OF_SEARCH]
    verdicts = Counter(verdict for verdict in page.verdicts.values() if verdict)
    parts = [finding_table(findings) if findings else paragraph("Nothing was found in the study's own evidence.")]
    missing = page.diagnosis.not_measured
    if missing:
        parts.append(paragraph(f"Not measured, so not known to be fine: {', '.join(missing)}.", "dim"))
    if verdicts:
        told = ", ".join(
            f"{verdicts[verdict]} {verdict}" for verdict in ("ok", "warning", "error") if verdicts[verdict]
        )
        parts.append(paragraph(f"Diagnoses of the trials: {told}."))
    codes = Counter(code for codes in page.frequent.values() for code in codes)
    if codes:
        rows = [[code, title(code, "en"), str(number)] for code, number in codes.most_common()]
        parts.append(f"<h3>Findings in the best {len(page.frequent)} trials</h3>")
        parts.append(f'<div class="words">{table(["code", "what it means", "trials"], rows)}</div>')
    return "".join(parts) + failures(page)


def failures(page: PageEvidence) -> str:
    """Why trials failed or diverged; empty where none did."""
    if not page.failures:
        return ""
    rows = [[str(number), reason] for number, reason in list(page.failures.items())[-SHOWN_FAILURES:]]
    rest = len(page.failures) - len(rows)
    more = paragraph(f"{rest} earlier ones are left out.", "dim") if rest else ""
    return f'<h3>Trials that failed or diverged</h3><div class="words">{table(["trial", "reason"], rows)}</div>{more}'


def noise_section(page: PageEvidence) -> str:
    """Whether the best settings lie at the edge of the space, and whether the ranking is more than noise."""
    findings = [finding for finding in page.diagnosis.findings if finding.code in OF_SEARCH]
    measured = [code for code in OF_SEARCH if code not in page.diagnosis.not_measured]
    parts = [finding_table(findings)] if findings else []
    if "search.edge_of_space" not in measured:
        parts.append(paragraph("Edge of the space: not judged, too few complete trials."))
    elif not any(finding.code == "search.edge_of_space" for finding in findings):
        parts.append(paragraph("Edge of the space: the best settings lie inside every searched range."))
    noise = seed_noise(page.repeats)
    if noise is None:
        why = "no settings were trained with several fresh seeds for a trial's number of steps"
        parts.append(paragraph(f"Noise between seeds: not measured; {why}."))
    else:
        rows = [[str(number), ", ".join(f"{value:.2f}" for value in values)] for number, values in page.repeats.items()]
        parts.append(
            paragraph(f"Noise between seeds: two trainings of one setting differ by {noise:.2f} dB (one deviation).")
        )
        parts.append(table(["trial", "PSNR in dB by fresh seed"], rows))
    return "".join(parts)


def finding_table(findings: list[Finding]) -> str:
    """Findings with evidence and remedy, causes first."""
    rows = [
        [
            finding.severity,
            f"{title(finding.code, 'en', finding.subject)} ({finding.code}, confidence {finding.confidence:.0%})",
            "; ".join(finding.evidence),
            remedy(finding.code, "en", finding.subject),
        ]
        for finding in findings
    ]
    return f'<div class="words">{table(["severity", "finding", "evidence", "what to do"], rows)}</div>'


def provenance_section(page: PageEvidence) -> str:
    """Where the study comes from and the commands that make it again."""
    lines = table(["what", "value"], [list(line) for line in page.provenance])
    commands = "".join(f"<p>{escape(what)}:</p><pre>{escape(command)}</pre>" for what, command in page.commands)
    return f'<div class="words">{lines}</div><h3>To make it again</h3>{commands}'
