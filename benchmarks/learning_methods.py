"""Ways to learn a last layer, for `learning.py`: each gives a head from the same rows.

Enters: embeddings with classes, the head of the champion. Leaves: a head. None of them sees what is measured
on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leafsight.retraining.head import Head, learn_head

SCALE = 10.0
"""Ridge scores lie between 0 and 1; spread out, so that one temperature can calibrate them."""
PENALTIES = (3e-2, 3e-3)
HELD = 1.0

Fit = Callable[[np.ndarray, np.ndarray, Head, int], Head]


@dataclass(frozen=True)
class Method:
    """A way to learn, and which rows it learns from.

    Attributes:
        name: in the table.
        fit: rows, labels, the champion's head, number of classes -> head.
        worse: learn from the photographs that were made worse, too.
        everything: learn from all original training photographs, not only from those that are remembered.
    """

    name: str
    fit: Fit
    worse: bool = True
    everything: bool = False


def softmax_head(old_pull: float, new_pull: float, *, scratch: bool = False, balance: float = 0.5) -> Fit:
    """The quick path's own, with other strengths; from scratch it knows nothing of the champion's head."""

    def fit(x: np.ndarray, labels: np.ndarray, old: Head, n_classes: int) -> Head:
        start = Head(np.zeros((0, x.shape[1]), np.float32), np.zeros(0, np.float32)) if scratch else old
        return learn_head(
            x, labels, start, n_classes, old_pull=old_pull, new_pull=new_pull, balance=balance, most_steps=150
        ).head

    return fit


def ridge(penalty: float) -> Fit:
    """Least squares on one-hot labels with a penalty, in closed form (Hastie et al. 2009, section 4.2)."""

    def fit(x: np.ndarray, labels: np.ndarray, old: Head, n_classes: int) -> Head:
        counts = np.bincount(labels, minlength=n_classes)
        weight = np.maximum(counts, 1)[labels] ** -0.5
        wide = np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1).astype(np.float64)
        products = (wide * weight[:, None]).T @ wide
        penalties = np.full(len(products), penalty * np.trace(products) / len(products))
        penalties[-1] *= 1e-3
        solved = np.linalg.solve(
            products + np.diag(penalties), (wide * weight[:, None]).T @ np.eye(n_classes)[labels]
        )
        return Head((SCALE * solved[:-1].T).astype(np.float32), (SCALE * solved[-1]).astype(np.float32))

    return fit


def class_means(x: np.ndarray, labels: np.ndarray, old: Head, n_classes: int) -> Head:
    """Old rows as they are; a new row points to the mean of its class (Qi et al. 2018, arXiv 1712.07136)."""
    wide = old.widened(n_classes)
    weight, bias = wide.weight.copy(), wide.bias.copy()
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    known = len(old.bias)
    rest = np.mean([unit[labels == at].mean(axis=0) for at in range(known) if (labels == at).any()], axis=0)
    for at in range(known, n_classes):
        away = unit[labels == at].mean(axis=0) - rest
        weight[at] = away / np.linalg.norm(away) * np.linalg.norm(old.weight, axis=1).mean()
        own = x[labels == at]
        lead = (own @ old.weight.T + old.bias).max(axis=1)
        bias[at] = float(np.median(lead) - np.median(own @ weight[at])) + 2.0
    return Head(weight, bias)


def methods(old_pull: float, new_pull: float, *, new_classes: bool, everything: bool) -> list[Method]:
    """All that can be compared here."""
    found = [
        Method("quick path", softmax_head(old_pull, new_pull)),
        Method("the same without worse copies", softmax_head(old_pull, new_pull), worse=False),
        Method("the same, old rows held 100x", softmax_head(100 * old_pull, new_pull)),
        Method("from scratch on the memory", softmax_head(new_pull, new_pull, scratch=True)),
        *(Method(f"ridge, penalty {penalty:g}", ridge(penalty)) for penalty in PENALTIES),
    ]
    if new_classes:
        found.insert(3, Method("only the new rows", softmax_head(HELD, new_pull)))
        found.append(Method("class means for the new rows", class_means))
    if everything:
        found.append(
            Method(
                "from scratch on everything", softmax_head(new_pull, new_pull, scratch=True), everything=True
            )
        )
    return found
