"""``POST /v1/predict``: photographs in, diagnoses out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from leafsight.errors import ImageError, LeafsightError
from leafsight.images import DecodeLimits, read_header
from leafsight.inference import Prediction
from leafsight.service.access import Caller
from leafsight.service.answers import plain_answer
from leafsight.service.held_model import HeldModel
from leafsight.service.once import answer_once, json_answer
from leafsight.service.parts import Parts, parts_of
from leafsight.service.photographs import SentPhoto, read_photographs
from leafsight.service.schemas import PREDICT_BODY, PROBLEMS, PredictAnswer
from leafsight.service.tracing import step, work
from leafsight.service.wishes import Wish, parameters, wish_of

if TYPE_CHECKING:
    from leafsight.state import PredictionRecord

router = APIRouter()
PNG = b"\x89PNG"
QUICK_BYTES, QUICK_PIXELS = 512 * 1024, 1024 * 1024
"""Photographs up to these sizes are decoded in some milliseconds; larger ones are diagnosed by themselves."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request on its way to inference."""

    held: HeldModel
    photos: list[SentPhoto]
    wish: Wish
    limits: DecodeLimits


@dataclass(frozen=True, slots=True)
class _Found:
    """What one pass of inference gave: predictions, and each as plain values."""

    held: HeldModel
    predictions: list[Prediction]
    plain: list[dict[str, Any]]
    combined: dict[str, Any] | None


@router.post(
    "/v1/predict",
    summary="Diagnose photographs",
    response_model=PredictAnswer,
    responses=PROBLEMS,
    openapi_extra={"requestBody": PREDICT_BODY, "parameters": parameters()},
    tags=["diagnosis"],
)
async def predict(request: Request) -> Response:
    """One answer for each photograph; with `combine` or `plant_id` also one for all of them together.

    "Cannot tell", "not a leaf", "too blurred" and "unreadable" are answers, so the status is 200.
    """
    parts, wish = parts_of(request), wish_of(request)
    arrived = perf_counter()
    caller = await parts.access.caller(request, "predict")
    parts.queue.check()  # before the body is read: a refusal must be cheap
    with step("read body"):
        photos = await read_photographs(
            request, max_photos=parts.options.max_photos, max_image_bytes=parts.options.max_image_bytes
        )

    async def produce() -> Response:
        await parts.access.count_photographs(caller, len(photos))
        return json_answer(await _answer(parts, caller, photos, wish, request, arrived))

    return await answer_once(request, parts, caller, _sent(request, photos), produce)


async def _answer(
    parts: Parts, caller: Caller, photos: list[SentPhoto], wish: Wish, request: Request, arrived: float
) -> dict[str, Any]:
    held = parts.model.now
    with work(photographs=len(photos), model=held.id) as took:
        done = await parts.queue.do_together(
            _diagnose,
            _Asked(held, photos, wish, parts.limits),
            len(photos),
            (id(held), wish.crop) if _are_quick(photos, wish) else None,
        )
        took(done.queued_s, done.worked_s, done.together)
    found = done.result
    from leafsight.state import new_id

    ids = [new_id() for _ in photos]
    kept = await _store(parts, ids, photos, wish)
    latency_ms = (perf_counter() - arrived) * 1e3
    combined = None if found.combined is None else {**found.combined, "predictions": ids}
    with step("record"):
        recorded = await parts.recorder.keep(
            [
                _record(parts, caller, wish, held, photo, prediction, plain, one, blob, latency_ms, combined)
                for one, photo, prediction, plain, blob in zip(
                    ids, photos, found.predictions, found.plain, kept, strict=True
                )
            ]
        )
    for one, photo, plain, blob in zip(ids, photos, found.plain, kept, strict=True):
        plain.update(
            id=one if recorded else None, photo=photo.name, recorded=recorded, stored=blob is not None
        )
        top = plain["top"][0]["probability"] if plain["top"] else None
        parts.metrics.verdict(plain["verdict"], plain["key"], top)
    if recorded:
        parts.shadow.offer(ids, [photo.data for photo in photos], wish.crop, held)
    return {
        "request_id": request.scope["leafsight.request_id"],
        "model": {"name": held.name, "hash": held.id},
        "predictions": found.plain,
        "combined": found.combined,
        "timing_ms": {
            "queued": round(done.queued_s * 1e3, 3),
            "inference": round(done.worked_s * 1e3, 3),
            "total": round((perf_counter() - arrived) * 1e3, 3),
        },
    }


def _are_quick(photos: list[SentPhoto], wish: Wish) -> bool:
    """Whether others lose nothing by waiting for these: nothing large is decoded, no picture is drawn."""
    return wish.heatmap is None and all(_is_small(photo.data) for photo in photos)


def _is_small(data: bytes) -> bool:
    if len(data) > QUICK_BYTES:
        return False
    try:
        header = read_header(data)
    except ImageError:
        return True  # it will be refused as quickly as here
    return header.width_px * header.height_px <= QUICK_PIXELS


def _diagnose(asked: Sequence[_Asked]) -> list[_Found]:
    """On an inference thread: everything that computes, for requests that are alike."""
    first = asked[0]
    predictions = iter(
        first.held.predictor.predict(
            [photo.data for one in asked for photo in one.photos],
            crop=first.wish.crop,
            heatmap=first.wish.heatmap is not None,
        )
    )
    return [_found(one, list(islice(predictions, len(one.photos)))) for one in asked]


def _found(asked: _Asked, predictions: list[Prediction]) -> _Found:
    wish = asked.wish
    plain = [
        plain_answer(prediction, photo.data, top=wish.top, heatmap=wish.heatmap, limits=asked.limits)
        for prediction, photo in zip(predictions, asked.photos, strict=True)
    ]
    combined = None
    if wish.of_one_plant:
        combined = asked.held.predictor.combine(predictions).to_dict()
        combined["top"] = combined["top"][: wish.top]
    return _Found(asked.held, predictions, plain, combined)


async def _store(parts: Parts, ids: list[str], photos: list[SentPhoto], wish: Wish) -> list[str | None]:
    """Where each photograph is kept, ``None`` for those that are not."""
    keep = parts.options.keep_photos
    if keep == "never" or (keep == "ask" and not wish.store) or parts.store_pause.is_on:
        return [None] * len(photos)
    import asyncio

    loop = asyncio.get_running_loop()
    with step("store", photographs=len(photos)):
        return [
            await loop.run_in_executor(parts.storing, _store_one, parts, one, photo.data)
            for one, photo in zip(ids, photos, strict=True)
        ]


def _store_one(parts: Parts, one: str, data: bytes) -> str | None:
    """Keep a photograph without its metadata; the answer says so when that is not possible."""
    from leafsight.state import clean_photograph

    if parts.store_pause.is_on:  # since it was queued
        return None
    try:
        clean = clean_photograph(data, parts.limits)
        name = f"photographs/{one}.{'png' if clean.startswith(PNG) else 'jpg'}"
        with parts.store_pause.trying():
            parts.blobs.put(name, clean)
    except LeafsightError:
        return None
    return name


def _record(
    parts: Parts,
    caller: Caller,
    wish: Wish,
    held: HeldModel,
    photo: SentPhoto,
    prediction: Prediction,
    plain: dict[str, Any],
    one: str,
    blob: str | None,
    latency_ms: float,
    combined: dict[str, Any] | None,
) -> PredictionRecord:
    from leafsight.state import PredictionRecord

    embedding = None if prediction.embedding is None else prediction.embedding.astype(np.float16)
    return PredictionRecord(
        id=one,
        created_ms=parts.now_ms(),
        model_hash=held.id,
        model_name=held.name,
        key_id=caller.key_id,
        plant_id=wish.plant_id,
        verdict=prediction.verdict,
        class_key=prediction.key,
        probability=prediction.probability,
        crop_given=prediction.crop_given,
        photo_sha256=photo.sha256,
        photo_blob=blob,
        answer={name: value for name, value in plain.items() if name not in ("heatmap", "quality")}
        | {"photo": photo.name, "combined": combined},
        embedding=embedding,
        quality=dict(prediction.quality),
        latency_ms=latency_ms,
    )


def _sent(request: Request, photos: list[SentPhoto]) -> str:
    """Hash of everything that decides the answer."""
    digest = sha256(str(request.query_params).encode())
    for photo in photos:
        digest.update(bytes.fromhex(photo.sha256))
    return digest.hexdigest()
