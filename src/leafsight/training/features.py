"""A stage with a frozen backbone: features once, then a head in seconds.

The backbone gives the same embedding for the same pixels in every epoch, so it runs once for each view of
each photograph; what follows is a small dense network on a table of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from leafsight.models import Dropout, Network, folded_copy
from leafsight.progress import Progress
from leafsight.training.batches import (
    Batch,
    Pictures,
    batch_count,
    batch_size_of,
    epoch_rows,
    split_into_batches,
)
from leafsight.training.prefetch import prefetched
from leafsight.training.seeds import Purpose, generator_for
from leafsight.training.stages import Setting, infer, row_positions
from leafsight.training.team import exchanging

Between = Callable[[], None]
FOLDING_SAMPLE = 4


class FeatureWork:
    """Cached embeddings through the head.

    View 0 is the photograph as it is, the others are augmented. A photograph shows its views in turn, one an
    epoch, beginning with a random one. Mixing, which needs pixels, does not happen here.

    Args:
        setting: what every stage shares.
        stage_index: of a stage that trains the head only.
        progress: told of the pass over the photographs.
        between: called after every batch of that pass; may raise to stop it.
    """

    def __init__(self, setting: Setting, stage_index: int, progress: Progress, between: Between) -> None:
        self._setting, self._index = setting, stage_index
        self._stage = setting.recipe.stages[stage_index]
        self._progress, self._between = progress, between
        self.averaged: nn.Module = setting.network.head
        self._joined = setting.team.joined(_QuickHead(setting.network.head), setting.device)
        self._positions = row_positions(setting.data.train_rows, len(setting.data.images))

    @property
    def batches_per_epoch(self) -> int:
        """See ``Work``."""
        return batch_count(
            len(self._setting.data.train_rows), batch_size_of(self._setting.recipe, self._stage)
        )

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """See ``Work``."""
        setting, views = self._setting, self._stage.views
        order = epoch_rows(setting.data, setting.recipe, self._index, epoch)
        offsets = generator_for(setting.recipe.seed, Purpose.VIEWS, self._index)
        starts = torch.randint(views, (len(setting.data.train_rows),), generator=offsets).numpy()
        parts = split_into_batches(order, batch_size_of(setting.recipe, self._stage))
        for index, whole in list(enumerate(parts))[first:]:
            rows = setting.team.part(whole)
            here = self._positions[rows]
            view = (starts[here] + epoch) % views
            chosen = torch.from_numpy(view * len(starts) + here).to(setting.device)
            inputs = self._train_features.index_select(0, chosen)
            labels = torch.from_numpy(setting.data.labels[rows]).to(setting.device)
            yield Batch(index, rows, inputs, labels, len(whole))

    def forward(self, inputs: Tensor) -> Tensor:
        """See ``Work``."""
        logits: Tensor = self._joined(inputs)
        return logits

    def exchanging(self, exchanges: bool) -> AbstractContextManager[object]:
        """See ``Work``."""
        return exchanging(self._joined, exchanges)

    def begin_training(self) -> None:
        """See ``Work``; the first call runs the backbone over the photographs."""
        assert len(self._train_features) > 0
        assert len(self._valid_features) > 0
        # The backbone stays in eval mode; walking through its modules would cost as much as the epoch.
        self._setting.network.head.train()

    def valid_logits(self) -> np.ndarray:
        """See ``Work``."""
        self._setting.network.head.eval()
        team, features = self._setting.team, self._valid_features
        mine = torch.from_numpy(team.share(np.arange(len(features)))).to(features.device)
        with torch.inference_mode():
            logits = _QuickHead(self._setting.network.head)(features if team.is_alone else features[mine])
        return team.gathered(logits.float().cpu().numpy(), len(features))

    @cached_property
    def _train_features(self) -> Float[Tensor, "rows channels"]:
        rows, views = self._setting.data.train_rows, self._stage.views
        return torch.cat([self._pass_over(rows, view) for view in range(views)])

    @cached_property
    def _valid_features(self) -> Float[Tensor, "rows channels"]:
        return self._pass_over(self._setting.data.valid_rows, 0)

    def _pass_over(self, rows: np.ndarray, view: int) -> Tensor:
        setting = self._setting
        pictures = Pictures(setting.data, setting.recipe, setting.device, resident=setting.resident)
        augmentation = setting.recipe.augmentation_of(self._stage)
        mine, team = setting.team.share(rows), setting.team
        parts = split_into_batches(mine, setting.recipe.valid_batch_size)

        def make(item: tuple[int, np.ndarray]) -> Tensor:
            if view == 0:
                return pictures.plain(item[1])
            place = team.place(self._index, view, item[0])
            generator = generator_for(setting.recipe.seed, Purpose.VIEWS, *place)
            return pictures.augmented(item[1], augmentation, generator)

        self._progress.start(
            f"{self._stage.name}: features, view {view + 1} of {self._stage.views}", len(mine)
        )
        features = []
        quick: Network | None = None  # its weights will not move, so its batch normalisations can go
        for pixels in prefetched(make, enumerate(parts)):
            quick = quick or folded_copy(setting.network, pixels[:FOLDING_SAMPLE])
            # A copy outside of inference mode, since the head's gradient needs ordinary tensors.
            features.append(infer(setting, quick.embed, pixels).float().clone())
            self._progress.advance(len(pixels))
            self._between()
        self._progress.finish()
        found = torch.cat(features)
        if team.is_alone:
            return found
        return torch.from_numpy(team.gathered(found.cpu().numpy(), len(rows))).to(setting.device)


class _QuickHead(nn.Module):
    """The head with a dropout that costs little; see ``quick_dropout``."""

    def __init__(self, head: nn.Sequential) -> None:
        super().__init__()
        self.head = head

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of embeddings."""
        for part in self.head:
            if isinstance(part, Dropout) and part.training and inputs.device.type == "cpu":
                inputs = quick_dropout(inputs, part.p, part.generator)
            else:
                inputs = part(inputs)
        return inputs


def quick_dropout(
    x: Float[Tensor, "n channels"], share: float, generator: torch.Generator | None = None
) -> Float[Tensor, "n channels"]:
    """Dropout for the CPU with four draws out of each 64 random bits, four times as fast as torch's.

    With everything else so cheap, drawing the mask would be half of an epoch. The share is exact to 2**-16.

    Args:
        x: what to drop from.
        share: of values that become 0; the others are scaled up to keep the mean (Srivastava et al. 2014).
        generator: where the bits come from; None for that of the process.
    """
    bits = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    draws = bits.view(torch.int16)[: x.numel()].view(x.shape)
    threshold = round(share * 2**16) - 2**15
    return torch.where(draws >= threshold, x * (1.0 / (1.0 - share)), 0.0)
