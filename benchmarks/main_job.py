"""Where the time of the main job goes: check, train (index, copies, packing, epochs), export, predict.

    python -m benchmarks.main_job --data data/plantvillage --pretrained WEIGHTS [--recipe plant-disease-64]
        [--set KEY=VALUE] [--rounds 3] [--work FOLDER] [--json]

Runs the commands that a person would, each in a process of its own and with nothing kept from before, and
reads the stages from what they say on stderr. Seconds are medians of the rounds with the lowest and highest;
``rest`` is what no stage names: starting Python, loading libraries, writing. Processor seconds are those of
the command and its children. ``again`` repeats the training command when everything is done.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DONE = re.compile(r"^(?P<label>.+?): done in (?P<seconds>[\d.]+) s\b")
EPOCH = re.compile(r"^(?P<stage>.+) \d+/\d+$")
FEW = ("stages.head.epochs=2", "stages.whole.epochs=3")


@dataclass
class Command:
    """One command of one round.

    Attributes:
        name: of the command in the table.
        wall_s: from start to end.
        cpu_s: user and system time, children included.
        stages: label -> seconds; epochs of one stage are one label.
    """

    name: str
    wall_s: float
    cpu_s: float
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def rest_s(self) -> float:
        """What no stage names."""
        return self.wall_s - sum(self.stages.values())


def run(name: str, words: list[str], environment: dict[str, str]) -> Command:
    """Run a command and read its stages."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    line = [sys.executable, "-c", "from leafsight.cli import main; main()", *words]
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(words)}\n{done.stderr}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages: dict[str, float] = defaultdict(float)
    for said in done.stderr.splitlines():
        found = DONE.match(said)
        if found:
            epoch = EPOCH.match(found["label"])
            label = f"epochs of stage {epoch['stage']}" if epoch else found["label"]
            stages[label] += float(found["seconds"])
    return Command(name, wall_s, cpu_s, dict(stages))


def one_round(options: argparse.Namespace) -> list[Command]:
    """Everything once, from nothing."""
    work = options.work
    shutil.rmtree(work, ignore_errors=True)
    environment = {**os.environ, "LEAFSIGHT_CACHE_DIR": str(work / "cache")}
    changes = [word for change in options.changes for word in ("--set", change)]
    start = ["--pretrained", str(options.pretrained)] if options.pretrained else []
    train = [
        "train",
        options.recipe,
        "--data",
        str(options.data),
        "--out",
        str(work / "run"),
        *changes,
        *start,
    ]
    model = str(work / "run" / "model.leafsight")
    return [
        run("check", ["check", str(options.data), "--json"], environment),
        run("train", [*train, "--no-export"], environment),
        run("again", [*train, "--no-export"], environment),
        run("export", ["export", str(work / "run"), "--out", model], environment),
        run("predict", ["predict", str(options.data), "--model", model, "--lines"], environment),
    ]


def table(rounds: list[list[Command]]) -> list[dict[str, Any]]:
    """A row for every command and every stage of it, in the order in which they came."""
    rows = []
    for place, first in enumerate(rounds[0]):
        commands = [one[place] for one in rounds]
        walls = [one.wall_s for one in commands]
        cpu_s = statistics.median(one.cpu_s for one in commands)
        rows.append(_row(first.name, "", walls) | {"cpu_s": cpu_s})
        rows += [
            _row(first.name, label, [one.stages.get(label, 0.0) for one in commands])
            for label in first.stages
        ]
        rows.append(_row(first.name, "rest", [one.rest_s for one in commands]))
    return rows


def _row(command: str, stage: str, seconds: list[float]) -> dict[str, Any]:
    return {
        "command": command,
        "stage": stage,
        "s": statistics.median(seconds),
        "low_s": min(seconds),
        "high_s": max(seconds),
    }


def as_markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["| command | stage | s | lowest to highest | processor s |", "|---|---|---|---|---|"]
    for row in rows:
        name = "" if row["stage"] else f"**{row['command']}**"
        cpu = f"{row['cpu_s']:.1f}" if "cpu_s" in row else ""
        spread = f"{row['low_s']:.1f} to {row['high_s']:.1f}"
        lines.append(f"| {name} | {row['stage']} | {row['s']:.1f} | {spread} | {cpu} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pretrained", type=Path)
    parser.add_argument("--recipe", default="plant-disease-64")
    parser.add_argument("--set", dest="changes", action="append", help="instead of few epochs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("runs/main-job"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.changes = options.changes or list(FEW)
    rounds = [one_round(options) for _ in range(options.rounds)]
    rows = table(rounds)
    if options.json:
        setting = {"changes": options.changes, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        json.dump({"rows": rows, "setting": setting}, sys.stdout, indent=2)
        print()
    else:
        print(as_markdown(rows))


if __name__ == "__main__":
    main()
