import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.weights import fingerprint, load_weights, read_weights, save_weights, width_of


@pytest.fixture(scope="module")
def model(network: Callable[..., NetworkSettings]) -> TAEHV:
    return TAEHV(network(), seed=1)


@pytest.fixture(params=["weights.safetensors", "weights.pth", "weights.pt"])
def path(request: pytest.FixtureRequest, tmp_path: Path, model: TAEHV) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".safetensors":
        save_weights(model.state_dict(), path, {"step": "7"})
    else:
        torch.save(model.state_dict(), path)
    return path


def test_weights_come_back_bit_for_bit(path: Path, model: TAEHV, network: Callable[..., NetworkSettings]) -> None:
    loaded = TAEHV(network(), seed=2)
    load_weights(loaded, path)
    assert fingerprint(loaded.state_dict()) == fingerprint(model.state_dict())


def test_half_precision_weights_load_into_a_float32_model(
    tmp_path: Path, model: TAEHV, network: Callable[..., NetworkSettings]
) -> None:
    path = tmp_path / "released.safetensors"
    save_weights({key: value.half() for key, value in model.state_dict().items()}, path, {})
    loaded = TAEHV(network(), seed=2)
    load_weights(loaded, path)
    assert loaded.encoder[0].weight.dtype == torch.float32
    torch.testing.assert_close(loaded.encoder[0].weight, model.encoder[0].weight, atol=1e-3, rtol=0)


def test_metadata_is_kept_and_no_other_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    shared = torch.arange(6.0)
    save_weights({"a": shared[:3], "b": shared.view(2, 3).T}, path, {"network": "{}"})
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"network": "{}"}
    assert read_weights(path)["b"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights({"a": torch.ones(2)}, path, {})
    with pytest.raises(Exception):  # noqa: B017 - whatever safetensors says of a value that is no text
        save_weights({"a": torch.zeros(2)}, path, {"step": 3})
    assert read_weights(path)["a"].tolist() == [1, 1]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        save_weights({"a": torch.zeros(2)}, tmp_path / "folder", {})
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder", path]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda state: state.pop("decoder.22.bias"), "lacks: decoder.22.bias"),
        (lambda state: state.update(extra=torch.ones(1)), "also has: extra"),
        (
            lambda state: state.update({"encoder.0.bias": torch.ones(9)}),
            r"has other shapes: encoder.0.bias \[9\] for \[8\]",
        ),
        (
            lambda state: [state.pop(f"decoder.{index}.conv.0.weight") for index in (3, 4, 5, 9)],
            "lacks: decoder.3.conv.0.weight, decoder.4.conv.0.weight, decoder.5.conv.0.weight and 1 more",
        ),
    ],
)
def test_loading_is_strict(
    tmp_path: Path,
    model: TAEHV,
    network: Callable[..., NetworkSettings],
    change: Callable[[dict[str, torch.Tensor]], object],
    text: str,
) -> None:
    state = dict(model.state_dict())
    change(state)
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    loaded = TAEHV(network(), seed=2)
    before = fingerprint(loaded.state_dict())
    with pytest.raises(ValueError, match=text):
        load_weights(loaded, path)
    assert fingerprint(loaded.state_dict()) == before


@pytest.mark.parametrize(
    ("variant", "width", "named"),
    [
        ("wan22", 0.125, "it fits network.variant=wan22 with network.width=0.125"),
        ("ltx", 0.25, "it fits network.variant=ltx with network.width=0.25"),
        ("hunyuan15_super", 0.125, "it fits network.variant=hunyuan15_super with network.width=0.125"),
        ("base", 0.25, "variant=base with network.width=0.25 or network.variant=cogvideox with network.width=0.25"),
    ],
)
def test_the_variant_that_would_fit_is_named(
    tmp_path: Path, network: Callable[..., NetworkSettings], model: TAEHV, variant: str, width: float, named: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(TAEHV(network(variant, width=width)).state_dict(), path, {})
    with pytest.raises(ValueError, match=named) as error:
        load_weights(model, path)
    assert "\n" not in str(error.value)


def test_foreign_weights_fit_nothing(tmp_path: Path, model: TAEHV) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights({"encoder.0.weight": torch.zeros(640, 3, 3, 3)}, path, {})
    with pytest.raises(ValueError, match="give the weights of this architecture"):
        load_weights(model, path)


class Intruder:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("intruded",)


def test_a_pickle_with_code_is_refused_and_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"encoder.0.weight": Intruder()}, tmp_path / "new.pth")
    torch.save({"a": Intruder()}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"a": Intruder()}, protocol=2))
    for name in ("new.pth", "old.pth", "plain.pth"):
        with pytest.raises(ValueError, match=r"must hold tensors only, but its pickle asks for \w+.mkdir,") as error:
            read_weights(tmp_path / name)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "intruded").exists()


def test_truncated_files_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match="fetch or save it again") as error:
        read_weights(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["text.pth", "text.safetensors", "empty.pth", "empty.safetensors"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no weights at all\n" * 10 if "text" in name else "")
    with pytest.raises(ValueError, match="fetch or save it again"):
        read_weights(tmp_path / name)


def test_other_contents_and_names_are_refused(tmp_path: Path) -> None:
    torch.save({"model": {"a": torch.ones(1)}}, tmp_path / "nested.pth")
    with pytest.raises(ValueError, match="one flat state dict of tensors"):
        read_weights(tmp_path / "nested.pth")
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"must end in .safetensors, .pth or .pt"):
        read_weights(tmp_path / "weights.bin")
    with pytest.raises(ValueError, match=r"must be a file, but .* is none"):
        read_weights(tmp_path / "absent.pth")


def test_the_width_is_read_from_the_weights(network: Callable[..., NetworkSettings]) -> None:
    assert width_of(TAEHV(network(width=0.25)).state_dict()) == 0.25
    assert width_of({}) == 1.0


def test_the_fingerprint_sees_names_values_shapes_and_dtypes() -> None:
    base = {"a": torch.ones(2, 3), "b": torch.zeros(())}
    others = [
        {"a": torch.ones(2, 3), "c": torch.zeros(())},
        {"a": torch.ones(3, 2), "b": torch.zeros(())},
        {"a": torch.ones(2, 3).half(), "b": torch.zeros(())},
        {"a": torch.ones(2, 3), "b": torch.tensor(-0.0)},
    ]
    assert fingerprint(dict(reversed(base.items()))) == fingerprint(base)
    assert len({fingerprint(state) for state in [base, *others]}) == 5
    assert len(fingerprint(base)) == 12
