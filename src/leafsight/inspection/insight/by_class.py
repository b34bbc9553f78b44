"""One measure, class by class: the spreads, and the sentence that says whether classes differ in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from leafsight.inspection.insight.grouping import by_chance, explained, quantiles, strength
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import counted, named, percent, photographs, visible, with_unit
from leafsight.inspection.insight.series import Axis, Spread, Spreads

EXTREMES = 4  # photographs shown at each end of a class
ENOUGH = 5  # photographs below which a class is not named as the highest or lowest

Values = Float64[np.ndarray, " n"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One column and the words for it.

    Attributes:
        column: of the material.
        axis: for the drawing; values are multiplied by ``factor`` first.
        subject: begins the sentence: ``Brightness``.
        most, least: adjectives: ``brightest``, ``darkest``.
        factor: from the column's unit to that of the axis.
        digits: of values in the sentence.
    """

    column: str
    axis: Axis
    subject: str
    most: str
    least: str
    factor: float = 1.0
    digits: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The photographs that have the measure.

    Attributes:
        rows: of the material.
        values: in the unit of the axis.
        labels: of these rows.
    """

    rows: Int64[np.ndarray, " n"]
    values: Values
    labels: Int64[np.ndarray, " n"]


def measured(material: Material, measure: Measure) -> Measured:
    """The measure where there is one."""
    values = material.measure(measure.column) * measure.factor
    rows = np.flatnonzero(np.isfinite(values)).astype(np.int64)
    return Measured(rows, values[rows], material.labels[rows])


def spreads(material: Material, found: Measured, axis: Axis, most_classes: int) -> Spreads:
    """A line a class, the highest middle first; where there are too many, both ends and one for the rest."""
    lines = []
    groups: list[Int64[np.ndarray, " k"]] = []
    for label in range(len(material.classes)):
        places = np.flatnonzero(found.labels == label)
        if len(places):
            groups.append(places)
            lines.append(_spread(found, places, visible(material.classes[label]), label))
    order = sorted(range(len(lines)), key=lambda line: (-lines[line].middle, lines[line].label))
    shown = [lines[line] for line in order]
    if len(order) > most_classes:
        ahead = (most_classes - 1) // 2
        behind = most_classes - 1 - ahead
        folded = np.concatenate([groups[line] for line in order[ahead : len(order) - behind]])
        hidden = f"{counted(len(order) - ahead - behind, 'class')} between"
        shown = [*shown[:ahead], _spread(found, folded, hidden, None), *shown[len(order) - behind :]]
    return Spreads(axis, tuple(shown), float(np.median(found.values)))


def _spread(found: Measured, places: Int64[np.ndarray, " k"], label: str, number: int | None) -> Spread:
    values = found.values[places]
    low, quarter, middle, upper, high = quantiles(values)
    order = np.argsort(values, kind="stable")
    ends = [place for place in order[:EXTREMES] if values[place] < low]
    ends += [place for place in order[-EXTREMES:] if values[place] > high]
    extremes = tuple((float(values[place]), int(found.rows[places[place]])) for place in ends)
    return Spread(label, number, len(values), low, quarter, middle, upper, high, extremes)


def comparison(material: Material, found: Measured, measure: Measure) -> str:
    """Whether classes differ, by how much, and which stand at the ends.

    Says what is true of one class and of equal values, too.
    """
    values = found.values
    if float(values.max() - values.min()) < 1e-9:
        return f"{measure.subject} is {_said(values[0], measure)} in every photograph."
    present = np.unique(found.labels)
    if len(present) < 2:
        low, _, middle, _, high = quantiles(values)
        return (
            f"There is only one class. Half of its photographs are above {_said(middle, measure)}; nine "
            f"in ten lie between {_said(low, measure)} and {_said(high, measure)}."
        )
    scale = np.log(np.maximum(values, values[values > 0].min())) if measure.axis.log else values
    share = explained(scale[:, None], found.labels)
    if share >= max(0.01, by_chance(found.labels)):
        said = (
            f"{measure.subject} differs {strength(share)} between classes: the class explains "
            f"{percent(share)} of its variance."
        )
        return " ".join((said, *_ends(material, found, measure)))
    said = (
        f"{measure.subject} hardly differs between classes: the class explains {percent(share)} of its "
        "variance."
        if share < 0.01
        else f"{measure.subject} differs no more between classes than chance makes "
        f"{photographs(len(values))} differ."
    )
    half = f"Half of the photographs are above {_said(float(np.median(values)), measure)}."
    return " ".join((said, half))


def _ends(material: Material, found: Measured, measure: Measure) -> Iterator[str]:
    """The sentences on the highest and the lowest class, and on those that are too small for either."""
    counts = np.bincount(found.labels, minlength=len(material.classes))
    enough = np.flatnonzero(counts >= ENOUGH)
    left_out = int(((counts > 0) & (counts < ENOUGH)).sum())
    chosen = enough if len(enough) >= 2 else np.flatnonzero(counts)
    middles = {int(label): float(np.median(found.values[found.labels == label])) for label in chosen}
    top = max(middles, key=lambda label: (middles[label], -label))
    bottom = min(middles, key=lambda label: (middles[label], label))
    if _said(middles[top], measure) == _said(middles[bottom], measure):
        yield f"The middle photograph of every class is the same: {_said(middles[top], measure)}."
        return
    yield (
        f"The {measure.most} class is {_tied(material, middles, top, measure)}; the {measure.least} is "
        f"{_tied(material, middles, bottom, measure)}."
    )
    if left_out and len(enough) >= 2:
        yield f"Not compared: {counted(left_out, 'class')} with fewer than {photographs(ENOUGH)}."


def _tied(material: Material, middles: dict[int, float], label: int, measure: Measure) -> str:
    """The class with its middle value, and how many others print the same."""
    said = _said(middles[label], measure)
    others = sum(_said(value, measure) == said for value in middles.values()) - 1
    with_it = f", the same in {others} more" if others else ""
    return f"{named(material.classes[label])} (middle photograph {said}{with_it})"


def _said(value: float, measure: Measure) -> str:
    digits = measure.digits if abs(value) < 100 else 0
    return with_unit(f"{value:,.{digits}f}", measure.axis.unit)
