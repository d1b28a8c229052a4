"""Where a record can be: the same tests run on each.

A module names its places: `pytestmark = at(*DATABASES)`. Other modules have their records in files.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers import PostgreSQL, query

DATABASES = ("sqlite", "postgresql")


def at(*kinds: str) -> pytest.MarkDecorator:
    """Run the tests of a module on these kinds of places: sqlite, postgresql, server (MLflow's)."""
    return pytest.mark.parametrize("place", kinds, indirect=True)


@dataclass(frozen=True)
class Place:
    """The addresses of a record and the name of its experiment."""

    kind: str
    tracking_uri: str = ""
    storage: str = ""
    experiment: str = "taehv"

    @property
    def changes(self) -> list[str]:
        """The --set values that name this place."""
        return [
            f"tracking.uri={self.tracking_uri}",
            f"search.storage={self.storage}",
            f"tracking.experiment={self.experiment}",
        ]


def make_schemas(server: PostgreSQL) -> None:
    """Make the two databases that tests copy: MLflow needs seconds for its schema, a copy takes none."""
    from search.storage import open_storage
    from tracking.postgresql import one_schema_at_a_time
    from tracking.store import connect

    with one_schema_at_a_time(server.make_database("mlflow_blank"), "MLflow") as url:
        connect(url).search_experiments(max_results=1)
    with TemporaryDirectory() as root:
        open_storage(Path(root), server.make_database("optuna_blank"), print)
    # A database that somebody is connected to cannot be copied.
    query(
        server.address("postgres"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE '%_blank'",
    )


def databases_of_a_test(server: PostgreSQL) -> Iterator[Place]:
    """Two databases of a test's own, gone with it."""
    name = uuid.uuid4().hex[:8]
    tracking, storage = f"mlflow_{name}", f"optuna_{name}"
    yield Place(
        "postgresql",
        server.make_database(tracking, like="mlflow_blank"),
        server.make_database(storage, like="optuna_blank"),
    )
    for database in (tracking, storage):
        server.drop_database(database)  # with the connections that were left open
