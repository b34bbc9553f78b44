"""Problem documents (RFC 9457) for every failure, those of the framework included.

Enters: an exception. Leaves: ``application/problem+json`` with a stable type, one sentence, a hint and the
request's id. It never shows a traceback: those go to the log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from leafsight.errors import LeafsightError, OverloadError, StateBusyError, StateFullError
from leafsight.service.contract import describe
from leafsight.service.tracing import note_problem

TYPES = "https://leafsight.example/problems/"
"""Names, not addresses: RFC 9457 section 3.1.1 lets a type be any URI. The last part is the slug."""

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 20
ROOM_S = 10.0
"""Nobody makes room on a disk within a second."""
BUG = "something went wrong in the service; it was written down under this request id"
FRAMEWORK_SLUGS = {
    400: ("bad-request", "compare the request with /openapi.json"),
    404: ("not-found", "the paths are listed in /openapi.json"),
    405: ("method-not-allowed", "the methods of each path are listed in /openapi.json"),
    408: ("too-slow", "send the request in one go, or a smaller photograph"),
    413: ("request-too-large", "send less at once"),
    415: ("unsupported-media-type", "send multipart/form-data, image/* or application/json"),
}


class TooSlowError(LeafsightError):
    """A request arrives so slowly that it is not waited for."""

    http_status, slug = 408, "too-slow"


def problem(
    status: int,
    slug: str,
    detail: str,
    *,
    hint: str = "",
    request_id: str = "",
    faults: Sequence[dict[str, Any]] = (),
    retry_after_s: float | None = None,
) -> Response:
    """One problem document.

    Args:
        status: of HTTP.
        slug: last part of the type.
        detail: one sentence on this occurrence.
        hint: one sentence on what to do.
        request_id: to find it in the log.
        faults: one for each wrong field.
        retry_after_s: when it is worth another try; becomes whole seconds, rounded up.
    """
    note_problem(slug)
    document: dict[str, Any] = {
        "type": TYPES + slug,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "hint": hint,
        "request_id": request_id,
    }
    if faults:
        document["errors"] = list(faults)[:MAX_FAULTS]
    headers = {"cache-control": "no-store"}
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="leafsight"'
    body = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    return Response(body, status, headers, MEDIA_TYPE)


def problem_of(error: BaseException, request_id: str) -> Response:
    """The problem document of any exception; one that is not ours is a bug and says nothing of itself."""
    if isinstance(error, LeafsightError):
        retry = error.retry_after_s if isinstance(error, OverloadError) else None
        if isinstance(error, StateBusyError):
            retry = ROOM_S if isinstance(error, StateFullError) else 1.0
        return problem(
            error.http_status,
            error.slug,
            error.message,
            hint=error.hint,
            request_id=request_id,
            retry_after_s=retry,
        )
    if isinstance(error, RequestValidationError):
        return _of_validation(error, request_id)
    if isinstance(error, HTTPException):
        slug, hint = FRAMEWORK_SLUGS.get(error.status_code, ("http", ""))
        answer = problem(error.status_code, slug, str(error.detail), hint=hint, request_id=request_id)
        answer.headers.update(error.headers or {})
        return answer
    return problem(500, "internal", BUG, hint="tell the operator the request id", request_id=request_id)


def _of_validation(error: RequestValidationError, request_id: str) -> Response:
    faults = [
        {"where": ".".join(str(step) for step in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors()
    ]
    detail = f"{len(faults)} part{'s' if len(faults) > 1 else ''} of the request cannot be used"
    return problem(
        422, "validation", detail, hint="each is named in errors", request_id=request_id, faults=faults
    )


async def answer_problem(request: Request, error: Exception) -> Response:
    """Handler for the framework: the problem document of ``error``."""
    answer = problem_of(error, request.scope.get("leafsight.request_id", ""))
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names those of the first route that fits, not those of the path.
        methods = describe(request.app)["paths"].get(getattr(request.scope.get("route"), "path", ""), {})
        if methods:  # the page's files are no part of the contract, and have one route each
            answer.headers["allow"] = ", ".join(sorted(method.upper() for method in methods))
    return answer
