"""The embedded reference: the best linear autoencoder of causal patches, in closed form; no download, no training.

A patch covers `time_stride` frames and a square of `space_stride` pixels. Latent k sees the frames that the large video
VAEs give it: latent 0 frame 0 alone (repeated to fill the patch), latent k the frames up to time_stride * k. Keeping the
leading principal components is the optimal linear reconstruction (Eckart and Young, 1936).
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from model.data.pixels import to_unit
from model.network.weights import fingerprint
from model.threads import torch_threads

RGB = 3
# Of the matrix that is fitted, float64: 256 MiB, some 44,000 patches of 4 x 8 x 8 pixels (57 per dimension).
MAX_FIT_VALUES = 2**25
# Larger patches than this (4 x 16 x 16, 8 x 32 x 32) are fitted on at most so many of them: the time of the decomposition
# grows with the cube of the smaller side, and 2048 takes seconds on two cores where 3072 takes half a minute.
MAX_DECOMPOSED_SIDE = 2048
CLIPS_AT_ONCE = 8  # of those that patches are taken from; any number takes the same ones, a larger only more memory
GOLDEN_SECTION = (math.sqrt(5) - 1) / 2


class PcaReference(nn.Module):
    """Linear encoder and decoder whose latents have mean 0 and standard deviation 1 on the patches they were fitted on.

    The standardised scale keeps them where TAEHV's soft clamp, 3 tanh(x / 3), is nearly the identity.

    Args:
        name: the setting that it was built from.
        mean: D, the mean patch, with D = time_stride * 3 * space_stride^2.
        components: D x C, orthonormal columns.
        deviations: C, standard deviation of the patches along each component.
        time_stride: frames per patch.
        space_stride: pixels per patch along height and width.
    """

    mean: Tensor
    encoding: Tensor
    decoding: Tensor

    def __init__(
        self, name: str, mean: Tensor, components: Tensor, deviations: Tensor, time_stride: int, space_stride: int
    ) -> None:
        super().__init__()
        self.name = name
        self.time_stride = time_stride
        self.space_stride = space_stride
        self.latent_channels = components.shape[1]
        self.register_buffer("mean", mean.float())
        self.register_buffer("encoding", (components / deviations).float())
        self.register_buffer("decoding", (components * deviations).T.float())
        self.identity = fingerprint(self.state_dict())

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """NTCHW video in [0, 1], T = time_stride * k + 1 -> NTCHW latents, k + 1 of them."""
        patches = to_patches(video, self.time_stride, self.space_stride)
        return ((patches - self.mean) @ self.encoding).permute(0, 1, 4, 2, 3).contiguous()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """NTCHW latents -> NTCHW video, not clamped; frame 0 is the mean of the frames of patch 0."""
        patches = latents.permute(0, 1, 3, 4, 2) @ self.decoding + self.mean
        return from_patches(patches, self.time_stride, self.space_stride)


def restore_pca(name: str, state: Mapping[str, Tensor], time_stride: int, space_stride: int) -> PcaReference:
    """The reference whose state_dict this is, to the bit."""
    dimension, channels = state["encoding"].shape
    restored = PcaReference(
        name, torch.zeros(dimension), torch.zeros(dimension, channels), torch.ones(channels), time_stride, space_stride
    )
    restored.load_state_dict(dict(state))
    restored.identity = fingerprint(restored.state_dict())
    return restored


def fit_pca(
    clips: Tensor, latent_channels: int, time_stride: int, space_stride: int, name: str = "pca"
) -> PcaReference:
    """Fit on training clips, in float64 on one thread of the CPU: the same clips give the same bits.

    Args:
        clips: uint8, N T 3 H W.
        latent_channels: components that are kept.
        time_stride: frames per latent.
        space_stride: pixels per latent along height and width.
        name: the setting that it is built from.

    Raises:
        ValueError: the clips have too few patches, or patches too much alike, for that many channels.
    """
    # One thread takes some 3 s. Sixteen took 42 s, and 400 s of all cores, beside compilers that wanted the same cores.
    with torch_threads(1):
        return fit_patches(
            sample_patches(clips, time_stride, space_stride), latent_channels, time_stride, space_stride, name
        )


def fit_patches(patches: Tensor, latent_channels: int, time_stride: int, space_stride: int, name: str) -> PcaReference:
    """Fit on P x D patches, which are changed."""
    count, dimension = patches.shape
    if latent_channels >= count or latent_channels > dimension:
        raise ValueError(
            f"a pca reference of {latent_channels} channels must have more than {latent_channels} training patches of at "
            f"least as many values, but has {count} of {dimension}; raise data.training_clips"
        )
    mean = patches.mean(0)
    components, variances = principal_components(patches.sub_(mean), latent_channels)
    # Below this a direction is rounding noise, and dividing by its deviation would blow that noise up.
    if not variances[-1] > variances[0] * 1e-12:
        raise ValueError(
            f"a pca reference of {latent_channels} channels must see training clips that vary in that many directions, "
            "but they do not; raise data.training_clips or take clips with more in them"
        )
    return PcaReference(name, mean, components, variances.sqrt(), time_stride, space_stride)


def principal_components(centred: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Leading principal components (D x count, orthonormal) and variances (count, falling) of P x D centred rows.

    The smaller of covariance and Gram matrix is decomposed: both have the same leading eigenvalues. The sign, which the
    decomposition leaves open, is chosen so that the largest entry of a component is positive.
    """
    rows, dimension = centred.shape
    if dimension <= rows:
        variances, vectors = torch.linalg.eigh(centred.T @ centred / rows)
        components = vectors[:, -count:].flip(1)
    else:
        variances, vectors = torch.linalg.eigh(centred @ centred.T / rows)
        components = centred.T @ vectors[:, -count:].flip(1)
        components /= components.norm(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
    largest = components.gather(0, components.abs().argmax(0, keepdim=True))
    return components * largest.sign(), variances[-count:].flip(0)


def sample_patches(clips: Tensor, time_stride: int, space_stride: int) -> Tensor:
    """At most MAX_FIT_VALUES values of patches, spread evenly over clips, times and places: P x D, float64.

    One patch is taken from each of equal stretches of their numbering, at a place that moves by the golden section: a fixed
    place would meet the rhythm of the grid and favour a column or a frame.
    """
    frames, _, height, width = clips.shape[1:]
    shape = (len(clips), frames, height, width)
    per_clip, dimension = patch_counts(*shape[1:], time_stride, space_stride)
    total, taken = len(clips) * per_clip, patches_taken(*shape, time_stride, space_stride)
    stretch = torch.arange(taken, dtype=torch.float64)
    numbers = ((stretch + stretch * GOLDEN_SECTION % 1) * total / taken).long().unique()
    sampled = torch.empty(len(numbers), dimension, dtype=torch.float64)
    for first in range(0, len(clips), CLIPS_AT_ONCE):
        chunk = clips[first : first + CLIPS_AT_ONCE]
        low, high = torch.searchsorted(numbers, torch.tensor([first, first + len(chunk)]) * per_clip).tolist()
        if low < high:
            rows = to_patches(chunk, time_stride, space_stride).flatten(0, 3)
            sampled[low:high] = to_unit(rows[numbers[low:high] - first * per_clip])
    return sampled


def patch_counts(frames: int, height: int, width: int, time_stride: int, space_stride: int) -> tuple[int, int]:
    """Patches in one clip, and values in one patch."""
    per_clip = ((frames - 1) // time_stride + 1) * (height // space_stride) * (width // space_stride)
    return per_clip, time_stride * RGB * space_stride**2


def patches_taken(clips: int, frames: int, height: int, width: int, time_stride: int, space_stride: int) -> int:
    """How many patches of all that the clips have are fitted on."""
    per_clip, dimension = patch_counts(frames, height, width, time_stride, space_stride)
    taken = min(clips * per_clip, max(MAX_FIT_VALUES // dimension, 1))
    return min(taken, MAX_DECOMPOSED_SIDE) if dimension > MAX_DECOMPOSED_SIDE else taken


def fit_bytes(clips: int, frames: int, height: int, width: int, time_stride: int, space_stride: int) -> int:
    """Bytes of host memory that `fit_pca` holds at most beside the clips: the patches, and what they come from or lead to."""
    _, dimension = patch_counts(frames, height, width, time_stride, space_stride)
    taken = patches_taken(clips, frames, height, width, time_stride, space_stride)
    # For each value a byte where clips are padded to whole patches, one or two in the order of patches, and four as unit value.
    chunk = 7 * min(clips, CLIPS_AT_ONCE) * frames * RGB * height * width
    # The matrix, its eigenvectors as LAPACK and as torch order them, and two for LAPACK to work in (dsyevd).
    decomposition = 5 * min(taken, dimension) ** 2 * torch.float64.itemsize
    return taken * dimension * torch.float64.itemsize + max(chunk, decomposition)


def to_patches(video: Tensor, time_stride: int, space_stride: int) -> Tensor:
    """NTCHW, T = time_stride * k + 1 -> N (k+1) H/s W/s D; a patch is ordered time, colour, row, column."""
    assert video.shape[1] % time_stride == 1 % time_stride, f"{video.shape[1]} frames, time stride {time_stride}"
    padded = torch.cat([video[:, :1].expand(-1, time_stride - 1, -1, -1, -1), video], 1)
    blocks = padded.unflatten(1, (-1, time_stride)).unflatten(4, (-1, space_stride)).unflatten(6, (-1, space_stride))
    return blocks.permute(0, 1, 4, 6, 2, 3, 5, 7).flatten(4)


def from_patches(patches: Tensor, time_stride: int, space_stride: int) -> Tensor:
    """The way back: N K h w D -> NTCHW; the frames of patch 0, all of them frame 0, are averaged."""
    blocks = patches.unflatten(4, (time_stride, RGB, space_stride, space_stride)).permute(0, 1, 4, 5, 2, 6, 3, 7)
    frames = blocks.flatten(6, 7).flatten(4, 5)  # N K time C H W
    return torch.cat([frames[:, 0].mean(1, keepdim=True), frames[:, 1:].flatten(1, 2)], 1)
