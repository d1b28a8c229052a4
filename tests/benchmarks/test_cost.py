import torch
from torch import nn

from benchmarks.cost import Cost, add, count


def test_operations_and_saved_bytes_of_two_convolutions_by_hand() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(8, 4, 1, bias=False))
    layers.to("meta")
    frames = torch.empty(2, 3, 16, 16, device="meta")
    pixels = 2 * 16 * 16
    first, second = 2 * pixels * 3 * 8 * 9, 2 * pixels * 8 * 4
    cost = count(lambda: layers(frames).sum())
    # Forward and the weights' gradients of both; back to its input only the second, the frames want no gradient.
    assert cost.flop == 2 * first + 3 * second
    # Each convolution keeps its input, once, although ReLU keeps the second's too; weights are not activations.
    assert cost.saved_bytes == 4 * pixels * (3 + 8)
    assert add([cost, Cost(1, 2)]) == Cost(cost.flop + 1, cost.saved_bytes + 2)
