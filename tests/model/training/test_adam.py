import pytest
import torch

from model.training.adam import measure_adam


def optimizer_of(*parameters: torch.Tensor, **options: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameters, **{"lr": 1e-3, "weight_decay": 0.0, **options})


def step(optimizer: torch.optim.AdamW, *gradients: list[float] | None) -> None:
    for parameter, gradient in zip(optimizer.param_groups[0]["params"], gradients, strict=True):
        parameter.grad = None if gradient is None else torch.tensor(gradient, dtype=parameter.dtype)
    optimizer.step()


def read(optimizer: torch.optim.AdamW, steps: int, learning_rate: float = 1e-3) -> dict[str, float]:
    return {name: value.item() for name, value in measure_adam(optimizer, steps, learning_rate).items()}


def test_a_second_moment_below_ten_epsilons_is_starved() -> None:
    """The first step's root second moment is the gradient itself; epsilon is 1e-8."""
    gradient = [1.0, 1.1e-7, 0.9e-7, 1e-12, 1e-20, 0.0]  # of the last nothing is known
    optimizer = optimizer_of(torch.ones(6, requires_grad=True))
    step(optimizer, gradient)
    assert read(optimizer, 1)["adam/starved_share"] == pytest.approx(3 / 5)
    # The moment's start is corrected for: after many equal steps the same values are starved.
    for _ in range(20):
        step(optimizer, gradient)
    assert read(optimizer, 21)["adam/starved_share"] == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("dtype", "weights", "share"),
    [
        # Steps of Adam's first step are the rate, 1e-3. Beside 1 a bfloat16 has room for halves of 2^-7 upwards (0.0039)
        # and of 2^-8 downwards (0.00195), beside 0.25 for 0.0005, beside 0 for anything.
        (torch.bfloat16, [1.0, 0.5, 0.25, 0.01, 0.0], 1 / 5),
        (torch.bfloat16, [1.0, 1.5, 2.0, 3.0, 4.0], 1.0),
        (torch.float32, [1.0, 0.5, 0.25, 0.01, 0.0], 0.0),
        # A float32 has 2^-24 of itself: 1e-3 is lost beside 20000 (0.00098) and not beside 10000.
        (torch.float32, [1e4, 4e4, 1e5, 0.01, 0.0], 2 / 5),
    ],
)
def test_updates_that_rounding_swallows_are_counted(dtype: torch.dtype, weights: list[float], share: float) -> None:
    parameter = torch.tensor(weights, dtype=dtype, requires_grad=True)
    optimizer = optimizer_of(parameter)
    step(optimizer, [1.0] * 5)
    assert read(optimizer, 1)["weights/below_precision"] == pytest.approx(share)
    # What the formula says the weights would not feel, they did not.
    assert (parameter.detach() == torch.tensor(weights, dtype=dtype)).float().mean().item() == pytest.approx(share)


def test_the_rate_is_the_one_given_and_not_that_of_the_last_step() -> None:
    optimizer = optimizer_of(torch.ones(4, requires_grad=True), lr=1e-12)
    step(optimizer, [1.0] * 4)
    assert read(optimizer, 1, learning_rate=1e-12)["weights/below_precision"] == 1
    assert read(optimizer, 1, learning_rate=1e-3)["weights/below_precision"] == 0


def test_values_without_a_gradient_do_not_count() -> None:
    optimizer = optimizer_of(torch.ones(4, dtype=torch.bfloat16, requires_grad=True))
    step(optimizer, [1.0, 0.0, 0.0, 0.0])
    assert read(optimizer, 1)["weights/below_precision"] == 1
    step(optimizer, [0.0, 0.0, 0.0, 0.0])
    assert read(optimizer, 2)["weights/below_precision"] == 0


def test_a_unit_that_died_is_neither_starved_nor_too_coarse() -> None:
    """Its moments fade below everything, which is no fault of epsilon or precision."""
    optimizer = optimizer_of(torch.ones(2, requires_grad=True))
    step(optimizer, [1e-3, 1e-3])
    for _ in range(500):
        step(optimizer, [1e-3, 0.0])
    moments = optimizer.state[optimizer.param_groups[0]["params"][0]]
    assert 0 < moments["exp_avg"][1].abs() < 1e-24
    assert set(read(optimizer, 501).values()) == {0.0, 32.0}  # nothing skipped, starved or lost, in 32 bits


def test_each_type_is_rounded_to_itself() -> None:
    optimizer = optimizer_of(torch.ones(3, requires_grad=True), torch.ones(1, dtype=torch.bfloat16, requires_grad=True))
    step(optimizer, [1.0] * 3, [1.0])
    assert read(optimizer, 1)["weights/below_precision"] == pytest.approx(1 / 4)
    assert read(optimizer, 1)["weights/bits"] == 16


def test_skipped_steps_are_those_the_optimizer_did_not_count() -> None:
    optimizer = optimizer_of(torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True))
    assert read(optimizer, 3) == {"steps/skipped": 1.0}
    for _ in range(3):
        step(optimizer, [1.0], None)  # a part that no loss reaches is not a skipped step
    assert read(optimizer, 3)["steps/skipped"] == 0
    assert read(optimizer, 4)["steps/skipped"] == pytest.approx(0.25)
