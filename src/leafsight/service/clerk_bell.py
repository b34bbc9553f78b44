"""How a worker says that there is something for the clerk or the trainer to do.

Enters: a new job, or a look into the database. Leaves: one word to the supervisor, which starts who does
it. A worker without a supervisor, as in a test, has nobody to tell.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from leafsight.errors import LeafsightError

if TYPE_CHECKING:
    from leafsight.service.parts import Parts

WORK, TRAIN = "work", "train"
"""What is said for the clerk, and for the trainer."""
FIRST_LOOK_S, LOOK_S = 1.0, 5.0
"""For jobs that were left by a server that died, or that another server's clerk lost."""
KINDS = ("report", "check-upload", "correction", "recheck", "drift")
TRAINED = ("retraining",)
RUNG_FOR = {WORK: KINDS, TRAIN: TRAINED}


class Bell:
    """One for each process."""

    def __init__(self) -> None:
        self._tell: Callable[[str], None] | None = None

    def hang(self, tell: Callable[[str], None]) -> None:
        """From now on somebody hears it."""
        self._tell = tell

    def ring(self, word: str = WORK) -> None:
        """There is something to do: for the clerk, or for the trainer."""
        if self._tell is not None:
            with contextlib.suppress(OSError):  # the supervisor is gone, and so are we in a moment
                self._tell(word)

    async def watch(self, parts: Parts) -> None:
        """Ring for jobs that nobody holds; not where they are left to a job worker."""
        if parts.options.jobs == "none":
            return
        await asyncio.sleep(FIRST_LOOK_S)
        while self._tell is not None:
            for word, kinds in RUNG_FOR.items():
                with contextlib.suppress(LeafsightError):  # the next look may tell more
                    if (await parts.recorder.do(partial(parts.state.claims.ahead, kinds))).free:
                        self.ring(word)
            await asyncio.sleep(LOOK_S)
