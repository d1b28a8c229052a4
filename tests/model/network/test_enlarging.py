import torch
import torch.nn.functional as F

from model.network.enlarging import EnlargingConvolution, quarter_weights, spread


def test_one_convolution_of_the_small_frames_is_that_of_the_repeated_pixels() -> None:
    torch.manual_seed(0)
    frames, weight = torch.randn(2, 3, 4, 5, dtype=torch.float64), torch.randn(6, 3, 3, 3, dtype=torch.float64)
    expected = F.conv2d(F.interpolate(frames, scale_factor=2), weight, padding=1)
    torch.testing.assert_close(spread(F.conv2d(frames, quarter_weights(weight), padding=1)), expected)


def test_each_quarter_lies_in_its_corner() -> None:
    assert spread(torch.arange(4.0).view(1, 4, 1, 1)).tolist() == [[[[0, 1], [2, 3]]]]


def test_the_layout_of_convolutions_is_kept() -> None:
    quarters = torch.randn(2, 8, 3, 4).to(memory_format=torch.channels_last)
    assert spread(quarters).is_contiguous(memory_format=torch.channels_last)


def test_compiled_and_plain_are_the_same_with_their_gradients() -> None:
    torch.manual_seed(0)
    plain = EnlargingConvolution(3, 2).double()
    frames = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    results = []
    for module in (plain, torch.compile(plain, backend="eager", fullgraph=True)):
        inputs = frames.clone().requires_grad_()
        plain.zero_grad()
        output = module(inputs)
        output.pow(3).sum().backward()
        results.append((output.detach(), inputs.grad, plain.weight.grad.clone()))
    torch.testing.assert_close(results[1], results[0])
