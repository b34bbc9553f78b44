"""JSON bodies of requests, read by hand: the framework reads bodies before it asks who sends them.

Enters: a request and the model of its body. Leaves: the body as that model, or the error that says what is
wrong with it. It does not know what a body means.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from leafsight.errors import RequestTooLargeError

Body = TypeVar("Body", bound=BaseModel)
MAX_BODY_BYTES = 64 * 1024


async def read_json(
    request: Request, model: type[Body], *, what: str = "body", max_bytes: int = MAX_BODY_BYTES
) -> Body:
    """The body, if it is one of ``model``.

    Args:
        request: not read yet.
        model: of the body.
        what: it is called in an error.
        max_bytes: a longer one is refused.

    Raises:
        HTTPException: it is not JSON by its type.
        RequestTooLargeError: it is too long.
        RequestValidationError: it is something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"a body of type {kind[:80] or '(none)'!r} cannot be read")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise RequestTooLargeError(f"a {what} has at most {max_bytes} bytes", hint="send less at once")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        ) from error


def json_body(model: type[BaseModel], **examples: tuple[str, Any]) -> dict[str, Any]:
    """The description of such a body for the contract.

    Args:
        model: of the body.
        examples: name -> summary and value.
    """
    shown = {name: {"summary": said, "value": value} for name, (said, value) in examples.items()}
    content = {"schema": model.model_json_schema(), "examples": shown}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
