"""Who runs the set-ups: a container engine, plain processes, or nobody (a server that runs already).

A seam: the study knows this protocol only, and tests give it a fake.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from leafsight.loadtest.asking import Address
from leafsight.loadtest.parts import Reading
from leafsight.loadtest.setups import SetUp

SERVICE, PROXY, DATABASE, WORKER = "service", "proxy", "database", "worker"


@dataclass(frozen=True, slots=True)
class Part:
    """One container, or one tree of processes.

    Attributes:
        name: in the report.
        role: service, proxy, database or worker.
        read: takes a reading.
        ended: how it ended, such as ``killed for memory``; empty as long as it runs.
        cpus: how many processors it may use; 0 means all.
        memory_bytes: its limit; 0 means none.
    """

    name: str
    role: str
    read: Callable[[], Reading]
    ended: Callable[[], str]
    cpus: float = 0.0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A set-up that answers.

    Attributes:
        fronts: what clients ask: the proxy, or every replica in turn.
        replicas: each replica itself, for its counters.
        key: opens predict, upload and admin.
        parts: what is measured.
        ready_s: how long it took from the start of the first part until all replicas were ready.
        facts: what the report says about it.
    """

    fronts: tuple[Address, ...]
    replicas: tuple[Address, ...]
    key: str
    parts: tuple[Part, ...]
    ready_s: float
    facts: dict[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Starts set-ups and removes them again."""

    def facts(self) -> dict[str, Any]:
        """Engine, versions, images: plain values for the report."""

    def clean(self) -> int:
        """Remove what an earlier study of a process that is gone has left; how many things."""

    def running(self, setup: SetUp, folder: Path) -> AbstractContextManager[Running]:
        """The set-up, running as long as the block; everything of it is gone afterwards, whatever happens.

        Args:
            setup: which.
            folder: for its files and logs.

        Raises:
            LeafsightError: it cannot be started, or is not ready in time.
        """
