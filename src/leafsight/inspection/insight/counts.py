"""How many photographs each class has."""

from __future__ import annotations

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
    counts = material.counts()
    total, largest, smallest = int(counts.sum()), int(counts.argmax()), int(counts.argmin())
    unreadable = (
        f" {photographs(material.unreadable)} cannot be read and {_are(material.unreadable)} not counted "
        "here."
        if material.unreadable
        else ""
    )
    if len(counts) == 1:
        return (
            f"There is one class, {named(material.classes[0])}, with {photographs(total)}: a model has "
            f"nothing to tell apart.{unreadable}"
        )
    top, bottom = int(counts[largest]), int(counts[smallest])
    if top == bottom:
        which = "Both" if len(counts) == 2 else f"All {len(counts)}"
        return f"{which} classes have the same number: {photographs(top)} each.{unreadable}"
    said = (
        f"The classes are nearly equal: from {bottom:,} photographs of "
        f"{named(material.classes[smallest])} to {top:,} of {named(material.classes[largest])}."
        if top < 1.15 * bottom
        else f"{_largest(material, counts)} {times(top / bottom)} as many "
        f"photographs as the smallest, {named(material.classes[smallest])} ({top:,} against {bottom:,}). "
        f"A model that always answers with the same class is right on at most {percent(top / total)} of them."
    )
    few = [material.classes[label] for label in np.argsort(counts, kind="stable") if counts[label] < FEW]
    if few:
        have = "has" if len(few) == 1 else "have"
        said += f" {counted(len(few), 'class')} {have} fewer than {FEW} photographs: {listed(few)}."
    return said + unreadable


def _largest(material: Material, counts: np.ndarray) -> str:
    ties = int((counts == counts.max()).sum())
    if ties > 1:
        return f"The {ties} largest classes have"
    return f"The largest class, {named(material.classes[int(counts.argmax())])}, has"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
