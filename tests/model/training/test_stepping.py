from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.bank import Bank
from model.recipe import Recipe
from model.training.batches import clip_indices, take_batch
from model.training.capture import Captures
from model.training.loop import train
from model.training.state import start_state
from model.training.step import NonFiniteError, take_step
from model.training.stepping import EagerSteps, start_stepping

CPU = torch.device("cpu")

# The compiler looks at it on purpose and hides torch's warning; where warnings are errors it comes first.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


def test_eager_steps_are_take_step(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe("optimizer.max_gradient_norm=0.001")
    stepping = start_stepping(start_state(settings, CPU), settings, bank, None, CPU, Captures())
    state = start_state(settings, CPU)
    for probe in (False, True):
        stepping.take(probe=probe)
        step = take_step(state, take_batch(bank, state.step, settings, CPU), settings, None, probe=probe)
        assert stepping.read().losses == step.losses
        assert stepping.read().probes == step.probes
    assert isinstance(stepping, EagerSteps)
    assert stepping.state.tally.clipped == 2
    assert stepping.state.tally.waited_s > 0


def test_captured_steps_need_cuda(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe("training.execution=captured")
    with pytest.raises(ValueError, match=r'needs CUDA, but the device is cpu; set training.execution = "auto"'):
        start_stepping(start_state(settings, CPU), settings, bank, None, CPU, Captures())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_captured_training_measures_probes_resumes_and_names_its_nan(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    cuda, captures = torch.device("cuda"), Captures()
    settings = recipe(
        "training.steps=6", f"data.cache_dir={tmp_path / 'cache'}", "training.probe_every=3", "training.checkpoint_every=4",
        "losses.reconstruction=0.0",
    )  # fmt: skip

    def start(name: str, bank: Bank):
        return train(settings, bank, perceptual=None, device=cuda, folder=tmp_path / name, captures=captures)

    whole = list(start("whole", bank))
    assert [step.step for step in whole if "input/max" in step.values] == [3, 6]
    assert [step.step for step in whole if "loss/reconstruction" in step.values] == [3, 6]
    steps = start("broken", bank)
    assert [next(steps).step for _ in range(5)] == [1, 2, 3, 4, 5]
    steps.close()
    resumed = list(start("broken", bank))
    assert [step.step for step in resumed] == [5, 6]
    assert resumed[-1].values["loss/total"] == pytest.approx(whole[-1].values["loss/total"], rel=1e-2)
    assert resumed[-1].values["weights/change"] == pytest.approx(whole[-1].values["weights/change"], rel=0.1)

    latents = bank.training_latents.clone()
    latents[clip_indices(1, len(latents), 2, seed=0)[0], 1] = float("nan")
    with pytest.raises(NonFiniteError, match=r"at step 2 encoder = nan"):
        list(start("nan", replace(bank, training_latents=latents)))
