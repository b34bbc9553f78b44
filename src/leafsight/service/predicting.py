"""``POST /v1/predict``: photographs in, diagnoses out."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from leafsight.errors import LeafsightError
from leafsight.inference import Prediction
from leafsight.service.access import Caller
from leafsight.service.answers import HeatmapKind, plain_answer
from leafsight.service.held_model import HeldModel
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import PLAIN
from leafsight.service.parts import Parts, parts_of
from leafsight.service.photographs import SentPhoto, read_photographs
from leafsight.service.schemas import PREDICT_BODY, PROBLEMS, PredictAnswer

if TYPE_CHECKING:
    from leafsight.state import PredictionRecord

router = APIRouter()
PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked about photographs.

    Attributes:
        crop: that the sender knows, in any spelling.
        top: classes to list.
        heatmap: where the evidence is, as a picture.
        combine: one diagnosis for all photographs together.
        plant_id: the sender's name for the plant.
        store: the sender wants the photographs to be kept.
    """

    crop: str | None
    top: int
    heatmap: HeatmapKind | None
    combine: bool
    plant_id: str | None
    store: bool


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
    openapi_extra={"requestBody": PREDICT_BODY},
    tags=["diagnosis"],
)
async def predict(
    request: Request,
    crop: Annotated[str | None, Query(max_length=100, description="The plant, if you know it.")] = None,
    top: Annotated[int, Query(ge=1, le=100, description="Classes to list.")] = 5,
    heatmap: Annotated[HeatmapKind | None, Query(description="Add a picture of the evidence.")] = None,
    combine: Annotated[bool, Query(description="All photographs show one plant.")] = False,
    plant_id: Annotated[
        str | None, Query(max_length=100, pattern=PLAIN, description="The same, and its name.")
    ] = None,
    store: Annotated[bool, Query(description="You agree that the photographs are kept.")] = False,
) -> Response:
    """One answer for each photograph; with `combine` or `plant_id` also one for all of them together.

    "Cannot tell", "not a leaf", "too blurred" and "unreadable" are answers, so the status is 200.
    """
    parts = parts_of(request)
    arrived = perf_counter()
    caller = await parts.access.caller(request, "predict")
    parts.queue.check()  # before the body is read: a refusal must be cheap
    photos = await read_photographs(
        request, max_photos=parts.options.max_photos, max_image_bytes=parts.options.max_image_bytes
    )
    wish = Wish(
        crop=crop,
        top=top,
        heatmap=heatmap,
        combine=combine or plant_id is not None,
        plant_id=plant_id,
        store=store,
    )

    async def produce() -> Response:
        await parts.access.count_photographs(caller, len(photos))
        return json_answer(await _answer(parts, caller, photos, wish, request, arrived))

    return await answer_once(request, parts, caller, _sent(request, photos), produce)


async def _answer(
    parts: Parts, caller: Caller, photos: list[SentPhoto], wish: Wish, request: Request, arrived: float
) -> dict[str, Any]:
    held = parts.model.now
    done = await parts.queue.do(lambda: _diagnose(held, photos, wish, parts), len(photos))
    found = done.result
    from leafsight.state import new_id

    ids = [new_id() for _ in photos]
    kept = await _store(parts, ids, photos, wish)
    latency_ms = (perf_counter() - arrived) * 1e3
    recorded = await parts.recorder.keep(
        [
            _record(parts, caller, wish, held, photo, prediction, plain, one, blob, latency_ms)
            for one, photo, prediction, plain, blob in zip(
                ids, photos, found.predictions, found.plain, kept, strict=True
            )
        ]
    )
    for one, photo, plain, blob in zip(ids, photos, found.plain, kept, strict=True):
        plain.update(
            id=one if recorded else None, photo=photo.name, recorded=recorded, stored=blob is not None
        )
        parts.metrics.verdict(plain["verdict"])
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


def _diagnose(held: HeldModel, photos: list[SentPhoto], wish: Wish, parts: Parts) -> _Found:
    """On an inference thread: everything that computes."""
    predictions = held.predictor.predict(
        [photo.data for photo in photos], crop=wish.crop, heatmap=wish.heatmap is not None
    )
    plain = [
        plain_answer(prediction, photo.data, top=wish.top, heatmap=wish.heatmap, limits=parts.limits)
        for prediction, photo in zip(predictions, photos, strict=True)
    ]
    combined = None
    if wish.combine:
        combined = held.predictor.combine(predictions).to_dict()
        combined["top"] = combined["top"][: wish.top]
    return _Found(held, predictions, plain, combined)


async def _store(parts: Parts, ids: list[str], photos: list[SentPhoto], wish: Wish) -> list[str | None]:
    """Where each photograph is kept, ``None`` for those that are not."""
    keep = parts.options.keep_photos
    if keep == "never" or (keep == "ask" and not wish.store):
        return [None] * len(photos)
    import asyncio

    loop = asyncio.get_running_loop()
    return [
        await loop.run_in_executor(parts.storing, _store_one, parts, one, photo.data)
        for one, photo in zip(ids, photos, strict=True)
    ]


def _store_one(parts: Parts, one: str, data: bytes) -> str | None:
    """Keep a photograph without its metadata; the answer says so when that is not possible."""
    from leafsight.state import clean_photograph

    try:
        clean = clean_photograph(data, parts.limits)
        name = f"photographs/{one}.{'png' if clean.startswith(PNG) else 'jpg'}"
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
        photo_sha256=sha256(photo.data).hexdigest(),
        photo_blob=blob,
        answer={name: value for name, value in plain.items() if name not in ("heatmap", "quality")}
        | {"photo": photo.name},
        embedding=embedding,
        quality=dict(prediction.quality),
        latency_ms=latency_ms,
    )


def _sent(request: Request, photos: list[SentPhoto]) -> str:
    """Hash of everything that decides the answer."""
    digest = sha256(str(request.query_params).encode())
    for photo in photos:
        digest.update(sha256(photo.data).digest())
    return digest.hexdigest()
