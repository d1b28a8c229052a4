"""What all tests share: the settings of a run that takes seconds."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

#: A training of four steps on eight clips of 16 px: everything happens, nothing is learned.
TINY = (
    "data.crop_px=16",
    "data.short_side_px=48",
    "data.max_video_frames=24",
    "data.training_clips=8",
    "data.validation_clips=4",
    "data.workers=1",
    "training.steps=4",
    "training.batch_size=2",
    "training.evaluate_every=2",
    "training.log_every=1",
    "training.probe_every=2",
    "training.checkpoint_every=2",
    "evaluation.bootstrap_resamples=100",
    "evaluation.pictures=1",
    "losses.replay_mib=1",
)


@pytest.fixture(scope="session", autouse=True)
def no_lpips_trunk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see no LPIPS trunk unless they ask for one: results must not depend on what a machine has in its cache."""
    before = os.environ.get("TORCH_HOME")
    os.environ["TORCH_HOME"] = str(tmp_path_factory.mktemp("torch-home"))
    yield
    if before is None:
        del os.environ["TORCH_HOME"]
    else:
        os.environ["TORCH_HOME"] = before


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decoded videos and banks, shared by the tests of a process."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def tiny_changes(tmp_path: Path, cache_dir: Path) -> list[str]:
    """The --set values of a tiny run with a record of its own."""
    return [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={tmp_path / 'mlruns'}"]


@pytest.fixture
def tiny(tiny_changes: list[str]) -> Callable:
    """Settings of a tiny run on the demo clips; takes further changes."""
    from search.settings import load_settings

    def make(*changes: str):
        return load_settings(ROOT / "conf.toml", "cpu", [*tiny_changes, *changes])

    return make
