"""The OpenAPI document: what FastAPI finds in the routes, and what it cannot see there.

Enters: the application. Leaves: the document, made once. It does not know what routes do.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

OPEN_PATHS = {"/healthz", "/readyz", "/v1/about"}
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "Made by `leafsight keys make`; while there is none, this computer is served without.",
}

QUEUED = {
    "id": "019aa1e4c7000b1f3e5d7c9a8b6e4d2f", "kind": "check-upload", "state": "queued",
    "created_at": 1763745600000, "updated_at": 1763749200000, "progress": {}, "result": None, "error": None,
}  # fmt: skip
ANSWERS = {("/v1/uploads/{id}/check", "post", "202"): {"queued": {"value": QUEUED}}}
"""Examples of answers; FastAPI would leave out what is null in them."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        document.setdefault("components", {})["securitySchemes"] = {"key": KEY}
        for path, methods in document["paths"].items():
            for operation in methods.values():
                operation["security"] = [{}] if path in OPEN_PATHS else [{"key": []}, {}]
        for (path, method, status), examples in ANSWERS.items():
            answer = document["paths"][path][method]["responses"][status]
            answer["content"]["application/json"]["examples"] = examples
        app.openapi_schema = document
    return app.openapi_schema
