"""python -m tracking.diagnose: why a run is as it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli import DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from tracking.diagnosis import Diagnosis, Evidence
    from tracking.foreign.gathering import Files
    from tracking.settings import DiagnosisSettings, TrackingSettings

#: Where the record is, and what other people's names mean here.
PROJECT_SETTINGS = Path("conf.toml")


def main(
    run_id: Annotated[str | None, typer.Argument(help="A run of the record: its name, or how its id begins.")] = None,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="Folder of .pth, .pt or .safetensors files.")
    ] = None,
    events: Annotated[Path | None, typer.Option("--events", help="TensorBoard folder of the run.")] = None,
    evaluation: Annotated[
        Path | None, typer.Option("--evaluation", help="JSON file with psnr, ssim and lpips.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="The run's .toml, .json or .py configuration; with RUN_ID, this project's settings file."
        ),
    ] = None,
    pretrained: Annotated[Path | None, typer.Option("--pretrained", help="Weights that training started from.")] = None,
    log: Annotated[bool, typer.Option("--log", help="Add the diagnosis to the run RUN_ID of the record.")] = False,
    import_as: Annotated[
        str | None, typer.Option("--import-as", metavar="NAME", help="Make the files a run of the record.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for diagnosis.md, .zh.md and .json.")] = None,
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Diagnose a run of the record, or somebody else's run from any subset of its files.

    Example: python -m tracking.diagnose --checkpoints output --events logs/run --config config.py --evaluation scores.json
    """
    from tracking.foreign.gathering import Files

    files = Files(checkpoints, events, evaluation, config if run_id is None else None, pretrained)
    require_one_source(run_id, files, log, import_as)
    console = make_console()
    settings_file = config if run_id is not None and config is not None else PROJECT_SETTINGS
    tracking, names = read_settings(settings_file, profile, set_ or ())
    if run_id is not None:
        diagnose_recorded(run_id, tracking, log, out, console)
    else:
        diagnose_files(files, names, tracking, import_as, out, console)


def require_one_source(run_id: str | None, files: "Files", log: bool, import_as: str | None) -> None:
    """Refuse options that do not belong together.

    Raises:
        ValueError: there is nothing to diagnose, or two things, or an option of the other one.
    """
    if run_id is None and not files.given():
        raise ValueError(
            "there must be something to diagnose, but nothing is given; give a RUN_ID of the record, "
            "or any of --checkpoints, --events, --evaluation and --config"
        )
    if run_id is not None and (files.given() or files.pretrained):
        raise ValueError("either a RUN_ID or files are diagnosed, but both are given; leave one of them out")
    if run_id is None and log:
        raise ValueError("--log adds to a run of the record, but no RUN_ID is given; for files take --import-as NAME")
    if run_id is not None and import_as is not None:
        raise ValueError("--import-as makes files a run of the record, but a RUN_ID is given; take --log")
    if import_as is not None and not import_as.strip():
        raise ValueError("--import-as must be the name of a run, but is empty; give one")
    if files.pretrained and files.checkpoints is None:
        raise ValueError("--pretrained is compared with checkpoints, but none are given; add --checkpoints")


def read_settings(path: Path, profile: str, changes: "Iterable[str]") -> "tuple[TrackingSettings, DiagnosisSettings]":
    """Read where the record is, and the names of foreign curves and settings.

    Raises:
        ValueError: there is no settings file, or it breaks a rule.
    """
    from model.settings import FrozenSettings, build, read_tables
    from tracking.settings import DiagnosisSettings, TrackingSettings

    class DiagnoseSettings(FrozenSettings):
        tracking: TrackingSettings
        diagnosis: DiagnosisSettings

    if path == PROJECT_SETTINGS and not path.is_file():
        raise ValueError(
            f"the working folder must be the project's, with its {path}, but {Path.cwd()} has none; go there"
        )
    chosen = resolve_profile(profile, lambda _: None)  # what a profile can show does not matter for looking
    settings = build(DiagnoseSettings, read_tables(path, chosen, changes))
    return settings.tracking, settings.diagnosis


def diagnose_files(
    files: "Files",
    names: "DiagnosisSettings",
    tracking: "TrackingSettings",
    import_as: str | None,
    out: Path | None,
    console: "Console",
) -> None:
    """Diagnose somebody else's run and write what was asked for.

    Raises:
        ValueError: a file is missing, damaged or of another kind, or the name to import as is taken.
        RecordError: the record cannot be written.
    """
    from tracking.diagnosis import diagnose
    from tracking.foreign.gathering import gather

    say = speaker(console)
    gathered = gather(files, names, say)
    diagnosis = diagnose(gathered.evidence)
    show(diagnosis, console)
    if import_as is not None:
        from tracking.foreign.importing import import_run
        from tracking.store import open_store

        store = open_store(tracking, say)
        say(f"writing '{import_as}' into {store.place} ...")
        run = import_run(store, import_as, gathered.evidence, gathered.others, diagnosis)
        store.outbox.deliver()
        say(f"imported as run {run.id}; python -m tracking.ui shows it")
    if out is None and import_as is None:
        say("nothing was written; --out FOLDER writes the diagnosis, --import-as NAME makes a run of the record")
    write(diagnosis, gathered.evidence, out, console)


def diagnose_recorded(
    run_id: str, tracking: "TrackingSettings", log: bool, out: Path | None, console: "Console"
) -> None:
    """Diagnose a run of the record.

    Raises:
        ValueError: there is no such record or run.
        RecordError: the record cannot be read.
    """
    from tracking.diagnosis import diagnose
    from tracking.diagnosis_files import log_diagnosis
    from tracking.recorded import evidence_of_run, find_run
    from tracking.run import Run
    from tracking.store import DATABASE, open_store

    database = Path(tracking.root) / DATABASE
    if not tracking.uri and not database.is_file():
        raise ValueError(
            f"a RUN_ID needs a record, but there is no {database}; name it with --set tracking.root=FOLDER"
        )
    say = speaker(console)
    store = open_store(tracking, say)
    row = find_run(store, run_id)
    say(f"run         {row.id} ({row.name}, {row.status.lower()})")
    evidence = evidence_of_run(store, row)
    diagnosis = diagnose(evidence)
    show(diagnosis, console)
    if log:
        log_diagnosis(diagnosis, evidence, Run(store, row.id))
        say(f"written into run {row.id}")
    elif out is None:
        say("nothing was written; --log adds the diagnosis to the run, --out FOLDER writes it there")
    write(diagnosis, evidence, out, console)


def show(diagnosis: "Diagnosis", console: "Console") -> None:
    """Print a diagnosis for people."""
    from tracking.diagnosis import to_table

    console.print(to_table(diagnosis))


def write(diagnosis: "Diagnosis", evidence: "Evidence", out: Path | None, console: "Console") -> None:
    """Write the diagnosis into a folder, where one is given."""
    from tracking.diagnosis_files import write_diagnosis

    if out is not None:
        write_diagnosis(diagnosis, evidence, out)
        speaker(console)(f"written to {out}")


if __name__ == "__main__":
    run(main)
