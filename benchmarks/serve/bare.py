"""The bare pipeline: what the machine gives with no server around it, the ceiling of every service.

    python -m benchmarks.serve.bare --photos data/plantvillage-native-sample --seconds 5

One process a core, each pinned to its own, one thread each, one photograph after the other: decode, prepare,
ONNX Runtime. Neither quality nor verdict, no HTTP, no database, no load generator beside it. All begin
together. Also the median time of one photograph while all cores are busy, and, with ``--processes 1``, while
the others are idle.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: one thread a process is the promise
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from benchmarks.serve.photographs import read_photographs


def judge_for(core: int, seconds: float, photographs: list[bytes], start: Any, found: Any) -> None:
    """One process: warm up, wait for the others, then judge for ``seconds``."""
    os.sched_setaffinity(0, {core})
    from leafsight.bundle import builtin_bundle_path
    from leafsight.images import prepare_bytes
    from leafsight.inference import BundlePredictor

    predictor = BundlePredictor(builtin_bundle_path())

    def judge(photograph: bytes) -> None:
        predictor.scores(prepare_bytes(photograph, predictor.preprocessing)[np.newaxis])

    for photograph in photographs[:8]:
        judge(photograph)
    start.wait(timeout=120)
    times: list[float] = []
    began = time.perf_counter()
    now = began
    while now - began < seconds:
        judge(photographs[len(times) % len(photographs)])
        after = time.perf_counter()
        times.append(after - now)
        now = after
    found.put((len(times) / (now - began), times))


def measured(photographs: list[bytes], seconds: float, processes: int) -> dict[str, float]:
    """Photographs a second of all processes together, and milliseconds of one."""
    context = multiprocessing.get_context("spawn")
    cores = sorted(os.sched_getaffinity(0))
    start, found = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=judge_for, args=(cores[n % len(cores)], seconds, photographs, start, found))
        for n in range(processes)
    ]
    for one in workers:
        one.start()
    rows = [found.get(timeout=seconds + 60) for _ in workers]
    for one in workers:
        one.join()
    times = [value for _, values in rows for value in values]
    return {
        "processes": processes,
        "per_s": round(sum(rate for rate, _ in rows), 3),
        "single_ms": round(median(times) * 1e3, 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    sample = read_photographs(options.photos, options.sample, options.seed)
    print(json.dumps(measured(sample, options.seconds, options.processes)))
