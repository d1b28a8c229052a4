"""PostgreSQL as a place of records."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import NullPool

from tracking.address import engine_url

#: Number of the lock that a process holds in a database while it makes tables there; any number that nobody else takes.
SCHEMA_LOCK = 5_401_938_627


@contextmanager
def one_schema_at_a_time(address: str) -> Iterator[str]:
    """Hold a lock of the database, on whatever machine others are, and give its URL for SQLAlchemy.

    A schema that two make at once breaks (docs/facts.md 4).

    Raises:
        SQLAlchemyError: the database does not answer or refuses.
        ValueError: the driver is not installed.
    """
    url = engine_url(address)
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise ValueError(
            f"a PostgreSQL address needs its driver, but there is none: {error}; pip install 'taehv-search[postgres]'"
        ) from error
    with engine.connect() as connection:
        # The lock belongs to the connection: it goes with it, also when this process is killed.
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": SCHEMA_LOCK})
        connection.commit()
        yield url
