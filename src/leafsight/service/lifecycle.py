"""Whether this process is starting, ready, or about to end, and how many requests it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lifecycle:
    """One for each process; used from the event loop only.

    Args:
        told: how many requests are being answered, whenever that changes.

    Attributes:
        ready: the model is warm and the database answers.
        draining: the process shall end: it says so to its callers and takes no new connections.
        in_flight: requests that are being answered.
        held_bytes: of their bodies.
        followers: callers who follow jobs.
    """

    def __init__(self, told: Callable[[int], None] = lambda in_flight: None) -> None:
        self._told = told
        self.ready = False
        self.draining = False
        self.in_flight = 0
        self.held_bytes = 0
        self.followers = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one request while it is answered."""
        self.in_flight += 1
        self._told(self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1
            self._told(self.in_flight)
