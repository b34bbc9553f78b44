"""The application of one process: its parts, its routes, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from leafsight import __version__
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits
from leafsight.service import (
    contributions_routes,
    jobs_routes,
    learning_routes,
    models_routes,
    operation_routes,
    page_routes,
    parted_routes,
    predicting,
    predictions_routes,
    reports_routes,
)
from leafsight.service.access import Access
from leafsight.service.clerk_bell import Bell
from leafsight.service.contract import describe
from leafsight.service.envelope import Envelope
from leafsight.service.forgetting import EVERY_S, Forgetting
from leafsight.service.held_model import ModelHolder
from leafsight.service.insight import Insights
from leafsight.service.lifecycle import Lifecycle
from leafsight.service.load import LOOK_S, Load, resident_bytes
from leafsight.service.metrics import Metrics
from leafsight.service.options import ServiceOptions
from leafsight.service.parts import Parts, wall_clock_ms
from leafsight.service.problems import answer_problem
from leafsight.service.recording import Recorder
from leafsight.service.registries import registry_of
from leafsight.service.shadowing import Shadow
from leafsight.service.short_way import ShortWay
from leafsight.service.ticking import Ticking
from leafsight.service.tracing import Tracing
from leafsight.service.working import WorkQueue

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

    from leafsight.state import State

ROUTES = (
    predicting,
    predictions_routes,
    contributions_routes,
    learning_routes,  # before those of models: /v1/models/history is no model
    models_routes,
    jobs_routes,
    parted_routes,
    reports_routes,
    operation_routes,
    page_routes,
)
TAKEN_BY_FRAMEWORK = (LeafsightError, RequestValidationError, HTTPException)
DESCRIPTION = "What is wrong with this leaf, how sure that is, and where in the picture it shows."
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own would tell queries and the messages of errors; ours is in ``tracing``."""
FIRST_FORGETTING_S = 60.0
STATE_WAIT_S = 1.0
"""For a locked database: an answer does not wait longer for its record."""
LOG = logging.getLogger("leafsight.service")


def create_app(
    options: ServiceOptions, *, line_told: Callable[[int], None] = lambda photographs: None
) -> FastAPI:
    """The ASGI application of one process. Models and databases are opened when it starts, not here.

    Args:
        options: as the operator chose.
        line_told: how many photographs wait or are being diagnosed, whenever that changes.
    """
    app = FastAPI(
        title="leafsight",
        version=__version__,
        description=DESCRIPTION,
        # Their pages would load scripts from other servers.
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        lifespan=_lifespan,
    )
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.state.options, app.state.metrics = options, Metrics()
    app.state.lifecycle = Lifecycle(app.state.metrics.in_flight)
    app.state.bell, app.state.line_told = Bell(), line_told
    app.state.ticking, app.state.tracing = Ticking(app.state.bell), Tracing()
    for module in ROUTES:
        app.include_router(module.router)
    for kind in TAKEN_BY_FRAMEWORK:
        app.add_exception_handler(kind, answer_problem)
    app.add_middleware(ShortWay)
    app.add_middleware(
        Envelope,
        lifecycle=app.state.lifecycle,
        metrics=app.state.metrics,
        max_bytes=options.max_request_bytes,
        body_timeout_s=options.body_timeout_s,
        tracing=app.state.tracing,
    )
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open everything, be ready, and close in the other order: what was begun is finished."""
    app.state.tracing.open()
    parts = await asyncio.to_thread(_open, app)
    app.state.parts = parts
    work = (
        _watch(parts), _forget(parts), _measure(parts), app.state.bell.watch(parts),
        app.state.ticking.run(parts),
    )  # fmt: skip
    beside = [asyncio.create_task(one) for one in work]
    parts.lifecycle.ready = True
    try:
        yield
    finally:
        parts.lifecycle.ready = False
        for task in beside:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(_close, parts)
        await asyncio.to_thread(app.state.tracing.close)


def _open(app: FastAPI) -> Parts:
    from leafsight.state import open_blobs, open_state

    options: ServiceOptions = app.state.options
    metrics: Metrics = app.state.metrics
    limits = DecodeLimits(max_bytes=options.max_image_bytes, max_pixels=options.max_image_pixels)
    registry = registry_of(options)
    queue = WorkQueue(
        threads=options.threads, deadline_s=options.deadline_s, metrics=metrics, told=app.state.line_told
    )
    model = ModelHolder(
        registry.near,
        model=options.model,
        threads=1,
        limits=limits,
        swapped=metrics.swapped,
        chosen=queue.suit,
    )
    state: State = open_state(options.database_url, busy_timeout_s=STATE_WAIT_S)
    recorder, blobs = Recorder(state, metrics), open_blobs(options.blob_url)
    shadow = Shadow(
        options.shadow_percent, registry, state, model,
        busy=lambda: queue.pending > 0, metrics=metrics, now_ms=wall_clock_ms,
    )  # fmt: skip
    shadow.open()
    return Parts(
        options=options,
        registry=registry,
        state=state,
        blobs=blobs,
        recorder=recorder,
        access=Access(state, recorder, admin_apart=bool(options.admin_port), metrics_key=options.metrics_key),
        queue=queue,
        model=model,
        metrics=metrics,
        lifecycle=app.state.lifecycle,
        insights=Insights(state, blobs, lambda: model.now.id, wall_clock_ms, holder=model, jobs=options.jobs),
        load=Load(metrics),
        shadow=shadow,
    )


def _close(parts: Parts) -> None:
    parts.shadow.close()
    parts.queue.close()
    parts.storing.shutdown()
    parts.insights.close()
    parts.recorder.close()
    parts.state.close()


async def _forget(parts: Parts) -> None:
    """Soon after the start, then every hour."""
    forgetting = Forgetting(parts.state, parts.blobs, keep_days=parts.options.keep_days, now_ms=parts.now_ms)
    while True:
        await asyncio.sleep(FIRST_FORGETTING_S)
        try:
            await asyncio.to_thread(forgetting.look)
        except LeafsightError as error:
            LOG.warning("old predictions not removed", extra={"fields": {"reason": error.message}})
        await asyncio.sleep(EVERY_S)


async def _measure(parts: Parts) -> None:
    """What this process takes, and a look at the counters of all, so that the load has a history."""
    while True:
        held = parts.model.now
        parts.metrics.process(resident_bytes(), held.id, held.name)
        try:
            await asyncio.to_thread(parts.load.look)
        except Exception:
            LOG.exception("looking at the load failed")  # figures are worth less than answers
        await asyncio.sleep(LOOK_S)


async def _watch(parts: Parts) -> None:
    """Look for promotions. Loading happens beside the work, on a thread."""
    while True:
        await asyncio.sleep(parts.options.watch_s)
        try:
            await asyncio.to_thread(parts.model.look)
        except Exception:
            LOG.exception("looking for another model failed")  # the present one goes on
