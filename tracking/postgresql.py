"""PostgreSQL as a place of records."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import NullPool

from tracking.address import engine_url, without_password

#: Number of the lock that a process holds in a database while it makes tables there; any number that nobody else takes.
SCHEMA_LOCK = 5_401_938_627


#: A table by which the database of each is known. Both keep another table of one name, so none may open the other's.
TABLES = {"MLflow": "experiments", "Optuna": "studies"}


@contextmanager
def one_schema_at_a_time(address: str, owner: str) -> Iterator[str]:
    """Hold a lock of the database, on whatever machine others are, and give its URL for SQLAlchemy.

    A schema that two make at once breaks (docs/facts.md 4).

    Args:
        address: of the database.
        owner: whose tables will be made, MLflow's or Optuna's.

    Raises:
        SQLAlchemyError: the database does not answer or refuses.
        ValueError: the driver is not installed, or the database is the other one's.
    """
    url = engine_url(address)
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise ValueError(
            f"a PostgreSQL address needs its driver, but there is none: {error}; pip install 'psycopg[binary]'"
        ) from error
    with engine.connect() as connection:
        # The lock belongs to the connection: it goes with it, also when this process is killed.
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": SCHEMA_LOCK})
        for other, table in TABLES.items():
            if other != owner and connection.execute(text("SELECT to_regclass(:table)"), {"table": table}).scalar():
                raise ValueError(
                    f"{owner} needs a database of its own, but {without_password(address)} is {other}'s; "
                    "make another with createdb"
                )
        connection.commit()
        yield url
