"""How far each candidate leads each baseline, at a level that allows for the number of candidates."""

from collections.abc import Mapping, Sequence

from search.promotion.comparison import CONFIDENCE, Difference, Pairs, compare, pair
from search.promotion.confirmation import Confirmed

#: Of each candidate's number, the difference from each baseline by its label.
Leads = dict[int, dict[str, Difference]]


def leads_of(confirmed: Sequence[Confirmed], sources: Mapping[str, str], resamples: int) -> Leads:
    """Compare every candidate with every baseline at the longer number of steps.

    Of several candidates one may beat the baselines by luck, so their levels are those of Holm (A simple sequentially rejective
    multiple test procedure, 1979): of m candidates the one that is surest gets 1 - 5 %/m, the next 1 - 5 %/(m - 1), and so on
    up to the first that does not lead; those after it get that one's level. Several baselines need no correction: a candidate
    must beat each of them (Berger: Multiparameter hypothesis testing and acceptance sampling, 1982).

    Args:
        confirmed: candidates and baselines with repeats of the same seeds.
        sources: of the validation clips, by the clips' names.
        resamples: of the bootstrap over sources.
    """
    pairs = {
        one.candidate.trial: {
            other.candidate.label: pair(one.long, other.long, sources) for other in confirmed if other.is_baseline
        }
        for one in confirmed
        if not one.is_baseline
    }
    return {
        trial: {label: compare(each, resamples, confidence) for label, each in pairs[trial].items()}
        for trial, confidence in holm(pairs, resamples).items()
    }


def holm(pairs: Mapping[int, Mapping[str, Pairs]], resamples: int) -> dict[int, float]:
    """The confidence of each candidate's intervals."""
    chances = {
        trial: max((each.chance(resamples) for each in against.values()), default=0.0)
        for trial, against in pairs.items()
    }
    found: dict[int, float] = {}
    level, leads = 1 - CONFIDENCE, True
    for place, trial in enumerate(sorted(chances, key=chances.__getitem__)):
        if leads:
            level = (1 - CONFIDENCE) / (len(chances) - place)
        found[trial] = 1 - level
        leads = leads and chances[trial] <= level
    return found


def closest(differences: Mapping[str, Difference]) -> tuple[str, Difference] | None:
    """The baseline that is beaten least surely, and the lead over it; None where there is no baseline."""
    if not differences:
        return None
    return min(differences.items(), key=lambda item: item[1].surely)
