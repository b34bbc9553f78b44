"""What the workers of a cluster gain in reading photographs for ``leafsight check``.

    python benchmarks/cluster_check.py FOLDER [--rounds 3] [--no-model] [--workers 1 2]
                                              [--address HOST:PORT] [--json]

Times the reading (hashes, measures, sketches, embeddings) of the same photographs in one run: on one thread
of one process; as the command does it without a cluster, on all cores; and by 1, 2, ... workers of a Ray
cluster. Every reading begins with an empty cache; one more, which is not counted, brings the photographs into
the memory of the system first. Rounds interleave the methods; figures are medians of wall time, ratios are
taken inside a round. Workers are timed from the moment when the cluster is joined: starting or joining is a
figure of its own, beginning the workers is part of the reading. Without ``--address`` a cluster of this
machine is started for each reading. What every method leaves is compared with what the first left, byte by
byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from leafsight.cluster import LOCAL, ClusterOptions, photo_workers
from leafsight.dataset import Embedder
from leafsight.inference import bundle_embedder
from leafsight.inspection import read_collection
from leafsight.storage import available_cores

KEPT = ("index.parquet", "index.sketches", "index.embeddings")


@dataclass(frozen=True)
class Timed:
    """One reading: seconds to be in a cluster, seconds of the reading, and a hash of what it left."""

    joining_s: float
    reading_s: float
    photographs: int
    left: str


def here(folder: Path, embedder: Embedder | None, threads: int) -> Timed:
    """As the command reads without a cluster, or on one thread."""
    return _read(folder, embedder, threads, None)


def on_workers(folder: Path, embedder: Embedder | None, address: str, workers: int) -> Timed:
    """By so many workers of a cluster."""
    return _read(folder, embedder, 1, ClusterOptions(address=address, workers=workers))


def _read(folder: Path, embedder: Embedder | None, threads: int, options: ClusterOptions | None) -> Timed:
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        cache, began = Path(place), time.perf_counter()
        elsewhere = None
        if options is not None:
            workers = photo_workers(options, [folder], store=cache, embedder=embedder)
            elsewhere = stack.enter_context(workers)
        joined = time.perf_counter()
        read = read_collection(
            [folder],
            cache_dir=cache,
            workers=threads,
            embedder=embedder,
            processes=options is None and threads > 1,
            elsewhere=elsewhere,
        )
        done = time.perf_counter()
        digest = hashlib.sha256()
        for name in KEPT:
            if (read.folder / name).exists():
                digest.update((read.folder / name).read_bytes())
        return Timed(joined - began, done - joined, len(read.looked.index), digest.hexdigest())


def measured(methods: dict[str, Callable[[], Timed]], rounds: int) -> dict[str, list[Timed]]:
    """Every method once a round; the first reading of all only warms the system's memory."""
    next(iter(methods.values()))()
    timed: dict[str, list[Timed]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            timed[name].append(method())
    return timed


def summary(timed: dict[str, list[Timed]]) -> dict[str, object]:
    """Medians, spreads and ratios to the first method, which is one thread."""
    base = next(iter(timed.values()))
    result: dict[str, object] = {}
    for name, readings in timed.items():
        seconds = [one.reading_s for one in readings]
        ratios = [first.reading_s / one.reading_s for first, one in zip(base, readings, strict=True)]
        result[name] = {
            "seconds": statistics.median(seconds),
            "least": min(seconds),
            "most": max(seconds),
            "times_one_thread": statistics.median(ratios),
            "joining_seconds": statistics.median(one.joining_s for one in readings),
            "photographs_per_s": base[0].photographs / statistics.median(seconds),
            "same_files": all(one.left == base[0].left for one in readings),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--address", default=LOCAL)
    parser.add_argument("--json", action="store_true", dest="as_json")
    words = parser.parse_args()
    folder, cores = words.folder.resolve(), available_cores()
    embedder = None if words.no_model else bundle_embedder(None)
    methods: dict[str, Callable[[], Timed]] = {
        "one thread": lambda: here(folder, embedder, 1),
        f"no cluster, {cores} cores": lambda: here(folder, embedder, cores),
    }
    for workers in words.workers:
        methods[f"cluster, workers: {workers}"] = lambda workers=workers: on_workers(  # type: ignore[misc]
            folder, embedder, words.address, workers
        )
    timed = measured(methods, words.rounds)
    figures = summary(timed)
    photographs = next(iter(timed.values()))[0].photographs
    if words.as_json:
        about = {
            "photographs": photographs,
            "rounds": words.rounds,
            "cores": cores,
            "load": os.getloadavg()[0],
        }
        print(json.dumps({**about, "machine": platform.machine(), "methods": figures}, indent=2))
        return
    print(f"{photographs} photographs, {cores} cores, median of {words.rounds} rounds")
    for name, one in figures.items():
        assert isinstance(one, dict)
        print(
            f"{name:<24}{one['seconds']:>8.1f} s ({one['least']:.1f} to {one['most']:.1f})"
            f"  x{one['times_one_thread']:.2f}  joined in {one['joining_seconds']:.1f} s"
            f"  {'same files' if one['same_files'] else 'OTHER FILES'}"
        )


if __name__ == "__main__":
    main()
