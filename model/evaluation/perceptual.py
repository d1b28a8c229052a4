"""LPIPS; the one module that imports torchvision and lpips."""

import socket
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from model.network.operators import declare_missing_operators
from model.network.weights import fingerprint, read_weights

#: Seconds that a download may stand still. torch.hub sets no limit; without a network that can be minutes.
DOWNLOAD_TIMEOUT_S = 20

#: The package's: added to the length of a place's features before they are divided by it.
LENGTH_FLOOR = 1e-10

#: Smallest side of a frame that leaves every pooling layer of the trunk something to pool.
SMALLEST_PX = {"alex": 31, "squeeze": 17, "vgg": 16}


class PerceptualUnavailable(RuntimeError):  # noqa: N818 - it is a state of the machine and not a mistake
    """The trunk of LPIPS cannot be had; the text says why and what to do."""


class Perceptual:
    """LPIPS 0.1 with frozen weights (Zhang et al. 2018; package lpips).

    Attributes:
        backbone: trunk: alex, squeeze or vgg.
        weights_hash: 12 hex digits of the sha256 of trunk and heads.
    """

    def __init__(self, backbone: str, network: nn.Module) -> None:
        self.backbone = backbone
        self.weights_hash = fingerprint(network.state_dict())
        self._network = network.requires_grad_(False).eval()
        self._scaling, self._trunk, heads = (network.get_submodule(name) for name in ("scaling_layer", "net", "lins"))
        self._heads = list(heads.children())

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Perceptual distance of every frame, 0 for equal frames; differentiable in `prediction`.

        Args:
            prediction: float NTCHW with the range [0, 1] as its unit; not clamped, so that gradients reach every pixel.
            target: float NTCHW in [0, 1].

        Returns:
            [N, T] on the same device.

        Raises:
            ValueError: the frames are too small for the trunk.
        """
        assert prediction.shape == target.shape, (prediction.shape, target.shape)
        return self.compare(prediction, self.describe(target))

    def describe(self, video: Tensor) -> list[Tensor]:
        """Features of all frames of an NTCHW video as LPIPS compares them: [N * T, channels, h, w] of unit length, by layer.

        Raises:
            ValueError: the frames are too small for the trunk.
        """
        height, width = video.shape[-2:]
        if min(height, width) < SMALLEST_PX[self.backbone]:
            raise ValueError(
                f"LPIPS with the trunk {self.backbone} needs frames of at least {SMALLEST_PX[self.backbone]} px, "
                f"but they are {width} x {height}; raise data.crop_px"
            )
        layers = self._trunk(self._scaling(2 * video.flatten(0, 1) - 1))
        return [layer / (layer.square().sum(1, keepdim=True).sqrt() + LENGTH_FLOOR) for layer in layers]

    def compare(self, prediction: Tensor, wanted: Sequence[Tensor]) -> Tensor:
        """Distance [N, T] of the frames of an NTCHW video to the frames that others were described of."""
        found = self.describe(prediction)
        pairs = zip(self._heads, found, wanted, strict=True)
        distances = [head((ours - theirs).square()).mean((1, 2, 3)) for head, ours, theirs in pairs]
        return torch.stack(distances).sum(0).view(prediction.shape[:2])

    def to(self, device: torch.device | str) -> "Perceptual":
        """Move the weights and return itself."""
        self._network.to(device)
        return self


def load_perceptual(backbone: str, device: torch.device | str) -> Perceptual:
    """Load LPIPS with the ImageNet trunk from torchvision's cache ($TORCH_HOME/hub/checkpoints), or download it there.

    The heads come with the lpips package. The random trunk that lpips starts with is replaced strictly or not at all.

    Args:
        backbone: alex (233 MB), squeeze (5 MB) or vgg (528 MB).
        device: where to compute.

    Raises:
        PerceptualUnavailable: the trunk is neither in the cache nor to be downloaded, or the file is none.
    """
    declare_missing_operators()
    import lpips  # here, because it takes seconds to import and must come after the line above

    try:
        trunk = read_weights(trunk_file(backbone))
    except ValueError as error:
        raise PerceptualUnavailable(f"LPIPS cannot use its trunk: {error}") from error
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        # lpips 0.1.4 builds the trunk with a spelling that torchvision deprecates; a user can do nothing about it.
        warnings.filterwarnings("ignore", message="The parameter 'pretrained'", category=UserWarning)
        warnings.filterwarnings("ignore", message="Arguments other than a weight enum", category=UserWarning)
        network = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    # lpips cuts torchvision's `features` into slices and keeps the numbers: slice2.3.weight is features.3.weight.
    network.net.load_state_dict(
        {name: trunk[f"features.{name.partition('.')[2]}"] for name in network.net.state_dict()}
    )
    # A fifth to a quarter faster on a CPU (SqueezeNet, 24 px).
    network.to(memory_format=torch.channels_last)
    return Perceptual(backbone, network).to(device)


def trunk_file(backbone: str) -> Path:
    """Path of the trunk's weights, downloaded first when they are not in the cache.

    Raises:
        PerceptualUnavailable: no file and no download.
    """
    from torchvision import models

    published = {
        "alex": models.AlexNet_Weights.IMAGENET1K_V1,
        "squeeze": models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
        "vgg": models.VGG16_Weights.IMAGENET1K_V1,
    }
    url = published[backbone].url
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlparse(url).path).name)
    if not path.exists():
        download(url, path)
    return path


def download(url: str, path: Path) -> None:
    """Download into place under a temporary name; a wrong or short file never gets the right name.

    Raises:
        PerceptualUnavailable: with the reason and the remedy.
    """
    sha256_start = path.stem.rpartition("-")[2]  # torchvision's names end in it
    timeout_s = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)  # the only way in: download_url_to_file takes no timeout
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=sha256_start, progress=sys.stderr.isatty())
    except (OSError, RuntimeError) as error:
        raise PerceptualUnavailable(
            f"LPIPS needs the file {path.name}, which is not in {path.parent} and could not be downloaded ({error}); "
            f"put it there, or allow the download from {url}"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout_s)
