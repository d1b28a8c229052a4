"""All parameters of a part in one vector: for an optimizer a hundred small tensors cost more than what is in them."""

from itertools import accumulate

import torch
from torch import Tensor, nn


class FlatParameters:
    """The parameters of a module as views of one vector, in which an optimizer moves them.

    Reading, writing and differentiating the module's parameters stays as it is; whoever gives one of them other memory
    (`module.half()`, say) takes it out of the vector.

    Args:
        module: whose parameters all have one type and device.

    Attributes:
        values: the vector. Its gradient is there after `gather`, and None where the last backward pass reached nothing.
    """

    def __init__(self, module: nn.Module) -> None:
        self._parameters = list(module.parameters())
        self.values = nn.Parameter(torch.cat([in_memory_order(weights.detach()) for weights in self._parameters]))
        self._gradient = torch.zeros_like(self.values)
        self._gradients = self.views(self._gradient)
        for weights, view in zip(self._parameters, self.views(self.values.detach()), strict=True):
            weights.data = view

    def views(self, vector: Tensor) -> list[Tensor]:
        """Parts of a vector in the shapes and layouts of the parameters."""
        starts = accumulate((weights.numel() for weights in self._parameters), initial=0)
        return [
            vector.as_strided(weights.shape, weights.stride(), start)
            for weights, start in zip(self._parameters, starts, strict=False)
        ]

    def forget(self) -> None:
        """Drop all gradients."""
        self.values.grad = None
        for weights in self._parameters:
            weights.grad = None

    @torch.no_grad()
    def gather(self, source: "FlatParameters | None" = None) -> None:
        """Copy the parameters' gradients into that of the vector; 0 for a parameter that has none while others have.

        Args:
            source: a copy of this part, of whatever type, that has the gradients; None: the part itself.
        """
        gradients = [weights.grad for weights in (source or self)._parameters]
        pairs = list(zip(self._gradients, gradients, strict=True))
        reached = [(view, gradient) for view, gradient in pairs if gradient is not None]
        if not reached:
            return
        for view, gradient in pairs:
            if gradient is None:
                view.zero_()
        torch._foreach_copy_([view for view, _ in reached], [gradient for _, gradient in reached])
        self.values.grad = self._gradient


def in_memory_order(values: Tensor) -> Tensor:
    """A dense tensor's values as they lie in memory, whatever its layout."""
    return values.as_strided((values.numel(),), (1,))
