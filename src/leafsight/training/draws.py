"""Random numbers for one batch: one value for each picture, all from one ``torch.Generator``.

Enters: a generator and the number of pictures. Leaves: small tensors on the generator's device, which the
operations turn into matrices before anything is moved to the device that trains. It knows no operation.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from torch import Tensor


def _ordered(values: tuple[float, float]) -> tuple[float, float]:
    if values[0] > values[1]:
        raise ValueError(f"a range from low to high, not {values[0]} to {values[1]}")
    return values


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
PositiveRange = Annotated[
    tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]], AfterValidator(_ordered)
]
Probability = Annotated[float, Field(ge=0, le=1)]


class Options(BaseModel):
    """What all options of this room share: they cannot change, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Draws:
    """Draws for ``count`` pictures; the order of the calls is part of what a seed means."""

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.generator = generator
        self.count = count

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Float32 ``[count, *shape]``, uniform in ``[low, high)``."""
        drawn = torch.rand(self.count, *shape, generator=self.generator, device=self.generator.device)
        return drawn.mul_(high - low).add_(low)

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Float32 ``[count, *shape]`` between two positive ends, uniform in the logarithm."""
        ends = torch.tensor([low, high]).log()
        return self.uniform(float(ends[0]), float(ends[1]), *shape).exp_()

    def normal(self, *shape: int) -> Tensor:
        """Float32 ``[count, *shape]``, standard normal."""
        return torch.randn(self.count, *shape, generator=self.generator, device=self.generator.device)

    def whole(self, below: int, *shape: int) -> Tensor:
        """Int64 ``[count, *shape]`` in ``[0, below)``."""
        device = self.generator.device
        return torch.randint(below, (self.count, *shape), generator=self.generator, device=device)

    def sign(self, probability: float) -> Tensor:
        """Float32 ``[count]``: -1 with the probability, else 1."""
        return 1 - 2 * self.chosen(probability).float()

    def chosen(self, probability: float) -> Tensor:
        """Bool ``[count]``: true with the probability."""
        return self.uniform(0.0, 1.0) < probability

    def seed(self) -> int:
        """One number for another generator to start from."""
        return int(torch.randint(2**62, (1,), generator=self.generator, device=self.generator.device))

    def muted_colours(self) -> Tensor:
        """Float32 ``[count, 3]``: a grey with a slight tint, as most surfaces are; 0..255."""
        return (self.uniform(10.0, 245.0, 1) + 25 * self.normal(3)).clamp_(0, 255)

    def pixels(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """Standard normal float32 of a whole picture's size, drawn where the pictures are.

        The device's generator is seeded by one draw from ours, so a seed still fixes everything on one
        device.
        """
        there = torch.Generator(device=device)
        there.manual_seed(self.seed())
        return torch.randn(shape, generator=there, device=device)
