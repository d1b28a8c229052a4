import os
import socket
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation import perceptual as module
from model.evaluation.perceptual import SMALLEST_PX, Perceptual, PerceptualUnavailable, download, load_perceptual


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and a network whose only way out is a port that refuses."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    route_through(port, monkeypatch)
    monkeypatch.setenv("TORCH_HOME", os.fspath(tmp_path))
    return tmp_path


@pytest.fixture
def silent_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A network that takes the connection and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        route_through(listening.getsockname()[1], monkeypatch)
        yield


def route_through(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        urllib.request, "_opener", urllib.request.build_opener()
    )  # the old one remembers the old way out


def test_agrees_with_the_lpips_package_on_real_frames(clips: Tensor, torch_home: Path) -> None:
    target = to_unit(clips[:, ::4])
    prediction = (target + 0.1 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    ours = load_perceptual("squeeze", "cpu")
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = lpips.LPIPS(net="squeeze", verbose=False)
    expected = theirs(prediction.flatten(0, 1), target.flatten(0, 1), normalize=True).view(3, 3)
    assert expected.min() > 0.01
    torch.testing.assert_close(ours(prediction, target), expected.detach(), atol=1e-4, rtol=0)


def test_loading_prints_nothing_and_leaves_the_random_state(
    torch_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = torch.random.get_rng_state()
    first, second = load_perceptual("squeeze", "cpu"), load_perceptual("squeeze", "cpu")
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.weights_hash == second.weights_hash
    assert len(first.weights_hash) == 12


def test_other_weights_have_another_hash(
    perceptual: Perceptual, random_trunk: Callable[[str], torch.nn.Module]
) -> None:
    changed = random_trunk("squeeze")
    assert Perceptual("squeeze", changed).weights_hash == perceptual.weights_hash
    with torch.no_grad():
        next(changed.parameters()).view(-1)[0] += 1
    assert Perceptual("squeeze", changed).weights_hash != perceptual.weights_hash


def test_equal_frames_are_0_apart_and_order_does_not_matter(clips: Tensor, perceptual: Perceptual) -> None:
    target = to_unit(clips[:, ::4])
    other = target.flip(-1)
    assert perceptual(target, target).eq(0).all()
    assert perceptual(target, other).shape == (3, 3)
    torch.testing.assert_close(perceptual(target, other), perceptual(other, target))


def test_gradients_reach_the_prediction_and_nothing_else(
    clips: Tensor, random_trunk: Callable[[str], torch.nn.Module]
) -> None:
    network = random_trunk("squeeze")
    measure = Perceptual("squeeze", network)
    target = to_unit(clips[:1, :2])
    prediction = (1.5 * target - 0.25).requires_grad_()  # a part lies outside [0, 1], as in training
    measure(prediction, target).mean().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert prediction.grad[(prediction < 0) | (prediction > 1)].abs().sum() > 0
    assert not network.training
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("backbone", sorted(SMALLEST_PX))
def test_smallest_frames(backbone: str, random_trunk: Callable[[str], torch.nn.Module]) -> None:
    network = random_trunk(backbone)
    side_px = SMALLEST_PX[backbone]
    frames = torch.rand(1, 1, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))
    assert Perceptual(backbone, network)(frames, 1 - frames).isfinite().all()
    with pytest.raises(RuntimeError):  # torch's own words: pooling has nothing left
        network(frames[0, :, :, 1:], frames[0, :, :, 1:])
    with pytest.raises(
        ValueError, match=f"at least {side_px} px, but they are {side_px} x {side_px - 1}; raise data.crop_px"
    ):
        Perceptual(backbone, network)(frames[:, :, :, 1:], frames[:, :, :, 1:])


@pytest.mark.parametrize("backbone", sorted(SMALLEST_PX))
def test_a_trunk_that_cannot_be_had_is_named(backbone: str, no_network: Path) -> None:
    with pytest.raises(
        PerceptualUnavailable, match=r"needs the file .*-[0-9a-f]{8}\.pth, .* put it there, or allow the download"
    ):
        load_perceptual(backbone, "cpu")
    assert list(no_network.rglob("*.pth*")) == []


def test_a_download_that_stands_still_is_given_up(
    silent_network: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the limit this test never ends."""
    monkeypatch.setattr(module, "DOWNLOAD_TIMEOUT_S", 0.2)
    with pytest.raises(PerceptualUnavailable, match="timed out"):
        download("https://example.org/trunk-01234567.pth", tmp_path / "trunk-01234567.pth")
    assert socket.getdefaulttimeout() is None
    assert list(tmp_path.iterdir()) == []


def test_a_download_gets_its_name_only_when_its_hash_is_right(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(b"weights")
    good = tmp_path / "cache" / f"trunk-{sha256(b'weights').hexdigest()[:8]}.pth"
    wrong = tmp_path / "cache" / "trunk-01234567.pth"
    download(content.as_uri(), good)
    with pytest.raises(PerceptualUnavailable, match="invalid hash"):
        download(content.as_uri(), wrong)
    assert list(good.parent.iterdir()) == [good]
    assert good.read_bytes() == b"weights"


def test_a_damaged_trunk_is_not_replaced_by_a_random_one(no_network: Path) -> None:
    path = no_network / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no weights")
    with pytest.raises(PerceptualUnavailable, match=r"cannot use its trunk: .*squeezenet1_1-b8a52dc0\.pth"):
        load_perceptual("squeeze", "cpu")
