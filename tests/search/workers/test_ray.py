"""Real Ray: two nodes on this machine, of which one is killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import psutil
import pytest
import torch
from optuna.trial import TrialState

from search.coordinator import Coordinator
from search.preparation import Preparation
from search.settings import Settings
from search.study import REASON
from search.workers.messages import Failed, Ready, Supply, Task
from tests.commands import ROOT, environment
from tests.search.disturbed import MakeStudy

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install '.[cluster]'")

import search.workers.ray  # noqa: E402 - it imports Ray, whose absence skips this file just above
from search.workers.ray import RayWorker, cluster_workers, joined_cluster  # noqa: E402 - likewise

CPU = torch.device("cpu")

#: The object store of a node, which nothing here uses; Ray takes no less.
STORE = {"object_store_memory": 80 * 2**20}


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster whose head and whose other node have one CPU each."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **STORE})
    cluster.add_node(num_cpus=1, **STORE)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def other_node(cluster: Any) -> Any:
    (other,) = cluster.worker_nodes
    return other


def actors_of(cluster: Any) -> list[psutil.Process]:
    """Processes of this cluster's actors; tests in other processes have clusters of their own."""
    raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
    children = [child for raylet in raylets for child in psutil.Process(raylet).children()]
    return [child for child in children if child.cmdline()[0].startswith("ray::Actor")]


@pytest.mark.long
def test_a_study_that_loses_a_node_finishes_its_ten_trials(two_nodes: Any, make_study: MakeStudy) -> None:
    study = make_study("search.workers=2", "training.device=cpu")
    trained: dict[int, set[int]] = {}
    lost: list[Any] = []

    def lose_a_node(coordinator: Coordinator, number: int, step: int) -> None:
        """Once both workers are in the middle of a trial."""
        if step:
            trained.setdefault(number, set()).add(step)
        running = [slot.running.trial.number for slot in coordinator.slots if slot.running]
        if not lost and len(running) == 2 and all(one in trained for one in running):
            lost.append(other_node(two_nodes))
            two_nodes.remove_node(lost[0], allow_graceful=False)

    before = signal.getsignal(signal.SIGTERM)
    said: list[str] = []
    study.run_with(cluster_workers(study.settings, CPU, two_nodes.address, said.append), 10, lose_a_node)
    assert len(lost) == 1
    assert said[0] == "ray: workers 2, each 1 CPU of a node; nodes 2"
    assert signal.getsignal(signal.SIGTERM) == before
    states = [trial.state for trial in study.trials]
    assert states.count(TrialState.COMPLETE) == 10
    assert TrialState.RUNNING not in states
    (failed,) = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    assert failed.user_attrs[REASON] == "its worker was lost with its process or its node"
    (again,) = [trial for trial in study.trials if trial.user_attrs.get("retry_of") == failed.number]
    assert again.state == TrialState.COMPLETE
    assert again.params == failed.params
    study.assert_records_agree()


@pytest.mark.long
def test_a_worker_on_a_cluster_lives_and_dies_like_a_process(
    two_nodes: Any,
    tiny: Callable[..., Settings],
    prepared_once: Preparation,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    supply = Supply(prepared_once.bank.path, perceptual=False)
    refused = Task(0, {"losses.perceptual": 0.5}, tmp_path)  # answered at once
    settings = tiny("search.workers=2", "training.device=cpu")
    said: SimpleQueue[str] = SimpleQueue()
    with cluster_workers(settings, CPU, two_nodes.address, said.put) as (first, second):
        assert said.get() == "ray: workers 2, each 1 CPU of a node; nodes 2"
        assert isinstance(first, RayWorker)
        first.supply(supply)
        assert first.receive() == Ready()
        first.start(refused)
        assert isinstance(first.receive(), Failed)
        assert first.stop() == 0  # an idle one is let go in order
        assert first.stop() == 0
        assert first not in first.cluster.placed

        third = first.again()
        third.supply(supply)
        assert third.receive() == Ready()
        third.kill()
        with pytest.raises(EOFError):
            third.receive()
        third.start(refused)  # nobody hears it
        assert third.stop() is None

        # A process that is killed from outside is not brought to life again behind the coordinator's back.
        second.supply(supply)
        assert second.receive() == Ready()
        (process,) = actors_of(two_nodes)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(EOFError):
            second.receive()
        assert second.stop() is None

        # An error of its own is printed, as that of a process is.
        fourth = third.again()
        fourth.supply(Supply(tmp_path / "no bank", perceptual=False))
        with pytest.raises(EOFError):
            fourth.receive()
        assert fourth.stop() == 1
        assert "FileNotFoundError" in capfd.readouterr().err

        # While other work holds every CPU there is no place.
        holders = [ray.remote(num_cpus=1)(Holder).remote() for _ in range(2)]
        ray.get([holder.here.remote() for holder in holders])
        fifth = fourth.again()
        monkeypatch.setattr(search.workers.ray, "PLACEMENT_S", 1.0)
        with pytest.raises(
            RuntimeError, match=r"1 CPU of a node, but for 1 s no node had that free; wait for other work"
        ):
            fifth.receive()
        assert fifth.stop() is None

        # Where one has a place, the others wait and say so.
        monkeypatch.undo()
        ray.kill(holders[0])
        sixth = fifth.again()
        sixth.supply(supply)
        assert sixth.receive() == Ready()
        monkeypatch.setattr(search.workers.ray, "PLACEMENT_S", 1.0)
        seventh = sixth.again()
        seventh.supply(supply)
        waiting = "no node had that free; the study goes on with 1 until one has"
        assert said.get(timeout=60) == f"a worker needs 1 CPU of a node, but for 1 s {waiting}"
        assert (sixth.waits_for_place, seventh.waits_for_place) == (False, True)
        ray.kill(holders[1])
        assert seventh.receive() == Ready()
        assert not seventh.waits_for_place
        assert {sixth.stop(), seventh.stop()} == {0}


class Holder:
    """Somebody else's work."""

    def here(self) -> bool:
        return True


@pytest.mark.long
def test_a_cluster_that_is_too_small_is_refused_at_once(two_nodes: Any, tiny: Callable[..., Settings]) -> None:
    settings = tiny("search.workers=3", "training.device=cpu")
    with (
        pytest.raises(
            ValueError, match=r"has 0 GPU and 2 CPU on 2 nodes, room for 2 of 3; set search\.workers=2 or add"
        ),
        cluster_workers(settings, CPU, two_nodes.address, print),
    ):
        pass
    assert not ray.is_initialized()


def test_a_cluster_that_does_not_answer_is_no_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with (
        pytest.raises(RuntimeError, match=rf"none answers at {address}: .*; start one with ray start --head"),
        joined_cluster(address),
    ):
        pass


@pytest.mark.parametrize("address", ["node7", "ray://node7:10001", "node7:port"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValueError, match="--ray-address must be auto or HOST:PORT"), joined_cluster(address):
        pass


def test_without_ray_the_error_names_what_to_install() -> None:
    code = "import sys; sys.modules['ray'] = None; import search.workers.ray"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert "ValueError: --executor ray needs the package ray, but it is not there: " in done.stderr
    assert "pip install '.[cluster]'" in done.stderr
