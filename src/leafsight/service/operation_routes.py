"""For those who run the service: is it alive, is it ready, what does it count."""

from __future__ import annotations

import asyncio
import platform
from functools import cache
from importlib import metadata

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from leafsight import __version__
from leafsight.service.drift_listings import ReferenceDrift
from leafsight.service.listings import Alive, LoadNow, Ready
from leafsight.service.metrics import MEDIA_TYPE
from leafsight.service.once import json_answer
from leafsight.service.parts import parts_of
from leafsight.service.problems import problem
from leafsight.service.schemas import PROBLEMS

REPORT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
router = APIRouter(tags=["operation"], responses=PROBLEMS)


@router.get("/healthz", summary="Is the process alive", response_model=Alive)
async def alive() -> Response:
    """Asks nothing of anybody, so that a database that is down does not get processes killed."""
    return json_answer({"status": "alive", "version": __version__})


@router.get("/readyz", summary="Should it get requests", response_model=Ready)
async def ready(request: Request) -> Response:
    """No while it starts or is about to end, and while the database does not answer."""
    parts = parts_of(request)
    if parts.lifecycle.draining or not parts.lifecycle.ready:
        why = "about to end" if parts.lifecycle.draining else "starting"
        request_id = request.scope["leafsight.request_id"]
        return problem(503, "not-ready", f"the process is {why}", request_id=request_id, retry_after_s=1)
    await parts.recorder.do(parts.state.check)
    return json_answer({"status": "ready", "model": parts.model.now.id})


@router.get("/v1/load", summary="How much there is to do", response_model=LoadNow)
async def load(request: Request) -> Response:
    """Rates and latency of the last minute and quarter of an hour, over all processes of the service."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    held, lifecycle = parts.model.now, parts.lifecycle
    counted = await asyncio.to_thread(parts.load.answer)
    health = await parts.insights.health()
    return json_answer(
        {
            **counted,
            "versions": _versions(),
            "model": {"hash": held.id, "name": held.name},
            "health": {"ready": lifecycle.ready and not lifecycle.draining, **health},
        }
    )


@cache
def _versions() -> dict[str, str]:
    return {
        "leafsight": __version__,
        "python": platform.python_version(),
        "onnxruntime": metadata.version("onnxruntime"),
    }


@router.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """With keys in use, the operator's key for counters is wanted, or the scope admin."""
    parts = parts_of(request)
    await parts.access.reader_of_counters(request)
    counted = await asyncio.to_thread(parts.metrics.text)  # reads the files of every process
    return Response(counted + await parts.insights.facts(), media_type=MEDIA_TYPE)


@router.get(
    "/v1/drift",
    summary="Do photographs look like those that the model was made for",
    response_model=ReferenceDrift,
)
async def drift(request: Request) -> Response:
    """What `reference_drift` of `/v1/insight` says, alone. Looked at every minute."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    return json_answer(await parts.insights.reference_drift())


@router.get("/v1/drift/report", summary="The same as a page", response_class=HTMLResponse)
async def drift_report(request: Request) -> Response:
    """One HTML file that asks for nothing from outside, with small pictures where photographs are kept."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    return HTMLResponse(await parts.insights.drift_page(), headers={"content-security-policy": REPORT_POLICY})
