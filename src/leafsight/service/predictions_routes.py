"""``/v1/predictions`` and their corrections, and the counts of ``/v1/insight``."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from leafsight.errors import NotFoundError, TaxonomyError
from leafsight.service.correction_job import job_for_correction
from leafsight.service.json_body import read_json
from leafsight.service.listings import Insight, PredictionFound, PredictionsPage
from leafsight.service.once import answer_once, json_answer
from leafsight.service.pages import PLAIN, After, Limit, cursor_of, id_of
from leafsight.service.parts import Parts, parts_of
from leafsight.service.schemas import CORRECTION_BODY, PROBLEMS, Correction, Created
from leafsight.taxonomy import find_class

router = APIRouter(tags=["predictions"], responses=PROBLEMS)
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hex digits.")]


@router.get("/v1/predictions", summary="What was diagnosed", response_model=PredictionsPage)
async def predictions(
    request: Request,
    limit: Limit = 50,
    after: After = None,
    plant_id: Annotated[
        str | None, Query(max_length=100, pattern=PLAIN, description="Photographs of this plant only.")
    ] = None,
) -> Response:
    """Newest first."""
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    last = id_of(after)
    page = await parts.recorder.do(lambda: parts.state.predictions.page(last, limit, plant_id))
    return json_answer({"predictions": [_plain(one) for one in page.records], "next": cursor_of(page.next)})


@router.get(
    "/v1/predictions/{id}",
    summary="One prediction and what people said of it",
    response_model=PredictionFound,
)
async def prediction(request: Request, id: Id) -> Response:  # noqa: A002 (the name in the path)
    """The answer as it was given, without the heatmap, and its corrections."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "predict")

    def read() -> dict[str, Any]:
        found = _found(parts, id, caller.key_id, caller.key)
        corrections = parts.state.corrections.of(id)
        return {
            **_plain(found),
            "corrections": [
                {
                    "id": one.id, "created_at": one.created_ms, "right": one.right, "class": one.class_key,
                    "note": one.note,
                }
                for one in corrections
            ],
        }  # fmt: skip

    return json_answer(await parts.recorder.do(read))


@router.post(
    "/v1/predictions/{id}/correction",
    summary="Say whether a diagnosis was right",
    status_code=201,
    response_model=Created,
    openapi_extra={"requestBody": CORRECTION_BODY},
)
async def correct(request: Request, id: Id) -> Response:  # noqa: A002
    """What people know better makes the next model better. A class is named as in `/v1/conditions`."""
    parts = parts_of(request)
    caller = await parts.access.caller(request, "predict")
    said = await read_json(request, Correction, what="correction")
    _require_known(parts, said.class_key)

    def write() -> tuple[str, bool]:
        from leafsight.state import CorrectionRecord, new_id

        found = _found(parts, id, caller.key_id, caller.key)
        correction = CorrectionRecord(
            id=new_id(),
            prediction_id=id,
            created_ms=parts.now_ms(),
            right=said.right,
            class_key=said.class_key,
            note=said.note,
            key_id=caller.key_id,
        )
        teaches = said.class_key is not None and found.photo_blob is not None
        job = job_for_correction(parts, correction) if teaches else None
        parts.state.corrections.add(correction, job)
        return correction.id, teaches

    async def produce() -> Response:
        one, teaches = await parts.recorder.do(write)
        if teaches:
            request.app.state.bell.ring()
        return json_answer({"id": one}, 201)

    sent = sha256(said.model_dump_json().encode()).hexdigest()
    return await answer_once(request, parts, caller, sent, produce)


@router.get("/v1/insight", summary="Counts of verdicts and conditions", response_model=Insight)
async def insight(
    request: Request,
    days: Annotated[int, Query(ge=1, le=366, description="How far back.")] = 30,
    recent_hours: Annotated[int, Query(ge=1, le=8784, description="Looked at for drift.")] = 72,
    reference_hours: Annotated[int, Query(ge=1, le=8784, description="Of the model's first time.")] = 336,
) -> Response:
    """What was diagnosed lately, what people said of it, and whether it looks as it did before.

    Figures are kept for two seconds, those on drift for a minute.
    """
    parts = parts_of(request)
    await parts.access.caller(request, "admin")
    return json_answer(await parts.insights.lately(days, recent_hours, reference_hours))


def _found(parts: Parts, id: str, key_id: str | None, key: Any) -> Any:  # noqa: A002
    """A prediction, if the caller may see it: their own, or all with the scope admin."""
    found = parts.state.predictions.get(id)
    if found is None or (key is not None and "admin" not in key.scopes and found.key_id != key_id):
        # The same answer for both: whether somebody else's prediction exists is nobody's business.
        raise NotFoundError(f"there is no prediction {id}", hint="ids stand in the answers of /v1/predict")
    return found


def _plain(found: Any) -> dict[str, Any]:
    return {
        **found.answer,
        "id": found.id,
        "created_at": found.created_ms,
        "plant_id": found.plant_id,
        "quality": found.quality,
        "latency_ms": round(found.latency_ms, 3),
        "stored": found.photo_blob is not None,
        "combined": found.answer.get("combined"),
    }


def _require_known(parts: Parts, class_key: str | None) -> None:
    """A class of the model in service or of the vocabulary.

    Raises:
        TaxonomyError: it is neither.
    """
    if class_key is None or find_class(class_key).known:
        return
    labels = parts.model.now.predictor.bundle.labels
    if class_key not in {name for label in labels for name in (label.key, label.class_name)}:
        raise TaxonomyError(
            f"the class {class_key!r} is not known", hint="/v1/conditions lists those that are"
        )
