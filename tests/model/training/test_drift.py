import math

import pytest
import torch
from torch import nn

from model.training.drift import Drift, flatten, start_drift


def module(*values: float) -> nn.Module:
    return nn.ParameterList([torch.tensor(values[:2]), torch.tensor(values[2:])])


def set_values(holder: nn.Module, *values: float) -> None:
    for parameter, part in zip(holder.parameters(), (values[:2], values[2:]), strict=True):
        parameter.data.copy_(torch.tensor(part))


def test_every_number_by_hand() -> None:
    model, average = module(3.0, 0.0, 4.0), module(3.0, 0.0, 4.0)  # norm 5
    drift = start_drift(model)
    drift.add(0.03)
    drift.add(0.04)  # root of the sum of squares 0.05
    assert drift.mean_rate() == pytest.approx((0.05**2 / 2) ** 0.5)
    set_values(model, 3.0, 0.3, 4.4)  # moved by 0.5
    set_values(average, 3.0, 0.0, 4.1)
    measured = {name: value.item() for name, value in drift.measure(model, average).items()}
    assert measured == pytest.approx(
        {
            "weights/change": 0.1,
            "weights/expected_change": 0.05 * 3**0.5 / 5,
            "weights/identical_share": 1 / 3,
            "average/change": 0.02,
        },
        rel=1e-5,
    )


def test_the_next_probe_begins_where_this_one_ended_and_the_average_does_not() -> None:
    model, average = module(3.0, 0.0, 4.0), module(3.0, 0.0, 4.0)
    drift = start_drift(model)
    set_values(model, 6.0, 0.0, 8.0)
    set_values(average, 6.0, 0.0, 8.0)
    drift.add(1.0)
    drift.measure(model, average)
    assert drift.mean_rate() == 0
    again = drift.measure(model, average)
    assert again["weights/change"] == again["weights/expected_change"] == 0
    assert again["weights/identical_share"] == 1
    assert again["average/change"] == 1


def test_steps_of_a_random_sign_lead_as_far_as_expected() -> None:
    """The formula of a random walk, against one: 4000 values, 100 steps of one length each in a random direction."""
    model = nn.ParameterList([torch.ones(4000)])
    drift = start_drift(model)
    generator = torch.Generator().manual_seed(0)
    for step in range(100):
        learning_rate = 1e-3 * (1 - step / 100)
        model[0].data += learning_rate * (torch.randint(0, 2, (4000,), generator=generator) * 2 - 1)
        drift.add(learning_rate)
    measured = drift.measure(model, model)
    # The length of such a walk scatters by 1 / sqrt(2 * 4000) of itself.
    assert (measured["weights/change"] / measured["weights/expected_change"]).item() == pytest.approx(1, abs=0.05)


def test_weights_that_move_in_place_do_not_move_what_is_remembered() -> None:
    model = module(1.0, 2.0, 3.0)
    drift = start_drift(model)
    set_values(model, 9.0, 9.0, 9.0)
    assert drift.start.tolist() == drift.last.tolist() == [1.0, 2.0, 3.0]


def test_the_last_probe_and_the_rates_are_saved_and_the_start_is_not() -> None:
    model = module(1.0, 2.0, 3.0)
    drift = start_drift(model)
    set_values(model, 4.0, 5.0, 6.0)
    drift.measure(model, model)
    drift.add(0.1)
    fresh = Drift(torch.zeros(3), torch.zeros(3))
    fresh.load_state_dict(drift.state_dict())
    assert fresh.last.tolist() == [4.0, 5.0, 6.0]
    assert fresh.squared_rates == drift.squared_rates == pytest.approx(0.01)
    assert fresh.steps == drift.steps == 1
    assert fresh.start.tolist() == [0.0, 0.0, 0.0]


def test_a_vector_holds_coarser_values_exactly() -> None:
    coarse = torch.tensor([0.1, 3e38], dtype=torch.bfloat16)
    vector = flatten([torch.tensor([1.0]), coarse])
    assert vector.dtype == torch.float32
    assert torch.equal(vector[1:].to(torch.bfloat16), coarse)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 1, 1), (2, 1, 3, 3), (6,), ()])
def test_values_stand_in_the_same_place_whatever_their_layout(shape: tuple[int, ...]) -> None:
    values = torch.arange(float(math.prod(shape))).view(shape)
    layouts = [values, values.clone(memory_format=torch.channels_last) if len(shape) == 4 else values.clone()]
    vectors = [flatten([layout]) for layout in layouts]
    assert torch.equal(*vectors)
    assert sorted(vectors[0].tolist()) == values.flatten().tolist()
