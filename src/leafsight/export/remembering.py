"""The memory of a bundle, from the photographs that it was made from.

Enters: what the exported graph says of photographs, and what the index says of them. Leaves: a ``Memory``:
the whole locked test, the calibration photographs with worse copies of them, and a sample of the training
photographs that gives every class its share. It does not know how it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64

from leafsight.bundle import MAX_MEMORY_ROWS, MEMORY_SPLITS, Memory
from leafsight.dataset import PhotoIndex
from leafsight.evaluation import Scores

SHORT_HEX = 16
Rows = Int64[np.ndarray, " k"]


class Remembering:
    """Collects rows split by split.

    Args:
        graph: the ONNX file; its hash names the backbone.
        kept: rows of the index, one for each position that is remembered of.
        labels: their classes.
        n_classes: of the model.
    """

    def __init__(
        self, graph: bytes, kept: PhotoIndex, labels: Int64[np.ndarray, " n"], n_classes: int
    ) -> None:
        self._backbone, self._labels, self._n_classes = hashlib.sha256(graph).hexdigest(), labels, n_classes
        sources, groups = kept.column("source"), kept.column("group")
        self._domains = tuple(sorted(set(sources)))
        self._domain = np.asarray([self._domains.index(name) for name in sources], np.int64)
        self._group = _codes(groups)
        self._pixel = np.asarray(
            [int((one or "0")[:SHORT_HEX], 16) for one in kept.column("pixel_hash")], np.uint64
        )
        self._look = np.asarray([one or 0 for one in kept.column("look_hash")], np.uint64)
        self._rows: list[Rows] = []
        self._splits: list[Rows] = []
        self._embeddings: list[np.ndarray] = []

    def add(self, split: str, rows: Rows, scores: Scores) -> None:
        """Remember photographs.

        Args:
            split: one of ``MEMORY_SPLITS``.
            rows: their positions; for the split ``stressed`` those of the photographs that were made worse.
            scores: of the graph, one row a photograph.
        """
        assert scores.embedding is not None
        self._rows.append(rows)
        self._splits.append(np.full(len(rows), MEMORY_SPLITS.index(split), np.int64))
        self._embeddings.append(scores.embedding.astype(np.float32))

    def memory(self) -> Memory | None:
        """What was collected; None when it is more than a bundle takes, or nothing."""
        rows = np.concatenate([np.empty(0, np.int64), *self._rows])
        if not 0 < len(rows) <= MAX_MEMORY_ROWS:
            return None
        split = np.concatenate(self._splits)
        # A worse copy is another picture: nobody who sends the same pixels sends this one.
        known = split != MEMORY_SPLITS.index("stressed")
        return Memory(
            backbone=self._backbone,
            base_classes=self._n_classes,
            domain_names=self._domains,
            embedding=np.concatenate(self._embeddings),
            label=self._labels[rows].astype(np.int64),
            split=split,
            group=self._group[rows],
            domain=self._domain[rows],
            contributed=np.zeros(len(rows), bool),
            pixel_hash=np.where(known, self._pixel[rows], 0).astype(np.uint64),
            look_hash=np.where(known, self._look[rows], 0).astype(np.uint64),
        )


def spread_over_classes(
    rows: Rows, labels: Int64[np.ndarray, " n"], most: int
) -> Int64[np.ndarray, " chosen"]:
    """At most ``most`` rows, ascending: small classes whole, of the others the same number each.

    There are more where there are more classes than that: one of each.

    Args:
        rows: to choose from.
        labels: by position.
        most: how many in all.
    """
    if len(rows) <= most:
        return rows
    own = labels[rows]
    counts = np.bincount(own)
    each = _equal_share(counts[counts > 0], most)
    chosen = [_evenly(rows[own == label], each) for label in np.flatnonzero(counts)]
    return np.sort(np.concatenate(chosen))


def _equal_share(counts: Int64[np.ndarray, " c"], most: int) -> int:
    """The largest number for each class with which all together are not more than ``most``; at least 1."""
    low, high = 1, int(counts.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(counts, middle).sum() <= most else (low, middle - 1)
    return low


def _evenly(rows: Rows, count: int) -> Int64[np.ndarray, " chosen"]:
    if len(rows) <= count:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)])


def _codes(groups: Sequence[str | None]) -> Int64[np.ndarray, " n"]:
    """A number for each group; who has none stands alone."""
    numbers: dict[str, int] = {}
    return np.asarray(
        [numbers.setdefault(group or f"\0{row}", len(numbers)) for row, group in enumerate(groups)], np.int64
    )


def worse_copies(
    scores: Scores, rows: Rows, copies: int, most: int
) -> tuple[Int64[np.ndarray, " kept"], Scores]:
    """The first copies of stressed photographs, as many as fit.

    Args:
        scores: of ``copies`` copies of each photograph, copy by copy.
        rows: positions of the photographs.
        copies: how many of each there are.
        most: rows at most.

    Returns:
        positions and scores, row by row.
    """
    wanted = min(copies * len(rows), most)
    embedding: Float[np.ndarray, "m d"] | None = scores.embedding
    kept = None if embedding is None else embedding[:wanted]
    return np.tile(rows, copies)[:wanted], Scores(scores.logits[:wanted], kept)
