"""How large the photographs are, of what shape, and whether that gives the class away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from leafsight.inspection.insight.by_class import Measured, spreads
from leafsight.inspection.insight.figure import Figure, figure_of
from leafsight.inspection.insight.grouping import guess_share
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import NARROW, counted, named, percent, photographs, with_unit
from leafsight.inspection.insight.series import Axis, Points, Spreads, Words

SMALL_PX = 128  # shorter side; below it the built-in model sees an enlarged picture
SQUARE = 1.02  # a longer side up to 2 % longer is called square
ARE = {"square": "are square", "wide": "are wider than tall", "tall": "are taller than wide"}


def sizes_figure(material: Material) -> Figure:
    """Width against height, one dot for every size that occurs."""
    wide, high, rows = _known(material)
    unknown = len(material) - len(rows)
    if not len(rows):
        return figure_of(
            material, "sizes", "Photograph size", _SIZES, "No photograph has a known size.", Words()
        )
    pairs = np.stack([wide, high], axis=1)
    sizes, first, which, counts = np.unique(
        pairs, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    points = Points(
        Axis("width", "px", log=_wide_range(wide)),
        Axis("height", "px", log=_wide_range(high)),
        sizes[:, 0].astype(np.float32),
        sizes[:, 1].astype(np.float32),
        rows[first].astype(np.int64),
        counts.astype(np.int64),
        by_class=False,
    )
    most = int(counts.argmax())
    if len(sizes) == 1:
        answer = f"All {photographs(len(rows))} have the same size: {_size(sizes[0])}."
    else:
        order = np.argsort(wide * high, kind="stable")
        answer = (
            f"There are {counted(len(sizes), 'size')}, from {_size(pairs[order[0]])} to "
            f"{_size(pairs[order[-1]])}; the most frequent is {_size(sizes[most])} "
            f"({percent(counts[most] / len(rows))} of the photographs)."
        )
        answer += _gives_away(material, which.ravel().tolist(), rows)
    small = int((np.minimum(wide, high) < SMALL_PX).sum())
    if small:
        are = "is" if small == 1 else "are"
        answer += f" {photographs(small)} {are} smaller than {SMALL_PX} px on the shorter side."
    note = "The area of a dot grows with the number of photographs of that size."
    if unknown:
        left = "is left out" if unknown == 1 else "are left out"
        note += f" {photographs(unknown)} of unknown size {left}."
    return figure_of(material, "sizes", "Photograph size", _SIZES, answer, points, note)


_SIZES = "How large are the photographs?"


def _gives_away(material: Material, facts: Sequence[int], rows: Int64[np.ndarray, " n"]) -> str:
    labels = material.labels[rows]
    if len(np.unique(labels)) < 2:
        return ""
    largest = float(np.bincount(labels).max() / len(labels))
    share = guess_share(facts, labels)
    if share < largest + 0.02:
        return " The size does not give the class away."
    return (
        f" Who knows the size of a photograph and nothing else guesses its class right in "
        f"{percent(share)} of the cases; always saying the largest class is right in {percent(largest)}."
    )


def shapes_figure(material: Material, most_classes: int) -> Figure:
    """Width divided by height, by class."""
    question = "Are the photographs square, wide or tall, and is that the same in every class?"
    wide, high, rows = _known(material)
    if not len(rows):
        return figure_of(material, "aspect", "Aspect", question, "No photograph has a known size.", Words())
    ratio = wide / high
    longer = np.maximum(ratio, 1 / ratio)
    axis = Axis("width divided by height")
    found = Measured(rows, ratio, material.labels[rows])
    line: Spreads = spreads(material, found, axis, most_classes)
    square = longer <= SQUARE
    kinds = [("square", square), ("wide", ~square & (ratio > 1)), ("tall", ~square & (ratio < 1))]
    if bool(square.all()):
        answer = "Every photograph is square, so none is stretched or cropped on its way into a network."
        return figure_of(material, "aspect", "Aspect", question, answer, line)
    shares = [f"{percent(float(mask.mean()))} {ARE[kind]}" for kind, mask in kinds if mask.any()]
    odd = int(longer.argmax())
    extreme = (
        f"The most extreme is {_size(np.array([wide[odd], high[odd]]))}, "
        f"{longer[odd]:.1f} to 1, in {named(material.classes[material.labels[rows[odd]]])}."
    )
    answer = ". ".join((", ".join(shares), extreme)) + _whole_class(material, kinds, rows)
    return figure_of(material, "aspect", "Aspect", question, answer, line)


def _whole_class(
    material: Material, kinds: Sequence[tuple[str, np.ndarray]], rows: Int64[np.ndarray, " n"]
) -> str:
    """Classes of which nearly every photograph has one shape while most of the others have another."""
    labels = material.labels[rows]
    own = np.bincount(labels, minlength=len(material.classes))
    for kind, mask in kinds:
        shares = np.bincount(labels[mask], minlength=len(material.classes)) / np.maximum(own, 1)
        typical = [int(one) for one in np.flatnonzero((shares >= 0.95) & (own >= 5))]
        if typical and len(typical) <= len(material.classes) // 2:
            others = ~np.isin(labels, typical)
            elsewhere = float(mask[others].mean()) if others.any() else 1.0
            if elsewhere < 0.5:
                which = named(material.classes[typical[0]])
                more = f" and {counted(len(typical) - 1, 'more class')}" if len(typical) > 1 else ""
                rest = f"only {percent(elsewhere)}" if elsewhere else "none"
                return f" Nearly all of {which}{more} {ARE[kind]}, but {rest} elsewhere."
    return ""


def _known(
    material: Material,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    wide, high = material.measure("width_px"), material.measure("height_px")
    rows = np.flatnonzero(np.isfinite(wide) & np.isfinite(high) & (wide > 0) & (high > 0)).astype(np.int64)
    return wide[rows], high[rows], rows


def _wide_range(values: Float64[np.ndarray, " n"]) -> bool:
    return bool(values.max() > 4 * values.min())


def _size(pair: np.ndarray) -> str:
    return with_unit(f"{int(pair[0])}{NARROW}×{NARROW}{int(pair[1])}", "px")
