"""python -m tracking.ui: the MLflow pages of the record."""

import signal
from pathlib import Path

import typer

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, resolve_profile, run
from model.settings import FrozenSettings, build, read_tables
from tracking.address import is_server
from tracking.settings import TrackingSettings


class UiSettings(FrozenSettings):
    """The part of the settings that the pages need."""

    tracking: TrackingSettings


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Show the record in the browser: start MLflow on this machine only, print the pages to open, stop with Ctrl-C.

    Example: python -m tracking.ui --set tracking.port=5001
    """
    chosen = resolve_profile(profile, lambda _: None)  # what a profile can show does not matter for looking
    settings = build(UiSettings, read_tables(config, chosen, set_ or ())).tracking
    require_record(settings)
    if is_server(settings.uri):
        show_pages(settings)
        return
    # A termination ends the server as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        show(settings)
    except KeyboardInterrupt:
        typer.echo("stopped")


def require_record(settings: TrackingSettings) -> None:
    """Refuse to show a record that does not exist.

    Raises:
        ValueError: there is none at tracking.root.
    """
    from tracking.layout import DATABASE

    if settings.uri:
        return  # opening it says what is wrong
    database = Path(settings.root) / DATABASE
    if not database.exists():
        raise ValueError(
            f"the pages need a record, but {database} does not exist; make one with python -m search.run, "
            "or name another with --set tracking.root=FOLDER"
        )


def show_pages(settings: TrackingSettings) -> None:
    """Print the pages of a server that runs already."""
    from tracking.pages import pages
    from tracking.store import open_store

    typer.echo(f"{settings.uri} serves its pages itself:")
    for title, address in pages(open_store(settings), settings.uri).items():
        typer.echo(f"{title}: {address}")


def show(settings: TrackingSettings) -> None:
    """Serve the record and print its pages until the server ends or the person stops it."""
    from tracking.layout import DATABASE, uri_of
    from tracking.server import HOST, LOG, serve, wait_until_ready

    root = Path(settings.root).resolve()
    uri = prepared_uri(settings) if settings.uri else uri_of(root / DATABASE)
    typer.echo(f"starting MLflow on {root} ...")
    with serve(root, uri, settings.port) as server:
        # While the server starts: importing MLflow here takes as long as importing it there.
        from tracking.pages import pages
        from tracking.store import open_store

        store = open_store(settings)
        found = pages(store, f"http://{HOST}:{settings.port}")
        wait_until_ready(server, settings.port, root / LOG)
        for title, address in found.items():
            typer.echo(f"{title}: {address}")
        typer.echo(
            f"from another machine: ssh -L {settings.port}:{HOST}:{settings.port} THIS_MACHINE, then the same addresses; "
            "stop with Ctrl-C"
        )
        code = server.wait()
    raise RuntimeError(
        f"the MLflow server must run until it is stopped, but it ended with {code}; {root / LOG} says more"
    )


def prepared_uri(settings: TrackingSettings) -> str:
    """The address of a database server, once its schema is there: two that make it at once break it."""
    from tracking.store import open_store

    return open_store(settings).uri


if __name__ == "__main__":
    run(main)
