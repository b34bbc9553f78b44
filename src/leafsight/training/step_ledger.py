"""Losses of steps, read when that is cheap: each step on a processor, seldom where a device has to wait.

Enters: loss and norm of each step, as tensors. Leaves: the same as numbers, later and in order. Asking an
accelerator for one number makes it finish everything before, and leaves it without work until the next step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from leafsight.errors import NonFiniteLossError

STEPS_BETWEEN_LOOKS = 25
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SettledStep:
    """One step as plain values.

    Attributes:
        number: of the step in the run, from 0.
        rows: photographs of this process.
        photos: of the whole batch.
        loss: mean over the batch.
        norm: of the gradient before clipping.
    """

    number: int
    rows: Int64[np.ndarray, " n"]
    photos: int
    loss: float
    norm: float

    @property
    def is_finite(self) -> bool:
        """Whether the step may count."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class StepLedger:
    """Steps that nobody has looked at yet.

    Args:
        device: where losses are.
    """

    def __init__(self, device: torch.device) -> None:
        self._every = 1 if device.type == "cpu" else STEPS_BETWEEN_LOOKS
        self._open: list[tuple[int, Int64[np.ndarray, " n"], int]] = []
        self._values: list[Tensor] = []
        self.last_loss = math.nan

    def add(
        self, number: int, rows: Int64[np.ndarray, " n"], photos: int, loss: Tensor, norm: Tensor
    ) -> None:
        """Note a step; see ``SettledStep``."""
        self._open.append((number, rows, photos))
        self._values += [loss.detach().float(), norm.detach().float()]

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return len(self._open) >= self._every

    def settled(self) -> list[SettledStep]:
        """Every open step, oldest first; the device finishes them now."""
        if not self._open:
            return []
        values = torch.stack(self._values).tolist()
        steps = [
            SettledStep(*one, loss=loss, norm=norm)
            for one, loss, norm in zip(self._open, values[::2], values[1::2], strict=True)
        ]
        self._open, self._values = [], []
        self.last_loss = steps[-1].loss
        return steps


def non_finite(step: SettledStep, stage: str, epoch: int, names: Sequence[str]) -> NonFiniteLossError:
    """The error for a step that went wrong, with the photographs that were in it."""
    what = (
        f"the loss is {step.loss}" if not math.isfinite(step.loss) else f"the gradient's norm is {step.norm}"
    )
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return NonFiniteLossError(
        f"{what} in stage {stage}, epoch {epoch + 1}, step {step.number + 1}, on {shown}",
        hint="lower learning_rate, raise warmup_epochs or set clip_norm; the last checkpoint is whole",
    )
