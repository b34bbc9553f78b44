"""Faults under load: ``python -m benchmarks.faults --out FOLDER``. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from benchmarks.faults.breaking import FAULTS
from benchmarks.faults.engine import Containers
from benchmarks.faults.report import write_report
from benchmarks.faults.scene import Timing
from benchmarks.faults.setup import ROOT, SetUpOptions, clean
from benchmarks.faults.study import FaultStudy, StudyOptions

MIB = 2**20


def main() -> int:
    """Run, and write the report; or write the report of a run again."""
    options = _options()
    if options.report:
        write_report(options.out, json.loads((options.out / "faults.json").read_text(encoding="utf-8")))
        return 0
    if os.geteuid():
        print(
            "error: disks, networks and processes of containers are broken here: root is needed",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, _end)
    clean(Containers())
    asked = [name for name in options.only.split(",") if name]
    names = {fault.name for fault in FAULTS}
    if unknown := set(asked) - names:
        print(
            f"error: no such fault: {', '.join(unknown)}; there are {', '.join(sorted(names))}",
            file=sys.stderr,
        )
        return 2
    setup = SetUpOptions(
        cpus=options.cpus, memory=options.memory, worker_cpus=options.worker_cpus, image=options.image,
        worker_image=options.worker_image, variables=dict(one.split("=", 1) for one in options.set),
        database_disk_bytes=options.database_mib * MIB, store_disk_bytes=options.store_mib * MIB,
        replica_disk_bytes=options.replica_mib * MIB, compose=options.compose,
    )  # fmt: skip
    timing = Timing(options.before_s, options.hold_s, options.after_s)
    study = FaultStudy(
        StudyOptions(
            options.out, setup, timing, options.share, options.rate, options.fresh, options.second_image
        ),
        [fault for fault in FAULTS if not asked or fault.name in asked],
    )
    try:
        found = study.run()
    finally:
        if study.found["faults"]:
            write_report(options.out, study.found)
    return 0 if all(_is_fine(row) for row in found["faults"]) else 1


def _is_fine(row: dict[str, object]) -> bool:
    """Nothing lost, nothing wrong, and well again."""
    kept = row["kept"]
    assert isinstance(kept, dict)
    lost = kept["lost"]
    return not row["error"] and not row["wrong"] and lost is not None and not any(lost.values())


def _whole(text: str) -> Path:
    """From the root: the engine takes what does not begin there for the name of a volume."""
    return Path(text).resolve()


def _end(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.faults", description="Faults under load.")
    parser.add_argument("--out", type=_whole, required=True, help="folder of the study")
    parser.add_argument("--only", default="", help="names of faults with commas; all otherwise")
    parser.add_argument(
        "--report", action="store_true", help="only write the report of the run in --out again"
    )
    parser.add_argument("--before-s", type=float, default=30.0, help="baseline (%(default)s)")
    parser.add_argument("--hold-s", type=float, default=30.0, help="how long it stays broken (%(default)s)")
    parser.add_argument("--after-s", type=float, default=40.0, help="after all is back (%(default)s)")
    parser.add_argument("--share", type=float, default=0.35, help="of the capacity (%(default)s)")
    parser.add_argument("--rate", type=float, default=0.0, help="photographs a second, in place of --share")
    parser.add_argument("--fresh", action="store_true", help="a new set-up for each fault")
    parser.add_argument("--cpus", type=float, default=0.4, help="of each replica (%(default)s)")
    parser.add_argument("--memory", default="512m", help="of each replica (%(default)s)")
    parser.add_argument("--worker-cpus", type=float, default=0.5, help="(%(default)s)")
    parser.add_argument("--image", default="localhost/leafsight:serve")
    parser.add_argument("--second-image", default="localhost/leafsight-faults:second", help="is made")
    parser.add_argument("--worker-image", default="localhost/leafsight:train")
    parser.add_argument("--database-mib", type=int, default=512, help="disk of PostgreSQL (%(default)s)")
    parser.add_argument("--store-mib", type=int, default=32768, help="disk of the store (%(default)s)")
    parser.add_argument(
        "--replica-mib", type=int, default=64, help="each file system of a replica (%(default)s)"
    )
    parser.add_argument("--compose", type=Path, default=ROOT / "compose.yaml")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE for compose.yaml")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
