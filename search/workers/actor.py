"""What runs inside a Ray actor: the worker's own code, with a line to the coordinator instead of a pipe.

Neither ray nor torch is imported here: Ray has chosen the device when this runs, and torch comes after that.
"""

import os
from multiprocessing.connection import Client

from search.workers.messages import Assignment
from search.workers.relay import watch_host
from search.workers.worker import work


class Actor:
    """A worker on some node."""

    def work(self, address: tuple[str, int], key: bytes, folder: str, assignment: Assignment) -> None:
        """Serve the coordinator until it closes the line.

        Args:
            address: host and port at which the coordinator waits.
            key: what both know.
            folder: where the command was given; relative paths of the settings begin there.
            assignment: what the worker is for.

        Raises:
            ConnectionError: nobody waits at the address any more.
            FileNotFoundError: the folder is not shared with this node.
        """
        connection = Client(address, authkey=key)
        watch_host(connection)
        os.chdir(folder)
        work(connection, assignment)
