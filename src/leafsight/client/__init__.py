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
        ReportAccepted,
        ReportEntry,
        ServedModel,
        Upload,
        UploadAccepted,
    )
    from leafsight.client.async_client import AsyncClient
    from leafsight.client.attempts import Surroundings
    from leafsight.client.client import Client
    from leafsight.client.learning import Learning
    from leafsight.client.remote_predictor import MOST_TOP, RemotePredictor

_HOME = {
    "Answer": "answers",
    "AsyncClient": "async_client",
    "Client": "client",
    "ConditionCard": "answers",
    "Correction": "answers",
    "Job": "answers",
    "Learning": "learning",
    "MOST_TOP": "remote_predictor",
    "ModelDescription": "answers",
    "ModelEntry": "answers",
    "Page": "answers",
    "PhotoAnswer": "answers",
    "Readiness": "answers",
    "Remembered": "answers",
    "RemotePredictor": "remote_predictor",
    "ReportAccepted": "answers",
    "ReportEntry": "answers",
    "ServedModel": "answers",
    "Surroundings": "attempts",
    "Upload": "answers",
    "UploadAccepted": "answers",
}

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ConditionCard",
    "Correction",
    "Job",
    "Learning",
    "MOST_TOP",
    "ModelDescription",
    "ModelEntry",
    "Page",
    "PhotoAnswer",
    "Readiness",
    "Remembered",
    "RemotePredictor",
    "ReportAccepted",
    "ReportEntry",
    "ServedModel",
    "Surroundings",
    "Upload",
    "UploadAccepted",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
