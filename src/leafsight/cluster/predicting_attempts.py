"""Which chunks were begun, how far they are, and which photograph a worker was lost with.

Enters: what workers say. Leaves: how a chunk is to be tried, and how far all are. Ray gives a chunk whose
worker died to another worker, without an end; here it gets one. A second try says before each photograph
which one it is, so that the photograph with which a worker ends twice is known, and left out of the next try.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

DEATHS_OF_A_PHOTOGRAPH = 2
"""One may be the fault of the machine."""
MOST_DEADLY = 16
"""Photographs of one chunk that end their worker. More of them are the fault of something else."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a worker is to try a chunk.

    Attributes:
        is_first: nobody tried before; else each photograph is told before it is begun.
        skip: positions of the photographs with which workers ended.
        lost: workers that this chunk has lost.
        is_over: it is not to be tried again.
    """

    is_first: bool
    skip: frozenset[int]
    lost: int
    is_over: bool


@dataclass(slots=True)
class _Entry:
    lost: int = 0
    since_found: int = 0
    done: int = 0
    at: int | None = None
    ended_at: Counter[int] = field(default_factory=Counter)
    skip: set[int] = field(default_factory=set)


class Attempts:
    """Lives in a process of its own; see ``new_attempts``. It holds the chunks that are in work, no others.

    Args:
        most_lost: workers that a chunk may lose in a row without that the photograph is known.
    """

    def __init__(self, most_lost: int) -> None:
        self._most_lost = most_lost
        self._entries: dict[int, _Entry] = {}
        self._heard = self._lost = 0

    def hello(self) -> None:
        """A worker is there."""
        self._heard += 1

    def begin(self, chunk: int) -> Attempt:
        """A worker begins a chunk; that somebody began it before means that a worker was lost with it."""
        self._heard += 1
        known = self._entries.get(chunk)
        if known is None:
            self._entries[chunk] = _Entry()
            return Attempt(True, frozenset(), 0, False)
        self._lost += 1
        known.lost += 1
        known.since_found += 1
        if known.at is not None:
            known.ended_at[known.at] += 1
            # Reset once for each: what ends a worker even when it is left out must not go on for ever.
            if known.ended_at[known.at] == DEATHS_OF_A_PHOTOGRAPH:
                known.skip.add(known.at)
                known.since_found = 0
        known.done, known.at = 0, None
        is_over = known.since_found > self._most_lost or len(known.skip) > MOST_DEADLY
        return Attempt(False, frozenset(known.skip), known.lost, is_over)

    def tell(self, chunk: int, done: int, at: int | None = None) -> None:
        """So many photographs of a chunk are done, and this one is begun."""
        self._heard += 1
        if chunk in self._entries:
            self._entries[chunk].done, self._entries[chunk].at = done, at

    def look(self, finished: list[int]) -> tuple[int, int, int]:
        """How often workers were heard, the photographs done of chunks in work, and the workers lost.

        Args:
            finished: chunks that the command has since the last look; they are forgotten.
        """
        for chunk in finished:
            self._entries.pop(chunk, None)
        return self._heard, sum(entry.done for entry in self._entries.values()), self._lost


def new_attempts(most_lost: int) -> Any:
    """The handle of one on this machine, which workers can be given."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=0)(Attempts)
    return actor.options(scheduling_strategy=here).remote(most_lost)
