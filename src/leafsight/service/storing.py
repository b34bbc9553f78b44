"""Whether the store of photographs is worth asking: one that does not answer is left alone for a while.

Enters: when a photograph is given to the store, and how that ends. Leaves: yes or no. An answer is worth more
than the copy of its photograph: nobody waits behind a store that keeps others waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from leafsight.errors import StateBusyError

PAUSE_S = 10.0
"""So long after a try that got no answer nothing is given to the store."""
SLOW_S = 1.0
"""While one photograph takes longer than this, no other is queued behind it."""


class StorePause:
    """One for each process; any thread may use it.

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._until, self._began = now, now(), 0.0

    @property
    def is_on(self) -> bool:
        """Whether the store is to be left alone now."""
        began = self._began
        return self._now() < self._until or (began > 0 and self._now() - began > SLOW_S)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Around the one photograph that is being given to the store.

        Raises:
            StateBusyError: what came from inside; from now on the pause is on.
        """
        self._began = self._now()
        try:
            yield
        except StateBusyError:
            self._until = self._now() + PAUSE_S
            raise
        finally:
            self._began = 0.0
