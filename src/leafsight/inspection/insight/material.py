"""What the figures are made from: labels, measures and small pictures of one collection, as plain arrays.

Enters: an index whose photographs were measured, its sketches, and embeddings if somebody made them. Leaves:
a ``Material``. It does not know where photographs lie or how they were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex

MEASURES = (
    "width_px",
    "height_px",
    "sharpness",
    "brightness",
    "contrast",
    "saturation",
    "green_share",
    "lesion_share",
    "mean_red",
    "mean_green",
    "mean_blue",
)
"""Columns of the index that the figures show."""

Rows = Int64[np.ndarray, " rows"]
Small = UInt8[np.ndarray, "rows 64 64 3"]
Vectors = Float32[np.ndarray, "rows d"]


@runtime_checkable
class SmallPictures(Protocol):
    """Where small pictures come from; ``dataset.Sketches`` is one."""

    def pictures(self, numbers: Any, /) -> Any:
        """uint8[k, 64, 64, 3] of the records with these numbers."""


@runtime_checkable
class EmbeddingRecords(Protocol):
    """Where embeddings come from; ``dataset.Embeddings`` is one."""

    def get(self, numbers: Any, /) -> Any:
        """float32[k, d] of the records with these numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """One collection, ready to be shown.

    Attributes:
        classes: class names; a label is a place in it.
        labels: of every photograph.
        names: of every photograph, for people.
        measures: by name, one number a photograph; NaN where it was not measured.
        cameras: maker and model as the file says, ``None`` where it says nothing.
        taken: when, as ``YYYY-MM-DDTHH:MM:SS``, ``None`` where the file does not say.
        pictures: rows -> small pictures, RGB; ``None`` when there are none.
        has_picture: which rows ``pictures`` may be asked for.
        embeddings: rows -> what a model makes of the photographs; ``None`` when no model was asked.
        has_embedding: which rows ``embeddings`` may be asked for.
        embedded_by: which model that was, in words.
        unreadable: photographs that were left out because of a fault.
        title: of the collection.
    """

    classes: tuple[str, ...]
    labels: Int64[np.ndarray, " n"]
    names: tuple[str, ...]
    measures: Mapping[str, Float64[np.ndarray, " n"]]
    cameras: tuple[str | None, ...]
    taken: tuple[str | None, ...]
    pictures: Callable[[Rows], Small] | None = None
    has_picture: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    embeddings: Callable[[Rows], Vectors] | None = None
    has_embedding: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    embedded_by: str = ""
    unreadable: int = 0
    title: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def measure(self, name: str) -> Float64[np.ndarray, " n"]:
        """One number a photograph; all NaN when nothing was measured."""
        found = self.measures.get(name)
        return np.full(len(self), np.nan) if found is None else found

    def counts(self) -> Int64[np.ndarray, " classes"]:
        """Photographs per class."""
        return np.bincount(self.labels, minlength=len(self.classes)).astype(np.int64)

    def pictured(self) -> Rows:
        """Rows with a small picture."""
        return np.flatnonzero(self.has_picture).astype(np.int64) if self.pictures else np.zeros(0, np.int64)

    def is_grey(self) -> bool:
        """Whether (nearly) all photographs are without colour.

        A mean saturation below 0.02 is what JPEG leaves of a grey picture stored in colour; one photograph in
        a hundred may be another.
        """
        saturation = self.measure("saturation")
        known = saturation[np.isfinite(saturation)]
        return bool(len(known)) and float((known < 0.02).mean()) >= 0.99

    def sample(self, most: int) -> Rows:
        """At most ``most`` rows, spread evenly over each class; always the same ones."""
        if len(self) <= most:
            return np.arange(len(self), dtype=np.int64)
        by_class = np.argsort(self.labels, kind="stable")
        places = np.linspace(0, len(self) - 1, most).round().astype(np.int64)
        return np.sort(by_class[places]).astype(np.int64)


def material_of(
    index: PhotoIndex,
    sketches: SmallPictures | None = None,
    *,
    embeddings: EmbeddingRecords | None = None,
    embedded_by: str = "",
    title: str = "",
) -> Material:
    """The usable photographs of an index as arrays.

    Args:
        index: measured by ``index_photos``.
        sketches: the small pictures; the column ``sketch`` says which is whose.
        embeddings: of a model; the column ``embedding`` says which is whose.
        embedded_by: which model made them, in words.
        title: of the collection.
    """
    usable = index.usable()
    measures = {name: _numbers(usable.column(name)) for name in MEASURES}
    sketched, embedded = _numbers(usable.column("sketch")), _numbers(usable.column("embedding"))
    return Material(
        classes=usable.classes,
        labels=usable.labels,
        names=_names(usable),
        measures=measures,
        cameras=tuple(usable.column("camera")),
        taken=tuple(usable.column("taken")),
        pictures=None if sketches is None else _reader(sketches.pictures, sketched),
        has_picture=np.isfinite(sketched),
        embeddings=None if embeddings is None else _reader(embeddings.get, embedded),
        has_embedding=np.isfinite(embedded),
        embedded_by=embedded_by,
        unreadable=len(index) - len(usable),
        title=title,
    )


def _numbers(values: list[Any]) -> Float64[np.ndarray, " n"]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _names(index: PhotoIndex) -> tuple[str, ...]:
    paths = index.column("path")
    if len(index.sources) < 2:
        return tuple(paths)
    return tuple(f"{source}/{path}" for source, path in zip(index.column("source"), paths, strict=True))


def _reader(read: Callable[[Any], Any], numbers: Float64[np.ndarray, " n"]) -> Callable[[Rows], Any]:
    return lambda rows: read(numbers[rows].astype(np.int64))
