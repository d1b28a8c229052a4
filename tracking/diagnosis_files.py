"""The files of a diagnosis, in a folder or among the artifacts of a run."""

import json
from pathlib import Path

from model.evaluate import make_folder
from tracking.diagnosis import Diagnosis, Evidence, to_json, to_markdown
from tracking.run import Run


def diagnosis_files(diagnosis: Diagnosis, evidence: Evidence) -> dict[str, str]:
    """The text of each file by its name."""
    return {
        "diagnosis.md": to_markdown(diagnosis, "en", evidence),
        "diagnosis.zh.md": to_markdown(diagnosis, "zh", evidence),
        "diagnosis.json": json.dumps(to_json(diagnosis), indent=2, ensure_ascii=False) + "\n",
    }


def write_diagnosis(diagnosis: Diagnosis, evidence: Evidence, folder: Path) -> None:
    """Write the files into a folder, which is made where it is missing.

    Raises:
        OSError: the folder cannot be made or written.
    """
    make_folder(folder)
    for name, text in diagnosis_files(diagnosis, evidence).items():
        (folder / name).write_text(text, encoding="utf-8")


def log_diagnosis(diagnosis: Diagnosis, evidence: Evidence, run: Run) -> None:
    """Write the files among the artifacts of a run, and the verdict as its tag `diagnosis`; the run's state stays."""
    for name, text in diagnosis_files(diagnosis, evidence).items():
        run.text(name, text)
    run.tags({"diagnosis": diagnosis.verdict})
