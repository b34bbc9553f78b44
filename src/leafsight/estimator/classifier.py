"""``LeafClassifier``: a recipe as a scikit-learn classifier, its answers those of the model file it carries.

Enters: photographs as X, class names as y. Leaves: classes, probabilities, conformal sets, verdicts. It does
not know how a network is trained or run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from leafsight.bundle import open_bundle
from leafsight.errors import BundleVersionError, require
from leafsight.estimator.asking import predictions, probabilities, readable, sets
from leafsight.estimator.fitting import fit_bundle
from leafsight.estimator.held_model import HeldModel, bundle_bytes
from leafsight.estimator.labels import class_names, groups_of, labels_of
from leafsight.estimator.ordering import Order, resolved_recipe, seed_of
from leafsight.estimator.photographs import items_of
from leafsight.inference import Prediction
from leafsight.progress import Lines, Progress, Silent
from leafsight.storage import write_bytes

STATE_FORMAT = 1
LISTED = 5


class LeafClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns the classes of photographs by a recipe; its answers are those of the exported model file.

    X is a list of paths, of the bytes of files, of PIL pictures or of arrays ``uint8[height, width, 3]``, or
    one array ``uint8[n, height, width, 3]``.

    Args:
        recipe: a name of ``leafsight recipes ls``, or the path of a TOML file.
        overrides: ``KEY=VALUE`` each, as ``leafsight train --set`` takes them.
        pretrained: what to start from: a file of weights, a model file, ``"builtin"`` or ``"none"``; the
            recipe decides when ``None``.
        validation_fraction: the share that ``fit`` sets aside three times, for validation, calibration and
            the model file's own test; the recipe's ``data.ratios`` when ``None``.
        random_state: seed of that split and of training. ``None`` is the recipe's seed: the same every time.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        threads: that decode and that run the network of the model file; ``None`` decodes on two while fitting
            and predicts on one.
        work_dir: where pictures and runs are kept, so that a fit that was killed goes on; ``None`` takes a
            temporary folder.
        verbose: 0 says nothing, 1 writes progress to stderr.

    Attributes:
        classes_: the labels, sorted; the columns of ``predict_proba``.
        bundle_: the model file (``.leafsight``) as bytes.
        history_: one record an epoch.
        n_photos_in_: how many photographs were given to ``fit``.
    """

    # Under the door's name, so that a pickle does not break when a file of this room is renamed.
    __module__ = "leafsight.estimator"

    def __init__(
        self,
        recipe: str | Path = "quick",
        *,
        overrides: Sequence[str] = (),
        pretrained: str | None = None,
        validation_fraction: float | None = None,
        random_state: Any = None,
        device: str = "auto",
        threads: int | None = None,
        work_dir: str | Path | None = None,
        verbose: int = 0,
    ) -> None:
        self.recipe = recipe
        self.overrides = overrides
        self.pretrained = pretrained
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device
        self.threads = threads
        self.work_dir = work_dir
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    @classmethod
    def from_bundle(cls, path: str | Path, **params: Any) -> LeafClassifier:
        """A fitted classifier from a model file, without training and without torch.

        Its parameters are those of a new one: ``fit`` and ``clone`` forget the model file.

        Args:
            path: a ``.leafsight`` file or folder.
            params: parameters of the classifier, such as ``threads``.

        Raises:
            BundleError: it cannot be used, or has no calibration.
        """
        made = cls(**params)
        bundle = open_bundle(path)
        held = HeldModel(bundle_bytes(bundle))
        held.predictor(made.threads or 1)  # one that cannot be used fails here
        made._hold(np.unique(np.asarray(bundle.classes)), held, (), photos=_photos_of(bundle.provenance))
        return made

    def fit(self, X: Any, y: Any, groups: Any = None) -> LeafClassifier:  # noqa: N803
        """Train by the recipe, export, calibrate.

        The same photographs, labels, groups and parameters give the same answers on the same machine.

        Args:
            X: photographs.
            y: the class of each.
            groups: photographs with the same value show the same thing and stay on one side of the split that
                ``fit`` makes inside; equal and nearly equal pictures do so unasked.

        Raises:
            InputError: a ``ValueError``: photographs or labels that cannot be learned from.
            MissingExtraError: torch is not installed.
            ConfigError, UsageError: the recipe or an override cannot be used.
            TrainingError, ExportError, StorageError: as ``leafsight train``.
        """
        items = items_of(X)
        labels, known = labels_of(y, len(items)), groups_of(groups, len(items))
        require("torch", "train")
        fitted = fit_bundle(items, labels.names, known, self._order())
        self._hold(labels.classes, HeldModel(fitted.bundle), fitted.history, photos=len(items))
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The most probable class of each photograph; it never abstains, see ``verdicts``.

        Raises:
            NotFittedError: before ``fit``.
            InputError: something that is no photograph, or cannot be read.
        """
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])

    def predict_proba(self, X: Any) -> Float64[np.ndarray, "n c"]:  # noqa: N803
        """The calibrated probability of each class, in the order of ``classes_``; every row sums to one.

        Raises:
            NotFittedError, InputError: as ``predict``.
        """
        return probabilities(readable(self._asked(X)), class_names(self.classes_))

    def predict_set(self, X: Any) -> Bool[np.ndarray, "n c"]:  # noqa: N803
        """The conformal set of each photograph: which of ``classes_`` cannot be excluded; never empty.

        Raises:
            NotFittedError, InputError: as ``predict``.
        """
        return sets(readable(self._asked(X)), class_names(self.classes_))

    def verdicts(self, X: Any, *, crop: str | None = None) -> list[Prediction]:  # noqa: N803
        """What leafsight says of each photograph, "cannot tell" and "unreadable" included.

        Args:
            X: photographs.
            crop: any spelling of the crop, when it is known.

        Raises:
            NotFittedError: before ``fit``.
            InputError: something that is no photograph, or a file that is not there.
            TaxonomyError: the model does not know the crop.
        """
        return [replace(answer, top=answer.top[:LISTED]) for answer in self._asked(X, crop)]

    def save_bundle(self, path: str | Path) -> Path:
        """Write the model file, for ``leafsight predict --model``, ``serve`` and everything else.

        Raises:
            NotFittedError: before ``fit``.
            StorageError: the file cannot be written.
        """
        check_is_fitted(self)
        write_bytes(Path(path), self.bundle_)
        return Path(path)

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) that names the contents of the model file, as ``leafsight show`` tells it.

        Raises:
            NotFittedError: before ``fit``.
        """
        check_is_fitted(self)
        return self._held.predictor(self.threads or 1).bundle.content_hash

    def _hold(
        self, classes: np.ndarray, held: HeldModel, history: Sequence[dict[str, Any]], *, photos: int
    ) -> None:
        self.classes_ = classes
        self.bundle_ = held.data
        self.history_ = tuple(history)
        self.n_photos_in_ = photos
        self._held = held

    def _order(self) -> Order:
        overrides = (self.overrides,) if isinstance(self.overrides, str) else tuple(self.overrides)
        recipe = resolved_recipe(self.recipe, overrides, self.validation_fraction, seed_of(self.random_state))
        return Order(
            recipe=recipe,
            pretrained=self.pretrained,
            device=self.device,
            threads=self.threads,
            work_dir=None if self.work_dir is None else Path(self.work_dir),
            progress=_progress(self.verbose),
        )

    def _asked(self, X: Any, crop: str | None = None) -> list[Prediction]:  # noqa: N803
        check_is_fitted(self)
        return predictions(self._held.predictor(self.threads or 1), items_of(X), crop)

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, bundle and plain values; no open network, no arrays."""
        state = {name: value for name, value in vars(self).items() if name != "_held"}
        if "classes_" in state:
            state["classes_"] = (self.classes_.tolist(), str(self.classes_.dtype))
        return {**state, "_state_format": STATE_FORMAT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take parameters and bytes; the model file is opened and verified when it is first asked.

        Raises:
            BundleVersionError: a newer leafsight wrote it.
        """
        if state.get("_state_format", 0) > STATE_FORMAT:
            raise BundleVersionError(
                "this classifier was pickled by a newer leafsight", hint="update leafsight"
            )
        values = {name: value for name, value in state.items() if name != "_state_format"}
        if "classes_" in values:
            labels, kind = values["classes_"]
            values["classes_"] = np.array(labels, dtype=kind)
            values["_held"] = HeldModel(values["bundle_"])
        self.__dict__.update(values)


def _progress(verbose: int) -> Progress:
    return Lines(sys.stderr) if verbose else Silent()


def _photos_of(provenance: dict[str, Any]) -> int:
    """How many photographs a model file was made from, as far as it says."""
    counts = provenance.get("photographs", {})
    return sum(counts.values()) if isinstance(counts, dict) else 0
