"""The Python client of a leafsight server: the same answers as the model here, from elsewhere.

Enters: the address of a server, photographs, corrections. Leaves: typed answers, or errors of our own tree.
It does not know what the server is made of. httpx2 (extra ``serve``) is loaded when a client
is made, not before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leafsight.client.answers import (
        Answer,
        ConditionCard,
        Correction,
        Job,
        ModelDescription,
        ModelEntry,
        Page,
        PhotoAnswer,
        Readiness,
        Remembered,
        ServedModel,
        UploadAccepted,
    )
    from leafsight.client.async_client import AsyncClient
    from leafsight.client.attempts import Surroundings
    from leafsight.client.client import Client
    from leafsight.client.remote_predictor import RemotePredictor

_HOME = {
    "Answer": "answers",
    "AsyncClient": "async_client",
    "Client": "client",
    "ConditionCard": "answers",
    "Correction": "answers",
    "Job": "answers",
    "ModelDescription": "answers",
    "ModelEntry": "answers",
    "Page": "answers",
    "PhotoAnswer": "answers",
    "Readiness": "answers",
    "Remembered": "answers",
    "RemotePredictor": "remote_predictor",
    "ServedModel": "answers",
    "Surroundings": "attempts",
    "UploadAccepted": "answers",
}

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ConditionCard",
    "Correction",
    "Job",
    "ModelDescription",
    "ModelEntry",
    "Page",
    "PhotoAnswer",
    "Readiness",
    "Remembered",
    "RemotePredictor",
    "ServedModel",
    "Surroundings",
    "UploadAccepted",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
