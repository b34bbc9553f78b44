"""Which photographs show the same picture: by pixels, by looks, by what a network makes of them.

Enters: hashes and embeddings of photographs, and of those that they are held against. Leaves: for each the
one that it is most like. It does not open photographs.

Embeddings of leaves on paper are all alike: the cosine of two different leaves is often above 0.98. Made
white, so that what all photographs have in common counts no more, copies stand apart (Mahalanobis 1936; a
little of the mean variance is added, Ledoit and Wolf 2004). The limits were set on planted copies of real
photographs, see ``docs/feedback.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt64

SHRINKAGE = 0.01
"""Of the mean variance, added to every direction: what 8 bits leave of the smallest ones is rounding."""
NEAR_BITS, NEAR_LIKENESS = 4, 0.15
FAR_BITS, FAR_LIKENESS = 8, 0.35
COPY_LIKENESS = 0.65
"""Against what the champion was trained or tested on."""
COPY_LIKENESS_OF_SENT = 0.7
"""Among photographs that were sent, where their own variance counts half."""
NEVER = 2.0
LEAST_WIDTH = 64
"""With fewer directions, or fewer photographs than directions to learn them from, chance makes photographs
alike: then only pixels and looks tell copies."""
MOST_AT_ONCE = 4_000_000
MOST_SAMPLED = 5000
NONE, ALIKE, EQUAL = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """Turns embeddings into directions in which every photograph differs as much as any other.

    Attributes:
        mean: of the photographs.
        matrix: the inverse root of their variance.
        decides: whether likeness alone may tell a copy.
    """

    mean: Float64[np.ndarray, " d"]
    matrix: Float64[np.ndarray, "d d"]
    decides: bool

    def __call__(self, embedding: Float[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
        """Unit vectors; their products say how alike two photographs are, 1 for equal ones."""
        centred = (embedding.astype(np.float64) - self.mean).astype(np.float32)
        return unit_length(centred @ self.matrix.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What tells photographs apart.

    Attributes:
        pixel: the first 64 bits of the pixel hash; 0 unknown.
        look: look hashes ``[n, 8]``, turned and mirrored, or ``[n, 1]`` as it is; 0 unknown.
        white: from a ``Whitening``; rows of zeros where there is no embedding.
    """

    pixel: UInt64[np.ndarray, " n"]
    look: UInt64[np.ndarray, "n views"]
    white: Float32[np.ndarray, "n d"]

    def __len__(self) -> int:
        return len(self.pixel)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """For each photograph the one that it is most like.

    Attributes:
        row: its position; -1 for none.
        kind: ``EQUAL``, ``ALIKE`` or ``NONE``.
    """

    row: Int64[np.ndarray, " n"]
    kind: Int64[np.ndarray, " n"]


def fit_whitening(
    embedding: Float[np.ndarray, "n d"], sent: Float[np.ndarray, "m d"] | None = None
) -> Whitening | None:
    """Learn from photographs what they have in common; None with fewer than two.

    Args:
        embedding: of remembered photographs.
        sent: of photographs that were sent; they count as much as all the others, around their own mean.
    """
    samples = [_thinned(one) for one in (embedding, sent) if one is not None and len(one) > 1]
    if not samples:
        return None
    width = samples[0].shape[1]
    covariance = np.zeros((width, width))
    for sample in samples:
        centred = sample.astype(np.float64) - sample.mean(axis=0, dtype=np.float64)
        covariance += centred.T @ centred / (len(sample) - 1) / len(samples)
    usual = float(np.trace(covariance)) / width
    covariance[np.diag_indices(width)] += SHRINKAGE * usual + 1e-9
    root = np.linalg.cholesky(covariance)
    mean = samples[-1].mean(axis=0, dtype=np.float64)
    decides = width >= LEAST_WIDTH and len(samples[0]) >= width
    return Whitening(mean, np.linalg.inv(root).T, decides)


def white_or_zeros(
    whitening: Whitening | None, embedding: Float32[np.ndarray, "n d"], count: int
) -> Float32[np.ndarray, "n k"]:
    """Made white; rows without an embedding stay zero, and so are like nothing."""
    width = 1 if whitening is None else len(whitening.mean)
    if whitening is None or not count or embedding.shape[1] != width:
        return np.zeros((count, width), np.float32)
    white = whitening(embedding)
    white[~embedding.any(axis=1)] = 0
    return white


def unit_length(embedding: Float[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """The same directions with length 1; a row of zeros stays one."""
    exact = np.asarray(embedding, np.float32)
    return np.asarray(exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12), np.float32)


def match(new: Marks, known: Marks, copy_likeness: float) -> Matches:
    """The known photograph that each new one is most like.

    Args:
        new: photographs.
        known: photographs.
        copy_likeness: from which on likeness alone tells a copy; ``NEVER`` is never reached.
    """
    row, kind = np.full(len(new), -1, np.int64), np.zeros(len(new), np.int64)
    if len(known):
        step = max(1, MOST_AT_ONCE // len(known))
        for at in range(0, len(new), step):
            part = slice(at, at + step)
            row[part], kind[part] = _best(new, part, known, copy_likeness, earlier_only=False)
    return Matches(row, kind)


def match_earlier(new: Marks, copy_likeness: float) -> Matches:
    """For each photograph the one before it that it is most like; arguments as ``match``."""
    row, kind = np.full(len(new), -1, np.int64), np.zeros(len(new), np.int64)
    step = max(1, MOST_AT_ONCE // max(1, len(new)))
    for at in range(0, len(new), step):
        part = slice(at, at + step)
        row[part], kind[part] = _best(new, part, new, copy_likeness, earlier_only=True)
    return Matches(row, kind)


def _best(
    new: Marks, part: slice, known: Marks, copy_likeness: float, *, earlier_only: bool
) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
    likeness = new.white[part] @ known.white.T
    bits = _fewest_bits(new.look[part], known.look[:, 0])
    equal = (new.pixel[part, None] == known.pixel[None, :]) & (known.pixel != 0)[None, :]
    alike = likeness >= copy_likeness
    alike |= (bits <= NEAR_BITS) & (likeness >= NEAR_LIKENESS)
    alike |= (bits <= FAR_BITS) & (likeness >= FAR_LIKENESS)
    score = np.where(equal, 3.0, np.where(alike, 1.0 + likeness, -np.inf))
    if earlier_only:
        rows = np.arange(part.start, part.start + len(score))
        score[np.arange(len(known))[None, :] >= rows[:, None]] = -np.inf
    best = score.argmax(axis=1)
    top = score[np.arange(len(score)), best]
    kind = np.where(top >= 3.0, EQUAL, np.where(np.isfinite(top), ALIKE, NONE)).astype(np.int64)
    return np.where(kind > 0, best, -1).astype(np.int64), kind


def _fewest_bits(
    views: UInt64[np.ndarray, "k views"], look: UInt64[np.ndarray, " m"]
) -> Int64[np.ndarray, "k m"]:
    """Bits by which the nearest view differs; 64 where a hash is not known."""
    fewest = np.full((len(views), len(look)), 64, np.uint8)
    for view in views.T:
        np.minimum(fewest, np.bitwise_count(view[:, None] ^ look[None, :]), out=fewest)
    unknown: Bool[np.ndarray, "k m"] = (views[:, :1] == 0) | (look == 0)[None, :]
    fewest[unknown] = 64
    return fewest.astype(np.int64)


def _thinned(sample: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "k d"]:
    """Every so many rows of a large sample: the variance is known well enough from a few thousand."""
    return sample[:: max(1, len(sample) // MOST_SAMPLED)]
