import pytest

from tracking.address import engine_url, is_server, require_address, same_database, without_password


@pytest.mark.parametrize(
    "address",
    [
        "",
        "postgresql://me@host/taehv",
        "postgresql+psycopg://me:secret@host:5433/taehv?sslmode=require",
        "postgresql:///taehv?host=/run/postgresql",
        "http://127.0.0.1:5000",
        "https://mlflow.example/taehv",
    ],
)
def test_what_is_an_address(address: str) -> None:
    assert require_address(address, server=True) == address


def test_the_last_slash_of_a_server_goes() -> None:
    assert require_address("http://host:5000/", server=True) == "http://host:5000"


@pytest.mark.parametrize(
    ("address", "server", "message"),
    [
        (
            "mlruns/mlflow.db",
            True,
            r"must be empty \(SQLite\) or postgresql://.* or http://.*, but is mlruns/mlflow.db",
        ),
        (
            "http://host:5000",
            False,
            r"must be empty \(SQLite\) or postgresql://USER@HOST/DATABASE, but is http://host:5000",
        ),
        ("mysql://me:secret@host/taehv", True, r"but is mysql://me@host/taehv"),
        ("postgresql://me:secret@host", True, r"but is postgresql://me@host;"),
        ("postgresql://me:sec/ret@host:x/taehv", True, r"cannot be read; .* %40 and %2F"),
        ("http://me:secret@host", True, r"must stand in MLFLOW_TRACKING_PASSWORD.* but http://me@host"),
    ],
)
def test_what_is_none_is_said_without_its_password(address: str, server: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        require_address(address, server=server)
    assert "sec" not in str(error.value)


def test_a_password_goes_wherever_it_stands() -> None:
    shown = without_password("postgresql://me:p%40ss@host:5433/taehv?password=p&sslmode=require")
    assert shown == "postgresql://me@host:5433/taehv?sslmode=require"
    assert (without_password(""), without_password("mlflow.db")) == ("", "mlflow.db")


def test_the_driver_and_the_limits_are_added_and_what_is_given_stays() -> None:
    assert engine_url("postgresql://me:p%40ss@host/taehv?connect_timeout=3") == (
        "postgresql+psycopg://me:p%40ss@host/taehv?connect_timeout=3&tcp_user_timeout=10000"
    )


def test_one_database_under_two_addresses() -> None:
    assert same_database("postgresql://a:b@host/d", "postgresql+psycopg://c@host:5432/d")
    assert not same_database("postgresql://a@host/d", "postgresql://a@host/e")
    assert not same_database("postgresql://a@host/d", "http://host/d")
    assert not same_database("", "")


def test_servers_are_told_from_databases() -> None:
    assert is_server("https://host")
    assert not is_server("postgresql://host/d")
