"""Where a run is: the plain values of a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class RunState:
    """Counts from 0; ``batch`` is how many batches of the epoch are done.

    Attributes:
        stage, epoch, batch: the position; ``stage`` equal to the number of stages means all are done.
        step: optimiser steps of the whole run; ``stage_step`` of this stage.
        average_steps: updates of the weight average.
        chunks: pieces a batch is cut into so that it fits into the device's memory.
        loss_sum, seen: over the photographs of this epoch so far.
        best: the deciding score of the kept weights; ``stage_best`` the best of this stage.
        stale_epochs: epochs of this stage since ``stage_best``.
        history: one record an epoch.
        elapsed_s: of training, over all sittings.
        events_bytes: length of the diary that counts.
        finished: nothing is left to do.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    stage_step: int = 0
    average_steps: int = 0
    chunks: int = 1
    loss_sum: float = 0.0
    seen: int = 0
    best: float | None = None
    stage_best: float | None = None
    stale_epochs: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    elapsed_s: float = 0.0
    events_bytes: int = 0
    finished: bool = False

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunState:
        """Back from a checkpoint; unknown keys are left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def begin_next_epoch(self) -> None:
        """Count one epoch up and forget its sums."""
        self.epoch, self.batch, self.loss_sum, self.seen = self.epoch + 1, 0, 0.0, 0

    def begin_next_stage(self) -> None:
        """Count one stage up and forget what belongs to the last."""
        self.stage, self.epoch, self.batch, self.stage_step, self.average_steps = self.stage + 1, 0, 0, 0, 0
        self.loss_sum, self.seen, self.stage_best, self.stale_epochs = 0.0, 0, None, 0
