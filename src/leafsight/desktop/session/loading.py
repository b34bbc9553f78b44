"""The model behind a session: what it can name, and the predictor that asks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from leafsight.errors import BundleError
from leafsight.images import DecodeLimits
from leafsight.inference import Predictor

LISTED = 5
"""Classes of an answer that are shown; what cannot be excluded is kept whole."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a person may know of the model that answers.

    Attributes:
        name: as its maker called it.
        hash: of its bundle.
        classes: key -> name for people, in the order of their names.
        crops: key -> name, those that it knows.
    """

    name: str
    hash: str
    classes: dict[str, str]
    crops: dict[str, str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A predictor, safe to use from several threads, and its model."""

    predictor: Predictor
    model: Model


Load = Callable[[], Loaded]


class Described(Protocol):
    """A class of a model, as a bundle or a server describes it."""

    @property
    def key(self) -> str:
        """Such as ``tomato/early_blight``."""

    @property
    def display(self) -> str:
        """For people."""

    @property
    def crop(self) -> str | None:
        """Key of the crop."""

    @property
    def is_leaf(self) -> bool:
        """Whether it is a leaf at all."""


def bundle_loader(path: Path | None, limits: DecodeLimits, content_hash: str | None = None) -> Load:
    """Loads the model of a file, or the built-in one, with one compute thread a call.

    Args:
        path: None is the built-in one.
        limits: of the decoder.
        content_hash: that it must have; a file that is another one by now is refused.

    The loader raises:
        BundleError, BundleCorruptError: it cannot be used.
    """

    def load() -> Loaded:
        from leafsight.bundle import builtin_bundle_path
        from leafsight.inference import BundlePredictor

        predictor = BundlePredictor(
            path if path is not None else builtin_bundle_path(), threads=1, limits=limits, top=LISTED
        )
        bundle = predictor.bundle
        if content_hash is not None and bundle.content_hash != content_hash:
            raise BundleError(
                f"{path} is another model than a moment ago", hint="open it again to see what it is now"
            )
        return Loaded(predictor, model_of(bundle.name, bundle.content_hash, bundle.labels))

    return load


def verified_model(path: Path) -> Model:
    """What a model file says of itself, after every part of it was verified; nothing of it is run.

    Raises:
        BundleError: it is none, or cannot be used.
        PermissionDeniedError, StorageError: the system does not let us read it.
    """
    from leafsight.bundle import open_bundle

    bundle = open_bundle(path)
    return model_of(bundle.name, bundle.content_hash, bundle.labels)


def model_of(name: str, content_hash: str, labels: Sequence[Described]) -> Model:
    """What the classes of a model mean for a person who chooses among them."""
    classes = {one.key: one.display for one in labels}
    crops = {
        one.crop: one.display.partition(":")[0].lower() or one.crop
        for one in labels
        if one.crop is not None and one.is_leaf
    }
    return Model(name, content_hash, _by_name(classes), _by_name(crops))


def _by_name(names: dict[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda pair: pair[1].lower()))
