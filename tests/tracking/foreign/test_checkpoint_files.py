"""Which files of a folder are compared, and in which order."""

from pathlib import Path

import pytest
import torch

from tracking.foreign.checkpoint_files import find_checkpoints, step_of_name


def store(folder: Path, *names: str, **beside: int) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save({"model": {"weight": torch.ones(2)}} | beside, folder / name)


def found(folder: Path) -> list[tuple[str, int | None]]:
    return [(file.name, file.step) for file in find_checkpoints(folder).files]


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-82000/model.pth", 82000),
        ("step_0090000.safetensors", 90000),
        ("epoch=3-step=1200.pt", 1200),
        ("global_step500/model.pt", 500),
        ("model_90000.pth", 90000),
        ("0001000.pth", 1000),
        ("ckpt_7.pt", 7),
        ("20/model.pth", 20),
        ("checkpoint-100/model_200.pth", 200),
        ("epoch_12.pth", None),
        ("taew2_1.pth", None),
        ("taehv1_5.safetensors", None),
        ("run_20251011/model.pth", None),
        ("final_model.pth", None),
    ],
)
def test_the_step_in_a_name(name: str, step: int | None) -> None:
    assert step_of_name(name) == step


def test_files_stand_in_the_order_of_their_steps_and_the_final_one_last(tmp_path: Path) -> None:
    store(tmp_path, "checkpoint-90000/model.pth", "checkpoint-100000/model.pth", "checkpoint-9000/model.pth")
    store(tmp_path, "a_final.pth", global_step=100000)
    assert found(tmp_path) == [
        ("checkpoint-9000/model.pth", 9000),
        ("checkpoint-90000/model.pth", 90000),
        ("checkpoint-100000/model.pth", 100000),
        ("a_final.pth", 100000),
    ]


def test_the_step_inside_a_file_comes_before_the_one_of_its_name(tmp_path: Path) -> None:
    store(tmp_path, "early.pth", global_step=10)
    store(tmp_path, "a_late.pth", global_step=20)
    store(tmp_path, "checkpoint-5.pth", global_step=30)
    assert found(tmp_path) == [("early.pth", 10), ("a_late.pth", 20), ("checkpoint-5.pth", 30)]


def test_names_without_steps_are_ordered_as_people_count(tmp_path: Path) -> None:
    store(tmp_path, "epoch_10.pth", "epoch_9.pth", "epoch_1.pth")
    assert found(tmp_path) == [("epoch_1.pth", None), ("epoch_9.pth", None), ("epoch_10.pth", None)]


def test_what_is_no_further_checkpoint_is_left_out_with_its_reason(tmp_path: Path) -> None:
    store(tmp_path, *(f"checkpoint-{step}/model.pth" for step in (1, 2)), "checkpoint-2/average.pth", "best.pth")
    (tmp_path / "checkpoint-2" / "optimizer.pt").write_bytes(b"no tensors")
    (tmp_path / "checkpoint-2" / "mp_rank_00_model_states.pt").write_bytes(b"objects of DeepSpeed")
    (tmp_path / "checkpoint-2" / "rng_state_0.pth").write_bytes(b"no tensors")
    (tmp_path / "notes.txt").write_text("no checkpoint")
    (tmp_path / "latest.pth").symlink_to(tmp_path / "checkpoint-2" / "model.pth")
    result = find_checkpoints(tmp_path)
    assert [file.name for file in result.files] == ["checkpoint-1/model.pth", "checkpoint-2/model.pth"]
    assert set(result.left_out) == {
        "checkpoint-2/average.pth (of the same step as checkpoint-2/model.pth)",
        "checkpoint-2/optimizer.pt (not the model by its name)",
        "checkpoint-2/mp_rank_00_model_states.pt (not the model by its name)",
        "checkpoint-2/rng_state_0.pth (not the model by its name)",
        "best.pth (its step is not known)",
        "latest.pth (a link)",
    }


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    store(tmp_path, "elsewhere/secret.pth", "run/checkpoint-1.pth")
    (tmp_path / "run" / "checkpoint-2.pth").symlink_to(tmp_path / "elsewhere" / "secret.pth")
    (tmp_path / "run" / "checkpoint-3").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "run") == [("checkpoint-1.pth", 1)]


def test_one_file_or_one_step_stands_for_itself(tmp_path: Path) -> None:
    store(tmp_path, "checkpoint-82000/model.pth", "best.pth")
    assert found(tmp_path / "best.pth") == [("best.pth", None)]
    assert found(tmp_path / "checkpoint-82000" / "model.pth") == [("model.pth", 82000)]
    assert found(tmp_path / "checkpoint-82000") == [("model.pth", 82000)]


def test_a_folder_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--checkpoints must hold \.pth, \.pt, \.safetensors files, but .* has none"):
        find_checkpoints(tmp_path)
    with pytest.raises(ValueError, match=r"there is no .*nowhere"):
        find_checkpoints(tmp_path / "nowhere")
