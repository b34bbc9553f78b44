"""``/v1/models`` and ``/v1/conditions``: what can be served, and what is served can say."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from leafsight.errors import LeafsightError
from leafsight.service.listings import Conditions, ModelFound, ModelsPage
from leafsight.service.once import json_answer
from leafsight.service.pages import After, Limit, cursor_of, id_of
from leafsight.service.parts import Parts, parts_of
from leafsight.service.schemas import PROBLEMS
from leafsight.taxonomy import card, has_card

router = APIRouter(tags=["models"], responses=PROBLEMS)


@router.get("/v1/models", summary="Models that are kept", response_model=ModelsPage)
async def models(request: Request, limit: Limit = 50, after: After = None) -> Response:
    """Newest first; the one in service is marked."""
    parts = parts_of(request)
    await parts.access.caller(request, "predict")
    # Not on the thread of the database: a registry in a bucket may keep one waiting.
    entries = list(await asyncio.to_thread(parts.registry.entries))
    hashes = [entry.hash for entry in entries]
    last = id_of(after)
    first = hashes.index(last) + 1 if last in hashes else 0
    some = entries[first : first + limit]
    more = first + limit < len(entries)
    aliases = await asyncio.to_thread(parts.registry.aliases)
    return json_answer(
        {
            "models": [_entry(parts, entry, aliases) for entry in some],
            "next": cursor_of(some[-1].hash) if more else None,
        }
    )


@router.get("/v1/models/{name}", summary="One model: card, metrics, provenance", response_model=ModelFound)
async def model(request: Request, name: str) -> Response:
    """By id, the beginning of one, or an alias such as `serving`."""
    parts = parts_of(request)
    await parts.access.caller(request, "predict")
    return json_answer(await asyncio.to_thread(_details, parts, name))


@router.get("/v1/conditions", summary="What the model in service can name", response_model=Conditions)
async def conditions(request: Request) -> Response:
    """Every class of the model, with its advice card where there is one."""
    parts = parts_of(request)
    await parts.access.caller(request, "predict")
    return json_answer(
        {"conditions": [_condition(label) for label in parts.model.now.predictor.bundle.labels]}
    )


def _entry(parts: Parts, entry: Any, aliases: dict[str, str]) -> dict[str, Any]:
    return {
        "id": entry.hash,
        "name": entry.name,
        "aliases": sorted(alias for alias, one in aliases.items() if one == entry.hash),
        "serving": entry.hash == parts.model.now.id,
        "builtin": entry.builtin,
        "damaged": entry.damaged,
        "bytes": entry.bytes,
        "classes": entry.classes,
        "note": entry.note,
        "created_at": entry.created_ms or None,
    }


def _details(parts: Parts, name: str) -> dict[str, Any]:
    entry = parts.registry.get(name)
    bundle = parts.registry.bundle(entry)
    return {
        **_entry(parts, entry, parts.registry.aliases()),
        "card": bundle.card,
        "metrics": bundle.metrics,
        "provenance": bundle.provenance,
        "labels": [label.to_dict() for label in bundle.labels],
    }


def _condition(label: Any) -> dict[str, Any]:
    plain: dict[str, Any] = label.to_dict()
    try:
        plain["card"] = asdict(card(label.key)) if has_card(label.key) else None
    except LeafsightError:
        plain["card"] = None
    return plain
