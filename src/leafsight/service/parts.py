"""What the routes of one process share."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request

from leafsight.images import DecodeLimits
from leafsight.service.access import Access
from leafsight.service.held_model import ModelHolder
from leafsight.service.insight import Insights
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.load import Load
from leafsight.service.metrics import Metrics
from leafsight.service.options import ServiceOptions
from leafsight.service.recording import Recorder
from leafsight.service.shadowing import Shadow
from leafsight.service.storing import StorePause
from leafsight.service.working import WorkQueue

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.state import Blobs, State


def wall_clock_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One of each for a process.

    Attributes:
        options: as the operator chose.
        registry: of models.
        state: the database.
        blobs: photographs and uploads.
        recorder: the thread that talks to the database.
        access: who may ask.
        queue: before inference.
        model: in service.
        metrics: counters.
        lifecycle: starting, ready, draining.
        insights: what was diagnosed lately, looked up beside the work.
        load: how much there is to do.
        now_ms: the clock on the wall.
        shadow: a second model that answers unheard.
        storing: one thread that encodes photographs again: a large one takes a gigabyte for a moment, and
            every thread keeps some of that for its next.
        store_pause: whether the store is to be left alone.
    """

    options: ServiceOptions
    registry: Registry
    state: State
    blobs: Blobs
    recorder: Recorder
    access: Access
    queue: WorkQueue
    model: ModelHolder
    metrics: Metrics
    lifecycle: Lifecycle
    insights: Insights
    load: Load
    shadow: Shadow
    now_ms: Callable[[], int] = wall_clock_ms
    storing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "storing"))
    store_pause: StorePause = field(default_factory=StorePause)

    @property
    def limits(self) -> DecodeLimits:
        """Of the decoder."""
        return DecodeLimits(max_bytes=self.options.max_image_bytes, max_pixels=self.options.max_image_pixels)


def parts_of(request: Request) -> Parts:
    """The parts of the application that a request came to."""
    parts: Parts = request.app.state.parts
    return parts
