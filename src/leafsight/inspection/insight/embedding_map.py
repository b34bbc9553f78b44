"""The map of the collection: what looks alike lies together, and what looks like nothing else is shown.

Enters: embeddings of a model, or, where there are none, small pictures described by colour and layout.
Leaves: two figures. It does not know how embeddings are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from leafsight.inspection.insight.figure import Figure, figure_of
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.phrases import named, percent, photographs, times, visible
from leafsight.inspection.insight.series import Axis, Points, Tile, Tiles, Words

MAPPED = 10_000  # photographs that are compared with each other
KEPT = 64  # principal components in which neighbours are looked for
NEIGHBOURS = 5
CHUNK = 1024
LONELY = 1.3  # times the usual distance to the nearest; below it no photograph is unlike the others

Embedded = Float32[np.ndarray, "n d"]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingMap:
    """A collection laid out.

    Attributes:
        rows: photographs that were embedded, evenly chosen where there are many.
        places: in the plane.
        plane: how the plane was made: ``PCA`` or ``UMAP``.
        held: share of the variance in the plane, for PCA.
        mates: share of the nearest neighbours that are of the same class.
        by_chance: what ``mates`` would be if neighbours were drawn at random.
        distances: mean distance of each to its nearest neighbours, with rows in ``compared``.
        compared: rows that were compared with each other.
        known: photographs that have an embedding at all.
    """

    rows: Int64[np.ndarray, " n"]
    places: Float32[np.ndarray, "n 2"]
    plane: str
    held: float
    mates: float
    by_chance: float
    distances: Float32[np.ndarray, " m"]
    compared: Int64[np.ndarray, " m"]
    known: int


def lay_out(material: Material, most_points: int) -> EmbeddingMap | None:
    """Principal components, neighbours and distances; ``None`` with fewer than three photographs."""
    sample = material.sample(most_points)
    if material.embeddings is not None:
        rows = sample[material.has_embedding[sample]]
        vectors = material.embeddings(rows)
        total = int(material.has_embedding.sum())
    elif material.pictures is not None and material.has_picture.any():
        rows = sample[material.has_picture[sample]]
        vectors = _layouts(material, rows)
        total = int(material.has_picture.sum())
    else:
        return None
    if len(rows) < 3:
        return None
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-9)
    components, shares = principal_components(unit)
    places, plane = _plane(components)
    step = max(1, -(-len(rows) // MAPPED))
    by_class = np.argsort(material.labels[rows], kind="stable")
    chosen = np.sort(by_class[::step])
    distances, neighbours = nearest(components[chosen])
    labels = material.labels[rows[chosen]]
    mates = float((labels[neighbours] == labels[:, None]).mean())
    counts = np.bincount(labels).astype(float)
    n = counts.sum()
    chance = float((counts * (counts - 1)).sum() / (n * (n - 1)))
    held = float(shares[:2].sum())
    return EmbeddingMap(rows, places, plane, held, mates, chance, distances, rows[chosen], total)


def _layouts(material: Material, rows: Int64[np.ndarray, " n"]) -> Embedded:
    """8x8 mean colours of each small picture, float32[n, 192]."""
    assert material.pictures is not None
    parts = []
    for start in range(0, len(rows), CHUNK):
        pictures = material.pictures(rows[start : start + CHUNK]).astype(np.float32)
        parts.append(pictures.reshape(-1, 8, 8, 8, 8, 3).mean(axis=(2, 4)).reshape(-1, 192) - 128)
    found: Embedded = np.concatenate(parts).astype(np.float32)
    return found


def principal_components(
    vectors: Embedded, most: int = KEPT
) -> tuple[Float32[np.ndarray, "n k"], Float32[np.ndarray, " k"]]:
    """Places along the directions of greatest variance, and the share of the variance in each.

    From the eigenvectors of the covariance (Pearson, Philosophical Magazine 2, 1901). The sign of a direction
    is chosen so that its largest part is positive; otherwise libraries disagree.
    """
    centred = vectors - vectors.mean(axis=0)
    step = max(1, len(centred) // 20_000)
    fitted = centred[::step].astype(np.float64)
    values, directions = np.linalg.eigh(fitted.T @ fitted / max(len(fitted) - 1, 1))
    order = np.argsort(values)[::-1][: max(2, min(most, vectors.shape[1]))]
    chosen = directions[:, order]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    places = (centred @ (chosen * np.where(signs == 0, 1, signs)).astype(np.float32)).astype(np.float32)
    total = max(float(np.maximum(values, 0).sum()), 1e-12)
    shares = (np.maximum(values[order], 0) / total).astype(np.float32)
    if places.shape[1] < 2:
        places = np.concatenate([places, np.zeros((len(places), 1), np.float32)], axis=1)
        shares = np.append(shares, np.float32(0))
    return places, shares


def _plane(components: Float32[np.ndarray, "n k"]) -> tuple[Float32[np.ndarray, "n 2"], str]:
    """UMAP where it is installed, the first two components everywhere else."""
    if find_spec("umap") is None or len(components) < 50:
        return components[:, :2].copy(), "PCA"
    umap: Any = import_module("umap")
    found = umap.UMAP(n_components=2, random_state=0, n_jobs=1).fit_transform(components)
    return np.asarray(found, np.float32), "UMAP"


def nearest(
    vectors: Float32[np.ndarray, "m k"], count: int = NEIGHBOURS
) -> tuple[Float32[np.ndarray, " m"], Int64[np.ndarray, "m count"]]:
    """Mean distance of each to its ``count`` nearest others, and who they are; exact."""
    count = min(count, len(vectors) - 1)
    lengths = (vectors**2).sum(axis=1)
    distances = np.empty(len(vectors), np.float32)
    found = np.empty((len(vectors), count), np.int64)
    for start in range(0, len(vectors), CHUNK):
        part = vectors[start : start + CHUNK]
        squared = lengths[start : start + CHUNK, None] + lengths[None, :] - 2 * part @ vectors.T
        squared[np.arange(len(part)), np.arange(start, start + len(part))] = np.inf
        near = np.argpartition(squared, count - 1, axis=1)[:, :count]
        found[start : start + CHUNK] = near
        chosen = np.take_along_axis(squared, near, axis=1)
        distances[start : start + CHUNK] = np.sqrt(np.maximum(chosen, 0)).mean(axis=1)
    return distances, found


def map_figure(material: Material, layout: EmbeddingMap | None) -> Figure:
    """Every photograph as a dot; what looks alike lies together."""
    title, question = "Map", "Which photographs look alike, and do classes keep apart?"
    if layout is None:
        answer = "There are neither embeddings nor small pictures of three photographs, so there is no map."
        return figure_of(material, "map", title, question, answer, Words())
    seen = material.embedded_by or "the colours of eight by eight fields, without a model"
    if len(np.unique(material.labels[layout.rows])) < 2:
        answer = "There is only one class; the map shows how it falls into groups."
    else:
        # Above what chance gives, as in Cohen's kappa: two classes alone already share half their neighbours.
        above = (layout.mates - layout.by_chance) / max(1 - layout.by_chance, 1e-9)
        verdict = "keep apart" if above >= 0.75 else "overlap" if above >= 0.4 else "mix"
        answer = (
            f"Classes {verdict}: of the {NEIGHBOURS} photographs that look most like a photograph, "
            f"{percent(layout.mates)} are of its own class, where chance would give "
            f"{percent(layout.by_chance)}."
        )
    if layout.plane == "PCA":
        answer += f" The plane holds {percent(layout.held)} of the differences; near dots may still be apart."
    note = f"Seen by {seen}. The plane is made by {layout.plane}; its axes have no unit."
    if material.embeddings is not None:
        note += " A model keeps apart what it was trained on: classes it knows look easier than they are."
    if len(layout.rows) < layout.known:
        note += f" {photographs(len(layout.rows))} of {layout.known:,} are drawn, evenly chosen."
    if len(layout.compared) < len(layout.rows):
        note += f" Neighbours are those among {len(layout.compared):,} of them."
    points = Points(
        Axis("first direction"),
        Axis("second direction"),
        layout.places[:, 0].copy(),
        layout.places[:, 1].copy(),
        layout.rows,
        np.ones(len(layout.rows), np.int64),
    )
    return figure_of(material, "map", title, question, answer, points, note)


def outliers_figure(material: Material, layout: EmbeddingMap | None, most: int) -> Figure:
    """The photographs with the most distant nearest neighbours, as pictures."""
    title, question = "Outliers", "Which photographs look like no other?"
    if layout is None or len(layout.compared) <= NEIGHBOURS:
        answer = "There are too few photographs to say which of them is unlike the others."
        return figure_of(material, "outliers", title, question, answer, Words())
    usual = max(float(np.median(layout.distances)), 1e-9)
    order = np.argsort(-layout.distances, kind="stable")[:most]
    far = layout.distances[order] / usual
    worst = int(layout.compared[order[0]])
    if far[0] < LONELY:
        answer = (
            "No photograph stands alone: the nearest neighbours of every one are at most "
            f"{times(float(far[0]))} as far away as usual."
        )
    else:
        alone = int((layout.distances / usual >= 2).sum())
        loneliest = (
            f"The loneliest photograph is in {named(material.classes[material.labels[worst]])}: its nearest "
            f"neighbours are {times(float(far[0]))} as far away as those of the middle photograph."
        )
        twice = (
            "1 photograph is twice as far or more."
            if alone == 1
            else f"{photographs(alone)} are twice as far or more."
            if alone
            else "None are twice as far or more."
        )
        answer = " ".join((loneliest, twice))
    rows = layout.compared[order]
    rows = rows[material.has_picture[rows]] if material.pictures is not None else rows[:0]
    if not len(rows) or material.pictures is None:
        return figure_of(material, "outliers", title, question, answer, Words())
    ratios = dict(zip(layout.compared[order].tolist(), far.tolist(), strict=True))
    pixels = material.pictures(rows)
    tiles = tuple(
        Tile(
            visible(material.classes[material.labels[row]]),
            picture,
            int(material.labels[row]),
            int(row),
            f"{ratios[row]:.1f} × usual distance",
        )
        for row, picture in zip(rows.tolist(), pixels, strict=True)
    )
    note = (
        f"Mean distance to the {NEIGHBOURS} nearest photographs, in the space of the map before it was "
        "flattened."
    )
    return figure_of(material, "outliers", title, question, answer, Tiles(tiles), note)
