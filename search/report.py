"""python -m search.report: the study's page, one self-contained file that opens without a network."""

from pathlib import Path

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Write ranking.csv, best.toml and report.html of the study again, also of an unfinished one.

    Example: python -m search.report --set search.study=taehv
    """
    import contextlib

    from search.conclusion import conclude
    from search.lock import study_lock
    from search.opening import open_everything
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    with study_lock(Path(settings.tracking.root)):
        opened = open_everything(settings, speaker(console))
        with contextlib.closing(opened.lease):
            conclude(opened, settings, console, interrupted=True)


if __name__ == "__main__":
    run(main)
