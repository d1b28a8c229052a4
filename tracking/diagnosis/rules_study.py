"""Rules about a study: whether its space holds the best settings, whether its ranking is more than luck."""

import math
import statistics

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding
from tracking.diagnosis.texts import finding

#: The table of conf.toml that a searched number belongs to.
SPACE = "search.space"


def edge_of_space(evidence: Evidence) -> list[Finding] | None:
    """A number of the best trial lies near a bound of [search.space] on a logarithmic scale, after enough trials."""
    study = evidence.study
    if study is None or study.num_trials < limit.EDGE_TRIALS:
        return None
    findings = []
    for name, (low, high) in study.space.items():
        value = study.best.get(name, 0.0)
        if value <= 0:  # left out, so not on the logarithmic scale
            continue
        place = math.log(value / low) / math.log(high / low)
        bound = "low" if place < limit.EDGE_SHARE else "high" if place > 1 - limit.EDGE_SHARE else None
        if bound is not None:
            numbers = (
                f"{name} = {value:.3g} lies at {place:.0%} of {SPACE}.{name} = [{low:g}, {high:g}] "
                f"(logarithmic scale, best of {study.num_trials} trials)",
            )
            findings.append(finding("search.edge_of_space", "warning", 0.6, numbers, f"{SPACE}.{name}"))
    return findings


def noise_floor(evidence: Evidence) -> list[Finding] | None:
    """The best score leads the second by less than two draws of the same settings differ between seeds (confirmations)."""
    study = evidence.study
    if study is None or len(study.top_scores) < 2:
        return None
    spreads = [statistics.stdev(scores) for scores in (study.seed_scores or {}).values() if len(scores) > 1]
    if not spreads:
        return None
    # Two trials of one seed each: the difference of two draws has sqrt(2) times their deviation.
    noise = math.sqrt(2) * math.sqrt(statistics.fmean(spread**2 for spread in spreads))
    lead = study.top_scores[0] - study.top_scores[1]
    if lead >= noise:
        return []
    numbers = (
        f"lead of the best trial = {lead:.2f} in score < {noise:.2f} = sqrt(2) * deviation between seeds "
        f"({sum(map(len, (study.seed_scores or {}).values()))} repeats)",
    )
    return [finding("search.noise_floor", "warning", 0.8, numbers)]
