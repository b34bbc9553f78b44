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
        app.openapi_schema = document
    return app.openapi_schema
