from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from model.network.narrow import NarrowConvolution, from_few, to_few


@pytest.mark.parametrize(("inputs", "outputs", "way"), [(3, 5, from_few), (5, 3, to_few)])
def test_the_matrix_product_is_the_convolution(inputs: int, outputs: int, way: Callable[..., torch.Tensor]) -> None:
    torch.manual_seed(0)
    frames = torch.randn(2, inputs, 4, 6)
    weight, bias = torch.randn(outputs, inputs, 3, 3), torch.randn(outputs)
    torch.testing.assert_close(
        way(frames, weight, bias), F.conv2d(frames, weight, bias, padding=1), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 5), (5, 3), (12, 16)])
def test_compiled_and_plain_are_the_same_with_their_gradients(inputs: int, outputs: int) -> None:
    torch.manual_seed(0)
    plain = NarrowConvolution(inputs, outputs).to(memory_format=torch.channels_last)
    frames = torch.randn(2, inputs, 4, 6).to(memory_format=torch.channels_last)
    results = []
    for module in (plain, torch.compile(plain, backend="eager", fullgraph=True)):
        pixels = frames.clone().requires_grad_()
        plain.zero_grad()
        output = module(pixels)
        output.pow(3).sum().backward()
        results.append((output.detach(), pixels.grad, plain.weight.grad.clone(), plain.bias.grad.clone()))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-4)
    assert output.is_contiguous(memory_format=torch.channels_last)
