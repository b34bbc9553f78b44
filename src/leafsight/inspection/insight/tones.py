"""Light, contrast, colour, sharpness and leaf colours, class by class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leafsight.inspection.insight.by_class import Measure, comparison, measured, spreads
from leafsight.inspection.insight.figure import Figure
from leafsight.inspection.insight.grouping import by_chance, explained, strength
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import named, percent, photographs
from leafsight.inspection.insight.series import Axis, Points, Words

BRIGHTNESS = Measure("brightness", Axis("brightness", "%"), "Brightness", "brightest", "darkest", factor=100)
CONTRAST = Measure("contrast", Axis("contrast", "%"), "Contrast", "most contrasty", "flattest", factor=100)
SHARPNESS = Measure("sharpness", Axis("sharpness", log=True), "Sharpness", "sharpest", "most blurred")
GREEN = Measure(
    "green_share", Axis("green area", "%", from_zero=True), "The green area", "greenest", "least green", 100
)
LESION = Measure(
    "lesion_share",
    Axis("lesion-coloured area", "%", from_zero=True),
    "The lesion-coloured area",
    "most lesion-coloured",
    "least lesion-coloured",
    100,
    1,
)
GREY_SAYS_NOTHING = "The photographs are grey, so this says nothing about them."
NOT_MEASURED = "No photograph was measured for this."
BLURRED = 0.1  # of the sharpness of the middle photograph


def brightness_figure(material: Material, most_classes: int) -> Figure:
    """Mean grey level."""
    note = "Mean grey level of a photograph: 0 % is black, 100 % is white."
    question = "Are some classes photographed in brighter light than others?"
    return _by_class(material, BRIGHTNESS, "Brightness", question, note, most_classes)


def contrast_figure(material: Material, most_classes: int) -> Figure:
    """Standard deviation of the grey levels."""
    note = "Standard deviation of the grey levels of a photograph, as a share of the way from black to white."
    question = "Are some classes flatter than others?"
    return _by_class(material, CONTRAST, "Contrast", question, note, most_classes)


def green_figure(material: Material, most_classes: int) -> Figure:
    """Share of green pixels."""
    question = "How much green is in the photographs of each class?"
    note = "Share of the pixels of a photograph that are green, leaf or not."
    if material.is_grey():
        return _words(material, "green", "Green area", question, GREY_SAYS_NOTHING)
    return _by_class(material, GREEN, "Green area", question, note, most_classes, name="green")


def lesion_figure(material: Material, most_classes: int) -> Figure:
    """Share of yellow and brown pixels."""
    question = "How much of the plant colours in a photograph are those of lesions?"
    note = (
        "Of what is green, yellow or brown in a photograph, the share that is yellow or brown. Soil, "
        "bark, wood and dry leaves have these colours, too: this is no measure of disease."
    )
    if material.is_grey():
        return _words(material, "lesions", "Lesion-coloured area", question, GREY_SAYS_NOTHING)
    return _by_class(material, LESION, "Lesion-coloured area", question, note, most_classes, name="lesions")


def sharpness_figure(material: Material, most_classes: int) -> Figure:
    """Variance of the Laplacian, in powers of ten."""
    question = "Are the photographs sharp, and in all classes alike?"
    note = (
        "Variance of the Laplacian of the grey levels of a copy with a short side below 256 px: low is "
        "blurred, or a plain object. Only photographs of like things can be compared. The variance is "
        "that of its logarithm."
    )
    values = material.measure("sharpness")
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return _words(material, "sharpness", "Sharpness", question, NOT_MEASURED)
    figure = _by_class(material, SHARPNESS, "Sharpness", question, note, most_classes)
    blurred = known[values[known] < BLURRED * np.median(values[known])]
    more = "No photograph has less than a tenth of the sharpness of the middle one."
    if len(blurred):
        have = "has" if len(blurred) == 1 else "have"
        counts = np.bincount(material.labels[blurred], minlength=len(material.classes))
        top = int(counts.argmax())
        several = len(material.classes) > 1 and counts[top] > 1
        where = f", {counts[top]:,} of them in {named(material.classes[top])}" if several else ""
        more = (
            f"{photographs(len(blurred))} ({percent(len(blurred) / len(known))}) {have} less than a "
            f"tenth of the sharpness of the middle one{where}."
        )
    return replace(figure, answer=" ".join((figure.answer, more)))


def colour_figure(material: Material, most_points: int) -> Figure:
    """The mean colour of every photograph on two opposed scales: green to red, blue to yellow."""
    title, question = "Colour", "Do the classes differ in their colour as a whole?"
    if material.is_grey():
        return _words(material, "colour", title, question, GREY_SAYS_NOTHING)
    red, green, blue = (material.measure(f"mean_{name}") * 100 for name in ("red", "green", "blue"))
    places = np.stack([red - green, (red + green) / 2 - blue], axis=1)
    known = np.isfinite(places).all(axis=1)
    if not known.any():
        return _words(material, "colour", title, question, NOT_MEASURED)
    rows = material.sample(most_points)
    rows = rows[known[rows]]
    note = (
        "One dot a photograph. To the right its mean colour is redder, to the left greener; up yellower, "
        "down bluer, in percent of the whole scale. A grey photograph is at 0, 0."
    )
    if len(rows) < int(known.sum()):
        note += f" {photographs(len(rows))} of {int(known.sum()):,} are drawn, evenly chosen."
    points = Points(
        Axis("greener – redder", "%"),
        Axis("bluer – yellower", "%"),
        places[rows, 0].astype(np.float32),
        places[rows, 1].astype(np.float32),
        rows,
        np.ones(len(rows), np.int64),
    )
    answer = _colour_answer(material, places[known], material.labels[known])
    return Figure("colour", title, question, answer, points, note, material.classes, material.labels)


def _colour_answer(material: Material, places: np.ndarray, labels: np.ndarray) -> str:
    mean = places.mean(axis=0)
    if len(np.unique(labels)) < 2:
        return (
            f"There is only one class. Its mean colour is {_direction(mean)} than grey by "
            f"{percent(float(np.hypot(*mean)) / 100)} of the scale."
        )
    share = explained(places, labels)
    if 0.01 <= share < by_chance(labels):
        return (
            f"The mean colour depends no more on the class than chance makes {photographs(len(labels))} do."
        )
    if share < 0.01:
        return (
            f"The mean colour hardly depends on the class, which explains {percent(share)} of its variance."
        )
    counts = np.bincount(labels, minlength=len(material.classes))
    far = -1.0
    which = 0
    for label in np.flatnonzero(counts >= min(5, int(counts.max()))):
        rest = places[labels != label].mean(axis=0)
        distance = float(np.hypot(*(places[labels == label].mean(axis=0) - rest)))
        if distance > far:
            far, which, apart = distance, int(label), places[labels == label].mean(axis=0) - rest
    said = (
        f"The mean colour of a photograph depends {strength(share)} on its class, which explains "
        f"{percent(share)} of the variance."
    )
    furthest = (
        f"{named(material.classes[which])} stands furthest from the "
        f"rest: it is {_direction(apart)} by {percent(far / 100)} of the scale."
    )
    return " ".join((said, furthest))


def _direction(apart: np.ndarray) -> str:
    """``redder``, ``redder and yellower``; the smaller part is named when it is at least half the larger."""
    across = "redder" if apart[0] > 0 else "greener"
    up = "yellower" if apart[1] > 0 else "bluer"
    sizes = np.abs(apart)
    if sizes[1] < sizes[0] / 2:
        return across
    return up if sizes[0] < sizes[1] / 2 else f"{across} and {up}"


def _by_class(
    material: Material,
    measure: Measure,
    title: str,
    question: str,
    note: str,
    most_classes: int,
    *,
    name: str = "",
) -> Figure:
    name = name or measure.column
    found = measured(material, measure)
    if not len(found.rows):
        return _words(material, name, title, question, NOT_MEASURED)
    missing = len(material) - len(found.rows)
    if missing:
        note += f" {photographs(missing)} could not be measured."
    return Figure(
        name,
        title,
        question,
        comparison(material, found, measure),
        spreads(material, found, measure.axis, most_classes),
        note,
        material.classes,
        material.labels,
    )


def _words(material: Material, name: str, title: str, question: str, answer: str) -> Figure:
    return Figure(name, title, question, answer, Words(), "", material.classes, material.labels)
