"""Where a record can be besides a file: a PostgreSQL database or an MLflow server, named by its URL."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

POSTGRESQL = ("postgresql://", "postgresql+psycopg://")
SERVER = ("http://", "https://")

#: Seconds until a machine that does not answer at all counts as away.
CONNECT_LIMIT_S = 10


def is_server(address: str) -> bool:
    """Whether an address is that of an MLflow server."""
    return address.startswith(SERVER)


def require_address(address: str, *, server: bool) -> str:
    """Return an address without its last slash; "" stands for an SQLite file.

    Args:
        address: of a database, or of a server where `server` allows one.
        server: whether an MLflow server may be meant.

    Raises:
        ValueError: it has another form, or lacks its database. A password in it is not repeated.
    """
    if server and is_server(address) and parsed(address).password:
        raise ValueError(
            f"the password of an MLflow server must stand in MLFLOW_TRACKING_PASSWORD, its user in MLFLOW_TRACKING_USERNAME, but "
            f"{without_password(address)} was given one; take it out of the address"
        )
    if not address or (server and is_server(address) and parsed(address).host):
        return address.rstrip("/")
    if address.startswith(POSTGRESQL) and has_database(parsed(address)):
        return address
    forms = "empty (SQLite) or postgresql://USER@HOST/DATABASE" + (" or http://HOST:PORT" if server else "")
    raise ValueError(f"an address must be {forms}, but is {without_password(address)}; write it so")


def has_database(url: URL) -> bool:
    """Whether a URL names a host, or the folder of a host's socket, and a database."""
    return bool((url.host or url.query.get("host")) and url.database)


def parsed(address: str) -> URL:
    """The parts of an address."""
    try:
        return make_url(address)
    except (ArgumentError, ValueError) as error:
        raise ValueError(
            "an address must be a URL such as postgresql://USER@HOST:5432/DATABASE, but this one cannot be read; "
            "write characters such as @ and / of a password as %40 and %2F"
        ) from error


def without_password(address: str) -> str:
    """An address as it may be shown and recorded."""
    if "://" not in address:
        return address
    url = parsed(address)
    shown = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    query = {name: value for name, value in url.query.items() if name != "password"}
    return shown.set(query=query).render_as_string(hide_password=False)


def engine_url(address: str) -> str:
    """A PostgreSQL address as SQLAlchemy takes it: with its driver, and giving up on a machine that does not answer."""
    url = parsed(address).set(drivername="postgresql+psycopg")
    limits = {"connect_timeout": str(CONNECT_LIMIT_S), "tcp_user_timeout": str(CONNECT_LIMIT_S * 1000)}
    return url.set(query=limits | dict(url.query)).render_as_string(hide_password=False)


def same_database(one: str, other: str) -> bool:
    """Whether two PostgreSQL addresses mean one database."""
    if not (one.startswith(POSTGRESQL) and other.startswith(POSTGRESQL)):
        return False
    first, second = parsed(one), parsed(other)
    return (first.host, first.port or 5432, first.database) == (second.host, second.port or 5432, second.database)
