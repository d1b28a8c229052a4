"""Workers as Ray actors on the nodes of a cluster that is there already; the one importer of ray (Ray core only).

A worker that was placed is the coordinator's to watch and to replace, as on one machine (docs/decisions/0016-ray.md).
"""

import contextlib
import logging
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError, Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from search.settings import Settings
from search.workers.actor import Actor
from search.workers.handle import WorkerHandle
from search.workers.local import LEAVE_S
from search.workers.messages import Assignment
from search.workers.relay import answer_call, relay
from search.workers.room import cluster_assignments, gpus_of_a_worker, needs

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ImportError as error:
    raise ValueError(
        f"--executor ray needs the package ray, but it is not there: {error}; pip install '.[cluster]'"
    ) from error

#: Seconds after which a worker without a place is spoken of, and an error where no other worker has one. Ray itself takes 20 s
#: to see that a node is lost.
PLACEMENT_S = 120.0

#: Seconds between looks at a worker that has no place yet.
POLL_S = 0.5

#: Seconds in which the head of a cluster must answer; Ray alone would try for many minutes.
REACH_S = 10


@dataclass(eq=False)
class Cluster:
    """What the workers of a study share: what each takes, and who of them has a place."""

    num_gpus: float
    say: Callable[[str], None]
    placed: set["RayWorker"] = field(default_factory=set)


class RayWorker(WorkerHandle):
    """An actor on some node; a thread joins its line to a pipe, so that its end is seen as that of a process is."""

    def __init__(self, assignment: Assignment, cluster: Cluster) -> None:
        super().__init__(assignment)
        self.cluster = cluster
        self.connection, pipe = Pipe()
        self._no_place, self._called, self._stopping = "", False, threading.Event()
        self._code: int | None = None
        key, server = secrets.token_bytes(32), socket.create_server((listening_host(), 0))
        server.settimeout(POLL_S)
        # -1: until it calls, losing a node is Ray's to answer. Later the line is gone, and a second life finds nobody to call.
        options = {"num_cpus": 1, "num_gpus": cluster.num_gpus, "max_restarts": -1, "max_task_retries": -1}
        self._actor = ray.remote(Actor).options(**options).remote()
        self._work = self._actor.work.remote(server.getsockname()[:2], key, str(Path.cwd()), assignment)
        self._thread = threading.Thread(target=self._serve, args=(pipe, server, key), daemon=True)
        self._thread.start()

    def _serve(self, pipe: Connection, server: socket.socket, key: bytes) -> None:
        """Wait for the actor's call, then hand on what is said."""
        with pipe:
            with server:
                line = self._wait_for_call(server, key)
            if line is not None:
                self._called = True
                self.cluster.placed.add(self)
                relay(pipe, line)
                self.cluster.placed.discard(self)

    def _wait_for_call(self, server: socket.socket, key: bytes) -> Connection | None:
        """The actor's call; None when it will not come."""
        begun_s, told = time.monotonic(), False
        while not self._stopping.is_set():
            try:
                return answer_call(server, key)
            except TimeoutError:
                pass
            except AuthenticationError as error:
                self.cluster.say(f"a call was refused: {error}")
            if ray.wait([self._work], timeout=0)[0]:  # it ended without a call; `stop` says how
                return None
            if time.monotonic() - begun_s > PLACEMENT_S and not told:
                waits = (
                    f"a worker needs {needs(self.cluster.num_gpus)}, but for {PLACEMENT_S:.0f} s no node had that free"
                )
                if not self.cluster.placed:
                    self._no_place = f"{waits}; wait for other work on the cluster to end, or add nodes"
                    return None
                self.cluster.say(f"{waits}; the study goes on with {len(self.cluster.placed)} until one has")
                told = True
        return None

    @property
    def waits_for_place(self) -> bool:
        """Whether no node has had room for it yet."""
        return not self._called

    def receive(self) -> Any:
        """Return the next message.

        Raises:
            EOFError: the actor has ended, or its node is lost.
            RuntimeError: the cluster had no place for it nor for any other worker.
        """
        try:
            return self.connection.recv()
        except (EOFError, OSError) as error:
            if self._no_place:
                raise RuntimeError(self._no_place) from error
            raise EOFError from error

    def kill(self) -> None:
        """End the actor's process; it is not started again."""
        ray.kill(self._actor, no_restart=True)

    def stop(self) -> int | None:
        """Ask the actor to end, then make it; returns 0, 1 for an error of its own, or None when it was lost or killed."""
        if self._stopping.is_set():
            return self._code
        self._stopping.set()
        self.let_go()
        if ray.wait([self._work], timeout=LEAVE_S if self._called else 0)[0]:
            self._code = code_of(self._work)
        self.kill()
        self._thread.join()
        return self._code

    def again(self) -> "RayWorker":
        """Start another actor for the same assignment, on a node that has room."""
        return RayWorker(self.assignment, self.cluster)


def code_of(work: Any) -> int | None:
    """How an actor's work ended, as an exit code; its own error is printed as a process would print it."""
    try:
        ray.get(work)
    except (ConnectionError, AuthenticationError):
        return None  # its second life on another node, or it called from a node that came later
    except RayTaskError as error:
        print(error, file=sys.stderr)
        return 1
    except RayError as error:
        print(error, file=sys.stderr)
        return None
    return 0


def nodes_alive() -> list[dict[str, Any]]:
    """The nodes of the cluster, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]


def listening_host() -> str:
    """Where this process waits for its workers: nowhere but on this machine, unless the cluster has other ones."""
    here = ray.util.get_node_ip_address()
    return "127.0.0.1" if {node["NodeManagerAddress"] for node in nodes_alive()} == {here} else str(here)


@contextlib.contextmanager
def joined_cluster(address: str) -> Iterator[None]:
    """Be a driver of a running cluster; none is ever started here.

    Raises:
        RuntimeError: there is none at the address.
        ValueError: the address is not one.
    """
    host, colon, port = address.rpartition(":")
    if address != "auto" and not (colon and port.isdecimal() and "/" not in host):
        raise ValueError(f"--ray-address must be auto or HOST:PORT of the cluster's head, but is '{address}'")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), timeout=REACH_S).close()
        ray.init(address, log_to_driver=False, logging_level=logging.WARNING)
    except OSError as error:
        raise RuntimeError(
            f"--executor ray needs a running cluster, but none answers at {address}: {error}; start one with ray start --head"
        ) from error
    finally:
        for (
            number,
            handler,
        ) in before.items():  # Ray takes SIGTERM for itself, but what it means is this command's to say
            signal.signal(number, handler)
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def cluster_workers(
    settings: Settings, device: torch.device, address: str, say: Callable[[str], None]
) -> Iterator[list[WorkerHandle]]:
    """Start the workers of a study on a cluster; at the end of the block all have ended, however it is left.

    Args:
        settings: of the study.
        device: of this machine; the workers take the same kind.
        address: HOST:PORT of the cluster's head, or "auto" for the one that this machine is a node of.
        say: prints a line.

    Raises:
        ValueError: the cluster is too small, or numbers of workers contradict each other.
        RuntimeError: there is no cluster at the address.
    """
    with joined_cluster(address):
        nodes = [node["Resources"] for node in nodes_alive()]
        wanted = cluster_assignments(settings, device, nodes)
        cluster = Cluster(gpus_of_a_worker(settings, device), say)
        say(f"ray: workers {len(wanted)}, each {needs(cluster.num_gpus)}; nodes {len(nodes)}")
        workers: list[WorkerHandle] = []
        try:
            for assignment in wanted:
                workers.append(RayWorker(assignment, cluster))
            yield workers
        finally:
            for worker in workers:
                worker.stop()
