"""How many photographs of one leaf are found, from embeddings and camera counters, against counters alone.

    python benchmarks/same_leaf.py data/plantvillage --leaf-map data/plantvillage/leaf_groups.csv [--fit]
        [--embeddings cache.npz] [--json]

Only photographs that the leaf map knows take part. In each class the leaves are put in the order of their
first shot; the first half is for choosing (``--fit`` prints the weights that it gives), the second is
reported. Precision and recall are over pairs of photographs of the second half, as reported and after
grouping. The built-in model was trained on these photographs, on their classes though not on which leaf is
which: that flatters.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np


def main() -> int:
    options = _options()
    files, leaves = read_map(options.folder, options.leaf_map)
    embeddings = embedded(files, options.embeddings)
    chosen = first_half(files, leaves)
    if options.fit:
        print(
            json.dumps(
                fit(
                    embeddings[chosen],
                    [files[at] for at in np.flatnonzero(chosen)],
                    [leaves[at] for at in np.flatnonzero(chosen)],
                ),
                indent=2,
            )
        )
    rows = []
    for half, which in (("first half (chosen on)", chosen), ("second half (reported)", ~chosen)):
        places = np.flatnonzero(which).tolist()
        rows += evaluate(half, embeddings[which], [files[at] for at in places], [leaves[at] for at in places])
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"{'half':24}{'rule':34}{'pairs':>7}{'precision':>11}{'recall':>8}{'torn leaves':>13}")
    for row in rows:
        print(
            f"{row['half']:24}{row['rule']:34}{row['pairs']:7}{row['precision']:11.3f}{row['recall']:8.3f}"
            f"{row['torn']:8} of {row['leaves']}"
        )
    return 0


def read_map(folder: Path, leaf_map: Path) -> tuple[list[Path], list[str]]:
    with leaf_map.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["leaf"]]
    known = [(folder / row["class"] / row["file"], f"{row['class']}/{row['leaf']}") for row in rows]
    there = sorted(pair for pair in known if pair[0].is_file())
    return [path for path, _ in there], [leaf for _, leaf in there]


def embedded(files: list[Path], cache: Path | None) -> np.ndarray:
    if cache and cache.is_file():
        return np.load(cache, allow_pickle=False)["embeddings"]
    from leafsight.bundle import builtin_bundle_path
    from leafsight.images import prepare_bytes
    from leafsight.inference import BundlePredictor

    predictor = BundlePredictor(builtin_bundle_path())
    parts = []
    for first in range(0, len(files), 32):
        some = [
            prepare_bytes(file.read_bytes(), predictor.preprocessing) for file in files[first : first + 32]
        ]
        parts.append(predictor.network.run(np.stack(some)).embedding)
    embeddings = np.concatenate(parts)
    if cache:
        np.savez(cache, embeddings=embeddings)
    return embeddings


def captures_of(files: list[Path]) -> list[tuple[object, int] | None]:
    from leafsight.dataset import capture_of

    found = [capture_of(file.name) for file in files]
    return [one and ((file.parent.name, one[0]), one[1]) for file, one in zip(files, found, strict=True)]


def first_half(files: list[Path], leaves: list[str]) -> np.ndarray:
    """By leaf, in the order of shots, so that neighbouring leaves stay in one half and can be confused."""
    first: dict[str, tuple[str, int]] = {}
    for file, capture, leaf in zip(files, captures_of(files), leaves, strict=True):
        counter = capture[1] if capture else 0
        first[leaf] = min(first.get(leaf, (file.parent.name, counter)), (file.parent.name, counter))
    by_class: dict[str, list[str]] = defaultdict(list)
    for leaf in sorted(first, key=lambda one: (first[one], one)):
        by_class[first[leaf][0]].append(leaf)
    early = {leaf for ordered in by_class.values() for leaf in ordered[: len(ordered) // 2]}
    return np.array([leaf in early for leaf in leaves])


def evaluate(
    half: str, embeddings: np.ndarray, files: list[Path], leaves: list[str]
) -> list[dict[str, object]]:
    from leafsight.dataset import capture_runs
    from leafsight.dataset.duplicates import find_same_leaf

    kinds = [file.parent.name for file in files]
    captures = captures_of(files)
    rules: dict[str, tuple[set[tuple[int, int]], list[list[int]]]] = {}
    for gap, limit in ((1, 8), (4, 16)):
        runs = capture_runs([file.name for file in files], kinds, gap=gap, limit=limit)
        rules[f"capture_runs, step {gap}, at most {limit}"] = (inside(runs), runs)
    found = find_same_leaf(embeddings, captures)
    groups = [list(group) for group in found.groups]
    rules["find_same_leaf, pairs"] = ({(pair.one, pair.other) for pair in found.pairs}, groups)
    rules["find_same_leaf, groups"] = (inside(groups), groups)
    alone = find_same_leaf(embeddings, [None] * len(files))
    groups = [list(group) for group in alone.groups]
    rules["find_same_leaf, no counters"] = ({(pair.one, pair.other) for pair in alone.pairs}, groups)
    members: dict[str, list[int]] = defaultdict(list)
    for place, leaf in enumerate(leaves):
        members[leaf].append(place)
    true = inside(list(members.values()))
    rows: list[dict[str, object]] = []
    for rule, (pairs, groups) in rules.items():
        owner = {place: number for number, group in enumerate(groups) for place in group}
        torn = sum(len({owner.get(place, -1 - place) for place in group}) > 1 for group in members.values())
        rows.append(
            {
                "half": half,
                "rule": rule,
                "pairs": len(pairs),
                "precision": len(pairs & true) / max(len(pairs), 1),
                "recall": len(pairs & true) / len(true),
                "torn": torn,
                "leaves": len(members),
            }
        )
    return rows


def inside(groups: list[list[int]]) -> set[tuple[int, int]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def fit(embeddings: np.ndarray, files: list[Path], leaves: list[str]) -> dict[str, list[float]]:
    """Weights of the two logistic regressions of ``leafsight.dataset.duplicates.same_leaf``."""
    from leafsight.dataset.duplicates import same_leaf as module

    white = module.whitened(embeddings)
    (one, other), step = module.neighbouring_shots(captures_of(files), 24)
    cosine = module._cosine(white, one, other)
    leaf = np.array(leaves)
    near = logistic(np.stack([cosine, np.log1p(step), step], axis=1), leaf[one] == leaf[other])
    left, right = module._alike(white)
    looks = logistic(module._cosine(white, left, right)[:, None], leaf[left] == leaf[right])
    return {"BY_COUNTER": near.round(2).tolist(), "BY_LOOKS": looks.round(2).tolist()}


def logistic(columns: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Newton's method, 30 steps, a trace of ridge."""
    table = np.column_stack([np.ones(len(columns)), columns])
    weights = np.zeros(table.shape[1])
    for _ in range(30):
        share = 1 / (1 + np.exp(-table @ weights))
        curve = (table * (share * (1 - share))[:, None]).T @ table + 1e-3 * np.eye(len(weights))
        weights += np.linalg.solve(curve, table.T @ (true - share) - 1e-3 * weights)
    return weights


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="collection of <class>/<file>")
    parser.add_argument("--leaf-map", type=Path, required=True, help="CSV class,file,leaf")
    parser.add_argument("--embeddings", type=Path, help="npz to keep embeddings in between runs")
    parser.add_argument("--fit", action="store_true", help="print the weights that the first half gives")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
