from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.recipe import Recipe
from model.training import regions
from model.training.batches import Batch
from model.training.capture import (
    Captures,
    compile_step,
    noise_feed,
    open_feed_of,
    prepare_step,
    serves,
    weighted_names,
    without_numbers,
)
from model.training.loop import train
from model.training.state import start_state
from model.training.step import take_step
from model.training.stepping import CapturedSteps, EagerSteps

CPU = torch.device("cpu")

# The compiler looks at it on purpose and hides torch's warning; where warnings are errors it comes first.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


def test_trials_that_differ_in_numbers_share_a_capture_and_others_do_not(recipe: Callable[..., Recipe]) -> None:
    numbers = (
        "losses.encoder=3.0", "losses.critic_learning_rate=0.1", "optimizer.learning_rate=0.1", "schedule.kind=constant",
        "optimizer.max_gradient_norm=0", "training.seed=7", "training.steps=99", "training.average_share=0.5",
        "training.log_every=3",
    )  # fmt: skip
    assert without_numbers(recipe(*numbers)) == without_numbers(recipe())
    for other in (
        "network.width=0.25", "losses.critic_group_frames=1", "losses.replay_mib=2", "optimizer.beta2=0.9",
        "optimizer.weight_decay=0.5", "training.batch_size=3", "losses.perceptual_frames=2",
    ):  # fmt: skip
        assert without_numbers(recipe(other)) != without_numbers(recipe()), other


@pytest.mark.parametrize(
    ("captured", "wanted", "good"),
    [
        (("encoder", "decoder", "reconstruction", "perceptual", "seraena"), ("encoder", "decoder", "seraena"), True),
        (("encoder", "decoder"), ("encoder", "decoder"), True),
        (("encoder", "decoder"), ("encoder", "seraena"), False),  # never computed
        (
            ("encoder", "decoder"),
            ("encoder",),
            False,
        ),  # the decoder's weights would decay, although nothing trains them
    ],
)
def test_a_step_serves_fewer_losses_that_reach_the_same_parts(
    captured: tuple[str, ...], wanted: tuple[str, ...], good: bool
) -> None:
    assert serves(captured, wanted) is good


def test_the_parts_that_are_compiled_can_be_traced_as_wholes(
    recipe: Callable[..., Recipe], larger_bank: Bank, lpips: Perceptual, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without code generation: a call that the compiler cannot follow is an error, and the values are the same."""
    settings = recipe("losses.perceptual=0.5", "data.crop_px=32")
    names = weighted_names(settings)
    plain, traced = (prepare_step(settings, open_feed_of(larger_bank, settings, CPU), lpips, names) for _ in range(2))
    monkeypatch.setattr(regions, "COMPILER", {"fullgraph": True, "dynamic": False, "backend": "eager"})
    compile_step(traced, settings)
    for step in (plain, traced):
        step()
        step()
    assert traced.read(0.0)[0].losses == pytest.approx(plain.read(0.0)[0].losses, rel=1e-5)


def test_trainings_begin_from_one_state_that_none_of_them_moves(recipe: Callable[..., Recipe], batch: Batch) -> None:
    captures, own = Captures(), start_state(recipe("training.seed=9"), CPU)
    for changes in ((), ("optimizer.learning_rate=2e-3", "losses.critic_learning_rate=3e-3"), ("training.seed=4",)):
        settings = recipe(*changes)
        expected = start_state(settings, CPU)
        own.become(captures.begin(settings, CPU))
        for _ in range(2):
            for state in (own, expected):
                take_step(state, batch, settings, None, probe=True)
                state.tally.add(1.0)
        torch.testing.assert_close(own.state_dict(), expected.state_dict(), rtol=0, atol=0)
    kept = captures.begin(recipe(), CPU)
    assert kept is captures.begin(recipe("losses.encoder=9.0"), CPU)
    assert kept is not captures.begin(recipe("network.width=0.25"), CPU)


def test_noise_has_the_shapes_of_the_bank(recipe: Callable[..., Recipe], bank: Bank) -> None:
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        feed = noise_feed(recipe(f"training.precision={precision}"), CPU)
        assert (feed.clips.shape[1:], feed.clips.dtype) == (bank.training.shape[1:], torch.uint8)
        assert (feed.latents.shape[1:], feed.latents.dtype) == (bank.training_latents.shape[1:], dtype)
        assert len(feed.clips) == len(feed.latents) == recipe().training.batch_size


def movement(weights: list[Tensor], start: list[Tensor]) -> Tensor:
    return torch.cat([(now - before).flatten() for now, before in zip(weights, start, strict=True)])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_20_captured_steps_are_20_eager_ones_but_for_bfloat16(
    recipe: Callable[..., Recipe], larger_bank: Bank, tmp_path: Path
) -> None:
    """The tolerance is what bfloat16 itself does: how far eager steps in bfloat16 end from eager steps in float32.

    Compiled kernels round in another order, which is noise of the same kind. Adam turns it into whole steps wherever a
    gradient is near 0, so that weights are compared as vectors: by the length of their difference over that of the way
    they went.
    """
    cuda = torch.device("cuda")
    common = ("training.steps=20", "data.crop_px=32", "network.width=0.5", f"data.cache_dir={tmp_path}")
    start = [weights.detach().clone() for weights in start_state(recipe(*common), cuda).model.parameters()]
    ways, losses = {}, {}
    for name, precision in (("float32", "float32"), ("eager", "bfloat16"), ("captured", "bfloat16")):
        settings = recipe(*common, f"training.precision={precision}")
        state = start_state(settings, cuda)
        if name == "captured":
            captured = Captures().find(settings, larger_bank, None, cuda)
            stepping = CapturedSteps(captured, state, settings, larger_bank, None, cuda)
        else:
            stepping = EagerSteps(state, settings, larger_bank, None, cuda)
        totals = []
        for _ in range(20):
            stepping.take(probe=False)
            totals.append(stepping.read().total)
        ways[name] = movement([weights.detach() for weights in stepping.state.model.parameters()], start)
        losses[name] = torch.tensor(totals)
    apart = {name: float((ways[name] - ways["eager"]).norm() / ways["eager"].norm()) for name in ways}
    print(apart, {name: float((losses[name] / losses["eager"] - 1).abs().max()) for name in losses})
    assert apart["captured"] <= 1.2 * apart["float32"]
    assert losses["captured"].tolist() == pytest.approx(losses["eager"].tolist(), rel=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trials_share_one_capture_and_do_not_hear_of_each_other(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    """The same trial before and after another one, a probe and an evaluation in it: the same bits."""
    cuda, captures = torch.device("cuda"), Captures()
    first = recipe("training.steps=6", "training.probe_every=2", f"data.cache_dir={tmp_path}")
    captures.prepare(first, lambda: None, cuda)
    other = recipe("training.steps=6", f"data.cache_dir={tmp_path}", "training.seed=3", "losses.encoder=9.0")
    measured = [
        [step.values["loss/total"] for step in train(settings, bank, perceptual=None, device=cuda, captures=captures)]
        for settings in (first, other, first, first)
    ]
    assert measured[3] == measured[2] == measured[0]
    assert measured[1] != pytest.approx(measured[0], rel=0.1)
    assert len(captures._kept) == 1
