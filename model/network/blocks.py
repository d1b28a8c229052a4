"""The blocks that TAEHV is made of; only three kinds of them look across time, and those only backwards."""

import torch
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size (stride 1) or halves it (stride 2)."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)


class SoftClamp(nn.Module):
    """Limits latents smoothly to (-3, 3): 3 tanh(x / 3), the identity near 0."""

    def forward(self, latents: Tensor) -> Tensor:
        """Same shape in and out."""
        return 3 * torch.tanh(latents / 3)


class RemembersPast(nn.Module):
    """Base of the blocks that see the frame before: `forward(present, past)`, both NCHW; past is 0 at the start."""

    conv: nn.Sequential


class MemoryBlock(RemembersPast):
    """Residual block of three 3x3 convolutions on the present and the past frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            convolution(2 * channels, channels),
            nn.ReLU(inplace=True),
            convolution(channels, channels),
            nn.ReLU(inplace=True),
            convolution(channels, channels),
        )

    def forward(self, present: Tensor, past: Tensor) -> Tensor:
        """NCHW twice -> NCHW."""
        return torch.relu_(self.conv(torch.cat([present, past], 1)) + present)


class SuperMemoryBlock(RemembersPast):
    """Residual block in the manner of ConvNeXt: 7x7 depthwise on present and past, 1x1 up, ReLU, 1x1 down."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 7, padding=3, groups=2 * channels, bias=False),
            nn.Conv2d(2 * channels, 4 * channels, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(4 * channels, channels, 1, bias=False),
        )

    def forward(self, present: Tensor, past: Tensor) -> Tensor:
        """NCHW twice -> NCHW."""
        return self.conv(torch.cat([present, past], 1)) + present


class TimePool(nn.Module):
    """Merges each `stride` consecutive frames into one by a 1x1 convolution."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(channels * stride, channels, 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(N T) C H W, time running fastest -> (N T/stride) C H W."""
        # By way of NHWC: the frames' channels become those of one frame without leaving the layout of the convolutions.
        pixels = frames.permute(0, 2, 3, 1).unflatten(0, (-1, self.stride))
        return self.conv(pixels.permute(0, 2, 3, 1, 4).flatten(3, 4).permute(0, 3, 1, 2))


class TimeGrow(nn.Module):
    """Makes `stride` consecutive frames out of each by a 1x1 convolution."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(channels, channels * stride, 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(N T) C H W -> (N T*stride) C H W, time running fastest."""
        pixels = self.conv(frames).permute(0, 2, 3, 1).unflatten(3, (self.stride, -1))
        return pixels.permute(0, 3, 1, 2, 4).flatten(0, 1).permute(0, 3, 1, 2)
