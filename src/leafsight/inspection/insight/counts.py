"""How many photographs each class has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leafsight.inspection.insight.figure import Figure
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import counted, listed, named, percent, photographs, times, visible
from leafsight.inspection.insight.series import Axis, Bar, Bars

FEW = 10  # photographs: fewer cannot be divided into training, calibration and test


def counts_figure(material: Material, most_classes: int) -> Figure:
    """Bars, the largest class first."""
    counts = material.counts()
    order = sorted(range(len(counts)), key=lambda label: (-int(counts[label]), material.classes[label]))
    bars = [Bar(visible(material.classes[label]), float(counts[label]), label) for label in order]
    if len(bars) > most_classes:
        ahead = (most_classes - 1) // 2
        behind = most_classes - 1 - ahead
        hidden = [int(bar.value) for bar in bars[ahead : len(bars) - behind]]
        between = f"from {min(hidden):,} to {max(hidden):,} each"
        middle = Bar(f"{counted(len(hidden), 'class')} between", float(np.mean(hidden)), None, between)
        bars = [*bars[:ahead], middle, *bars[len(bars) - behind :]]
    return Figure(
        name="counts",
        title="Class counts",
        question="How many photographs has each class?",
        answer=_answer(material),
        series=Bars(Axis("photographs", from_zero=True), tuple(bars)),
        note="" if len(counts) <= most_classes else "The bar of the classes between is their mean.",
        classes=material.classes,
        labels=material.labels,
    )


def _answer(material: Material) -> str:
    return " ".join(_sentences(material))


def _sentences(material: Material) -> Iterator[str]:
    counts = material.counts()
    total, top, bottom = int(counts.sum()), int(counts.max()), int(counts.min())
    if len(counts) == 1:
        yield (
            f"There is one class, {named(material.classes[0])}, with {photographs(total)}: a model has "
            "nothing to tell apart."
        )
    elif top == bottom:
        yield (
            f"Both classes have the same number: {photographs(top)} each."
            if len(counts) == 2
            else f"All {len(counts)} classes have the same number: {photographs(top)} each."
        )
    else:
        yield from _unequal(material, counts)
    if material.unreadable:
        yield (
            "1 photograph cannot be read and is not counted here."
            if material.unreadable == 1
            else f"{material.unreadable:,} photographs cannot be read and are not counted here."
        )


def _unequal(material: Material, counts: np.ndarray) -> Iterator[str]:
    top, bottom = int(counts.max()), int(counts.min())
    largest, smallest = (named(material.classes[int(one)]) for one in (counts.argmax(), counts.argmin()))
    if top < 1.15 * bottom:
        yield (
            f"The classes are nearly equal: from {bottom:,} photographs of {smallest} to {top:,} of "
            f"{largest}."
        )
    else:
        ties = int((counts == top).sum())
        which = f"The {ties} largest classes have" if ties > 1 else f"The largest class, {largest}, has"
        yield (
            f"{which} {times(top / bottom)} as many photographs as the smallest, {smallest} ({top:,} against "
            f"{bottom:,})."
        )
        share = percent(top / int(counts.sum()))
        yield f"A model that always answers with the same class is right on at most {share} of them."
    few = [material.classes[label] for label in np.argsort(counts, kind="stable") if counts[label] < FEW]
    if len(few) == 1:
        yield f"1 class has fewer than {FEW} photographs: {listed(few)}."
    elif few:
        yield f"{len(few):,} classes have fewer than {FEW} photographs: {listed(few)}."
