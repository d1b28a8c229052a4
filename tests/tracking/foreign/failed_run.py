"""The files of the failed run, written by plain torch code that knows nothing of this project."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

#: Values of the log by tag and step: the report's numbers, and for the rate three points of its schedule.
LOGGED = {
    "train/reconstruction_loss": {56504: 5e-6, 100000: 5e-6},
    "train/encoder_loss": {56504: 0.021361, 100000: 0.038085},
    "train/loss": {56504: 0.021362, 100000: 0.038086},
    "train/learning_rate": {2000: 5e-5, 82000: 2.9e-5, 90000: 1.1e-5, 100000: 0.0},
    "system/gpu_memory_gb": {100000: 61.5},
}

CONFIG = '''"""Settings of one run."""
from easydict import EasyDict
import datetime
import os

args = EasyDict()

# model
args.pretrained_model_path = "checkpoints/taecvx.pth"
args.color_jitter_params = {"brightness": 0.15, "hue": 0.08}
args.output_dir = "output/" + datetime.datetime.now().strftime("%Y")
args.mixed_precision = "bf16"
args.max_train_steps = 100000
args.resume_from_checkpoint = None
args.learning_rate = 5e-5  # a comment
args.lr_scheduler = "cosine_with_restarts"
args.lr_warmup_steps = 2000
args.lr_num_cycles = 3
args.max_grad_norm = 1.0
args.encoder_loss_weight = 1.0
args.decoder_loss_weight = 1.0
args.reconstruction_loss_weight = 0.1
args.perceptual_loss_weight = 0.05
args.seraena_loss_weight = 0.3
'''


@dataclass(frozen=True)
class FailedRun:
    """The run's files under one folder."""

    root: Path

    @property
    def checkpoints(self) -> Path:
        return self.root / "output"

    @property
    def events(self) -> Path:
        return self.root / "logs"

    @property
    def config(self) -> Path:
        return self.root / "config.py"

    @property
    def evaluation(self) -> Path:
        return self.root / "scores.json"

    @property
    def pretrained(self) -> Path:
        return self.root / "taecvx.pth"

    def options(self, *names: str) -> list[str]:
        """Command line options for some of the files, or for all."""
        chosen = names or ("checkpoints", "events", "config", "evaluation", "pretrained")
        return [part for name in chosen for part in (f"--{name}", str(getattr(self, name)))]

    def write(self) -> None:
        """Write everything as that training would have."""
        self.root.mkdir(parents=True)
        trained, pretrained = plain_model(0), plain_model(1)
        for step in (82000, 90000, 100000):
            path = self.checkpoints / f"checkpoint-{step}" / "model.pth"
            path.parent.mkdir(parents=True)
            torch.save({"model_state_dict": trained.state_dict(), "global_step": step, "epoch": 3}, path)
        torch.save(trained.state_dict(), self.checkpoints / "final_model.pth")
        torch.save(pretrained.state_dict(), self.pretrained)
        with SummaryWriter(self.events) as writer:
            for tag, values in LOGGED.items():
                for step, value in values.items():
                    writer.add_scalar(tag, value, step)
        self.config.write_text(CONFIG, encoding="utf-8")
        self.evaluation.write_text(json.dumps({"psnr": 4.24, "ssim": 0.012, "lpips": 0.806, "overall": 4.1}))


def plain_model(seed: int) -> nn.Module:
    """A small autoencoder of somebody else."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))
