"""How long a person waits for the first diagnosis, and how much memory it takes: whole processes.

    python benchmarks/coldstart.py [--bundle x.leafsight] [--photo leaf.jpg] [--repeats 7] [--json]

Each line is a fresh process, timed from before its start to after its end, with its peak resident memory as
the kernel counts it. The lines take turns, so that a slow minute of the machine hits all of them. "bare"
rows are what cannot be saved: the interpreter, and ONNX Runtime's own import. Wall times are the median and
the least; "cpu s" (user and system, least) depends less on what else the machine does. This program itself
stays small: Linux counts the size of a process before it becomes another program into that one's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PREDICT = """
from pathlib import Path
from leafsight.bundle import builtin_bundle_path
from leafsight.images import read_photo
from leafsight.inference import BundlePredictor
bundle, photo = {bundle!r}, {photo!r}
predictor = BundlePredictor(bundle or builtin_bundle_path())
print(predictor.predict([read_photo(Path(photo))])[0].to_dict()["verdict"])
"""
DRAW = """
# a 12-megapixel JPEG with detail at every scale, as a telephone makes it
import numpy as np
from PIL import Image
rng = np.random.default_rng(0)
leaf = Image.fromarray(rng.integers(40, 200, (75, 100, 3), dtype=np.uint8)).resize((4000, 3000))
noise = rng.integers(-8, 9, (3000, 4000, 3), dtype=np.int16)
pixels = np.clip(np.asarray(leaf).astype(np.int16) + noise, 0, 255).astype(np.uint8)
Image.fromarray(pixels).save({path!r}, quality=90)
"""
LIMITS = {  # issue 2: seconds, MiB
    "predict (library)": (0.7, 250.0),
    "leafsight predict": (0.7, 250.0),
    "leafsight --help": (0.25, None),
}


class Run(NamedTuple):
    """One process: wall and processor seconds, largest resident memory."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def main() -> int:
    """Measure and print; 1 when a limit is not kept."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        photo = options.photo or _draw_photo(f"{folder}/photo.jpg")
        runs: dict[str, list[Run]] = {}
        commands = _commands(options.bundle, photo)
        for command in commands.values():
            measure(command)  # once unmeasured: files into the cache, bytecode written
        for _ in range(options.repeats):
            for name, command in commands.items():
                runs.setdefault(name, []).append(measure(command))
    rows = {name: _summary(name, found) for name, found in runs.items()}
    if options.json:
        print(json.dumps({"repeats": options.repeats, "load": os.getloadavg()[0], "rows": rows}, indent=2))
    else:
        _print(rows)
    return 0 if all(row["kept"] for row in rows.values()) else 1


def measure(command: list[str]) -> Run:
    """Run one process to its end.

    Raises:
        RuntimeError: it failed; the message has the end of what it said.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{command} failed: {said.read().decode()[-800:]}")
    peak_mib = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak_mib)


def _commands(bundle: str | None, photo: str) -> dict[str, list[str]]:
    python = [sys.executable, "-c"]
    found = {
        "bare python": [*python, "pass"],
        "bare import onnxruntime": [*python, "import onnxruntime"],
        "predict (library)": [*python, PREDICT.format(bundle=bundle, photo=photo)],
    }
    beside = Path(sys.executable).parent / "leafsight"
    program = str(beside) if beside.exists() else shutil.which("leafsight")
    if program is None:
        print("leafsight is not installed as a program: its rows are left out", file=sys.stderr)
        return found
    model = ["--model", bundle] if bundle else []
    found["leafsight predict"] = [program, "predict", photo, *model]
    found["leafsight --help"] = [program, "--help"]
    return found


def _summary(name: str, found: list[Run]) -> dict[str, float | bool | None]:
    seconds = [one.wall_s for one in found]
    limit_s, limit_mib = LIMITS.get(name, (None, None))
    peak_mib = max(one.peak_mib for one in found)
    slow = limit_s is not None and min(seconds) > limit_s
    fat = limit_mib is not None and peak_mib > limit_mib
    return {
        "median_s": round(statistics.median(seconds), 3),
        "least_s": round(min(seconds), 3),
        "cpu_s": round(min(one.cpu_s for one in found), 3),
        "peak_mib": round(peak_mib, 1),
        "limit_s": limit_s,
        "limit_mib": limit_mib,
        "kept": not (slow or fat),
    }


def _print(rows: dict[str, dict[str, float | bool | None]]) -> None:
    print(f"{'process':26} {'median s':>9} {'least s':>9} {'cpu s':>7} {'peak MiB':>9}  limit")
    for name, row in rows.items():
        limits = [f"{row['limit_s']} s"] if row["limit_s"] else []
        limits += [f"{row['limit_mib']:.0f} MiB"] if row["limit_mib"] else []
        verdict = f"{', '.join(limits)}: {'kept' if row['kept'] else 'NOT KEPT'}" if limits else "-"
        times = f"{row['median_s']:9.3f} {row['least_s']:9.3f} {row['cpu_s']:7.3f}"
        print(f"{name:26} {times} {row['peak_mib']:9.1f}  {verdict}")


def _draw_photo(path: str) -> str:
    subprocess.run([sys.executable, "-c", DRAW.format(path=path)], check=True)
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundle", help="instead of the built-in model")
    parser.add_argument("--photo", help="instead of a drawn 12-megapixel JPEG")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
