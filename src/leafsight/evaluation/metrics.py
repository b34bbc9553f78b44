"""The headline numbers as functions of sums over photographs.

A class without test photographs has no recall and no F1: it is left out of the macro means and named beside
them. It never counts as zero, and a model that answers with it is still wrong about the photograph.
A class with photographs that was never answered has F1 0, not an undefined one: 2 tp / (support + predicted).
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.bootstrap import Metrics, Sums
from leafsight.evaluation.probability import log_softmax
from leafsight.evaluation.reliability import bin_gaps, equal_count_bins, equal_width_bins
from leafsight.evaluation.shapes import Labels, Logits, Probabilities, RowInts

CENTRED = frozenset({"ece", "adaptive_ece"})  # see ``percentile_interval``
WANT_LOW = frozenset({"ece", "adaptive_ece", "nll", "brier", "aurc", "mean_set_size"})


def one_hot(labels: Labels, n_classes: int) -> np.ndarray:
    """float32[n, c]: 1 at the label."""
    table = np.zeros((len(labels), n_classes), dtype=np.float32)
    table[np.arange(len(labels)), labels] = 1.0
    return table


def in_top_k(probabilities: Probabilities, labels: Labels, k: int) -> np.ndarray:
    """bool[n]: fewer than k classes are ranked before the true one; ties go to the lower class number."""
    own = probabilities[np.arange(len(labels)), labels][:, None]
    number = np.arange(probabilities.shape[1])
    before = (probabilities > own) | ((probabilities == own) & (number < labels[:, None]))
    return np.asarray(before.sum(axis=1) < k)


def columns(logits: Logits, labels: Labels, temperature: float, bins: int, top_k: int) -> Sums:
    """What each photograph adds to the sums that ``measure`` needs, by name, [n] or [n, m].

    Args:
        logits: float[n, c], uncalibrated, may hold ``-inf``.
        labels: int[n].
        temperature: 1 for raw probabilities.
        bins: of the calibration errors.
        top_k: of top-k accuracy; left out when c <= k, where it says nothing.
    """
    n_classes = logits.shape[1]
    log_p = log_softmax(logits, temperature)
    p = np.exp(log_p)
    rows, top = np.arange(len(labels)), p.argmax(axis=1)
    confidence, correct = p[rows, top], top == labels
    true, answered = one_hot(labels, n_classes), one_hot(top, n_classes)
    result = {
        "photos": np.ones(len(labels)),
        "correct": correct.astype(np.float64),
        # Natural logarithm, so nats; Good 1952. Brier 1950: the sum over classes, 0..2.
        "nll": -log_p[rows, labels],
        "brier": ((p - true) ** 2).sum(axis=1),
        "hits": true * answered,
        "support": true,
        "predicted": answered,
        "gaps": bin_gaps(confidence, correct, equal_width_bins(confidence, bins), bins),
        "adaptive_gaps": bin_gaps(confidence, correct, equal_count_bins(confidence, bins), bins),
    }
    if n_classes > top_k:
        result[f"top_{top_k}"] = in_top_k(p, labels, top_k).astype(np.float64)
    return result


def by_group(correct: np.ndarray, groups: RowInts) -> Sums:
    """What each photograph adds so that every group counts once, however many photographs it has.

    Args:
        correct: float[n], 1 where the first guess is right.
        groups: int[n], 0..g-1.
    """
    share = 1.0 / np.bincount(groups)[groups]
    return {"group_share": share, "group_correct": share * correct}


def measure(sums: Sums) -> Metrics:
    """Sums float64[b, m] by name -> metrics float64[b] by name, and ``f1`` float64[b, c].

    Macro F1 is the mean of the F1 of classes (Opitz and Burst 2019, "Macro F1 and Macro F1", the averaged
    one), balanced accuracy the mean recall (Brodersen et al. 2010), both over the classes that are present.
    """
    n = sums["photos"][:, 0]
    support = sums["support"]
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(support > 0, 2.0 * sums["hits"] / (support + sums["predicted"]), np.nan)
        recall = np.where(support > 0, sums["hits"] / support, np.nan)
    present = np.maximum((support > 0).sum(axis=1), 1)
    metrics = {
        "accuracy": sums["correct"][:, 0] / n,
        "macro_f1": np.nansum(f1, axis=1) / present,
        "balanced_accuracy": np.nansum(recall, axis=1) / present,
    }
    if "group_share" in sums:
        metrics["group_accuracy"] = sums["group_correct"][:, 0] / sums["group_share"][:, 0]
    metrics |= {f"{name}_accuracy": sums[name][:, 0] / n for name in sums if name.startswith("top_")}
    metrics |= {
        "nll": sums["nll"][:, 0] / n,
        "brier": sums["brier"][:, 0] / n,
        "ece": np.abs(sums["gaps"]).sum(axis=1) / n,
        "adaptive_ece": np.abs(sums["adaptive_gaps"]).sum(axis=1) / n,
        "f1": f1,
    }
    return metrics


def confusion_matrix(labels: Labels, predicted: Labels, n_classes: int) -> np.ndarray:
    """int64[c, c]: row is the true class, column the answer."""
    flat = np.bincount(labels * n_classes + predicted, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.int64)
