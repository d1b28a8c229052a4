"""TAEHV frame by frame: generators in, generators out, memory that does not grow with the length of the video.

The same layers give the same numbers as `TAEHV.encode` and `TAEHV.decode`, which take all frames at once. Open
torch.no_grad() around the iteration where no gradient is wanted.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.blocks import RemembersPast, TimeGrow, TimePool
from model.network.taehv import TAEHV, check_size


def encode_stream(model: TAEHV, frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Turn frames (NCHW, [0, 1]) into latents (NCHW), each as soon as its time_stride frames have come.

    Raises:
        ValueError: height or width is no multiple of the space stride.
    """
    filled = fill_up(frames, model.time_stride)
    return through(model.encoder, (unshuffle(model, frame) for frame in filled))


def decode_stream(model: TAEHV, latents: Iterable[Tensor]) -> Iterator[Tensor]:
    """Turn latents (NCHW) into frames (NCHW, not clamped), the start-up frames left out.

    Raises:
        ValueError: at the end, where the variant keeps the start-up frames of an even number of latents, and it was even:
            that cannot be known when they come.
    """
    count = 0

    def counted() -> Iterator[Tensor]:
        nonlocal count
        for latent in latents:
            count += 1
            yield latent

    for number, frame in enumerate(through(model.decoder, counted())):
        if number >= model.architecture.frames_trimmed(1):
            yield F.pixel_shuffle(frame, model.architecture.patch_size)
    if model.architecture.frames_trimmed(count) != model.architecture.frames_trimmed(1):
        raise ValueError(
            f"a stream of this variant must have an odd number of latents (8k+1 frames), but had {count}; "
            "decode it in one piece"
        )


def unshuffle(model: TAEHV, frame: Tensor) -> Tensor:
    """One frame as the first convolution takes it."""
    check_size(frame.shape[-2], frame.shape[-1], model.space_stride)
    return F.pixel_unshuffle(frame, model.architecture.patch_size)


def fill_up(frames: Iterable[Tensor], multiple: int) -> Iterator[Tensor]:
    """Repeat the last frame until their number is a multiple."""
    count = 0
    for frame in frames:
        count += 1
        yield frame
    for _ in range(-count % multiple):
        yield frame


def through(layers: nn.Sequential, frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Chain one generator per layer: a frame is pulled through all of them before the next is asked for."""
    for layer in layers:
        frames = over_stream(layer, frames)
    return iter(frames)


def over_stream(layer: nn.Module, frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Apply one layer; the kinds that look across time keep here what they need of it."""
    if isinstance(layer, RemembersPast):
        past = None
        for frame in frames:
            yield layer(frame, torch.zeros_like(frame) if past is None else past)
            past = frame
    elif isinstance(layer, TimePool):
        waiting: list[Tensor] = []
        for frame in frames:
            waiting.append(frame)
            if len(waiting) == layer.stride:
                yield layer(torch.stack(waiting, 1).flatten(0, 1))
                waiting = []
    elif isinstance(layer, TimeGrow):
        for frame in frames:
            yield from layer(frame).unflatten(0, (-1, layer.stride)).unbind(1)
    else:
        for frame in frames:
            yield layer(frame)
