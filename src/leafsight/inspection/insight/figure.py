"""One figure: a question, the answer in words, and the data that a picture of it is drawn from."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.plots import draw_png
from leafsight.inspection.insight.series import KINDS, Say, Series

TILE_QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """What ``insight_figures`` gives back.

    Attributes:
        name: short and fixed, for files and links: ``counts``, ``brightness``.
        title: two or three words.
        question: what the figure is asked.
        answer: what it answers about this collection, computed from all of its photographs.
        series: what is drawn.
        note: how it was measured, and what is not shown.
        classes: class names, for the labels that the series mention.
        labels: the label of every photograph.
    """

    name: str
    title: str
    question: str
    answer: str
    series: Series
    note: str = ""
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None

    @property
    def kind(self) -> str:
        """``bars``, ``spreads``, ``points``, ``tiles``, ``matrix`` or ``words``."""
        return KINDS[type(self.series)]

    def to_dict(self) -> dict[str, Any]:
        """The figure as plain values for JSON; pictures become data URLs, numbers that are none ``None``."""
        plain = {name: getattr(self, name) for name in ("name", "title", "question", "answer", "note")}
        return {**plain, "kind": self.kind, "classes": list(self.classes), "series": _plain(self.series)}

    def png(self, *, width_px: int = 1200, words: bool = True, say: Say = str) -> bytes:
        """The figure as a PNG.

        Args:
            width_px: of the PNG; the height follows from what is drawn.
            words: whether question and answer stand in it.
            say: what axes and notes say, in the language of who looks at it.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        labels = np.zeros(0, np.int64) if self.labels is None else self.labels
        return draw_png(
            self.series,
            heading=self.question if words else "",
            answer=self.answer if words else "",
            classes=self.classes,
            labels=labels,
            width_px=width_px,
            say=say,
        )

    def _repr_png_(self) -> bytes:
        return self.png(width_px=900)


def jpeg_url(pixels: UInt8[np.ndarray, "height width 3"], quality: int = TILE_QUALITY) -> str:
    """A picture as a ``data:`` URL, without metadata."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3:
        return jpeg_url(value)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def figure_of(
    material: Material, name: str, title: str, question: str, answer: str, series: Series, note: str = ""
) -> Figure:
    """A figure of this collection."""
    return Figure(name, title, question, answer, series, note, material.classes, material.labels)
