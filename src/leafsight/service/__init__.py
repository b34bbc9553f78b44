"""The HTTP service: photographs in, problem documents or diagnoses out, under any load.

Enters: settings as plain values, and requests. Leaves: an ASGI application, and the processes that run it.
It does not know how a network works, where predictions are kept, or what trains. FastAPI and uvicorn are
loaded when they are asked for; the extra is ``[serve]``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.service.options import Jobs, KeepPhotos, ServiceOptions

if TYPE_CHECKING:
    from leafsight.service.app import create_app
    from leafsight.service.at_hand import AtHand
    from leafsight.service.first_look import look_at_model
    from leafsight.service.heart import STALE_S, beat_age_s
    from leafsight.service.job_worker import JobWorker
    from leafsight.service.registries import registry_of
    from leafsight.service.supervisor import serve

_HOME = {
    "AtHand": "at_hand",
    "JobWorker": "job_worker",
    "STALE_S": "heart",
    "beat_age_s": "heart",
    "create_app": "app",
    "look_at_model": "first_look",
    "registry_of": "registries",
    "serve": "supervisor",
}

__all__ = [
    "AtHand",
    "JobWorker",
    "Jobs",
    "KeepPhotos",
    "STALE_S",
    "ServiceOptions",
    "beat_age_s",
    "create_app",
    "look_at_model",
    "registry_of",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
