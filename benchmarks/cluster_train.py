"""What workers of a Ray cluster gain in training, and whether they learn the same.

    python -m benchmarks.cluster_train --data data/plantvillage --pretrained WEIGHTS
        [--seeds 0 1 2 3 4] [--recipe plant-disease-64] [--set KEY=VALUE]
        [--setups alone-1 alone-2 workers-1 workers-2] [--work FOLDER]

Every setup trains the same recipe on the same packed photographs from the same seeds, in turns, each run in
processes of its own: ``alone-T`` in one process with T threads, ``workers-N`` by N workers of one thread
each. Seconds are those of training alone (``duration_s`` of ``run.json``: steps, validation, checkpoints),
and of the whole command, which pays for the start of the cluster and the workers. The ratio is the median of
the rounds' ratios to the first setup. What is learned is judged on the validation photographs after the last
epoch; setups are told apart by an exact permutation test of the difference of the means over the seeds.

``--work`` keeps every run; the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.storage import read_json, write_json

SMALL = (
    "data.train_fraction=0.35",
    "stages.head.epochs=2",
    "stages.whole.epochs=5",
    "optimizer.ema_decay=0.98",
    "checkpoint_minutes=0",
)
ALONE, WORKERS = "alone", "workers"
LEARNED = ("accuracy", "macro_f1", "loss")


@dataclass(frozen=True)
class Setup:
    """How a run is made; its name says it."""

    kind: str
    number: int

    @classmethod
    def named(cls, name: str) -> Setup:
        kind, _, number = name.partition("-")
        if kind not in (ALONE, WORKERS) or not number.isdigit():
            raise SystemExit(f"{name}: name alone-THREADS or workers-NUMBER")
        return cls(kind, int(number))

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}"

    def words(self) -> list[str]:
        if self.kind == ALONE:
            return ["--set", f"threads={self.number}"]
        return ["--set", "threads=1", "--cluster", "local", "--workers", str(self.number)]


def train(options: argparse.Namespace, setup: Setup, seed: int) -> dict[str, Any]:
    """One run, or what is kept of it."""
    folder = options.work / f"{setup.name}-seed{seed}"
    kept = folder / "measured.json"
    if kept.exists():
        return read_json(kept)
    words = [sys.executable, "-c", "from leafsight.cli import main; main()", "train", options.recipe]
    words += ["--data", str(options.data), "--out", str(folder), "--no-export", "--force", "--quiet"]
    words += ["--cache", str(options.work / "photographs"), *setup.words(), "--set", f"seed={seed}"]
    words += [word for change in options.changes for word in ("--set", change)]
    words += ["--pretrained", str(options.pretrained)] if options.pretrained else []
    began_s = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    whole_s = time.perf_counter() - began_s
    record = read_json(folder / "run.json")
    measured = {
        "setup": setup.name,
        "seed": seed,
        "training_s": record["duration_s"],
        "command_s": whole_s,
        "photographs": record["data"]["photos"],
        "valid": {key: record["history"][-1]["valid"][key] for key in LEARNED},
    }
    write_json(kept, measured)
    return measured


def permutation_p(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided exact p-value of the difference of two means (Fisher's permutation test)."""
    together, count = [*one, *other], len(one)
    seen = abs(statistics.fmean(one) - statistics.fmean(other))
    total, ways, extreme = sum(together), 0, 0
    for chosen in itertools.combinations(together, count):
        ways += 1
        mean = sum(chosen) / count
        difference = abs(mean - (total - sum(chosen)) / (len(together) - count))
        extreme += difference >= seen - 1e-12
    return extreme / ways


def summary(runs: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row a setup; the first one is what the others are compared with."""
    first = next(iter(runs.values()))
    rows = []
    for name, found in runs.items():
        pairs = list(zip(first, found, strict=True))
        row: dict[str, Any] = {
            "setup": name,
            "training_s": statistics.median(one["training_s"] for one in found),
            "command_s": statistics.median(one["command_s"] for one in found),
            "speed": statistics.median(a["training_s"] / b["training_s"] for a, b in pairs),
            "speeds": [round(a["training_s"] / b["training_s"], 3) for a, b in pairs],
        }
        for key in LEARNED:
            ours, theirs = [one["valid"][key] for one in found], [one["valid"][key] for one in first]
            row[key] = statistics.fmean(ours)
            row[f"{key}_sd"] = statistics.stdev(ours) if len(ours) > 1 else 0.0
            row[f"{key}_p"] = permutation_p(ours, theirs)
        rows.append(row)
    return rows


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    lines = [  # p of accuracy and of the loss
        "| setup | training s | command s | speed (rounds) | accuracy, % | macro F1 | loss | p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        rounds = f"{min(row['speeds']):.2f} to {max(row['speeds']):.2f}"
        lines.append(
            f"| {row['setup']} | {row['training_s']:.1f} | {row['command_s']:.1f} "
            f"| {row['speed']:.2f} ({rounds}) "
            f"| {100 * row['accuracy']:.2f} ± {100 * row['accuracy_sd']:.2f} "
            f"| {row['macro_f1']:.4f} ± {row['macro_f1_sd']:.4f} | {row['loss']:.4f} ± {row['loss_sd']:.4f} "
            f"| {row['accuracy_p']:.2f}, {row['loss_p']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pretrained", type=Path)
    parser.add_argument("--recipe", default="plant-disease-64")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--set", dest="changes", action="append", help="instead of the small values")
    parser.add_argument("--setups", nargs="+", default=["alone-1", "alone-2", "workers-1", "workers-2"])
    parser.add_argument("--work", type=Path, default=Path("runs/cluster-train"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.changes = options.changes or list(SMALL)
    setups = [Setup.named(name) for name in options.setups]
    runs: dict[str, list[dict[str, Any]]] = {setup.name: [] for setup in setups}
    for seed in options.seeds:
        for setup in setups:
            measured = train(options, setup, seed)
            runs[setup.name].append(measured)
            print(json.dumps(measured), file=sys.stderr)
    rows = summary(runs)
    setting = {"seeds": options.seeds, "changes": options.changes, "cores": os.cpu_count()}
    if options.json:
        json.dump({"rows": rows, "setting": setting, "runs": runs}, sys.stdout, indent=2)
        print()
        return
    print(as_markdown(rows))


if __name__ == "__main__":
    main()
