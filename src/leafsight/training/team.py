"""Several processes that train one network together, each on its part of every batch.

Enters: the rank of this process among the others, and a process group of torch that somebody has set up.
Leaves: parts of rows, a module whose gradients are those of the whole batch, and a few small things that all
must know alike. A process alone is a team of one, for which nothing here does anything. It does not know who
started the others, nor on which machines.

The batches are those of one process: batch ``k`` of an epoch holds the same photographs whatever the size of
the team, so that a run may go on with more or fewer workers. What differs are the draws of augmentation and
dropout, and that a batch normalisation sees one part of a batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from jaxtyping import Float32, Int64
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from leafsight.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Team:
    """This process among those that train together.

    Attributes:
        rank: 0 leads: it alone writes to the disk.
        size: how many processes there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes what all have learned."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether there is nobody to agree with."""
        return self.size == 1

    def part(self, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " k"]:
        """This process's share of some rows; the shares of all, in order, are the rows."""
        return rows if self.is_alone else np.array_split(rows, self.size)[self.rank]

    def share(self, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " k"]:
        """As ``part``, for what is gathered afterwards: too few rows for all are everybody's."""
        return rows if len(rows) < self.size else self.part(rows)

    def place(self, *position: int) -> tuple[int, ...]:
        """A position in the run for draws that must differ between the processes."""
        return position if self.is_alone else (*position, self.rank, self.size)

    def require_shares(self, photos: int, batch_size: int) -> None:
        """Refuse batches in which somebody would have nothing to do.

        Raises:
            TrainingError: there are more processes than photographs in a batch.
        """
        least = photos // max(1, -(-photos // batch_size))
        if least < self.size:
            raise TrainingError(
                f"batches of {least} photographs cannot be shared by {self.size} workers",
                hint="use fewer workers, or a larger batch_size",
            )

    def joined(self, module: nn.Module, device: torch.device) -> nn.Module:
        """``module``, whose gradients are the mean of all processes', exchanged while they are computed."""
        if self.is_alone:
            return module
        ids = [device.index or 0] if device.type == "cuda" else None
        return DistributedDataParallel(
            module, device_ids=ids, broadcast_buffers=False, gradient_as_bucket_view=True
        )

    @torch.no_grad()
    def agree(self, module: nn.Module) -> None:
        """Give every process the leader's weights and statistics."""
        if not self.is_alone:
            for tensor in module.state_dict(keep_vars=True).values():
                dist.broadcast(tensor.data, 0)

    @torch.no_grad()
    def average_statistics(self, tensors: Iterable[Tensor]) -> None:
        """Replace floating tensors, such as running means and variances, by their mean over the processes."""
        if self.is_alone:
            return
        for tensor in tensors:
            if tensor.is_floating_point():
                dist.all_reduce(tensor)
                tensor.div_(self.size)

    def mean(self, value: float) -> float:
        """The mean of a number over the processes."""
        if self.is_alone:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(total)
        return float(total) / self.size

    def gathered(self, part: Float32[np.ndarray, "k width"], rows: int) -> Float32[np.ndarray, "rows width"]:
        """The arrays of all processes one below the other, the same bytes in each.

        Args:
            part: of this process, one line for each row of its ``share``.
            rows: of all together.
        """
        if self.is_alone:
            return part
        if rows < self.size:
            leaders = torch.from_numpy(part.copy())
            dist.broadcast(leaders, 0)
            return np.asarray(leaders.numpy())
        counts = [len(one) for one in np.array_split(np.empty(rows), self.size)]
        padded = torch.zeros(max(counts), part.shape[1])
        padded[: len(part)] = torch.from_numpy(part)
        found = [torch.empty_like(padded) for _ in counts]
        dist.all_gather(found, padded)
        return np.concatenate([one[:count].numpy() for one, count in zip(found, counts, strict=True)])

    def told(self, data: bytes) -> bytes:
        """The leader's bytes, in every process."""
        if self.is_alone:
            return data
        length = torch.tensor([len(data)])
        dist.broadcast(length, 0)
        held = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads and data:
            held = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        if len(held):
            dist.broadcast(held, 0)
        return held.numpy().tobytes()


ALONE = Team()


def exchanging(module: object, exchanges: bool) -> AbstractContextManager[object]:
    """Whether gradients made inside the block are exchanged: only those of the last piece of a batch are."""
    if isinstance(module, DistributedDataParallel) and not exchanges:
        held: AbstractContextManager[object] = module.no_sync()
        return held
    return nullcontext()
