from collections.abc import Callable, Iterator

import pytest
import torch

from model.network.settings import NetworkSettings
from model.network.streaming import decode_stream, encode_stream
from model.network.taehv import TAEHV


@pytest.mark.parametrize(
    ("variant", "frames"),
    [("base", 17), ("base", 12), ("cogvideox", 9), ("wan22", 9), ("ltx", 9), ("hunyuan15_super", 9)],
)
@torch.no_grad()
def test_streaming_agrees_with_all_frames_at_once(
    network: Callable[..., NetworkSettings], variant: str, frames: int
) -> None:
    model = TAEHV(network(variant))
    px = model.space_stride
    video = torch.rand(2, frames, 3, px, 2 * px, generator=torch.Generator().manual_seed(0))
    latents = model.encode(video)
    streamed = torch.stack(list(encode_stream(model, video.unbind(1))), 1)
    torch.testing.assert_close(streamed, latents, atol=1e-5, rtol=0)
    decoded = torch.stack(list(decode_stream(model, latents.unbind(1))), 1)
    torch.testing.assert_close(decoded, model.decode(latents), atol=1e-5, rtol=0)


@torch.no_grad()
def test_nothing_is_taken_before_it_is_needed(network: Callable[..., NetworkSettings]) -> None:
    model, taken = TAEHV(network()), []

    def frames() -> Iterator[torch.Tensor]:
        for number in range(100):
            taken.append(number)
            yield torch.zeros(1, 3, 8, 8)

    latents = encode_stream(model, frames())
    next(latents)
    assert len(taken) == 4
    next(decode_stream(model, latents))
    assert len(taken) == 8


@torch.no_grad()
def test_an_even_stream_of_cogvideox_is_refused_at_its_end(network: Callable[..., NetworkSettings]) -> None:
    model = TAEHV(network("cogvideox"))
    with pytest.raises(ValueError, match=r"odd number of latents .* but had 2; decode it in one piece"):
        list(decode_stream(model, torch.zeros(2, 1, 16, 1, 1)))


def test_an_empty_stream_stays_empty(network: Callable[..., NetworkSettings]) -> None:
    assert list(encode_stream(TAEHV(network()), [])) == []
