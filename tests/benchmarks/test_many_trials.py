from pathlib import Path

from benchmarks.many_trials import PARTS, measure_growth, to_table
from search.settings import load_settings
from tests.commands import ROOT, TINY


def test_a_study_of_trials_that_end_at_once_is_measured_in_parts(tmp_path: Path, cache_dir: Path) -> None:
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={tmp_path / 'mlruns'}"]
    result = measure_growth(load_settings(ROOT / "conf.toml", "cpu", changes), 2 * PARTS, workers=2)
    assert [part["trials"] for part in result["parts"]] == [2, 4, 6, 8]
    for part in result["parts"]:
        assert all(part[key] > 0 for key in ("ask_ms", "report_ms", "own_cpu_ms", "resume_ms", "page_s"))
        assert part["own_cpu_ms"] < part["coordinator_cpu_ms"]
        assert 4 < part["page_mb"] < 8
    machine = {"device": "cpu", "torch": "2", "peak_gpu_mib": None}
    assert to_table(machine, result).row_count == PARTS
