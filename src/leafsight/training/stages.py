"""What a stage trains on and through which part of the network: photographs through all of it.

Its sister for a frozen backbone is ``features``: both give the loop batches and a forward function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from leafsight.models import Network
from leafsight.training.batches import (
    Batch,
    Pictures,
    batch_count,
    batch_size_of,
    photo_batches,
    split_into_batches,
)
from leafsight.training.data import TrainingData
from leafsight.training.memory import PieceCounter
from leafsight.training.prefetch import prefetched
from leafsight.training.recipe import Recipe, StageOptions
from leafsight.training.team import ALONE, Team, exchanging


class Work(Protocol):
    """The task of one stage, as the loop sees it."""

    averaged: nn.Module
    """What the weight average follows: nothing that cannot move in this stage."""

    @property
    def batches_per_epoch(self) -> int:
        """Optimiser steps of an epoch."""

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """The batches of an epoch from number ``first`` on."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of a batch's inputs."""

    def exchanging(self, exchanges: bool) -> AbstractContextManager[object]:
        """Whether a team exchanges the gradients that are made inside the block."""

    def begin_training(self) -> None:
        """Put the network into the mode of this stage's steps."""

    def valid_logits(self) -> np.ndarray:
        """Float32 [n, classes] of the validation photographs, in the order of their rows."""


@dataclass(frozen=True)
class Setting:
    """What every stage shares: the network, the data, the recipe, the machine and who else works."""

    network: Network
    data: TrainingData
    recipe: Recipe
    device: torch.device
    precision: str
    memory: PieceCounter
    team: Team = ALONE
    resident: Tensor | None = None

    def autocast(self) -> torch.autocast:
        """bf16 where the machine was found fit for it, else nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16")


class PhotoWork:
    """Augmented photographs through the whole network."""

    def __init__(self, setting: Setting, stage_index: int) -> None:
        self._setting, self._index = setting, stage_index
        self._stage = setting.recipe.stages[stage_index]
        self.averaged: nn.Module = setting.network
        self._joined = setting.team.joined(setting.network, setting.device)
        self._forward = torch.compile(self._joined) if setting.recipe.compile else self._joined

    @property
    def batches_per_epoch(self) -> int:
        """See ``Work``."""
        return batch_count(
            len(self._setting.data.train_rows), batch_size_of(self._setting.recipe, self._stage)
        )

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """See ``Work``."""
        setting = self._setting
        return photo_batches(
            setting.data,
            setting.recipe,
            self._index,
            epoch,
            first=first,
            device=setting.device,
            team=setting.team,
            resident=setting.resident,
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """See ``Work``."""
        logits: Tensor = self._forward(inputs)
        return logits

    def exchanging(self, exchanges: bool) -> AbstractContextManager[object]:
        """See ``Work``."""
        return exchanging(self._joined, exchanges)

    def begin_training(self) -> None:
        """See ``Work``."""
        self._setting.network.train()
        if self._stage.batch_norm == "frozen":
            for module in self._setting.network.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()

    def valid_logits(self) -> np.ndarray:
        """See ``Work``."""
        setting = self._setting
        setting.network.eval()
        pictures = Pictures(setting.data, setting.recipe, setting.device, resident=setting.resident)
        rows = setting.data.valid_rows
        parts = split_into_batches(setting.team.share(rows), setting.recipe.valid_batch_size)
        logits = [infer(setting, setting.network, pixels) for pixels in prefetched(pictures.plain, parts)]
        mine = np.concatenate([part.float().cpu().numpy() for part in logits])
        return setting.team.gathered(mine, len(rows))


@torch.inference_mode()
def infer(
    setting: Setting, function: Callable[[Tensor], Tensor], pixels: Float[Tensor, "n 3 side side"]
) -> Tensor:
    """``function(pixels)`` without gradients, in pieces when memory is short."""

    def attempt(pieces: int) -> Tensor:
        with setting.autocast():
            return torch.cat([function(piece) for piece in pixels.tensor_split(pieces)])

    return setting.memory.run(attempt, len(pixels))


def choose_trainable(network: Network, stage: StageOptions) -> None:
    """Freeze what the stage does not train."""
    keep_last = {"head": 0, "all": None}.get(stage.trainable, -1)
    if keep_last == -1:
        keep_last = int(stage.trainable.removeprefix("last:"))
    network.freeze(keep_last=keep_last)


def row_positions(rows: Int64[np.ndarray, " k"], photos: int) -> Int64[np.ndarray, " n"]:
    """Position of each row among ``rows``; -1 for rows that are not there."""
    positions = np.full(photos, -1, dtype=np.int64)
    positions[rows] = np.arange(len(rows))
    return positions
