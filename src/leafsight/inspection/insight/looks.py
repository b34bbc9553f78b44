"""Mean pictures and borders: one walk over all small pictures, a chunk at a time.

Enters: small pictures. Leaves: for each class a mean picture and how the borders are coloured. It does not
know a leaf from its background: the border is the outermost ring of a photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from leafsight.inspection.insight.figure import Figure, figure_of
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import counted, named, percent, photographs, visible
from leafsight.inspection.insight.series import Axis, Matrix, Tile, Tiles, Words

CHUNK = 1024
BORDER_PX = 4  # of 64: the outermost sixteenth on each side
ENOUGH = 5
NO_PICTURES = "There are no small pictures of these photographs, so nothing can be said."


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What one walk found; classes without a picture have zero counts.

    Attributes:
        counts: pictures per class.
        means: mean picture, 0..255.
        contrasts: mean over photographs of the standard deviation inside one.
        border_means: mean border: eight stretches of it (corners and sides), red, green and blue, 0..1.
        border_variances: mean squared distance of a photograph's border from that mean, per number.
    """

    counts: Int64[np.ndarray, " classes"]
    means: Float64[np.ndarray, "classes 64 64 3"]
    contrasts: Float64[np.ndarray, " classes"]
    border_means: Float64[np.ndarray, "classes 24"]
    border_variances: Float64[np.ndarray, " classes"]


def look_over(material: Material) -> Looks | None:
    """Walk over every small picture once; ``None`` when there are none."""
    rows = material.pictured()
    if not len(rows) or material.pictures is None:
        return None
    classes = len(material.classes)
    counts = np.zeros(classes, np.int64)
    sums, contrasts = np.zeros((classes, 64, 64, 3)), np.zeros(classes)
    border_sums, border_squares = np.zeros((classes, 24)), np.zeros(classes)
    rows = rows[np.argsort(material.labels[rows], kind="stable")]
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        pictures = material.pictures(part).astype(np.float32)
        borders, inner = border_colours(pictures), _contrasts(pictures)
        labels = material.labels[part]
        cuts = np.flatnonzero(np.diff(labels, prepend=-1, append=-1))
        for first, last in pairwise(cuts.tolist()):
            label, own = int(labels[first]), slice(first, last)
            counts[label] += last - first
            sums[label] += pictures[own].sum(axis=0, dtype=np.float32)
            contrasts[label] += float(inner[own].sum())
            border_sums[label] += borders[own].sum(axis=0)
            border_squares[label] += float((borders[own] ** 2).sum())
    divisor = np.maximum(counts, 1)
    border_means = border_sums / divisor[:, None]
    variances = np.maximum(border_squares / divisor - (border_means**2).sum(axis=1), 0.0) / 24
    return Looks(counts, sums / divisor[:, None, None, None], contrasts / divisor, border_means, variances)


def _contrasts(pictures: np.ndarray) -> np.ndarray:
    """Standard deviation inside each picture, the mean of its three colours, float64[k]."""
    pixels = pictures.reshape(len(pictures), -1, 3)
    means = pixels.mean(axis=1, dtype=np.float64)
    squares = np.einsum("kpc,kpc->kc", pixels, pixels, dtype=np.float64) / pixels.shape[1]
    found: np.ndarray = np.sqrt(np.maximum(squares - means**2, 0)).mean(axis=1)
    return found


def border_colours(pictures: np.ndarray) -> np.ndarray:
    """Mean colours of the four corners and four sides of the border, float64[k, 24] in 0..1."""
    b = BORDER_PX
    ends = {"low": slice(0, b), "mid": slice(b, 64 - b), "high": slice(64 - b, 64)}
    places = [(y, x) for y in ends for x in ends if (y, x) != ("mid", "mid")]
    means = [pictures[:, ends[y], ends[x]].mean(axis=(1, 2)) for y, x in places]
    found: np.ndarray = np.concatenate(means, axis=1).astype(np.float64) / 255
    return found


def means_figure(material: Material, looks: Looks | None, most_classes: int) -> Figure:
    """The mean picture of every class."""
    question = "What does the average photograph of each class look like?"
    if looks is None:
        return figure_of(material, "means", "Mean pictures", question, NO_PICTURES, Words())
    present = np.flatnonzero(looks.counts)
    shown = sorted(present, key=lambda label: (-int(looks.counts[label]), int(label)))[:most_classes]
    tiles = tuple(
        Tile(
            visible(material.classes[label]),
            np.clip(looks.means[label].round(), 0, 255).astype(np.uint8),
            int(label),
            note=photographs(int(looks.counts[label])),
        )
        for label in sorted(shown, key=lambda label: material.classes[label])
    )
    note = "A shape that stays visible means that the photographs were framed alike."
    if len(shown) < len(present):
        note += f" The {len(shown)} largest of {counted(len(present), 'class')} are shown."
    without = len(material) - int(looks.counts.sum())
    note += f" {photographs(without)} without a small picture left out." if without else ""
    return figure_of(
        material, "means", "Mean pictures", question, _means_answer(material, looks), Tiles(tiles), note
    )


def _means_answer(material: Material, looks: Looks) -> str:
    usual = np.flatnonzero(looks.counts >= ENOUGH)
    if not len(usual):
        return f"No class has {photographs(ENOUGH)}, so a mean picture says little."
    kept = _kept_contrast(looks)[usual]
    top = int(kept.argmax())
    if len(usual) == 1:
        return (
            f"The mean picture of {named(material.classes[usual[0]])} keeps {percent(float(kept[0]))} of the "
            f"contrast of its photographs; the more it keeps, the more alike they were framed."
        )
    bottom = int(kept.argmin())
    flat = looks.means[usual].reshape(len(usual), -1) / 255
    apart = np.sqrt(np.maximum(_squared_distances(flat) / flat.shape[1], 0))
    nearest = apart + np.diag(np.full(len(usual), np.inf))
    one, other = np.unravel_index(int(nearest.argmin()), nearest.shape)
    odd = int(apart.sum(axis=1).argmax())
    said = (
        f"The photographs of {named(material.classes[usual[top]])} are framed most alike: their mean "
        f"picture keeps {percent(float(kept[top]))} of their contrast, that of "
        f"{named(material.classes[usual[bottom]])} only {percent(float(kept[bottom]))}."
    )
    if len(usual) > 2:
        said += (
            f" On average {named(material.classes[usual[min(one, other)]])} and "
            f"{named(material.classes[usual[max(one, other)]])} look most alike; "
            f"{named(material.classes[usual[odd]])} differs most from the others."
        )
    return said


def _kept_contrast(looks: Looks) -> Float64[np.ndarray, " classes"]:
    """Contrast of the mean picture as a share of that of one photograph, 0..1.

    The mean of n photographs that have nothing in common keeps 1 / sqrt(n) of it (variance of a mean), so
    that much is taken off; otherwise a class of five would look well framed.
    """
    share = looks.means.std(axis=(1, 2)).mean(axis=1) / np.maximum(looks.contrasts, 1e-9)
    chance = 1 / np.maximum(looks.counts, 2)
    return np.asarray(np.sqrt(np.clip((share**2 - chance) / (1 - chance), 0.0, 1.0)))


def borders_figure(material: Material, looks: Looks | None, most_classes: int) -> Figure:
    """How far the borders of two photographs differ, by their classes."""
    title, question = "Borders", "Is the background of a class its own?"
    if looks is None:
        return figure_of(material, "borders", title, question, NO_PICTURES, Words())
    usual = np.flatnonzero(looks.counts >= ENOUGH)
    if len(usual) < 2:
        answer = "Fewer than two classes have five photographs, so there is nothing to compare."
        return figure_of(material, "borders", title, question, answer, Words())
    apart = border_distances(looks)
    shown = usual[np.argsort(-looks.counts[usual], kind="stable")][:most_classes]
    order = shown[np.argsort(np.diag(apart)[shown], kind="stable")]
    matrix = Matrix(
        Axis("difference of the borders", "%"),
        tuple(visible(material.classes[label]) for label in order),
        tuple(int(label) for label in order),
        (100 * apart[np.ix_(order, order)]).astype(np.float32),
    )
    note = (
        "How far the outer sixteenth of two photographs differs in colour, in percent of the scale (root "
        "mean square). On the diagonal both are of one class. The check of the collection measures "
        "whether a model can use this."
    )
    left_out = len(material.classes) - len(shown)
    note += f" {counted(left_out, 'class')} not shown." if left_out else ""
    return figure_of(
        material, "borders", title, question, _borders_answer(material, looks, usual), matrix, note
    )


def border_distances(looks: Looks) -> Float64[np.ndarray, "classes classes"]:
    """Root mean square difference of the borders of two photographs drawn from two classes, 0..1.

    The mean over all pairs: for two classes var x + var y + |mean x - mean y|^2, inside a class of n
    photographs twice the variance with n - 1, because none is paired with itself.
    """
    variances = looks.border_variances
    apart = _squared_distances(looks.border_means) / looks.border_means.shape[1]
    between = variances[:, None] + variances[None, :] + apart
    inside = 2 * variances * looks.counts / np.maximum(looks.counts - 1, 1)
    np.fill_diagonal(between, inside)
    return np.asarray(np.sqrt(between))


def _borders_answer(material: Material, looks: Looks, usual: Int64[np.ndarray, " k"]) -> str:
    squared = border_distances(looks)[np.ix_(usual, usual)] ** 2
    inside = float(np.sqrt(np.diag(squared).mean()))
    k = len(usual)
    between = float(np.sqrt((squared.sum() - np.trace(squared)) / (k * (k - 1))))
    if between < 1e-6:
        return "The borders of all photographs have the same colours."
    ratio = between / max(inside, 1e-9)
    own = np.sqrt(np.diag(squared))
    others = np.sqrt((squared.sum(axis=1) - np.diag(squared)) / (k - 1))
    sharpest = int((others / np.maximum(own, 1e-9)).argmax())
    verdict = (
        "The borders say little about the class"
        if ratio < 1.1
        else "The borders say something about the class"
        if ratio < 1.4
        else "The borders give the class away"
    )
    said = (
        f"{verdict}: those of two photographs of one class differ by {percent(inside)} of the scale, "
        f"those of two classes by {percent(between)}, {ratio:.2f} times as much."
    )
    if ratio >= 1.1:
        said += (
            f" Most its own is the background of {named(material.classes[usual[sharpest]])}: "
            f"{percent(float(own[sharpest]))} inside, {percent(float(others[sharpest]))} to the others."
        )
    return said


def _squared_distances(places: Float64[np.ndarray, "k d"]) -> Float64[np.ndarray, "k k"]:
    lengths = (places**2).sum(axis=1)
    return np.asarray(np.maximum(lengths[:, None] + lengths[None, :] - 2 * places @ places.T, 0.0))
