"""leafsight check against decoding once, and against cleanvision on the same folder.

    python benchmarks/check.py FOLDER [--rounds 3] [--cleanvision PYTHON] [--json]

Decoding once is what any tool has to do that looks at pixels: every photograph decoded whole, by leafsight's
decoder on one thread, on as many threads as there are cores, and in as many processes (started before the
clock), and by Pillow on threads. The check is timed without a
network (``--no-model``): reading, measuring, finding duplicates and leaks, and the shortcut meter, into a
fresh cache, then again over the same cache. The checks that cleanvision makes, too, are timed by themselves:
reading, measures of files and light, equal and near-equal pictures. Rounds interleave the methods; figures
are medians of wall time.

cleanvision (https://github.com/cleanlab/cleanvision) is no dependency: name a Python that has it. It runs
its default checks (dark, light, aspect, size, information, exact and near duplicates, blur, grey) with as
many processes as cores; what both look for is compared by name in ``both``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from leafsight.images import decode, read_photo

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
PER_TASK = 32

SAME_CHECKS_ONLY = """
import sys
from pathlib import Path
from leafsight.dataset import GroupOptions, group_photos, index_photos
from leafsight.inspection.files import file_findings
from leafsight.inspection.quality import quality_findings
if __name__ == "__main__":
    index = index_photos(Path(sys.argv[1]), processes=True)
    file_findings(index), quality_findings(index)
    group_photos(index, GroupOptions(group_by=("duplicates", "near_duplicates")))
"""
CLEANVISION = """
import json, sys, time
from cleanvision import Imagelab
started = time.perf_counter()
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues(n_jobs=int(sys.argv[2]), verbose=False)
seconds = time.perf_counter() - started
found = {name[3:-6]: [str(i) for i in lab.issues.index[lab.issues[name]]]
         for name in lab.issues.columns if name.startswith("is_")}
json.dump({"seconds": seconds, "found": found}, open(sys.argv[3], "w"))
"""
SAME_CHECKS = {
    "blurred": "blurry", "dark": "dark", "over-exposed": "light", "low-information": "low_information",
    "extreme-aspect": "odd_aspect_ratio", "odd-colours": "grayscale",
}  # fmt: skip


def decoded_by_leafsight(files: list[Path]) -> None:
    for file in files:
        decode(read_photo(file))


def decoded_by_pillow(files: list[Path]) -> None:
    for file in files:
        np.asarray(Image.open(file).convert("RGB"))


def on_threads(work: Callable[[list[Path]], None], files: list[Path], threads: int) -> float:
    tasks = [files[at : at + PER_TASK] for at in range(0, len(files), PER_TASK)]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, tasks))
    return time.perf_counter() - started


def in_processes(work: Callable[[list[Path]], None], files: list[Path], processes: int) -> float:
    tasks = [files[at : at + PER_TASK] for at in range(0, len(files), PER_TASK)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(work, tasks[: 4 * processes]))  # they have started, and imported everything
        started = time.perf_counter()
        list(pool.map(work, tasks, chunksize=8))
        return time.perf_counter() - started


def checked(folder: Path, cache: Path, out: Path) -> float:
    environment = {**os.environ, "LEAFSIGHT_CACHE_DIR": str(cache)}
    program = str(Path(sys.executable).parent / "leafsight")
    command = [program, "check", str(folder), "--no-model", "-q", "--json"]
    started = time.perf_counter()
    with out.open("w") as file:
        done = subprocess.run(command, env=environment, stdout=file, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"leafsight check ended with {done.returncode}")
    return time.perf_counter() - started


def checked_as_cleanvision(folder: Path, place: Path) -> float:
    script = place / "same_checks.py"  # a file: processes that read import the main module again
    script.write_text(SAME_CHECKS_ONLY)
    started = time.perf_counter()
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return time.perf_counter() - started


def cleaned(python: str, folder: Path, threads: int, out: Path) -> float:
    words = [python, "-c", CLEANVISION, str(folder), str(threads), str(out)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return float(json.loads(out.read_text())["seconds"])


def in_both(ours: dict[str, object], theirs: dict[str, list[str]], folder: Path) -> dict[str, dict[str, int]]:
    """For each check that both make: found by us, by them, by both."""
    mine: dict[str, set[str]] = {}
    for finding in ours["findings"]:  # type: ignore[attr-defined]
        names = {name.split("/", 1)[1] for case in finding["cases"] for name in case["photographs"]}
        mine[finding["kind"]] = names
    table = {}
    for kind, name in SAME_CHECKS.items():
        other = {str(Path(path).resolve().relative_to(folder.resolve())) for path in theirs.get(name, [])}
        own = mine.get(kind, set())
        table[kind] = {"leafsight": len(own), "cleanvision": len(other), "both": len(own & other)}
    copies = mine.get("copies", set())
    near = {
        str(Path(path).resolve().relative_to(folder.resolve()))
        for name in ("exact_duplicates", "near_duplicates")
        for path in theirs.get(name, [])
    }
    table["copies"] = {"leafsight": len(copies), "cleanvision": len(near), "both": len(copies & near)}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cleanvision", metavar="PYTHON")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    seconds: dict[str, list[float]] = {}
    both: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as place:
        for number in range(options.rounds):
            cache, said, other = (
                Path(place) / f"{name}-{number}" for name in ("cache", "check.json", "cv.json")
            )
            for how, taken in {
                "one thread": on_threads(decoded_by_leafsight, files, 1),
                "threads": on_threads(decoded_by_leafsight, files, threads),
                "processes": in_processes(decoded_by_leafsight, files, threads),
                "Pillow, threads": on_threads(decoded_by_pillow, files, threads),
            }.items():
                seconds.setdefault(f"decoding once, {how}", []).append(taken)
            seconds.setdefault("check", []).append(checked(options.folder, cache, said))
            seconds.setdefault("check again", []).append(checked(options.folder, cache, said))
            same = checked_as_cleanvision(options.folder, Path(place))
            seconds.setdefault("the checks that cleanvision makes, too", []).append(same)
            if options.cleanvision:
                taken = cleaned(options.cleanvision, options.folder, threads, other)
                seconds.setdefault("cleanvision", []).append(taken)
                both = in_both(
                    json.loads(said.read_text()), json.loads(other.read_text())["found"], options.folder
                )
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    if "cleanvision" in seconds:
        pairs = zip(seconds["cleanvision"], seconds["the checks that cleanvision makes, too"], strict=True)
        faster = statistics.median([theirs / ours for theirs, ours in pairs])
    ratios = {
        f"check / {name}": statistics.median(
            [one / other for one, other in zip(seconds["check"], values, strict=True)]
        )
        for name, values in seconds.items()
        if name != "check"
    }
    if "cleanvision" in seconds:
        ratios["cleanvision / the checks that both make"] = faster
    result = {
        "photographs": len(files), "threads": threads, "machine": platform.processor() or platform.machine(),
        "seconds": medians, "ratios": ratios, "both": both,
    }  # fmt: skip
    if options.as_json:
        print(json.dumps(result, indent=2))
        return
    print(f"{len(files)} photographs, {threads} threads, median of {options.rounds} rounds")
    for name, value in medians.items():
        spread = f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f}"
        print(f"{name:<40}{value:>9.2f} s  ({spread})")
    for name, value in ratios.items():
        print(f"{name:<40}{value:>7.2f}")
    for kind, counts in both.items():
        print(f"{kind:<20}" + "".join(f"{name} {count:>6}   " for name, count in counts.items()))


if __name__ == "__main__":
    main()
