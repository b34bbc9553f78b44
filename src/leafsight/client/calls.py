"""Every question that a server can be asked: the request, and how its reply is read.

Enters: what a caller wants. Leaves: a ``Call``. It does not send anything, so that ``Client`` and
``AsyncClient`` ask in exactly the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from leafsight.client.addresses import checked_id
from leafsight.client.answers import (
    Accepted,
    Answer,
    ConditionCard,
    Job,
    ModelDescription,
    ModelEntry,
    Page,
    Readiness,
    Record,
    Remembered,
    ReportAccepted,
    ReportEntry,
    Upload,
    UploadAccepted,
)
from leafsight.client.attempts import Call
from leafsight.client.photographs import file_body, parts_of
from leafsight.client.reading import (
    fitted,
    read_answer,
    read_items,
    read_object,
    read_page,
    read_record,
    remembered,
)
from leafsight.client.replies import Reply
from leafsight.client.requests import IDEMPOTENCY_KEY, QueryValue, Request, encoded_query, multipart
from leafsight.errors import UsageError
from leafsight.inference import Photo

Heatmap = Literal["png", "layer"]
Kind = TypeVar("Kind", bound=Record)
JSON = "application/json"
EVENTS = "text/event-stream"
MOST_PER_PAGE = 200
MOST_NOTE_CHARACTERS = 2000


def predict(
    photos: Sequence[Photo | Path],
    token: str,
    *,
    crop: str | None = None,
    heatmap: Heatmap | None = None,
    combine: bool = False,
    plant_id: str | None = None,
    top: int | None = None,
    store: bool | None = None,
) -> Call[Answer]:
    """``POST /v1/predict``.

    Args:
        photos: at least one.
        token: random; names this request when it is sent again, and separates its photographs.
        crop: see ``Client.predict``, as all that follow.
        heatmap: png or layer.
        combine: one plant.
        plant_id: its name.
        top: classes to list.
        store: keep the photographs.

    Raises:
        UsageError: no photograph, or something that is none.
        StorageError: a file cannot be read.
    """
    if not photos:
        raise UsageError("there is no photograph to ask about", hint="give at least one")
    if heatmap not in (None, "png", "layer"):
        raise UsageError(f"there is no heatmap {heatmap!r}", hint="png or layer")
    values: dict[str, QueryValue] = {
        "crop": crop, "top": top, "heatmap": heatmap, "combine": combine or None, "plant_id": plant_id,
        "store": store,
    }  # fmt: skip
    boundary = f"leafsight-{token}"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", IDEMPOTENCY_KEY: token}
    body = multipart(parts_of(photos), boundary)
    request = Request("POST", "/v1/predict", encoded_query(values), _accepting(headers), body)
    return Call(request, read_answer(len(photos), layers=heatmap == "layer"))


def models(after: str | None = None, limit: int = 50) -> Call[Page[ModelEntry]]:
    """``GET /v1/models``, one page."""
    return Call(_page("/v1/models", after, limit), read_page("models", _item(ModelEntry)))


def model(name: str) -> Call[ModelDescription]:
    """``GET /v1/models/{id or alias}``."""
    return Call(_get(f"/v1/models/{checked_id(name, 'model')}"), read_record(ModelDescription))


def conditions() -> Call[tuple[ConditionCard, ...]]:
    """``GET /v1/conditions``."""
    return Call(_get("/v1/conditions"), read_items("conditions", _item(ConditionCard)))


def prediction(name: str) -> Call[Remembered]:
    """``GET /v1/predictions/{id}``."""
    request = _get(f"/v1/predictions/{checked_id(name, 'prediction')}")
    return Call(request, lambda reply: remembered(read_object(reply), "the answer"))


def predictions(
    after: str | None = None, limit: int = 50, plant_id: str | None = None
) -> Call[Page[Remembered]]:
    """``GET /v1/predictions``, one page."""
    request = _page("/v1/predictions", after, limit, plant_id=plant_id)
    return Call(request, read_page("predictions", remembered))


def correct(name: str, token: str, right: bool, class_key: str | None, note: str | None) -> Call[str]:
    """``POST /v1/predictions/{id}/correction``; the answer is the correction's id.

    Raises:
        UsageError: no id, or a note that is too long.
    """
    if note is not None and len(note) > MOST_NOTE_CHARACTERS:
        raise UsageError(f"the note has {len(note)} characters", hint=f"at most {MOST_NOTE_CHARACTERS}")
    body = json.dumps({"right": right, "class": class_key, "note": note}).encode()
    path = f"/v1/predictions/{checked_id(name, 'prediction')}/correction"
    headers = _accepting({"Content-Type": JSON, IDEMPOTENCY_KEY: token})
    return Call(Request("POST", path, "", headers, body), lambda reply: read_record(Accepted)(reply).id)


def upload(path: Path, token: str, label: str | None = None) -> Call[UploadAccepted]:
    """``POST /v1/uploads``: an archive or a photograph, read from disk while it is sent.

    Raises:
        StorageError: the file cannot be read.
    """
    body, media_type = file_body(path)
    headers = _accepting({"Content-Type": media_type, IDEMPOTENCY_KEY: token})
    request = Request("POST", "/v1/uploads", encoded_query({"label": label}), headers, body)
    return Call(request, read_record(UploadAccepted))


def upload_state(name: str) -> Call[dict[str, Any]]:
    """``GET /v1/uploads/{id}``, as plain values."""
    return Call(_get(f"/v1/uploads/{checked_id(name, 'upload')}"), read_object)


def check_upload(name: str, token: str) -> Call[Job]:
    """``POST /v1/uploads/{id}/check``."""
    path = f"/v1/uploads/{checked_id(name, 'upload')}/check"
    return Call(Request("POST", path, "", _accepting({IDEMPOTENCY_KEY: token}), b""), read_record(Job))


def uploads(after: str | None = None, limit: int = 50) -> Call[Page[Upload]]:
    """``GET /v1/uploads``, one page."""
    return Call(_page("/v1/uploads", after, limit), read_page("uploads", _item(Upload)))


def reports(after: str | None = None, limit: int = 50) -> Call[Page[ReportEntry]]:
    """``GET /v1/reports``, one page."""
    return Call(_page("/v1/reports", after, limit), read_page("reports", _item(ReportEntry)))


def report(name: str) -> Call[dict[str, Any]]:
    """``GET /v1/reports/{id}``, as plain values."""
    return Call(_get(f"/v1/reports/{checked_id(name, 'report')}"), read_object)


def make_report(token: str) -> Call[ReportAccepted]:
    """``POST /v1/reports``."""
    request = Request("POST", "/v1/reports", "", _accepting({IDEMPOTENCY_KEY: token}), b"")
    return Call(request, read_record(ReportAccepted))


def load() -> Call[dict[str, Any]]:
    """``GET /v1/load``, as plain values."""
    return Call(_get("/v1/load"), read_object)


def jobs(after: str | None = None, limit: int = 50) -> Call[Page[Job]]:
    """``GET /v1/jobs``, one page."""
    return Call(_page("/v1/jobs", after, limit), read_page("jobs", _item(Job)))


def job(name: str) -> Call[Job]:
    """``GET /v1/jobs/{id}``."""
    return Call(_get(f"/v1/jobs/{checked_id(name, 'job')}"), read_record(Job))


def cancel(name: str) -> Call[Job]:
    """``DELETE /v1/jobs/{id}``."""
    request = Request("DELETE", f"/v1/jobs/{checked_id(name, 'job')}", "", _accepting({}))
    return Call(request, read_record(Job))


def job_events(name: str, last_event: str = "") -> Request:
    """``GET /v1/jobs/{id}/events``: what to listen to."""
    headers = {"Accept": f"{EVENTS}, application/problem+json"}
    if last_event:
        headers["Last-Event-ID"] = last_event
    return Request("GET", f"/v1/jobs/{checked_id(name, 'job')}/events", "", headers)


def insight(days: int = 30) -> Call[dict[str, Any]]:
    """``GET /v1/insight``: counts, as plain values."""
    return Call(_get("/v1/insight", encoded_query({"days": days})), read_object)


def health() -> Call[dict[str, Any]]:
    """``GET /healthz``."""
    return Call(_get("/healthz"), read_object)


def ready() -> Call[Readiness]:
    """``GET /readyz``; that a server is not ready is an answer, not an error."""
    return Call(_get("/readyz"), _readiness, frozenset({503}))


def _readiness(reply: Reply) -> Readiness:
    return Readiness(ready=reply.status < 300, plain=read_object(reply))


def _item(kind: type[Kind]) -> Any:
    return lambda plain, where: fitted(kind, plain, where)


def _get(path: str, query: str = "") -> Request:
    return Request("GET", path, query, _accepting({}))


def _page(path: str, after: str | None, limit: int, **more: QueryValue) -> Request:
    if not 1 <= limit <= MOST_PER_PAGE:
        raise UsageError(f"a page of {limit} is not possible", hint=f"1 to {MOST_PER_PAGE}")
    return _get(path, encoded_query({"after": after, "limit": limit, **more}))


def _accepting(headers: dict[str, str]) -> dict[str, str]:
    return {"Accept": f"{JSON}, application/problem+json", **headers}
