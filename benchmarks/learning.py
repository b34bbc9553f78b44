"""Learning from contributions: which head, what it gains on new classes, what it forgets, how long it takes.

    leafsight split data/plantvillage data/field-bean data/field-blackgram data/field-chilli data/citrus-leaf
        --out builtin.parquet --ratios train=0.7,valid=0.05,calibration=0.1,test=0.15 --seed 0
        --group-by column,leaf_map,duplicates,near_duplicates,capture_runs
    python benchmarks/learning.py --data data [--index builtin.parquet] [--cache folder] [--seeds 3] [--json]
    python benchmarks/learning.py --data data --time

Real photographs stand for contributions; the built-in model knows none of them. A seed decides which ones,
and which of them teach (70 %), calibrate (15 %) and are only measured on (15 %). Old classes are judged on
the locked test of the built-in model. With --index the training photographs of the built-in model are seen
again, for the head that is learned from scratch on everything. The calibration of every method is fitted as
the quick path does, on photographs that did not teach (for those made worse: on two more heads, each without
one half of the leaves).

--time makes a whole candidate of 1,000 photographs of three classes and holds it against the gate.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import hashlib
import json
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from learning_methods import Method, methods
from photo_arrays import Photos, read_collection

from leafsight.bundle import Bundle, Memory, builtin_bundle_path, open_bundle
from leafsight.dataset import PhotoIndex
from leafsight.evaluation import Evaluation
from leafsight.images import Preprocessing, prepare_bytes
from leafsight.inference import OnnxNetwork
from leafsight.retraining import QuickOptions, Snapshot, freeze, judge_gate, quick_candidate
from leafsight.retraining.calibrating import Unseen, calibration_of, labels_of, recalibrated
from leafsight.retraining.candidate import base_head
from leafsight.retraining.head import Head
from leafsight.retraining.quick import judged
from leafsight.retraining.remembering import remember
from leafsight.state import ContributionRecord

STUDIES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "rice": ("field-rice", (), 334),
    "flowers": ("flowers", ("daisy", "dandelion", "rose"), 334),
    "new apple": (
        "field-apple",
        ("Apple___Frogeye_leaf_spot", "Apple___Mosaic", "Apple___Powdery_mildew"),
        334,
    ),
    "corrections": (
        "field-apple",
        ("Apple___Apple_scab", "Apple___Cedar_apple_rust", "Apple___healthy"),
        334,
    ),
}
"""Name -> collection, classes (all when empty), photographs of a class at most. The last one teaches no
class: field photographs of three conditions that the built-in model knows from a laboratory."""
SHOWN = ("accuracy", "macro_f1", "answered", "accuracy_answered", "ece")
HALVES = 2
BATCH = 8
FEW = QuickOptions(resamples=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--index", type=Path, help="of the built-in model: also learn from all of it")
    parser.add_argument("--cache", type=Path, help="keeps embeddings")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--study", choices=sorted(STUDIES), action="append", help="all by default")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    champion = open_bundle(builtin_bundle_path())
    if given.time:
        print(json.dumps(timed(champion, given.data, given.cache), indent=1))
        return
    everything = None if given.index is None else _everything(champion, given.index, given.cache)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in given.study or STUDIES:
        found[name] = [
            study(champion, name, given.data, given.cache, seed, everything) for seed in range(given.seeds)
        ]
        if not given.json:
            print(f"\n### {name}: {_counts(found[name])}\n\n{_table(found[name])}", flush=True)
    if given.json:
        print(json.dumps(found, indent=1))


def _counts(seeds: list[dict[str, Any]]) -> str:
    """How many photographs have which role, in the first seed."""
    of, roles = seeds[0]["photographs"].values(), ("train", "calibration", "probe")
    return ", ".join(f"{role} {sum(one.get(role, 0) for one in of)}" for role in roles)


def study(
    champion: Bundle,
    name: str,
    data: Path,
    cache: Path | None,
    seed: int,
    everything: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, Any]:
    """All methods on one draw of contributions."""
    records, seen = contributions(name, data, cache, seed)
    snapshot = freeze(champion, records, seed=seed)
    memory, base = champion.memory(), base_head(champion)
    assert memory is not None
    assert base is not None
    held = remember(memory, snapshot, seen)
    options = QuickOptions()
    compared = methods(
        options.old_pull,
        options.new_pull,
        new_classes=bool(snapshot.classes_added),
        everything=everything is not None,
    )
    rows = {"champion, not retrained": _as_it_is(champion, snapshot, held)} | {
        one.name: _measured(champion, snapshot, held, base, one, everything if one.everything else None)
        for one in compared
    }
    return {"photographs": snapshot.counts, "seed": seed, "methods": rows}


def contributions(
    name: str, data: Path, cache: Path | None, seed: int
) -> tuple[list[ContributionRecord], dict[str, np.ndarray]]:
    """Accepted contributions and their embeddings, as a server would have them."""
    collection, classes, most = STUDIES[name]
    photos = read_collection(data / collection, cache=cache)
    wanted = set(classes or photos.class_names)
    rng = np.random.default_rng(seed)
    rows = [
        row
        for at, label in enumerate(photos.class_names)
        if label in wanted
        for row in rng.permutation(np.flatnonzero(photos.labels == at))[:most]
    ]
    records = [_record(photos, row) for row in rows]
    return records, {
        one.id: photos.embedding[row].astype(np.float16) for one, row in zip(records, rows, strict=True)
    }


def _record(photos: Photos, row: int) -> ContributionRecord:
    label = photos.class_names[photos.labels[row]]
    digest = hashlib.sha256(f"{photos.name}/{photos.files[row]}".encode()).hexdigest()
    return ContributionRecord(
        id=digest[:32], created_ms=0, name=photos.files[row], class_name=label, label=label, state="accepted",
        photo_sha256=digest, pixel_hash=digest, blob=f"contributions/{digest}", group_id=digest[:32],
    )  # fmt: skip


def _measured(
    champion: Bundle,
    snapshot: Snapshot,
    memory: Memory,
    base: Head,
    method: Method,
    everything: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, float]:
    train, home, stressed = (memory.rows(split) for split in ("train", "calibration", "stressed"))
    taught = train[memory.contributed[train]] if everything is not None else train
    x, y = memory.embedding[taught], memory.label[taught]
    if everything is not None:
        x, y = np.concatenate([everything[0], x]), np.concatenate([everything[1], y])

    def fit(worse: np.ndarray) -> Head:
        some = worse if method.worse else worse[:0]
        return method.fit(
            np.concatenate([x, memory.embedding[some]]),
            np.concatenate([y, memory.label[some]]),
            base,
            len(snapshot.classes),
        )

    began_s = process_time()
    head = fit(stressed)
    took_s = process_time() - began_s
    said = [np.empty((len(rows), len(snapshot.classes)), np.float32) for rows in (home, stressed)]
    for half in range(HALVES):
        other = fit(stressed[memory.group[stressed] % HALVES != half]) if method.worse else head
        for rows, logits in zip((home, stressed), said, strict=True):
            own = np.flatnonzero(memory.group[rows] % HALVES == half)
            logits[own] = other.logits(memory.embedding[rows[own]])
    labels = labels_of(champion, snapshot.classes)
    calibration = recalibrated(champion, labels, memory, Unseen(*said))
    test, probe = (judged(memory, split, head, calibration, labels, FEW) for split in ("test", "probe"))
    worse = float((said[1].argmax(axis=1) == memory.label[stressed]).mean())
    return _row(test, worse, probe, took_s)


def _as_it_is(champion: Bundle, snapshot: Snapshot, memory: Memory) -> dict[str, float]:
    """The champion with its own calibration; of classes that it does not know it has none right."""
    own, head = calibration_of(champion), base_head(champion)
    assert head is not None
    rows, labels = memory.rows("stressed"), list(champion.labels)
    worse = float((head.logits(memory.embedding[rows]).argmax(axis=1) == memory.label[rows]).mean())
    known = not snapshot.classes_added
    probe = judged(memory, "probe", head, own, labels, FEW) if known else None
    return _row(judged(memory, "test", head, own, labels, FEW), worse, probe, 0.0)


def _row(test: Evaluation | None, worse: float, probe: Evaluation | None, took_s: float) -> dict[str, float]:
    return {
        **{f"old {name}": value for name, value in _numbers(test).items()},
        "old worse copies": worse,
        **{f"new {name}": value for name, value in _numbers(probe).items()},
        "seconds": took_s,
    }


def _numbers(evaluation: Evaluation | None) -> dict[str, float]:
    if evaluation is None:
        return {name: 0.0 if name == "accuracy" else float("nan") for name in SHOWN}
    return {name: evaluation.overall.metrics[name].value for name in SHOWN}


def _everything(champion: Bundle, index: Path, cache: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and labels of all training photographs of the built-in model."""
    photos = PhotoIndex.load(index).where(split="train")
    labels = np.asarray(photos.labels_for(champion.classes), np.int64)
    kept = None if cache is None else cache / f"everything-{champion.content_hash[:12]}-{len(photos)}.npy"
    if kept is not None and kept.exists():
        return np.load(kept, allow_pickle=False), labels
    network = OnnxNetwork(champion.network(), champion.network_spec)
    contract = Preprocessing.from_dict(champion.preprocessing)
    files, parts = photos.files(), []
    for at in range(0, len(files), BATCH):
        squares = [prepare_bytes(path.read_bytes(), contract) for path in files[at : at + BATCH]]
        parts.append(network.run(np.stack(squares)).embedding)
    found = np.concatenate(parts)
    if kept is not None:
        np.save(kept, found)
    return found, labels


def _table(seeds: list[dict[str, Any]]) -> str:
    columns = list(next(iter(seeds[0]["methods"].values())))
    lines = ["| method | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for method in seeds[0]["methods"]:
        values = {name: np.array([one["methods"][method][name] for one in seeds]) for name in columns}
        cells = [_cell(values[name], seconds=name == "seconds") for name in columns]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values: np.ndarray, *, seconds: bool) -> str:
    """Mean and spread (half the range) over the seeds."""
    if not np.isfinite(values).any():
        return "-"
    mean, spread = float(np.nanmean(values)), float(np.nanmax(values) - np.nanmin(values)) / 2
    return f"{mean:.1f}" if seconds else f"{100 * mean:.1f} ± {100 * spread:.1f}"


def timed(champion: Bundle, data: Path, cache: Path | None) -> dict[str, Any]:
    """One candidate of 1,000 photographs of three classes, and its gate: seconds and megabytes."""
    records, seen = contributions("flowers", data, cache, 0)
    with tempfile.TemporaryDirectory() as folder:
        clocks = [(perf_counter(), process_time())]
        snapshot = freeze(champion, records)
        clocks.append((perf_counter(), process_time()))
        built = quick_candidate(champion, snapshot, seen, Path(folder) / "candidate.leafsight")
        clocks.append((perf_counter(), process_time()))
        report = judge_gate(champion, built.path)
        clocks.append((perf_counter(), process_time()))
    parts = ("freeze", "candidate", "gate")
    steps = zip(parts, clocks, clocks[1:], strict=False)
    return {
        "photographs": len(snapshot.rows),
        "classes_added": list(snapshot.classes_added),
        "seconds": {
            part: {"wall": round(b[0] - a[0], 2), "processor": round(b[1] - a[1], 2)} for part, a, b in steps
        },
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "candidate": built.to_dict(),
        "gate": {"passed": report.passed, "said": report.said},
    }


if __name__ == "__main__":
    main()
