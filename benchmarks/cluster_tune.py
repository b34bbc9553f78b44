"""What workers of a Ray cluster gain in a search, and whether its trials come to the same.

    python -m benchmarks.cluster_tune --data data/flowers [--trials 8] [--epochs 6] [--rounds 3]
        [--setups alone-1 workers-1 workers-2] [--work FOLDER] [--json]

Every setup runs the same trials, which cost the same (their values move nothing that takes time, and none is
ended early): ``alone-T`` in one process with T threads, ``workers-N`` by N workers of one thread each. Setups
take turns; the photographs are packed before. ``command_s`` is the whole command, with the start of the
cluster and of its workers in it; ``search_s`` is from the first line in the diary of a trial to the last one.
A ratio is the median of the rounds' ratios to the first setup, with the lowest and the highest. The first
trial is the recipe as it stands: its value must be the same in every setup with as many threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leafsight.storage import read_json

RECIPE = """
seed = 1
recipe = {{name = "equal-trials"}}
preprocessing = {{side_px = {side_px}}}
model = {{name = "simple_cnn", width = 0.5}}
stages = [{{name = "whole", epochs = {epochs}, learning_rate = 0.003}}]

[search]
trials = {trials}
warmup_epochs = {epochs}

[search.space]
"stages.whole.learning_rate" = {{low = 1e-3, high = 1e-2, log = true}}
"""
ALONE, WORKERS = "alone", "workers"


def words_of(setup: str) -> list[str]:
    """What the command is given for a setup."""
    kind, _, number = setup.partition("-")
    if kind not in (ALONE, WORKERS) or not number.isdigit():
        raise SystemExit(f"{setup}: name alone-THREADS or workers-NUMBER")
    if kind == ALONE:
        return ["--set", f"threads={number}"]
    return ["--set", "threads=1", "--cluster", "local", "--workers", number]


def search(options: argparse.Namespace, recipe: Path, study: Path, more: Sequence[str]) -> dict[str, Any]:
    """One search, measured."""
    line = [sys.executable, "-c", "from leafsight.cli import main; main()", "tune", str(recipe)]
    line += ["--data", str(options.data), "--study", str(study), "--cache", str(recipe.parent / "packed")]
    began_s = time.perf_counter()
    subprocess.run([*line, "--no-range-test", "--quiet", *more], check=True, stdout=subprocess.DEVNULL)
    whole_s = time.perf_counter() - began_s
    found = read_json(study / "search.json")
    begun_s = [(run / "recipe.toml").stat().st_mtime for run in (study / "trials").iterdir()]
    ended_s = [(run / "run.json").stat().st_mtime for run in (study / "trials").iterdir()]
    return {
        "command_s": whole_s,
        "search_s": max(ended_s) - min(begun_s),
        "trials": found["counts"],
        "as_it_stands": found["trials"][0]["value"],
    }


def row(setup: str, found: Sequence[dict[str, Any]], first: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a setup came to beside the first one."""
    told: dict[str, Any] = {"setup": setup, "as_it_stands": sorted({one["as_it_stands"] for one in found})}
    for clock in ("command_s", "search_s"):
        ratios = [a[clock] / b[clock] for a, b in zip(first, found, strict=True)]
        told[clock] = statistics.median(one[clock] for one in found)
        told[f"{clock}_speed"] = statistics.median(ratios)
        told[f"{clock}_speeds"] = [round(ratio, 3) for ratio in ratios]
    return told


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All setups in turns."""
    recipe = folder / "equal-trials.toml"
    recipe.write_text(
        RECIPE.format(side_px=options.side, epochs=options.epochs, trials=options.trials), "utf-8"
    )
    search(options, recipe, folder / "packing", ["--trials", "1", "--set", "threads=1"])
    runs: dict[str, list[dict[str, Any]]] = {setup: [] for setup in options.setups}
    for round_ in range(options.rounds):
        for setup in options.setups:
            found = search(options, recipe, folder / f"{setup}-{round_}", words_of(setup))
            runs[setup].append(found)
            print(json.dumps({"setup": setup, "round": round_ + 1, **found}), file=sys.stderr)
    first = runs[options.setups[0]]
    return {
        "rows": [row(setup, found, first) for setup, found in runs.items()],
        "setting": {
            "data": options.data.name,
            "trials": options.trials,
            "epochs": options.epochs,
            "side_px": options.side,
            "rounds": options.rounds,
            "cores": os.cpu_count(),
        },
        "runs": runs,
    }


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """A table for people."""
    lines = ["| setup | command s | speed | search s | speed | first trial |", "|---|---|---|---|---|---|"]
    for one in rows:
        cells = [one["setup"]]
        for clock in ("command_s", "search_s"):
            low, high = min(one[f"{clock}_speeds"]), max(one[f"{clock}_speeds"])
            cells += [f"{one[clock]:.1f}", f"{one[f'{clock}_speed']:.2f} ({low:.2f} to {high:.2f})"]
        cells.append(", ".join(f"{value:.4f}" for value in one["as_it_stands"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--setups", nargs="+", default=["alone-1", "workers-1", "workers-2"])
    parser.add_argument("--work", type=Path, help="keeps the searches; a folder that is new")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for setup in options.setups:
        words_of(setup)
    with tempfile.TemporaryDirectory(prefix="leafsight-cluster-tune-") as scratch:
        folder = options.work or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        results = measured(options, folder)
    if options.json:
        json.dump(results, sys.stdout, indent=2)
        print()
        return
    print(as_markdown(results["rows"]))


if __name__ == "__main__":
    main()
