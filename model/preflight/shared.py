"""What stands on both sides of the split: a score on clips that were trained on says nothing.

Found are equal files, sources with files on both sides, and clips of equal pixels. A copy that was encoded again, or cut a
pixel beside, is not found.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from model.bank import Bank
from model.preflight.report import SharedFile

#: Examples that a report lists.
MOST_LISTED = 20

EQUAL_CONTENT, SAME_SOURCE = "equal content", "same source"


def find_shared(bank: Bank) -> tuple[SharedFile, ...]:
    """Each training file with the validation file that it gives away, then clips of equal pixels."""
    return (*shared_files(bank), *shared_clips(bank))


def shared_files(bank: Bank) -> Iterator[SharedFile]:
    """Compare the manifest's rows; a file that is equal to one is not listed again for its source."""
    rows = bank.facts["manifest"]
    validation = [row for row in rows if row["side"] == "validation"]
    contents = {row["sha256"]: row["name"] for row in reversed(validation)}
    sources = {row["source"]: row["name"] for row in reversed(validation)}
    for row in rows:
        if row["side"] != "training":
            continue
        if row["sha256"] in contents:
            yield SharedFile(row["name"], contents[row["sha256"]], EQUAL_CONTENT)
        elif row["source"] in sources:
            yield SharedFile(row["name"], sources[row["source"]], SAME_SOURCE)


def shared_clips(bank: Bank) -> Iterator[SharedFile]:
    """Compare pixels; clips of one single colour, such as black film ends, are no secret and do not count."""
    validation_keys = keys(bank.validation)
    training_keys = keys(bank.training)
    for place, clip in enumerate(bank.validation):
        if clip.min() == clip.max():
            continue
        for candidate in (training_keys == validation_keys[place]).nonzero().flatten().tolist():
            if torch.equal(bank.training[candidate], clip):
                yield SharedFile(bank.facts["training_names"][candidate], bank.validation_names[place], EQUAL_CONTENT)


def keys(clips: Tensor) -> Tensor:
    """One int64 for each clip, the sum of its bytes taken eight at a time: equal for equal clips, and hardly for others.

    Sides are multiples of 8 px, so that nothing is left over; sums that overflow wrap round. Of single bytes the same sum
    takes 9 s for 4096 clips of 64 px.
    """
    return clips.contiguous().flatten(1).view(torch.int64).sum(dim=1)
