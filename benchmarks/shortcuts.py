"""The shortcut meter on folders of photographs.

    python benchmarks/shortcuts.py data/plantvillage data/flowers [--cache FOLDER] [--forest] [--json]

A folder holds ``class/file``; a leaf map ``leaf_groups.csv`` in it gives the groups. The row "the model on
the whole picture" is a linear classifier on embeddings of the built-in model, which was trained on
plantvillage, field-bean, field-blackgram, field-chilli and citrus-leaf: there it flatters.

``--forest`` also judges Noyan's classifier on the same views and folds: scikit-learn's random forest with its
defaults and balanced classes (pip install scikit-learn; minutes). It prints balanced accuracies.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from photo_arrays import Photos, read_collection


def main() -> int:
    from leafsight.evaluation import measure_shortcuts

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, help="keep thumbnails and embeddings in this folder")
    parser.add_argument("--most", type=int, default=0, help="draw this many photographs of each folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forest", action="store_true", help="compare with scikit-learn's random forest")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    results = {}
    for folder in asked.folders:
        photos = read_collection(folder, cache=asked.cache, most=asked.most, seed=asked.seed)
        found = measure_shortcuts(
            photos.rgb,
            photos.labels,
            photos.class_names,
            groups=photos.groups.tolist(),
            features=photos.embedding,
            seed=asked.seed,
        )
        results[str(folder)] = found.to_dict()
        if not asked.as_json:
            print(
                f"{folder}: {found.photos} photographs, {len(found.classes)} classes, {found.groups} groups"
            )
            print("\n".join(f"  {line}" for line in found.lines()), end="\n\n", flush=True)
        if asked.forest:
            trees = forest(photos, asked.seed)
            results[str(folder)]["forest"] = trees
            if not asked.as_json:
                for view in found.views:
                    if view.name in trees:
                        ours = view.balanced_accuracy.value
                        print(
                            f"  {view.name:<16} ridge {ours:.3f}  forest {trees[view.name]:.3f}", flush=True
                        )
    if asked.as_json:
        print(json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False))
    return 0


def forest(photos: Photos, seed: int) -> dict[str, float]:
    """Balanced accuracy by view, same folds as the meter's."""
    from sklearn.ensemble import RandomForestClassifier

    from leafsight.evaluation.folds import group_folds
    from leafsight.evaluation.shortcuts import VIEWS

    folds = group_folds(photos.labels, photos.groups, 5, seed)
    reached = {}
    for name, _, _, view in VIEWS:
        seen, answers = view(photos.rgb), np.empty_like(photos.labels)
        for fold in range(5):
            inside = folds == fold
            trees = RandomForestClassifier(class_weight="balanced", random_state=seed)
            trees.fit(seen[~inside], photos.labels[~inside])
            answers[inside] = trees.predict(seen[inside])
        right = answers == photos.labels
        reached[name] = float(
            np.mean([right[photos.labels == k].mean() for k in set(photos.labels.tolist())])
        )
    return reached


if __name__ == "__main__":
    raise SystemExit(main())
