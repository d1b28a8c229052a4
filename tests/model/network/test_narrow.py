from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from model.network.narrow import NarrowConvolution, from_few, to_few


@pytest.mark.parametrize(("inputs", "outputs", "way"), [(3, 5, from_few), (5, 3, to_few)])
def test_the_matrix_product_is_the_convolution_with_its_gradients(
    inputs: int, outputs: int, way: Callable[..., torch.Tensor]
) -> None:
    torch.manual_seed(0)
    frames = torch.randn(2, inputs, 4, 6, requires_grad=True)
    weight, bias = torch.randn(outputs, inputs, 3, 3, requires_grad=True), torch.randn(outputs, requires_grad=True)
    results = [way(frames, weight, bias), F.conv2d(frames, weight, bias, padding=1)]
    gradients = [torch.autograd.grad(result.pow(3).sum(), (frames, weight, bias)) for result in results]
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 5), (5, 3), (12, 16)])
def test_compiled_and_plain_are_the_same_but_for_bfloat16(inputs: int, outputs: int) -> None:
    torch.manual_seed(0)
    plain = NarrowConvolution(inputs, outputs).to(memory_format=torch.channels_last)
    frames = torch.randn(2, inputs, 4, 6).to(memory_format=torch.channels_last)
    compiled = torch.compile(plain, backend="eager", fullgraph=True)
    exact = plain(frames)
    assert torch.equal(compiled(frames), exact)  # in float32 it is the convolution itself
    with torch.autocast("cpu", torch.bfloat16):
        rounded = compiled(frames)
    torch.testing.assert_close(rounded.float(), exact, rtol=0.02, atol=0.02)
    assert rounded.is_contiguous(memory_format=torch.channels_last)
