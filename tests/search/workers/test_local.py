"""A real process, since all of this is about how one lives and dies."""

import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path

import psutil
import pytest

from search.preparation import Preparation
from search.settings import Settings, recipe_of
from search.workers.local import MALLOC, MESSAGE_S, LocalWorker, give_up_after, started_workers
from search.workers.messages import Assignment, Failed, Ready, Supply, Task

#: Settings that are refused before a training begins: the worker answers at once.
REFUSED = {"losses.perceptual": 0.5}


@pytest.fixture
def worker(tiny: Callable[..., Settings], prepared_once: Preparation) -> Iterator[LocalWorker]:
    started = LocalWorker(Assignment(recipe_of(tiny()), None, 1, False))
    started.supply(Supply(prepared_once.bank.path, perceptual=False))
    yield started
    started.process.kill()


def test_a_process_serves_until_it_is_killed_and_says_what_killed_it(worker: LocalWorker, tmp_path: Path) -> None:
    assert worker.receive() == Ready()
    assert worker.process.pid != os.getpid()
    assert MALLOC.items() <= psutil.Process(worker.process.pid).environ().items()
    assert not MALLOC.keys() & os.environ.keys()  # other processes that this one starts are not meant
    for number in (0, 1):
        worker.start(Task(number, REFUSED, tmp_path))
        answer = worker.receive()
        assert isinstance(answer, Failed)
        assert "LPIPS" in answer.reason

    # Ctrl-C reaches the whole group, and what it means is the coordinator's to say.
    assert worker.process.pid is not None
    os.kill(worker.process.pid, signal.SIGINT)
    worker.start(Task(2, REFUSED, tmp_path))
    assert isinstance(worker.receive(), Failed)

    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.join()
    worker.start(Task(3, REFUSED, tmp_path))  # nobody hears it: not an error here, the end of the pipe tells
    worker.answer(True)
    with pytest.raises(EOFError):
        worker.receive()
    assert worker.stop() == -signal.SIGKILL


def test_an_idle_process_is_let_go_in_order(worker: LocalWorker) -> None:
    """Ended by a signal, it would leave behind what only its end gives back (semaphores), and Python says so on the screen."""
    assert worker.receive() == Ready()
    assert worker.stop() == 0


def test_a_process_that_ends_in_the_middle_of_a_message_has_ended(worker: LocalWorker) -> None:
    ours, theirs = Pipe()
    os.write(theirs.fileno(), struct.pack("!i", 1000) + b"a message is a length and as many bytes")
    theirs.close()
    worker.connection = ours
    worker.process.kill()
    with pytest.raises(EOFError):
        worker.receive()


def test_a_process_that_stands_still_in_the_middle_of_a_message_is_ended(worker: LocalWorker) -> None:
    ours, theirs = Pipe()
    os.write(theirs.fileno(), struct.pack("!i", 1000) + b"a message is a length and as many bytes")
    give_up_after(ours, 0.1)
    worker.connection = ours
    assert worker.process.is_alive()
    with theirs, pytest.raises(EOFError):
        worker.receive()
    assert worker.stop() == -signal.SIGKILL


def test_whole_messages_may_be_as_late_as_they_like(worker: LocalWorker) -> None:
    """The limit is for the rest of a message: whoever waits for the next one asks `wait` first."""
    assert worker.receive() == Ready()
    line = socket.socket(fileno=os.dup(worker.connection.fileno()))
    seconds, _ = struct.unpack("ll", line.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))
    line.close()
    assert seconds == MESSAGE_S
    worker.start(Task(0, REFUSED, Path()))
    assert wait([worker.connection]) == [worker.connection]
    assert isinstance(worker.receive(), Failed)


def test_started_workers_have_ended_after_the_block_whatever_happens_in_it(
    tiny: Callable[..., Settings], prepared_once: Preparation
) -> None:
    assignment = Assignment(recipe_of(tiny()), None, 1, False)
    processes: list[psutil.Process] = []

    def be_refused() -> None:
        with started_workers([assignment] * 2) as workers:
            processes.extend(psutil.Process(worker.process.pid) for worker in workers)
            raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        be_refused()
    assert len(processes) == 2
    assert not any(process.is_running() for process in processes)


def test_stopping_ends_a_process_that_is_busy(worker: LocalWorker) -> None:
    assert worker.process.pid is not None
    process = psutil.Process(worker.process.pid)
    assert worker.stop() in (-signal.SIGTERM, 0)  # 0: it saw the end of the pipe first
    assert not process.is_running()
