"""A retraining that is killed again and again: does it end once, with the same model, and nothing twice?

    python -m benchmarks.retraining_kills [--rounds 100] [--kills 3] [--seed 0] [--json]

Each round makes the learning side of a small server (a model of four classes that remembers 144 photographs,
24 accepted photographs of a new class), copies it, retrains the copy undisturbed, and then retrains the
original while its processes are killed with SIGKILL: in odd rounds at random moments of their lives, in even
rounds at random places before the work of a step or between the work and its record. Then it looks for one
entry, one promotion, one challenger, one watch, the same model as undisturbed, a registry that is whole, and
every contribution once. The first thing that is not so ends the program with 1.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.retraining.killing import POINTS, Lives, until_it_ends
from tests.retraining.places import PER_CLASS, Place, made_place

from leafsight.registry import SERVING
from leafsight.state import open_state


def main() -> int:
    """Print what was counted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    counted: Counter[str] = Counter()
    where: Counter[str] = Counter()
    began = time.monotonic()
    for round_ in range(given.rounds):
        rng = random.Random(f"{given.seed} {round_}")
        with tempfile.TemporaryDirectory(prefix="leafsight-kills-") as folder:
            faults, lives = one_round(Path(folder), rng, given.kills, round_)
        counted.update({"rounds": 1, "ended": 1, "kills": lives.kills, "faults": len(faults)})
        where.update(line.split()[1] for line in lives.talk if line.startswith("step: "))
        if faults:
            sys.stderr.write(f"round {round_}: {'; '.join(faults)}\n")
            break
        if not given.json:
            sys.stderr.write(f"\r{round_ + 1}/{given.rounds}, {counted['kills']} kills")
    result = {
        **counted,
        "parts_begun": dict(where),
        "seconds": round(time.monotonic() - began, 1),
        "seed": given.seed,
    }
    sys.stdout.write(f"\n{json.dumps(result, indent=None if given.json else 2)}\n")
    return 1 if counted["faults"] else 0


def one_round(folder: Path, rng: random.Random, kills: int, round_: int) -> tuple[list[str], Lives]:
    """One job twice: undisturbed in a copy, and killed.

    Returns:
        What was wrong, and the lives of the killed one.
    """
    place = made_place(folder / "place")
    job = place.job()
    place.state.close()
    shutil.copytree(folder / "place", folder / "copy")
    began = time.perf_counter()
    calm = until_it_ends(moved(place, job, folder / "copy"), folder / "calm.json", iter(()))
    life_s = time.perf_counter() - began
    deaths: Iterator[str | float] = iter(
        [rng.uniform(0.0, life_s) for _ in range(kills)]
        if round_ % 2
        else sorted(rng.sample(POINTS, kills), key=POINTS.index)
    )
    lives = until_it_ends(place.values(job), folder / "killed.json", deaths)
    return list(faults_of(place, calm, lives)), lives


def faults_of(place: Place, calm: Lives, killed: Lives) -> Iterator[str]:
    """What is not as it has to be after a retraining that was killed."""
    candidate = killed.result["candidate"]
    if candidate != calm.result["candidate"]:
        yield f"the model {candidate[:12]} is not {calm.result['candidate'][:12]} of the undisturbed one"
    if killed.result["change"] != calm.result["change"]:
        yield "another change of the alias"
    entries = [one.hash for one in place.registry.entries() if not one.builtin]
    if sorted(entries) != sorted([candidate, place.champion]):
        yield f"{len(entries)} entries on the shelf"
    changes = [(one.number, one.hash) for one in place.registry.history(SERVING, 20)]
    if changes != [(2, candidate), (1, place.champion)]:
        yield f"the history of {SERVING} has {len(changes)} changes"
    if len(place.registry.history("challenger", 20)) != 1:
        yield "the challenger was named more than once"
    if place.registry.verify():
        yield "the registry is damaged"
    with open_state(place.database_url) as state:
        if (state.marks.get("watch") or {}).get("change") != 2:
            yield "nothing is watched"
        if state.contributions.counts()["states"] != {"accepted": PER_CLASS}:
            yield "contributions were lost or doubled"


def moved(place: Place, job: str, folder: Path) -> dict[str, Any]:
    """What the program is asked for in a copy of the place."""
    return {
        **place.values(job),
        "database_url": f"sqlite:///{folder / 'leafsight.db'}",
        "blob_url": str(folder / "blobs"),
        "registry_dir": str(folder / "registry"),
        "work_dir": str(folder / "learning"),
    }


if __name__ == "__main__":
    sys.exit(main())
