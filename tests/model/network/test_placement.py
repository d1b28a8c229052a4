import torch

from model.network.placement import place
from model.network.taehv import TAEHV


def test_a_placed_network_keeps_its_weights_and_has_channels_fastest(network) -> None:
    model = TAEHV(network(), seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    place(model, "cpu")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    (convolution,) = [value for name, value in model.named_parameters() if name == "encoder.0.weight"]
    assert convolution.is_contiguous(memory_format=torch.channels_last)
    assert not convolution.is_contiguous()
