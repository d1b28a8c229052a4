"""Videos and settings that the tests of the data path make for themselves."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from model.data.cache import recall
from model.data.decode import Decoded
from model.data.settings import DataSettings
from model.data.video import Video
from model.settings import build, read_tables

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., DataSettings]:
    """Settings for videos of a few small frames; takes changes by name."""

    def make(**changes: object) -> DataSettings:
        small = {
            "frames": 9,
            "crop_px": 16,
            "short_side_px": 32,
            "max_video_frames": 24,
            "training_clips": 6,
            "validation_clips": 4,
            "validation_share": 0.5,
            "cache_dir": str(tmp_path / "cache"),
            "workers": 2,
        }
        return build(DataSettings, read_tables(ROOT / "conf.toml", "cpu")["data"] | small | changes)

    return make


@pytest.fixture
def make_frames() -> Callable[..., NDArray[np.uint8]]:
    """Noise, T H W 3: no two frames are alike and no pixel is like its neighbour."""

    def make(seed: int = 0, frames: int = 12, height: int = 24, width: int = 32) -> NDArray[np.uint8]:
        return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)

    return make


@pytest.fixture
def write_video() -> Callable[..., Path]:
    """Write frames with a lossless codec; `times_ms` sets their time stamps."""

    def write(
        path: Path,
        frames: NDArray[np.uint8],
        codec: str = "libx264rgb",
        pixel_format: str = "rgb24",
        times_ms: list[int] | None = None,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"crf": "0"} if codec.startswith("libx264") else {}
        container_format = {".264": "h264"}.get(path.suffix)
        with av.open(str(path), "w", format=container_format) as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = pixel_format
            if times_ms is not None:
                stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
            for number, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixels, format="gray" if pixels.ndim == 2 else "rgb24")
                if times_ms is not None:
                    frame.pts, frame.time_base = times_ms[number], Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture
def make_video(tmp_path: Path, make_frames: Callable[..., NDArray[np.uint8]]) -> Callable[..., Video]:
    """A decoded video, in a cache of the test's own, without the file it came from."""

    def make(name: str, source: str, sha256: str, frames: NDArray[np.uint8] | None = None) -> Video:
        stored = recall(
            tmp_path / "decoded" / name, sha256, lambda: Decoded(make_frames() if frames is None else frames)
        )
        return Video(name, source, sha256, key=sha256, stored=stored)

    return make
