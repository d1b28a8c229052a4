"""From anybody's configuration to the settings of this project."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.settings import build, read_tables
from search.settings import Settings
from tests.commands import ROOT
from tests.tracking.foreign.failed_run import CONFIG
from tracking.foreign.configs import Config, read_config


@pytest.fixture(scope="module")
def names() -> dict[str, tuple[str, ...]]:
    return build(Settings, read_tables(ROOT / "conf.toml", "cpu")).diagnosis.setting_names()


def read(tmp_path: Path, text: str, names: dict[str, tuple[str, ...]], ending: str = "py") -> Config:
    path = tmp_path / f"config.{ending}"
    path.write_text(text, encoding="utf-8")
    return read_config(path, names)


def test_the_configuration_of_the_failed_run(tmp_path: Path, names) -> None:
    config = read(tmp_path, CONFIG, names)
    assert config.settings == {
        "losses.encoder": 1.0,
        "losses.decoder": 1.0,
        "losses.reconstruction": 0.1,
        "losses.perceptual": 0.05,
        "losses.seraena": 0.3,
        "optimizer.learning_rate": 5e-5,
        "optimizer.max_gradient_norm": 1.0,
        "schedule.kind": "cosine_with_restarts",
        "schedule.cycles": 3,
        "schedule.warmup_share": 0.02,
        "training.steps": 100000,
        "training.precision": "bfloat16",
        "network.weights": "checkpoints/taecvx.pth",
    }
    assert config.origins["losses.reconstruction"] == "args.reconstruction_loss_weight"
    assert config.origins["schedule.warmup_share"] == "args.lr_warmup_steps / args.max_train_steps"
    assert set(config.origins) == set(config.settings)
    assert config.others == {
        "args.color_jitter_params.brightness": 0.15,
        "args.color_jitter_params.hue": 0.08,
        "args.resume_from_checkpoint": None,
    }
    (not_read,) = config.not_read
    assert not_read.startswith('args.output_dir = "output/" + ')


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("json", json.dumps({"optimizer": {"lr": 1e-4, "weight_decay": 0.1}, "train": {"max_steps": 50}})),
        ("toml", "train.max_steps = 50\n[optimizer]\nlr = 1e-4\nweight_decay = 0.1\n"),
        ("py", 'optimizer = {"lr": 1e-4, "weight_decay": 0.1}\nmax_steps = 50\n'),
    ],
)
def test_tables_are_searched_by_the_last_part_of_a_name(tmp_path: Path, names, ending: str, text: str) -> None:
    config = read(tmp_path, text, names, ending)
    assert config.settings == {"optimizer.learning_rate": 1e-4, "optimizer.weight_decay": 0.1, "training.steps": 50}
    assert config.origins["optimizer.learning_rate"] == "optimizer.lr"


def test_a_settings_file_of_this_project_means_what_it_says(tmp_path: Path, names) -> None:
    text = (ROOT / "conf.toml").read_text(encoding="utf-8")
    config = read(tmp_path, text, names, "toml")
    assert config.settings["losses.reconstruction"] == 1.0
    assert config.settings["training.steps"] == 1000
    assert config.settings["schedule.warmup_share"] == 0.05


def test_two_meanings_are_not_guessed(tmp_path: Path, names) -> None:
    config = read(tmp_path, "generator.lr = 1e-4\ncritic.lr = 3e-4\nsteps.total_steps = 5\n", names, "toml")
    assert config.settings == {"training.steps": 5}
    assert config.not_read == ("generator.lr, critic.lr: each could be optimizer.learning_rate",)
    # The same value twice has one meaning, and a whole name is chosen before the last part of another.
    assert read(tmp_path, "a.lr = 1e-4\nb.lr = 1e-4\n", names, "toml").settings == {"optimizer.learning_rate": 1e-4}
    assert read(tmp_path, "lr = 1e-4\nb.lr = 1e-3\n", names, "toml").settings == {"optimizer.learning_rate": 1e-4}


def test_the_last_assignment_counts(tmp_path: Path, names) -> None:
    assert read(tmp_path, "args.lr = 1e-3\nargs.lr = 1e-4\n", names).settings == {"optimizer.learning_rate": 1e-4}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("args.lr = 1\nargs.pretrained_model_path = None", {"optimizer.learning_rate": 1, "network.weights": ""}),
        ("args.lr = 1\nargs.max_train_steps = None\nargs.lr_warmup_steps = 10", {"optimizer.learning_rate": 1}),
        ("args.max_steps = 50\nargs.warmup_ratio = 0.1", {"training.steps": 50, "schedule.warmup_share": 0.1}),
        ("args.lr = 1\nargs.mixed_precision = 'no'", {"optimizer.learning_rate": 1, "training.precision": "float32"}),
        ("args.lr = 1\nargs.mixed_precision = True", {"optimizer.learning_rate": 1}),
    ],
)
def test_values_of_others(tmp_path: Path, names, text: str, settings: dict[str, Any]) -> None:
    assert read(tmp_path, text, names).settings == settings


@pytest.mark.parametrize(
    ("ending", "text", "message"),
    [
        (
            "py",
            "x = 1\nargs.learning_rate = 10 ** -4",
            r"as a literal.*config.py line 2 is: args.learning_rate = 10 \*\* -4;",
        ),
        (
            "py",
            "args.lr = '5e-5'",
            r"args.lr must be a finite number, as optimizer.learning_rate is.* line 1 has '5e-5'",
        ),
        ("json", '{"encoder_loss_weight": true}', "encoder_loss_weight must be a finite number"),
        ("json", '{"lr": NaN}', "lr must be a finite number"),
        ("json", '{"lr": 1' + "0" * 400 + "}", "lr must be a finite number"),
        ("json", "[" * 100_000, "must be what its ending says"),
        ("json", "[1, 2]", "must be a table of names, but .* is a list"),
        ("json", '{"lr": ', "must be what its ending says, but .*config.json"),
        ("toml", "lr = ", "must be what its ending says, but .*config.toml"),
        ("yaml", "lr: 1", r"must end in \.toml, \.json or \.py, but .*config.yaml does not"),
        ("toml", "colour = 1", "must hold a setting that is known here, but .*config.toml has none"),
        ("py", "", "must hold a setting that is known here, but .*config.py has none"),
    ],
)
def test_configurations_that_cannot_be_used(tmp_path: Path, names, ending: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text, names, ending)


def test_a_path_without_a_file(tmp_path: Path, names) -> None:
    with pytest.raises(ValueError, match=r"--config must be a file, but .* is none"):
        read_config(tmp_path, names)
