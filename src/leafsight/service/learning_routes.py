"""``/v1/retraining``, promotion, rollback, the watch: how the next model comes about and which one serves."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel
from starlette.responses import Response

from leafsight.errors import ForbiddenError
from leafsight.service import promotions, retrainings, tickets
from leafsight.service.callers import name_of
from leafsight.service.clerk_bell import TRAIN
from leafsight.service.json_body import read_json
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import PLAIN, After, Limit, id_of
from leafsight.service.parts import parts_of
from leafsight.service.predictions_routes import Id
from leafsight.service.report_listings import Ticket
from leafsight.service.reports_routes import FRAMED, secret_of
from leafsight.service.retraining_listings import (
    ALIAS,
    PROMOTION_BODY,
    REPORT,
    ROLLBACK_BODY,
    WISH_BODY,
    ChangeShown,
    ChangesPage,
    Promotion,
    RetrainingAccepted,
    RetrainingFound,
    RetrainingsPage,
    RetrainingWish,
    RollbackWish,
    WatchShown,
)
from leafsight.service.schemas import PROBLEMS

router = APIRouter(tags=["learning"], responses=PROBLEMS)
ModelInPath = Annotated[
    str, InPath(max_length=100, pattern=PLAIN, description="Id, the beginning of one, or an alias.")
]


@router.post(
    "/v1/retraining",
    summary="Make the next model",
    status_code=202,
    response_model=RetrainingAccepted,
    openapi_extra=WISH_BODY,
)
async def retrain(request: Request) -> Response:
    """Long work: a job. One runs at a time; while one of the same path waits, that one is the answer."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    wish = await read_json(request, RetrainingWish, what="wish")

    async def produce() -> Response:
        job = await parts.recorder.do(
            lambda: retrainings.ask_for(
                parts.state, path=wish.path, why=retrainings.HAND, by=name_of(caller), reason=wish.reason
            )
        )
        request.app.state.bell.ring(TRAIN)
        return json_answer({"id": job.id, "job": job.id}, 202, {"location": f"/v1/jobs/{job.id}"})

    return await answer_once(request, parts, caller, _sent(wish), produce)


@router.get("/v1/retraining", summary="Retrainings", response_model=RetrainingsPage)
async def all_retrainings(request: Request, limit: Limit = 50, after: After = None) -> Response:
    """Newest first, and how near the next one is."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    last = id_of(after)
    return json_answer(await parts.recorder.do(lambda: retrainings.page(parts, last, limit)))


@router.get("/v1/retraining/{id}", summary="One retraining", response_model=RetrainingFound)
async def one_retraining(request: Request, id: Id) -> Response:  # noqa: A002
    """With the gate that its challenger met, and the training set."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    return json_answer(await asyncio.to_thread(retrainings.one_retraining, parts, id))


@router.get(
    "/v1/retraining/{id}/report",
    summary="The report of the gate",
    response_class=Response,
    responses=REPORT,
)
async def report(
    request: Request,
    id: Id,  # noqa: A002
    ticket: Annotated[str | None, Query(max_length=200, description="Instead of a key.")] = None,
) -> Response:
    """A page for frames and people: it runs in a sandbox."""
    parts = parts_of(request)
    now_ms = parts.now_ms()
    if ticket is None:
        await parts.access.caller(request, "admin")
    elif not tickets.is_timely(ticket, now_ms) or not tickets.holds(
        ticket, await secret_of(parts), id, retrainings.PAGE_FILE, now_ms
    ):
        raise ForbiddenError(
            "this ticket does not open this report", hint="ask for a new one: it lasts a minute"
        )
    page = await asyncio.to_thread(retrainings.report_of, parts, id)
    return Response(page, headers=FRAMED, media_type="text/html; charset=utf-8")


@router.post(
    "/v1/retraining/{id}/ticket", summary="Open the report of the gate in a frame", response_model=Ticket
)
async def ticket(request: Request, id: Id) -> Response:  # noqa: A002
    """A frame cannot send a key. This address needs none, for a minute."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    await asyncio.to_thread(retrainings.report_of, parts, id)
    now_ms = parts.now_ms()
    made = tickets.issue(await secret_of(parts), id, retrainings.PAGE_FILE, now_ms)
    return json_answer(
        {"url": f"/v1/retraining/{id}/report?ticket={made}", "expires_at": now_ms + tickets.LASTS_MS}
    )


@router.post(
    "/v1/models/rollback",
    summary="Put a former model back",
    response_model=ChangeShown,
    openapi_extra=ROLLBACK_BODY,
)
async def roll_back(request: Request) -> Response:
    """Every running server takes it into service within a second or two, without a dropped request."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    wish = await read_json(request, RollbackWish, what="wish")

    async def produce() -> Response:
        return json_answer(await asyncio.to_thread(promotions.roll_back, parts, wish, name_of(caller)))

    return await answer_once(request, parts, caller, _sent(wish), produce)


@router.get("/v1/models/history", summary="What served before", response_model=ChangesPage)
async def history(
    request: Request,
    alias: Annotated[str, Query(pattern=ALIAS, description="The name that points to a model.")] = "serving",
    limit: Limit = 50,
) -> Response:
    """Moves of an alias, newest first: promotions and rollbacks, by whom and why."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    changes = await asyncio.to_thread(parts.registry.history, alias, limit)
    return json_answer({"changes": [promotions.plain_change(one) for one in changes]})


@router.post(
    "/v1/models/{name}/promote",
    summary="Let a model serve",
    response_model=ChangeShown,
    openapi_extra=PROMOTION_BODY,
)
async def promote(request: Request, name: ModelInPath) -> Response:
    """A model whose gate did not hold is promoted only with `override`, and that is recorded.

    Every running server takes it into service within a second or two, without a dropped request.
    """
    parts = parts_of(request)
    caller = await parts.access.caller(request, "admin")
    wish = await read_json(request, Promotion, what="wish")

    async def produce() -> Response:
        return json_answer(await asyncio.to_thread(promotions.promote, parts, name, wish, name_of(caller)))

    return await answer_once(request, parts, caller, _sent(wish), produce)


@router.get("/v1/watch", summary="The watch over what was promoted last", response_model=WatchShown)
async def watch(request: Request) -> Response:
    """Whether the new model does as well as the one before; it is rolled back where it does not."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    return json_answer(await asyncio.to_thread(_watch, parts))


def _watch(parts: Any) -> dict[str, Any]:
    from leafsight.monitoring import watch_now

    return dict(watch_now(parts.state))


def _sent(wish: BaseModel) -> str:
    return sha256(wish.model_dump_json().encode()).hexdigest()
