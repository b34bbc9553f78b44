"""How long judging again takes, where so many corrections wait.

    python benchmarks/rechecking.py [--rows 400]

Each is a contribution without an upload, of one key, with an embedding drawn at random (seed 0), in a new
SQLite file; the champion is the model that ships. Nothing is opened, so this is the judging alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.state import contributions

from leafsight.bundle import builtin_bundle_path
from leafsight.feedback import Champion, recheck
from leafsight.state import open_state


def main() -> int:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=400)
    rows = parser.parse_args().rows
    rng = np.random.default_rng(0)
    champion = Champion(builtin_bundle_path())
    classes, width = champion.bundle.classes, champion.bundle.network_spec.embedding.shape[1]
    made = [
        replace(
            one,
            label=classes[at % len(classes)],
            class_name=classes[at % len(classes)],
            quality={},
            key_id="a" * 32,
            embedding=rng.standard_normal(width).astype(np.float16),
            embedded_by=champion.backbone,
        )
        for at, one in enumerate(contributions(rows, rng))
    ]
    with tempfile.TemporaryDirectory() as folder, open_state(f"sqlite:///{folder}/state.db") as state:
        state.contributions.add_many(made)
        begun_s = time.perf_counter()
        done = recheck(state, champion)
        print(f"{done.judged} judged in {time.perf_counter() - begun_s:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
