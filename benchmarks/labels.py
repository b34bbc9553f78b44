"""Planted label errors: how many are among the first photographs that a person is shown.

    python benchmarks/labels.py data/flowers data/field-rice [--cache FOLDER] [--cleanlab] [--json]

A share of the labels (``--rate``, 5 %) is changed, at random to any other class ("random") or to the class
with which its own is confused most ("confused"), with ``--seeds`` seeds. Recall is the share of the changed
ones among the first ``--budget`` (5 %) of the photographs. "self" orders by the probability of the given
label (plain confidence), "odds" by the score of ``leafsight.inspection``; "chance" is what drawing finds.
"wrong" is the share of wrong labels that the confident joint estimates: true is ``--rate`` plus what was
wrong before.

Labels that were wrong before take places in the list, so recall cannot reach 1 everywhere. The built-in model
was trained on plantvillage, field-bean, field-blackgram, field-chilli and citrus-leaf: there it flatters.

``--cleanlab`` (pip install cleanlab) adds two columns: "cl filter", cleanlab's ``find_label_issues`` with its
defaults on our probabilities, what it does not find following by self-confidence; and "cl default", its
``CleanLearning`` with its own classifier, scikit-learn's logistic regression, on the same embeddings.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from photo_arrays import Photos, read_collection

COLUMNS = ["random: odds", "random: self", "confused: odds", "confused: self", "chance", "wrong", "agree"]
CLEANLAB = [f"{kind}: {way}" for kind in ("random", "confused") for way in ("cl filter", "cl default")]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--budget", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, help="keep thumbnails and embeddings in this folder")
    parser.add_argument("--most", type=int, default=5000, help="draw this many photographs; 0 for all")
    parser.add_argument("--thumbnails", action="store_true", help="judge by thumbnails instead of embeddings")
    parser.add_argument("--cleanlab", action="store_true", help="compare with cleanlab")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    columns = COLUMNS + CLEANLAB * asked.cleanlab
    results = {}
    if not asked.as_json:
        print(f"{'collection':<22}{'photos':>7}{'classes':>8}", *(f"{name:>20}" for name in columns))
    for folder in asked.folders:
        photos = read_collection(folder, cache=asked.cache, most=asked.most)
        row = measure(photos, asked)
        results[str(folder)] = row | {"photos": len(photos.files), "classes": len(photos.class_names)}
        if not asked.as_json:
            numbers = (f"{row[name]:>20.3f}" for name in columns)
            name = folder.parent.name if folder.name in {"train", "test"} else folder.name
            print(f"{name:<22}{len(photos.files):>7}{len(photos.class_names):>8}", *numbers, flush=True)
    if asked.as_json:
        print(json.dumps(results, indent=1, allow_nan=False))
    return 0


def measure(photos: Photos, asked: argparse.Namespace) -> dict[str, float]:
    """Mean recalls over the seeds, by column."""
    found: dict[str, list[float]] = {name: [] for name in COLUMNS + CLEANLAB * asked.cleanlab}
    clean = report_of(photos, photos.labels, 0, asked.thumbnails)
    for seed in range(asked.seeds):
        for kind in ("random", "confused"):
            confusion = confused_with(clean, photos) if kind == "confused" else None
            labels, changed = planted(photos.labels, len(photos.class_names), asked.rate, seed, confusion)
            report = report_of(photos, labels, seed, asked.thumbnails)
            first = round(asked.budget * len(labels))
            by_self = np.argsort(report.probability_given, kind="stable")  # NaN comes last
            found[f"{kind}: odds"].append(float(np.isin(changed, report.order[:first]).mean()))
            found[f"{kind}: self"].append(float(np.isin(changed, by_self[:first]).mean()))
            if asked.cleanlab:
                orders = by_cleanlab(photos, labels, seed)
                for way, order in orders.items():
                    found[f"{kind}: {way}"].append(float(np.isin(changed, order[:first]).mean()))
            if kind == "random":
                found["wrong"].append(report.wrong_share)
                found["agree"].append(report.agreement)
                found["chance"].append(first / len(labels))
    return {name: float(np.mean(values)) for name, values in found.items()}


def report_of(photos: Photos, labels: np.ndarray, seed: int, thumbnails: bool):
    from leafsight.inspection import find_suspicious_labels

    given = {"rgb": photos.rgb} if thumbnails else {"features": photos.embedding}
    return find_suspicious_labels(labels, photos.class_names, groups=photos.groups, seed=seed, **given)


def by_cleanlab(photos: Photos, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Rows from the most suspicious on, by cleanlab's two ways."""
    from cleanlab.classification import CleanLearning
    from cleanlab.filter import find_label_issues

    from leafsight.evaluation import group_folds, out_of_fold_probabilities

    length = np.linalg.norm(photos.embedding, axis=1, keepdims=True)
    unit = (photos.embedding / length).astype(np.float32)
    folds = group_folds(labels, photos.groups, 5, seed)
    probability = out_of_fold_probabilities(unit, labels, folds, len(photos.class_names))
    by_self = np.argsort(probability[np.arange(len(labels)), labels], kind="stable")
    found = find_label_issues(labels, probability, return_indices_ranked_by="self_confidence", n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its logistic regression stops before it has converged
        issues = CleanLearning(seed=seed).find_label_issues(unit, labels)
    return {
        "cl filter": np.concatenate([found, by_self[~np.isin(by_self, found)]]),
        "cl default": np.argsort(issues["label_quality"].to_numpy(), kind="stable"),
    }


def planted(
    labels: np.ndarray, n_classes: int, rate: float, seed: int, confusion: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels with a share changed, and the changed rows."""
    generator = np.random.default_rng(seed)
    changed = generator.choice(len(labels), round(rate * len(labels)), replace=False)
    wrong = labels.copy()
    if confusion is None:
        steps = generator.integers(1, n_classes, len(changed))
        wrong[changed] = (labels[changed] + steps) % n_classes
    else:
        wrong[changed] = confusion[labels[changed]]
    return wrong, changed


def confused_with(clean, photos: Photos) -> np.ndarray:
    """int64[c]: what photographs of each class are most often taken for, before anything is planted."""
    n_classes = len(photos.class_names)
    mistaken = clean.score > 0.5
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (photos.labels[mistaken], clean.suggested[mistaken]), 1.0)
    # Without a single mistake the next class by probability is the likeliest to be confused.
    np.add.at(counts, (photos.labels, np.maximum(clean.suggested, 0)), 1e-6)
    np.fill_diagonal(counts, -1.0)
    return counts.argmax(axis=1)


if __name__ == "__main__":
    raise SystemExit(main())
