"""An epoch of input, from JPEG files to batches for a network: ours in stages, and its peers.

    python -m benchmarks.pipeline --setup --venv FOLDER               # once: installs the peers
    python -m benchmarks.pipeline --venv FOLDER [--data FOLDER] [--photos N] [--rounds 5] [--json FILE]
    python -m benchmarks.pipeline --venv FOLDER --works simple_cnn mobilenet_v2 --photos 2048

Work ``input`` makes the batches and drops them; ``simple_cnn`` and ``mobilenet_v2`` train with them, too.
Every contender turns the same photographs into batches of float pictures at ``--side``, augmented anew in
every epoch (crop, flips, rotation, brightness, contrast, saturation; docs/training.md says who does it how).

Every contender is a process of its own that waits for its turn; one works at a time, with all cores. Round by
round each has one turn for each work, in an order that moves on. A ratio is the median of the rounds' ratios,
with the lowest and the highest, so that a noisy machine disturbs all alike. The files were read before: no
disk is measured. A first round is not counted; memory is looked at in it. Contenders with torch all tell the
allocator to keep freed memory, as our training does.

Peers that are not installed are left out, and the report says so. Without ``data/plantvillage`` and
``--data`` leaves are drawn. Linux only: memory is read from ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.pipeline_data import REAL, prepared
from benchmarks.pipeline_processes import Process, places, set_up
from benchmarks.pipeline_report import text
from benchmarks.pipeline_stages import ONCE, STAGES
from benchmarks.pipeline_torch import PEERS
from benchmarks.pipeline_work import TENSORFLOW_PEERS
from benchmarks.serve.run import machine

MODULES = {
    **dict.fromkeys((*STAGES, *ONCE), "benchmarks.pipeline_stages"),
    **dict.fromkeys(PEERS, "benchmarks.pipeline_torch"),
    **dict.fromkeys(TENSORFLOW_PEERS, "benchmarks.pipeline_tensorflow"),
}
INPUT = "input"
NETWORKS = ("simple_cnn", "mobilenet_v2")
# Whose turns also tell what the network costs without any input.
BARE = {"as in training": "torch, no input", "tf.data, cache()": "TensorFlow, no input"}


def main() -> int:
    options = _options()
    if options.setup:
        set_up(options.venv.resolve(), options.tensorflow)
        return 0
    where = places(MODULES, options.venv.resolve() if options.venv else None)
    where = {name: place for name, place in where.items() if name in options.contenders}
    with tempfile.TemporaryDirectory(prefix="leafsight-pipeline-") as folder:
        scratch = Path(folder)
        sizes = {"side_px": options.side, "batch": options.batch, "threads": options.threads}
        setting = prepared(options.data, options.photos, scratch, **sizes)
        results = {
            "machine": machine(),
            "data": options.data.name if options.data else REAL.name if REAL.is_dir() else "drawn leaves",
            **sizes,
            "rounds": options.rounds,
            "left_out": [name for name in options.contenders if name not in where],
        }
        processes: list[Process] = []
        try:
            for name, place in where.items():
                processes.append(Process(name, place, setting, scratch / f"talk-{len(processes)}.log"))
            results["versions"] = {key: value for one in processes for key, value in one.versions.items()}
            results |= measured(processes, options.works, options.rounds)
        finally:
            for process in processes:
                process.end()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    print(text(results))
    return 0


def measured(processes: list[Process], works: list[str], rounds: int) -> dict[str, Any]:
    """All turns.

    Returns:
        ``turns``: of the counted rounds, by work and contender; ``memory``: of the first round, by contender.
    """
    turns: dict[str, dict[str, list[dict[str, float]]]] = {work: {} for work in works}
    memory: dict[str, dict[str, float]] = {}
    for number in range(rounds + 1):
        for work in works:
            first = number % len(processes)
            for process in [*processes[first:], *processes[:first]]:
                if process.name in ONCE and work != INPUT:
                    continue
                wanted = {"number": number, "network": "" if work == INPUT else work}
                if number == 0:
                    memory.setdefault(process.name, process.watched_turn(**wanted))
                else:
                    turns[work].setdefault(process.name, []).append(process.turn(**wanted))
                if number and work != INPUT and process.name in BARE:
                    bare = process.turn(**wanted, bare=True)
                    turns[work].setdefault(BARE[process.name], []).append(bare)
            print(f"round {number} of {rounds}: {work}", file=sys.stderr, flush=True)
    order = [*(process.name for process in processes), *BARE.values()]
    ordered = {work: {name: found[name] for name in order if name in found} for work, found in turns.items()}
    return {"turns": ordered, "memory": memory}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setup", action="store_true", help="install the peers and end")
    parser.add_argument("--venv", type=Path, help="folder of the peers")
    parser.add_argument("--tensorflow", default="tensorflow-cpu==2.21.0", help="what pip is asked for")
    parser.add_argument("--data", type=Path, help="class folders of JPEG files")
    parser.add_argument("--photos", type=int, help="of an epoch; all when not given")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=0, help="of the steps with a network; 0: all cores")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", nargs="+", choices=(INPUT, *NETWORKS), default=[INPUT])
    parser.add_argument("--contenders", nargs="+", choices=MODULES, default=list(MODULES))
    parser.add_argument("--json", type=Path, help="keep every turn here")
    options = parser.parse_args()
    if options.setup and options.venv is None:
        parser.error("--setup wants --venv FOLDER")
    return options


if __name__ == "__main__":
    sys.exit(main())
