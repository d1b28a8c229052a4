import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from model.training.measurement import Measurement
from search.preparation import Preparation
from search.settings import recipe_of
from search.workers.messages import Assignment, Done, Failed, Progress, Ready, Supply, Task
from tests.commands import ROOT, environment


def test_every_message_comes_out_of_the_pipe_as_it_went_in(tiny, prepared_once: Preparation) -> None:
    scores = prepared_once.yardsticks["grey"]
    for message in (
        Assignment(recipe_of(tiny()), "GPU-7d1f", 4, True),
        Supply(Path("bank.safetensors"), perceptual=True),
        Task(3, {"losses.encoder": 0.5, "schedule.kind": "linear"}, Path("running/abc")),
        Ready(),
        Progress(Measurement(2, {"loss/total": 0.5}, scores), asks=True),
        Done(busy_s=9.5),
        Failed("NonFiniteError: at step 2", "Traceback ...", diverged_at=2, busy_s=0.5),
    ):
        assert pickle.loads(pickle.dumps(message)) == message


def test_a_message_cannot_be_changed_on_its_way() -> None:
    with pytest.raises(AttributeError):
        Task(0, {}, Path()).number = 1


def test_a_worker_hears_its_device_before_torch_is_there() -> None:
    code = "import sys, search.workers.worker; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
