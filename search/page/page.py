"""The page of a study: its sections in the order in which a person asks."""

from search.page import fidelity, frame
from search.page.evidence import PageEvidence
from search.page.sections import curves, findings, parameters, pictures, promotion, ranking, shares, verdict


def to_html(page: PageEvidence) -> str:
    """Return the page as one file that opens without a network."""
    sections = [
        ("verdict", "Verdict", verdict.section(page)),
        ("ranking", "Ranking", ranking.section(page)),
        ("history", "Score by trial", curves.history_section(page)),
        ("curves", "Curves", curves.curves_section(page)),
        ("parallel", "Parameters and score", parameters.parallel_section(page)),
        ("importances", "Importance of parameters", parameters.importance_section(page)),
        ("slices", "Each parameter alone", parameters.slices_section(page)),
        ("interaction", "The two that matter most", parameters.interaction_section(page)),
        ("shares", "Shares of the losses", shares.section(page)),
        ("pictures", "Pictures", pictures.section(page)),
        ("diagnosis", "Diagnosis", findings.diagnosis_section(page)),
        ("noise", "Edge of the space and noise", findings.noise_section(page)),
        ("fidelity", "Short against long trainings", fidelity.section(page.fidelity)),
        ("promotion", "Promotion and full run", promotion.section(page)),
        ("provenance", "Where it comes from", findings.provenance_section(page)),
    ]
    return frame.page(f"study {page.name}", sections)
