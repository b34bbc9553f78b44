"""A second model answers a share of the photographs, too, and nobody hears it.

Enters: photographs that were answered just now. Leaves: what another model would have said, in the database,
to be held against what was said. It does not know what follows from that.

Requests come first. One thread of the lowest priority does it, after the answers went out and while nobody
waits for the model; what would have to wait long is dropped and counted. A process without a shadow has no
such thread, one with a shadow holds a second model in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leafsight.errors import LeafsightError
from leafsight.monitoring import watch_now
from leafsight.service.metrics import Metrics

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.service.held_model import HeldModel, ModelHolder
    from leafsight.state import ShadowRecord, State

CHALLENGER = "challenger"
MOST_WAITING, MOST_BYTES = 16, 32 * 1024**2
AFTER_S = 0.1
"""An answer is on its way by then."""
MOST_WAIT_S = 10.0
LOOK_S = 5.0
QUIET_S = 0.02
NICE = 19
LOG = logging.getLogger("leafsight.service")


@dataclass(frozen=True, slots=True)
class Offered:
    """One photograph that was answered.

    Attributes:
        prediction_id: of its answer.
        data: the photograph.
        crop: that was given, or None.
        answered_by: hash of the model that answered.
        at_s: when it was offered, seconds of a clock that never goes back.
    """

    prediction_id: str
    data: bytes
    crop: str | None
    answered_by: str
    at_s: float


class Shadow:
    """Lets a second model answer unheard; offered to from the event loop.

    Args:
        percent: of the photographs, 0..100; 0 does nothing, ever.
        registry: of models.
        state: the database.
        holder: holds the second model.
        busy: whether anybody waits for the model in service.
        metrics: told what became of what was offered.
        now_ms: the clock.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        percent: int,
        registry: Registry,
        state: State,
        holder: ModelHolder,
        *,
        busy: Callable[[], bool],
        metrics: Metrics,
        now_ms: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._percent, self._registry, self._state, self._holder = percent, registry, state, holder
        self._busy, self._metrics, self._now_ms, self._now = busy, metrics, now_ms, now
        self._waiting: deque[Offered] = deque()
        self._bytes = 0
        self._guard = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin, if any share is wanted."""
        if self._percent > 0:
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End; what waits is dropped."""
        with self._guard:
            self._ended = True
            self._guard.notify_all()
        if self._thread is not None:
            self._thread.join()

    def offer(
        self, prediction_ids: Sequence[str], photographs: Sequence[bytes], crop: str | None, held: HeldModel
    ) -> None:
        """Photographs that were answered just now; costs nothing where there is no shadow."""
        if self._holder.shadow is None:
            return
        for one, data in zip(prediction_ids, photographs, strict=True):
            if self._is_chosen(one):
                offered = Offered(one, data, crop, held.id, self._now())
                asyncio.get_running_loop().call_later(AFTER_S, self.put, offered)

    def put(self, offered: Offered) -> None:
        """Let one wait, if there is room."""
        with self._guard:
            full = len(self._waiting) >= MOST_WAITING or self._bytes + len(offered.data) > MOST_BYTES
            if not full and not self._ended:
                self._waiting.append(offered)
                self._bytes += len(offered.data)
                self._guard.notify()
        if full:
            self._metrics.shadowed("dropped")

    def _is_chosen(self, prediction_id: str) -> bool:
        """By the random end of the id: every process chooses the same, and no choice needs a memory."""
        return int(prediction_id[-8:], 16) % 100 < self._percent

    def _run(self) -> None:
        _lower()
        looked = -LOOK_S
        while not self._ended:
            if self._now() - looked >= LOOK_S:
                self._try(self._choose)
                looked = self._now()
            offered = self._next()
            if offered is not None:
                self._try(lambda one=offered: self._answer(one))  # type: ignore[misc]

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except LeafsightError as error:
            LOG.warning("the shadow waits", extra={"fields": {"reason": error.message}})
        except Exception:
            LOG.exception("the shadow failed")  # a bug there is worth less than answers

    def _choose(self) -> None:
        """In a watch the former champion, else the challenger."""
        watch = watch_now(self._state)
        if watch["state"] == "watching" and watch["model"] == self._holder.now.id:
            wanted: str | None = watch["former"]
        else:
            wanted = self._registry.aliases().get(CHALLENGER)
        self._holder.hold_shadow(wanted)

    def _next(self) -> Offered | None:
        """The next one, once nobody waits for the model in service."""
        with self._guard:
            if not self._waiting:
                self._guard.wait(LOOK_S)
            if not self._waiting or self._ended:
                return None
            offered = self._waiting.popleft()
            self._bytes -= len(offered.data)
        while self._busy() and not self._ended:
            if self._now() - offered.at_s > MOST_WAIT_S:
                self._metrics.shadowed("dropped")
                return None
            time.sleep(QUIET_S)
        return offered

    def _answer(self, offered: Offered) -> None:
        held = self._holder.shadow
        if held is None or held.id == offered.answered_by:  # it was promoted meanwhile
            return
        self._state.shadows.add_many([self._record(offered, held)])
        self._metrics.shadowed("answered")

    def _record(self, offered: Offered, held: HeldModel) -> ShadowRecord:
        from leafsight.state import ShadowRecord, new_id

        began = self._now()
        (said,) = held.predictor.predict([offered.data], crop=offered.crop)
        return ShadowRecord(
            id=new_id(),
            created_ms=self._now_ms(),
            prediction_id=offered.prediction_id,
            model_hash=held.id,
            verdict=said.verdict,
            class_key=said.key,
            probability=said.probability,
            latency_ms=(self._now() - began) * 1e3,
        )


def _lower() -> None:
    """This thread's priority alone: on Linux a thread has one of its own, elsewhere that of the process."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
