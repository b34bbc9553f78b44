"""Writes that are done once, however often they are sent: the header ``Idempotency-Key``.

Enters: the key and a hash of what was sent. Leaves: the first answer, again. As in the IETF draft "The
Idempotency-Key HTTP Header Field" (httpapi working group): another request under the same key is a conflict.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from leafsight.errors import LeafsightError, UsageError
from leafsight.service.access import Caller
from leafsight.service.parts import Parts

HEADER = "idempotency-key"
MAX_KEY = 200
MOST_KEPT_BYTES = 4 * 1024**2
LOG = logging.getLogger("leafsight.service")


def json_answer(said: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``said`` as JSON."""
    body = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Response(body, status, headers, "application/json")


async def answer_once(
    request: Request,
    parts: Parts,
    caller: Caller,
    sent_sha256: str,
    produce: Callable[[], Awaitable[Response]],
) -> Response:
    """The answer of ``produce``, or the one that was given to the same request before.

    Failures are not kept: what failed may be tried again.

    Raises:
        UsageError: the key is too long or not printable.
        ConflictError: the key was used for another request, or that one is still being answered.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await produce()
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise UsageError(f"an Idempotency-Key has 1 to {MAX_KEY} printable characters")
    answers, route = parts.state.answers, f"{request.method} {request.url.path}"
    kept = await parts.recorder.do(lambda: answers.begin(key, caller.key_id, route, sent_sha256))
    if kept is not None:
        return Response(kept.body, kept.status, {**kept.headers, "idempotency-replayed": "true"})
    try:
        answer = await produce()
    except BaseException:
        await _try(parts, lambda: answers.forget(key, caller.key_id, route))
        raise
    body = bytes(answer.body)
    if answer.status_code < 400 and len(body) <= MOST_KEPT_BYTES:
        headers = {"content-type": answer.headers["content-type"]}
        await _try(
            parts,
            lambda: answers.finish(
                key, caller.key_id, route, status=answer.status_code, headers=headers, body=body
            ),
        )
    else:
        await _try(parts, lambda: answers.forget(key, caller.key_id, route))
    return answer


async def _try(parts: Parts, work: Callable[[], None]) -> None:
    """What was done is done, and what failed has its own reason, also when the key cannot be kept."""
    try:
        await parts.recorder.do(work)
    except LeafsightError as error:
        LOG.warning("idempotency key not kept", extra={"fields": {"reason": error.message}})
