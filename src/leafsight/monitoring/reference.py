"""What photographs and answers of the training domain look like to a model, from the memory in its bundle.

Enters: a bundle that remembers held-out photographs. Leaves: for each of them, and for any other embedding,
the few numbers that drift is measured with. It does not know windows or limits.

The embedding is brought to length one and projected as the model's own familiarity does (``evaluation``): 64
directions in which the classes have the same spread. How far a photograph lies from the training domain is
the mean distance to its nearest three held-out photographs there (Sun et al., "Out-of-distribution detection
with deep nearest neighbors", ICML 2022), less what is usual for photographs that get the same class. Of six
measures that were tried this one and the model's own doubt saw a third of odd photographs in a window, also
when photographs come in visits, and let one crop alone pass: ``docs/monitoring.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leafsight.evaluation import Calibration, decide_all
from leafsight.monitoring.usual import Usual, usual_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from leafsight.bundle import Bundle, Memory

SPLITS = ("calibration", "test", "probe")
"""Held-out photographs: nothing was trained on them. The probe holds those of classes that came later."""
NEIGHBOURS = 3
MOST_STEPS = 5.0
"""One photograph counts as so many standard deviations at most: a single odd one is no drift."""
WAVES = 64
"""Random Fourier features, each as cosine and sine (Rahimi and Recht, "Random features for large-scale kernel
machines", 2007): the distance of their means is the squared maximum mean discrepancy (Gretton et al., "A
kernel two-sample test", JMLR 13, 2012)."""
MOST_ROWS, LEAST_ROWS = 6000, 200
AT_ONCE = 256
Array = np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where distances are measured.

    Attributes:
        mean: float32 ``[d]``.
        axes: float32 ``[d, k]``.
        waves: float32 ``[k, WAVES]``.
    """

    mean: Array
    axes: Array
    waves: Array

    def place(self, embedding: Array) -> Array:
        """float32 ``[n, k]``."""
        lengths = np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-9)
        return np.asarray((embedding / lengths - self.mean) @ self.axes, np.float32)

    def felt(self, places: Array) -> Array:
        """Cosines and sines, float32 ``[n, 2 WAVES]``."""
        turns = places @ self.waves
        return np.concatenate([np.cos(turns), np.sin(turns)], axis=1) / np.float32(np.sqrt(WAVES))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What is measured of each photograph, one row each.

    Attributes:
        look: how much farther from the nearest held-out photographs than usual, in standard deviations.
        doubt: how much less sure the model is than usual, the same way.
        felt: of ``Space.felt``.
        top: number of the most probable class.
    """

    look: Array
    doubt: Array
    felt: Array
    top: Array

    def table(self, n_classes: int) -> Array:
        """All as columns, float32: look and doubt within ``MOST_STEPS``, felt, and one column a class."""
        kinds = np.zeros((len(self.top), n_classes), np.float32)
        kinds[np.arange(len(self.top)), self.top] = 1.0
        steps = np.clip(np.stack([self.look, self.doubt], axis=1), -MOST_STEPS, MOST_STEPS)
        return np.concatenate([steps, self.felt, kinds], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The training domain of one model.

    Attributes:
        model: hash of its bundle.
        space: where distances are measured.
        places: float32 ``[n, k]`` of the held-out photographs.
        columns: of them; their own group does not count among the neighbours.
        group: equal for photographs that belong together.
        kind: equal for photographs of one class from one source.
        n_classes: of the model.
        usual: distances and doubts of them, by class.
        head: weights ``[classes, d]`` and biases of the last layer, and the calibration.
    """

    model: str
    space: Space
    places: Array
    columns: Columns
    group: Array
    kind: Array
    n_classes: int
    usual: tuple[Usual, Usual]
    head: tuple[Array, Array, Calibration]

    def measure(self, embedding: Array) -> Columns:
        """What is measured of other photographs.

        Args:
            embedding: float32 ``[n, d]``.
        """
        places = self.space.place(embedding)
        doubt, top = _answers(embedding, self.head)
        look = self.usual[0].steps(_nearest(places, self.places), top)
        return Columns(look, self.usual[1].steps(doubt, top), self.space.felt(places), top)

    def table(self) -> Array:
        """``Columns.table`` of the reference itself."""
        return self.columns.table(self.n_classes)


def reference_of(bundle: Bundle, *, domains: Collection[str] | None = None) -> Reference | None:
    """The reference in a bundle; None when it remembers nothing, or too little, or has no dense head.

    Args:
        bundle: of the model.
        domains: only photographs of these sources, such as those of a laboratory; None takes all.

    Raises:
        BundleCorruptError: its memory cannot be read.
    """
    memory, head = bundle.memory(), bundle.cam_head()
    if memory is None or head is None:
        return None
    rows = _rows(memory, domains)
    if len(rows) < LEAST_ROWS:
        return None
    calibration = Calibration.from_parts(bundle.calibration_arrays(), bundle.calibration)
    weighed = (np.asarray(head[0], np.float32), np.asarray(head[1], np.float32), calibration)
    embedding = memory.embedding[rows]
    space = _space(embedding, calibration)
    places = space.place(embedding)
    group = memory.group[rows]
    n_classes = len(bundle.labels)
    far, (doubt, top) = _nearest(places, places, group), _answers(embedding, weighed)
    usual = usual_of(far, top, n_classes), usual_of(doubt, top, n_classes)
    look, unsure = usual[0].steps(far, top, own=True), usual[1].steps(doubt, top, own=True)
    return Reference(
        model=bundle.content_hash,
        space=space,
        places=places,
        columns=Columns(look, unsure, space.felt(places), top),
        group=group,
        kind=memory.label[rows] * len(memory.domain_names) + memory.domain[rows],
        n_classes=n_classes,
        usual=usual,
        head=weighed,
    )


def _rows(memory: Memory, domains: Collection[str] | None) -> Array:
    rows = np.concatenate([memory.rows(split) for split in SPLITS])
    if domains is not None:
        wanted = [number for number, name in enumerate(memory.domain_names) if name in domains]
        rows = rows[np.isin(memory.domain[rows], wanted)]
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_ROWS])
    return rows


def _space(embedding: Array, calibration: Calibration) -> Space:
    known = calibration.familiarity
    if known is not None:
        mean, axes = known.mean, known.directions @ known.whitening
    else:  # such a model cannot say what is unfamiliar; its embedding as it is says less, but something
        mean, axes = np.zeros(embedding.shape[1]), np.eye(embedding.shape[1])
    rng = np.random.default_rng(0)
    width = axes.shape[1]
    bare = Space(mean.astype(np.float32), axes.astype(np.float32), np.zeros((width, WAVES), np.float32))
    some = bare.place(embedding[rng.permutation(len(embedding))[:500]])
    # The kernel's width is the median distance between photographs (Gretton et al. 2012, section 8).
    squares = _squares(some, some)
    middle = max(float(np.median(squares[~np.eye(len(some), dtype=bool)])), 1e-12)
    waves = rng.standard_normal((width, WAVES)) / np.sqrt(middle / 2)
    return Space(bare.mean, bare.axes, waves.astype(np.float32))


def _answers(embedding: Array, head: tuple[Array, Array, Calibration]) -> tuple[Array, Array]:
    """Doubt, 1 less the highest probability, and the most probable class of each photograph."""
    weight, bias, calibration = head
    decisions = decide_all(calibration, embedding @ weight.T + bias)
    return np.asarray(1.0 - decisions.confidence), decisions.top


def _nearest(places: Array, others: Array, own: Array | None = None) -> Array:
    """Mean distance to the nearest few of others, float64 ``[n]``; not to those of the same group."""
    found = np.empty(len(places))
    few = min(NEIGHBOURS, len(others))
    for start in range(0, len(places), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        squares = _squares(places[some], others)
        if own is not None:
            squares[own[some, None] == own[None]] = np.inf
        nearest = np.partition(squares, few - 1, axis=1)[:, :few]
        nearest = np.where(np.isfinite(nearest), nearest, np.nan)
        found[some] = np.nanmean(np.sqrt(np.maximum(nearest, 0)), axis=1) if few else np.nan
    return found


def _squares(places: Array, others: Array) -> Array:
    lengths = (places * places).sum(axis=1)[:, None] + (others * others).sum(axis=1)[None]
    return np.asarray(lengths - 2.0 * places @ others.T)
