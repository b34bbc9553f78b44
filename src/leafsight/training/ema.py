"""A running average of weights and batch statistics: steadier to judge and to ship than the last step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of every floating tensor of a module's state.

    The decay rises with the steps, ``min(decay, (1 + t) / (10 + t))`` (TensorFlow's
    ``ExponentialMovingAverage``), so that a short stage is not dominated by where it began. Counters such as
    ``num_batches_tracked`` are copied.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self._module = module
        self.steps = 0
        self.tensors: dict[str, Tensor] = {
            name: tensor.detach().clone() for name, tensor in _state(module).items()
        }

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the module as it is now."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        current = _state(self._module)
        floating = [name for name, tensor in current.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.tensors[n] for n in floating], [current[n] for n in floating], 1.0 - decay)
        for name in current.keys() - set(floating):
            self.tensors[name].copy_(current[name])

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Take over the average from a checkpoint."""
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])
        self.steps = steps

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """The module carries the average inside the block and its own weights again after it."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for name, tensor in _state(self._module).items():
            kept = tensor.detach().clone()
            tensor.copy_(self.tensors[name])
            self.tensors[name].copy_(kept)

    @torch.no_grad()
    def settle(self) -> None:
        """Write the average into the module for good."""
        for name, tensor in _state(self._module).items():
            tensor.copy_(self.tensors[name])


def _state(module: nn.Module) -> dict[str, Tensor]:
    state: dict[str, Tensor] = module.state_dict(keep_vars=True)
    return state
