"""Trainings as processes of their own: started, listened to, kept, and not run again when they are there.

Enters: a command and its job. Leaves: a record of what the contender told, in a JSON file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.pipeline_processes import PYTHON, REPOSITORY, TORCHVISION, Place
from benchmarks.side_by_side_work import PROGRAMS

from leafsight.storage import read_json, write_json

FASTAI, ULTRALYTICS = "fastai", "ultralytics"
OURS = Place("benchmarks.side_by_side_ours")


def peer_place(program: str, venv: Path) -> Place | None:
    """Where a peer runs, or ``None`` where it is not installed."""
    if program in (FASTAI, ULTRALYTICS):
        folders = [venv / program, venv / TORCHVISION]
        found = all(folder.is_dir() for folder in folders)
        path = os.pathsep.join(map(str, folders))
        module = f"benchmarks.side_by_side_{program}"
        return Place(module, environment={"PYTHONPATH": path}) if found else None
    if not (venv / PYTHON).exists():
        return None
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return Place("benchmarks.side_by_side_keras", str(venv / PYTHON), quiet)


def peers(venv: Path | None, wanted: list[str]) -> dict[str, Place]:
    """Those of the wanted programs that can run."""
    found = {name: peer_place(name, venv) for name in PROGRAMS if name in wanted} if venv else {}
    return {name: place for name, place in found.items() if place is not None}


def part(
    name: str, place: Place, job: dict[str, Any], path: Path, read: list[str], threads: int
) -> dict[str, Any]:
    """What a contender told; from ``path`` if it was asked the same before.

    Args:
        name: for people.
        place: where it runs.
        job: what it is asked.
        path: JSON file of the record.
        read: photographs that are read before, so that no disk is measured.
        threads: of every library that asks the environment.

    Returns:
        ``job``, ``versions``, ``epochs``, ``start`` (peers), ``end`` with its two clocks.

    Raises:
        RuntimeError: it ended early; the message has the end of what it printed.
    """
    if path.exists() and (kept := read_json(path)).get("job") == job:
        return dict(kept)
    for photograph in read:
        Path(photograph).read_bytes()
    record: dict[str, Any] = {"job": job, "load_before": os.getloadavg()[0], "epochs": []}
    log = path.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    count = str(threads)
    limits = {"OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count, "MKL_NUM_THREADS": count}
    with (
        log.open("ab") as talk,
        subprocess.Popen(
            [place.python, "-m", place.module, json.dumps(job)],
            cwd=REPOSITORY,
            env={**os.environ, **limits, **place.environment},
            stdout=subprocess.PIPE,
            stderr=talk,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                _note(record, json.loads(line), name)
        except BaseException:
            process.kill()
            raise
    if not record.get("done"):
        raise RuntimeError(f"{name} ended early: {log.read_text(errors='replace')[-2000:]}")
    write_json(path, record)
    return record


def _note(record: dict[str, Any], told: dict[str, Any], name: str) -> None:
    kind = told.pop("kind")
    if kind == "epoch":
        record["epochs"].append(told)
        where = f"{told['stage']} {told['epoch'] + 1}"
        print(
            f"{name}: {where}, {told['wall_s']:.0f} s, valid {told['valid']:.4f}", file=sys.stderr, flush=True
        )
    else:
        record[kind] = told or True
