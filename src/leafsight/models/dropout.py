"""Dropout that can draw from a generator of its own.

torch's draws from the one generator of the process, so two networks that learn at the same time in two
threads would take numbers from each other, and neither would come out as it does alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """As ``nn.Dropout``, bit for bit, from ``generator`` where there is one and the values are on the CPU.

    On a GPU it is torch's own, which is one kernel, and under ``torch.compile``, which knows no generators.

    Attributes:
        generator: on the CPU; None for that of the process.
    """

    generator: torch.Generator | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Zero a share ``p`` of the values and scale the others up (Srivastava et al. 2014); same shape."""
        own = self.generator
        idle = not self.training or self.p == 0
        if own is None or idle or input.device.type != "cpu" or torch.compiler.is_compiling():
            return super().forward(input)
        kept = torch.empty_like(input).bernoulli_(1 - self.p, generator=own)
        return input * kept.div_(1 - self.p)
