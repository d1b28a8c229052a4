"""The actor's code in a process of its own, as Ray would call it."""

import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from search.preparation import Preparation
from search.settings import Settings, recipe_of
from search.workers.actor import Actor
from search.workers.messages import Assignment, Ready, Supply
from search.workers.relay import answer_call
from tests.commands import ROOT, environment


def test_it_calls_the_coordinator_and_serves_it_until_the_line_is_closed(
    tiny: Callable[..., Settings], prepared_once: Preparation, tmp_path: Path
) -> None:
    assignment = Assignment(recipe_of(tiny()), None, 1, False)
    (tmp_path / "bank").symlink_to(prepared_once.bank.path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        arguments = (Actor(), server.getsockname(), b"key", str(tmp_path), assignment)
        process = get_context("spawn").Process(target=Actor.work, args=arguments)
        process.start()
        with answer_call(server, b"key") as line:
            line.send(Supply(Path("bank"), perceptual=False))  # relative to the command's folder
            assert line.recv() == Ready()
    process.join(60)
    assert process.exitcode == 0


def test_it_is_there_before_torch_and_without_ray() -> None:
    code = "import sys, search.workers.actor; print({'torch', 'ray'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
