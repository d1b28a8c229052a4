"""`python -m tracking.diagnose` as a person runs it, on the files of the failed run."""

import json

from tests.tracking.foreign.failed_run import FailedRun


def test_the_failed_run_is_diagnosed_from_its_files(failed_files: FailedRun, call, tmp_path) -> None:
    done = call("tracking.diagnose", *failed_files.options(), "--out", str(tmp_path / "out"))
    assert done.code == 0, done.err
    assert done.err == ""
    print(done.out)
    first, *others = json.loads((tmp_path / "out" / "diagnosis.json").read_text())["findings"]
    assert first["code"] == "data.double_normalised"
    assert [(other["code"], other["subject"]) for other in others if other["code"] == "loss.inert"] == [
        ("loss.inert", name) for name in ("decoder", "perceptual", "seraena")
    ]
