"""The files that the documents speak of: videos, weights of other people, the files of a failed run."""

import json
import shutil
from pathlib import Path

import av
import numpy as np
import torch

from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.settings import build, read_tables
from tests.commands import ROOT, TINY
from tests.model.network.reference.small_vaes import save_small_vae
from tests.tracking.foreign.failed_run import FailedRun

#: Folders under /models of the documents, the class of each and what makes its latents of random weights as large as trained
#: ones are: the preflight refuses those of a deviation below 0.2.
VAES: dict[str, tuple[str, dict[str, object]]] = {
    "cogvideox": ("AutoencoderKLCogVideoX", {"scaling_factor": 3.0}),
    "wan": ("AutoencoderKLWan", {"latents_mean": [0.0] * 16, "latents_std": [0.5] * 16}),
    "hunyuan": ("AutoencoderKLHunyuanVideo", {"scaling_factor": 4.0}),
    "hunyuan15": ("AutoencoderKLHunyuanVideo15", {"scaling_factor": 1.0}),
}
#: Of each small video: frames, height, width.
VIDEO = (24, 72, 96)
VIDEOS = 8


def make_videos(folder: Path) -> None:
    """The reader's own videos, each in a folder of its own, and an annotation file of them."""
    names = [f"source{number}/video.mp4" for number in range(VIDEOS)]
    for number, name in enumerate(names):
        write_video(folder / "path/to/videos" / name, number)
    shutil.copytree(folder / "path/to/videos", folder / "path/to/data")
    entries = [{"path": name, "duration": VIDEO[0] / 24, "frames": VIDEO[0]} for name in names]
    (folder / "annotations.json").write_text(json.dumps({"total": VIDEOS, "list": entries}))


def write_video(path: Path, number: int) -> None:
    """A pattern of waves that moves, another one for each number."""
    frames, height, width = VIDEO
    path.parent.mkdir(parents=True)
    rows, columns = np.mgrid[:height, :width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for time in range(frames):
            waves = [np.sin((rows * (number + 1) + columns * channel + 4 * time) / 20) for channel in (1, 2, 3)]
            pixels = (127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def make_models(folder: Path) -> None:
    """A released TAEHV of a small width, and small VAEs of diffusers."""
    network = build(NetworkSettings, read_tables(ROOT / "conf.toml", "cpu", TINY)["network"])
    models = folder / "models"
    models.mkdir()
    released = TAEHV(network, seed=1)
    with torch.no_grad():
        # The latents of a released one have a deviation near 1, which a preflight asks of a reference; untrained ones have .02.
        released.encoder[-1].weight.mul_(50)
    torch.save(released.state_dict(), models / "taew2_1.pth")
    for place, (name, changes) in VAES.items():
        save_small_vae(name, models / place / "vae", **changes)


def make_failed_run(folder: Path) -> None:
    """Checkpoints, events, configuration, scores and starting weights of somebody else's run."""
    run = FailedRun(folder / "failed")
    run.write()
    for path in (run.checkpoints, run.config, run.evaluation, run.pretrained):
        shutil.move(path, folder)
    (folder / "logs").mkdir()
    shutil.move(run.events, folder / "logs" / "run")
