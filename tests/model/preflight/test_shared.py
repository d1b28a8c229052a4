from dataclasses import replace
from typing import Any

import torch

from model.bank import Bank
from model.preflight.report import SharedFile
from model.preflight.shared import find_shared


def row(name: str, side: str, sha256: str, source: str) -> dict[str, Any]:
    return {"name": name, "side": side, "sha256": sha256, "source": source}


def with_files(bank: Bank, *rows: dict[str, Any]) -> Bank:
    return replace(bank, facts=bank.facts | {"manifest": list(rows)})


def test_the_demo_shares_nothing(bank: Bank) -> None:
    assert find_shared(bank) == ()


def test_equal_content_and_equal_sources_are_named_once_each(bank: Bank) -> None:
    found = find_shared(
        with_files(
            bank,
            row("a/1.mp4", "training", "11", "a"),
            row("a/2.mp4", "training", "22", "a"),
            row("b/1.mp4", "training", "33", "b"),
            row("c/copy of a1.mp4", "validation", "11", "c"),
            row("a/3.mp4", "validation", "44", "a"),
        )
    )
    assert found == (
        SharedFile("a/1.mp4", "c/copy of a1.mp4", "equal content"),
        SharedFile("a/2.mp4", "a/3.mp4", "same source"),
    )


def test_a_validation_clip_among_the_training_clips_is_found(bank: Bank) -> None:
    training = bank.training.clone()
    training[3] = bank.validation[2]
    names = bank.facts["training_names"]
    assert find_shared(replace(bank, training=training)) == (
        SharedFile(names[3], bank.validation_names[2], "equal content"),
    )


def test_clips_of_equal_sums_and_other_pixels_are_no_copies(bank: Bank) -> None:
    training = bank.training.clone()
    # Blocks of eight bytes in another order have the same sum.
    blocks = bank.validation[2].flatten().view(-1, 8)
    training[3] = blocks.flip(0).flatten().view_as(training[3])
    assert find_shared(replace(bank, training=training)) == ()


def test_black_clips_are_no_leak(bank: Bank) -> None:
    training, validation = bank.training.clone(), bank.validation.clone()
    training[0], validation[0] = torch.zeros_like(training[0]), torch.zeros_like(validation[0])
    assert find_shared(replace(bank, training=training, validation=validation)) == ()
