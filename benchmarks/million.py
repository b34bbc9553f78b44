"""A million photographs in the index and in a split: seconds and peak memory of every step.

Nothing is read: the index is made up of Arrow arrays that look like those of a large collection (leaves of
three photographs, four in five of them known, runs of the camera, some near duplicates and copies). The first
run makes the index up and ends, so that what this takes is not counted. Exit code 1 when the peak is over the
limit.

    python benchmarks/million.py --folder million     # makes the index up
    python benchmarks/million.py --folder million     # measures
    python benchmarks/million.py --folder million --rules duplicates --exact
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leafsight.dataset import PhotoIndex, SplitOptions, plan_repair, split_photos, split_summary
from leafsight.dataset.photo_table import schema


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def made_up(rows: int, classes: int, largest_class: int, seed: int) -> PhotoIndex:
    """An index without files."""
    rng = np.random.default_rng(seed)
    kinds = np.concatenate([np.zeros(largest_class, int), rng.integers(0, classes, rows - largest_class)])
    kinds.sort()
    number = np.arange(rows)
    leaf = number // 3
    looks = rng.integers(0, 2**63, rows, dtype=np.uint64)
    near = rng.random(rows) < 0.02
    looks[1:][near[1:]] = looks[:-1][near[1:]] ^ np.uint64(0b101)
    content = rng.integers(0, 2**63, (rows, 4), dtype=np.uint64)
    copies = np.flatnonzero(rng.random(rows) < 0.005)[1:]
    content[copies] = content[copies - 1]
    hashes = pa.array([row.tobytes().hex() for row in content])
    values = {
        "source": pa.array(["million"]).take(pa.array(np.zeros(rows, int))),
        "root": pa.array(["/nowhere"]).take(pa.array(np.zeros(rows, int))),
        "path": pa.array([f"class_{k:03d}/IMG_{n:07d}.jpg" for k, n in zip(kinds, number, strict=True)]),
        "class_name": pa.array([f"class_{k:03d}" for k in range(classes)]).take(pa.array(kinds)),
        "given_group": pa.array([f"leaf {n}" if n % 5 else None for n in leaf]),
        "content_hash": hashes,
        "pixel_hash": hashes,
        "look_hash": pa.array(looks),
    }
    columns = [values.get(field.name, _filler(field, rows, rng)) for field in schema()]
    return PhotoIndex(pa.table(columns, schema=schema()))


def _filler(field: Any, rows: int, rng: np.random.Generator) -> Any:
    """Plausible numbers for columns that no step looks at, nulls for the text that says so."""
    if field.name in {"stored_as", "group", "group_from", "split", "fault"}:
        return pa.nulls(rows, field.type)
    if field.type == pa.string():
        return pa.array(["Some Camera 12"]).take(pa.array(np.zeros(rows, int)))
    if field.type == pa.bool_():
        return pa.array(np.zeros(rows, bool))
    if pa.types.is_floating(field.type):
        return pa.array(rng.random(rows, dtype=np.float32))
    return pa.array(rng.integers(1, 100, rows)).cast(field.type)


def _torn(rows: int, seed: int) -> Any:
    """Splits by photograph, as people make them: most leaves are torn."""
    drawn = np.random.default_rng(seed).choice(3, rows, p=(0.8, 0.1, 0.1))
    return pa.array(["train", "valid", "test"]).take(pa.array(drawn))


def step(name: str, work: Callable[[], Any]) -> Any:
    """Do it and print what it took."""
    start = time.perf_counter()
    result = work()
    print(f"{name:<28} {time.perf_counter() - start:8.1f} s   peak {peak_mib():7.0f} MiB", flush=True)
    return result


def main() -> int:
    """Every step once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=200)
    parser.add_argument("--largest-class", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit-mib", type=float, default=2048)
    parser.add_argument("--rules", default="column,leaf_map,duplicates,near_duplicates,capture_runs")
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--folder", type=Path)
    words = parser.parse_args()
    folder = words.folder or Path(tempfile.mkdtemp())
    path = folder / "million.parquet"
    largest = min(words.largest_class, words.rows // 2)
    ratios = "train=0.7,valid=0.05,calibration=0.1,test=0.15"
    options = SplitOptions(ratios=ratios, group_by=tuple(words.rules.split(",")), exact=words.exact)
    if not path.exists():
        step("make the index up", lambda: made_up(words.rows, words.classes, largest, words.seed).save(path))
        print(f"saved {path}; run again: making it up needs more memory than working with it")
        return 0
    index = step("load", lambda: PhotoIndex.load(path))
    done = step("group and split", lambda: split_photos(index, options))
    print("\n".join(step("summary", lambda: split_summary(done)).lines()[-12:]))
    step("fingerprint", done.split_fingerprint)
    step("save", lambda: done.save(folder / "split.parquet"))
    again = step("load again", lambda: PhotoIndex.load(folder / "split.parquet"))
    assert again.split_record["photographs"] == done.split_counts()
    torn = again.with_column("split", _torn(len(again), words.seed))
    plan = step("plan a repair", lambda: plan_repair(torn))
    print("\n".join(plan.lines()[:2]))
    peak = peak_mib()
    print(f"{len(index):,} rows: peak {peak:.0f} MiB, limit {words.limit_mib:.0f} MiB")
    return int(peak > words.limit_mib)


if __name__ == "__main__":
    sys.exit(main())
