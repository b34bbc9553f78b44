"""From rows to batches on the device: drawn order, gathered pixels, backgrounds, augmentation, mixing.

Enters: the data, a recipe and a position in the run. Leaves: batches, made ahead in background threads.
The same position always gives the same batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from leafsight.training.augmentation import AugmentationOptions, augment_batch
from leafsight.training.backgrounds import replace_backgrounds
from leafsight.training.balance import epoch_order
from leafsight.training.data import TrainingData
from leafsight.training.mixing import mix_batch
from leafsight.training.prefetch import prefetched
from leafsight.training.recipe import Recipe, StageOptions
from leafsight.training.seeds import Purpose, generator_for, seed_for
from leafsight.training.team import ALONE, Team

PLAIN = AugmentationOptions(preset="none")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from.

    Attributes:
        index: position in the epoch.
        rows: int64 [n], of the data.
        inputs: float [n, ...], pixels 0..255 [n, 3, side, side] or embeddings [n, channels].
        targets: int64 [n] or, where photographs were mixed, float [n, classes].
        photos: of the whole batch, of which other processes of the team may hold the rest.
    """

    index: int
    rows: Int64[np.ndarray, " n"]
    inputs: Tensor
    targets: Tensor
    photos: int


def batch_count(photos: int, batch_size: int) -> int:
    """Batches of an epoch; their sizes differ by one at most, so that no tiny last batch bends the norms."""
    return max(1, -(-photos // batch_size))


def split_into_batches(order: Int64[np.ndarray, " n"], batch_size: int) -> list[Int64[np.ndarray, " k"]]:
    """``order`` cut into ``batch_count`` pieces."""
    return np.array_split(order, batch_count(len(order), batch_size))


def memory_format(channels_last: bool) -> torch.memory_format:
    """Where the channels stand in memory; last is faster for convolutions on CPUs and newer GPUs."""
    return torch.channels_last if channels_last else torch.contiguous_format


class Pictures:
    """Makes float pixels on a device from rows of the data.

    Args:
        data: the packed photographs.
        recipe: for the side, backgrounds and seed.
        device: where augmentation runs and the pixels end.
        side_px: of a stage that trains on another side than the recipe's.
        resident: the packed photographs on the device, where they fit.
    """

    def __init__(
        self,
        data: TrainingData,
        recipe: Recipe,
        device: torch.device,
        *,
        side_px: int | None = None,
        resident: Tensor | None = None,
    ) -> None:
        self._data, self._recipe, self._device = data, recipe, device
        self._side_px = side_px or recipe.preprocessing.side_px
        self._format = memory_format(recipe.channels_last)
        self._resident = resident

    def plain(self, rows: Int64[np.ndarray, " n"]) -> Float[Tensor, "n 3 side side"]:
        """The photographs as they are, at the side asked for."""
        pixels = self._gather(rows)
        if self._side_px == self._data.side_px:
            return pixels.float().contiguous(memory_format=self._format)
        generator = torch.Generator()  # resizing alone draws nothing
        resized = augment_batch(pixels, PLAIN, generator, side_px=self._side_px)
        return resized.contiguous(memory_format=self._format)

    def augmented(
        self, rows: Int64[np.ndarray, " n"], options: AugmentationOptions, generator: torch.Generator
    ) -> Float[Tensor, "n 3 side side"]:
        """Backgrounds replaced and augmented."""
        pixels = self._gather(rows)
        bank, backgrounds = self._data.backgrounds, self._recipe.backgrounds
        if bank is not None and backgrounds.probability > 0:
            pixels = replace_backgrounds(pixels, rows, bank, generator, backgrounds)
        changed = augment_batch(pixels, options, generator, side_px=self._side_px)
        return changed.contiguous(memory_format=self._format)

    def _gather(self, rows: Int64[np.ndarray, " n"]) -> Tensor:
        if self._resident is not None:
            chosen = torch.from_numpy(rows).to(self._device, non_blocking=True)
            return self._resident.index_select(0, chosen).permute(0, 3, 1, 2)
        pixels = torch.from_numpy(np.ascontiguousarray(self._data.images[rows]))
        # Bytes travel to the device, a quarter of what floats would be; the view is channels-last already.
        return pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2)


def photo_batches(
    data: TrainingData,
    recipe: Recipe,
    stage_index: int,
    epoch: int,
    *,
    first: int,
    device: torch.device,
    team: Team = ALONE,
    resident: Tensor | None = None,
) -> Iterator[Batch]:
    """The augmented batches of one epoch from number ``first`` on, or a team member's part of each."""
    stage = recipe.stages[stage_index]
    pictures = Pictures(data, recipe, device, side_px=recipe.side_px_of(stage), resident=resident)
    mixing, augmentation = recipe.mixing_of(stage), recipe.augmentation_of(stage)

    def make(item: tuple[int, np.ndarray]) -> Batch:
        index, whole = item
        rows = team.part(whole)
        generator = generator_for(recipe.seed, Purpose.PICTURES, *team.place(stage_index, epoch, index))
        inputs = pictures.augmented(rows, augmentation, generator)
        labels = torch.from_numpy(data.labels[rows]).to(device)
        mixed, targets = mix_batch(inputs, labels, len(data.classes), mixing, generator)
        return Batch(index, rows, mixed, targets, len(whole))

    order = epoch_rows(data, recipe, stage_index, epoch)
    plan = list(enumerate(split_into_batches(order, batch_size_of(recipe, stage))))[first:]
    yield from prefetched(make, plan)


def batch_size_of(recipe: Recipe, stage: StageOptions) -> int:
    """Photographs of one optimiser step in ``stage``."""
    return stage.batch_size or recipe.batch_size


def epoch_rows(data: TrainingData, recipe: Recipe, stage_index: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """Rows in the order in which an epoch shows them; as many as the training split has."""
    seed = seed_for(recipe.seed, Purpose.ORDER, stage_index)
    order = epoch_order(data.labels[data.train_rows], recipe.balance, epoch, seed)
    rows: np.ndarray = data.train_rows[order]
    return rows
