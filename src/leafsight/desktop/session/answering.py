"""Which model answers: that of a file, the one that serves on this computer, or that of a server elsewhere.

Enters: what was chosen. Leaves: a way to load it, on a thread. It diagnoses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.desktop.session.loading import LISTED, Load, Loaded, bundle_loader, model_of
from leafsight.desktop.session.reaching import Reach
from leafsight.errors import RemoteError
from leafsight.images import DecodeLimits

MOST_PHOTOGRAPHS = 4
"""Of a request: a few together, so that answers come while others are asked about."""


@dataclass(frozen=True, slots=True)
class _Label:
    """A class as a server describes it."""

    key: str
    display: str
    crop: str | None
    is_leaf: bool


def loader(path: Path | None, reach: Reach, limits: DecodeLimits) -> Load:
    """Loads the model that answers.

    Args:
        path: a model file that a person named; it answers whatever else was chosen.
        reach: the server that was chosen.
        limits: of the decoder.

    Returns:
        The loader. It raises ``BundleError``, ``BundleCorruptError`` or ``StorageError`` for a model of this
        computer that cannot be used, and for a server what ``Reach.client`` does.
    """
    if path is not None:
        return bundle_loader(path, limits)
    return lambda: _serving_here(reach, limits)() if reach.is_here else _elsewhere(reach)


def _serving_here(reach: Reach, limits: DecodeLimits) -> Load:
    """The model that was promoted last on this computer; the built-in one before."""
    folder = reach.here.registry_dir
    if not folder.is_dir():
        return bundle_loader(None, limits)
    from leafsight.registry import SERVING, open_registry

    registry = open_registry(folder)
    return bundle_loader(registry.path(registry.get(SERVING)), limits)


def _elsewhere(reach: Reach) -> Loaded:
    from leafsight.client import RemotePredictor

    client = reach.client()
    # The one that answers: an operator may have named another file than the one that was promoted.
    model = client.model(next((one.id for one in client.models() if one.serving), "serving"))
    predictor = RemotePredictor(client, max_photographs=MOST_PHOTOGRAPHS, top=LISTED, store=False)
    return Loaded(predictor, model_of(model.name, model.id, [_label(one) for one in model.labels]))


def _label(one: dict[str, Any]) -> _Label:
    try:
        return _Label(str(one["key"]), str(one["display"]), one["crop"], bool(one["is_leaf"]))
    except KeyError as error:
        raise RemoteError(
            f"the server describes its classes without {error}",
            hint="it may be of another version than this window; update the older one",
        ) from error
