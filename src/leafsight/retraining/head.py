"""The last layer of a network, learned on embeddings.

Enters: embeddings with classes, and the head that the model has. Leaves: a head that knows more classes, and
stays near the old one where nothing speaks against it. It does not know where the embeddings come from.

Softmax regression with a pull: the weights of old classes towards what they were, those of new ones towards
zero (L2 to the starting point, Xuhong et al. 2018, arXiv 1802.01483; for old classes the stronger one). That
and the remembered photographs of the old classes keep them from being forgotten. Why this and not another
head: ``docs/learning.md`` has the comparison, ``benchmarks/learning.py`` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from leafsight.errors import TrainingError
from leafsight.retraining.descent import descend

TOLERANCE = 1e-6
"""Share of the loss that a step must gain; a hundredth of it changes no digit that is looked at."""
Embeddings = Float32[np.ndarray, "n d"]
Labels = Int64[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One dense layer.

    Attributes:
        weight: one row a class.
        bias: one number a class.
    """

    weight: Float32[np.ndarray, "c d"]
    bias: Float32[np.ndarray, " c"]

    def logits(self, embedding: Embeddings) -> Float32[np.ndarray, "n c"]:
        """Scores of photographs."""
        return np.asarray(embedding @ self.weight.T + self.bias, np.float32)

    def widened(self, n_classes: int) -> Head:
        """The same with rows of zeros for classes that it does not know yet."""
        more = n_classes - len(self.bias)
        return Head(
            np.pad(self.weight, ((0, more), (0, 0))).astype(np.float32),
            np.pad(self.bias, (0, more)).astype(np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A head and how it was found.

    Attributes:
        head: the result.
        loss: mean weighted cross-entropy with the pull, nats.
        steps: of the descent.
        settled: whether it ended by itself.
    """

    head: Head
    loss: float
    steps: int
    settled: bool


def learn_head(
    embedding: Embeddings,
    labels: Labels,
    old: Head,
    n_classes: int,
    *,
    old_pull: float,
    new_pull: float,
    balance: float,
    most_steps: int,
) -> Learned:
    """Learn a head for all classes, on from the one that is there.

    Args:
        embedding: of the photographs, remembered ones and new ones.
        labels: 0..n_classes-1.
        old: knows the first classes; a class without a photograph keeps about its row.
        n_classes: of the result, not fewer than ``old`` has.
        old_pull: strength that holds the rows of old classes, for embeddings a mean square of 1 from their
            mean.
        new_pull: the same for new rows, towards zero.
        balance: 0 gives every photograph the same weight, 1 every class, 0.5 lies between.
        most_steps: of the descent.

    Raises:
        TrainingError: a new class without a photograph, or embeddings that do not fit the head.
    """
    _require_fitting(embedding, labels, old, n_classes)
    start = old.widened(n_classes)
    mean = embedding.mean(axis=0, dtype=np.float64).astype(np.float32)
    x, unit = _centred(embedding, mean)
    at_mean = (start.bias + (start.weight * mean).sum(axis=1, dtype=np.float64)).astype(np.float32)
    anchor = np.concatenate([start.weight * np.float32(unit), at_mean[:, None]], axis=1)
    pull = np.full((n_classes, 1), new_pull, np.float32)
    pull[: len(old.bias)] = old_pull
    share = _shares(labels, n_classes, balance)
    rows = np.arange(len(labels))

    def slope(point: np.ndarray) -> tuple[float, np.ndarray]:
        weights = point.reshape(anchor.shape).astype(np.float32)
        z = x @ weights.T
        z -= z.max(axis=1, keepdims=True)
        true = z[rows, labels]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((share * (np.log(total[:, 0]) - true)).sum(dtype=np.float64))
        z /= total
        z[rows, labels] -= 1.0
        z *= share[:, None]
        away = weights - anchor
        loss += 0.5 * float((pull * away * away).sum(dtype=np.float64))
        return loss, (z.T @ x + pull * away).ravel().astype(np.float64)

    found = descend(slope, anchor.ravel().astype(np.float64), most_steps=most_steps, tolerance=TOLERANCE)
    weights = found.at.reshape(anchor.shape)
    rows_found = (weights[:, :-1] / unit).astype(np.float32)
    head = Head(rows_found, (weights[:, -1] - rows_found @ mean.astype(np.float64)).astype(np.float32))
    if not (np.isfinite(head.weight).all() and np.isfinite(head.bias).all()):
        raise TrainingError(
            "the learned head is not finite", hint="look at the embeddings of the contributions"
        )
    return Learned(head, found.value, found.steps, found.settled)


def _centred(embedding: Embeddings, mean: Float32[np.ndarray, " d"]) -> tuple[np.ndarray, float]:
    """Embeddings around their mean, one unit long on average, with a constant one behind; and the unit.

    Around the mean the descent needs fewer steps; in one unit the pulls mean the same for every network.
    """
    x = np.empty((len(embedding), embedding.shape[1] + 1), np.float32)
    np.subtract(embedding, mean, out=x[:, :-1])
    x[:, -1] = 0.0
    unit = float(np.sqrt((x**2).sum(axis=1, dtype=np.float64).mean())) or 1.0
    x /= np.float32(unit)
    x[:, -1] = 1.0
    return x, unit


def _shares(labels: Labels, n_classes: int, balance: float) -> Float[np.ndarray, " n"]:
    """How much each photograph counts; together 1."""
    counts = np.bincount(labels, minlength=n_classes).astype(np.float64)
    weights = np.maximum(counts, 1.0)[labels] ** -balance
    return np.asarray(weights / weights.sum(), np.float32)


def _require_fitting(embedding: Embeddings, labels: Labels, old: Head, n_classes: int) -> None:
    if embedding.shape[1] != old.weight.shape[1]:
        raise TrainingError(
            f"embeddings of width {embedding.shape[1]} for a head of width {old.weight.shape[1]}",
            hint="they were made by another network; embed the photographs again",
        )
    missing = sorted(set(range(len(old.bias), n_classes)) - set(labels.tolist()))
    if missing:
        raise TrainingError(f"no photograph to learn class number {missing[0]} from")
    if not np.isfinite(embedding).all():
        raise TrainingError("an embedding holds NaN or infinity", hint="embed the contributions again")
