"""A problem document (RFC 9457) turned back into the error that the server raised.

Enters: a reply that is no success. Leaves: an error of our tree, with the server's hint and request id. It
does not know whether the request will be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from leafsight import errors
from leafsight.client.replies import NO_SERVER_HINT, Reply, parse_json, shown
from leafsight.client.waiting import retry_after_s
from leafsight.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    LeafsightError,
    NotFoundError,
    OverloadError,
    RateLimitError,
    RemoteError,
    RequestTooLargeError,
    StateBusyError,
    UsageError,
)

PROBLEM = "application/problem+json"
MOST_CHARACTERS = 2000
BY_STATUS: dict[int, type[LeafsightError]] = {
    400: UsageError,
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UsageError,
    429: RateLimitError,
    503: OverloadError,
}


def error_of(reply: Reply, *, now_s: float) -> LeafsightError:
    """The error that a reply stands for.

    Args:
        reply: with any status but a success.
        now_s: UTC, for a ``Retry-After`` that is a date.
    """
    if 300 <= reply.status < 400:
        return _redirect(reply)
    if reply.media_type != PROBLEM:
        return _stranger(reply, now_s)
    try:
        document = parse_json(reply.body)
    except RemoteError as error:
        return error
    if not isinstance(document, Mapping):
        return RemoteError(
            f"the server answered {reply.status} with a problem that is no object", hint=NO_SERVER_HINT
        )
    message, hint = _sentences(reply, document)
    return _made(_class_of(reply.status, document), message, hint, retry_after_s(reply.headers, now_s))


def _redirect(reply: Reply) -> RemoteError:
    where = shown(reply.headers.get("location", "")) or "nowhere"
    return RemoteError(
        f"the server answered {reply.status} and points to {where}, which is not followed",
        hint="give that address yourself if it is the right one; a key is never sent along",
    )


def _stranger(reply: Reply, now_s: float) -> LeafsightError:
    """An error that no leafsight server wrote: a proxy, a load balancer, another program."""
    found = reply.media_type or "nothing readable"
    message = f"the server answered {reply.status} with {shown(found)} instead of a problem document"
    if reply.status in (429, 503):
        hint = "something before the server refuses the request; try again later"
        return _made(BY_STATUS[reply.status], message, hint, retry_after_s(reply.headers, now_s))
    if reply.status in (502, 504):
        return RemoteError(message, hint="something before the server cannot reach it; try again later")
    return RemoteError(message, hint=NO_SERVER_HINT)


def _sentences(reply: Reply, document: Mapping[str, Any]) -> tuple[str, str]:
    said = _text(document, "detail") or _text(document, "title") or f"the server answered {reply.status}"
    faults = document.get("errors")
    if isinstance(faults, list) and faults:
        said += ": " + "; ".join(_one_fault(one) for one in faults[:5])
    request_id = _text(document, "request_id") or shown(reply.headers.get("x-request-id", ""))
    return said + (f" (request {request_id[:200]})" if request_id else ""), _text(document, "hint")


def _one_fault(fault: Any) -> str:
    if not isinstance(fault, Mapping):
        return shown(str(fault))
    where = fault.get("pointer", fault.get("loc", fault.get("where", "")))
    what = fault.get("detail", fault.get("msg", fault.get("message", "")))
    return shown(": ".join(str(one) for one in (where, what) if one) or str(dict(fault)))


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return shown(value, MOST_CHARACTERS) if isinstance(value, str) else ""


def _class_of(status: int, document: Mapping[str, Any]) -> type[LeafsightError]:
    slug = _text(document, "type").rstrip("/").rpartition("/")[2]
    by_slug = _tree().get(slug)
    if status < 500:
        return by_slug or BY_STATUS.get(status, RemoteError)
    # Of the server's own troubles only "later" is ours to act on; a full disk there is no full disk here.
    if by_slug is not None and issubclass(by_slug, OverloadError | StateBusyError):
        return by_slug
    return BY_STATUS.get(status, RemoteError)


def _made(kind: type[LeafsightError], message: str, hint: str, after_s: float | None) -> LeafsightError:
    if issubclass(kind, OverloadError):
        return kind(message, hint=hint, retry_after_s=1.0 if after_s is None else after_s)
    return kind(message, hint=hint)


@cache
def _tree() -> dict[str, type[LeafsightError]]:
    """Every error that a request may end with, by slug."""
    named = (getattr(errors, name) for name in errors.__all__)
    kinds = [one for one in named if isinstance(one, type) and issubclass(one, LeafsightError)]
    return {one.slug: one for one in kinds if 400 <= one.http_status < 500 or one.http_status == 503}
