"""python -m search.report: the study's page, one self-contained file that opens without a network."""

from pathlib import Path

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Write ranking.csv, best.toml, report.html and the diagnosis of the study again, also of one that is running.

    Example: python -m search.report --set search.study=taehv
    """
    from search.conclusion import print_pointers, print_results
    from search.opening import look_at_study
    from search.results import read_results, write_results
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    record = look_at_study(settings, speaker(console))
    results = read_results(record, settings)
    print_results(record, results, console)
    write_results(record, settings, results)
    record.prepared.store.outbox.deliver()
    print_pointers(record, settings, results, speaker(console))


if __name__ == "__main__":
    run(main)
