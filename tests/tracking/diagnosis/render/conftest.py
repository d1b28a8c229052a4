"""The failed run as the command reads it from its files: with the names that it has there."""

from dataclasses import replace

import pytest

from tracking.diagnosis.evidence import Evidence

ORIGINS = {
    "losses.encoder": "args.encoder_loss_weight",
    "losses.decoder": "args.decoder_loss_weight",
    "losses.reconstruction": "args.reconstruction_loss_weight",
    "losses.perceptual": "args.perceptual_loss_weight",
    "losses.seraena": "args.seraena_loss_weight",
    "optimizer.learning_rate": "args.learning_rate",
    "optimizer.max_gradient_norm": "args.max_grad_norm",
    "schedule.kind": "args.lr_scheduler",
    "schedule.cycles": "args.lr_num_cycles",
    "schedule.warmup_share": "args.lr_warmup_steps / args.max_train_steps",
    "training.steps": "args.max_train_steps",
    "loss/reconstruction": "tag train/reconstruction_loss",
    "loss/encoder": "tag train/encoder_loss",
    "loss/total": "tag train/loss",
}


@pytest.fixture
def failed_run(failed_run: Evidence) -> Evidence:
    return replace(failed_run, origins=ORIGINS)
