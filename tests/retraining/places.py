"""The learning side of a small server: registry, database, store, photographs, a model that remembers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import SIDE, coloured, tiny_contents

from leafsight.bundle import write_bundle
from leafsight.registry import SERVING, Registry, open_registry
from leafsight.retraining.order import Order, order_from
from leafsight.retraining.telling import Telling
from leafsight.retraining.work_folder import open_work_folder
from leafsight.retraining.workplace import Workplace
from leafsight.state import Blobs, ContributionRecord, JobRecord, State, new_id, open_blobs, open_state

NEW = "Okra___Leaf_curl"
YELLOW = (190, 190, 40)
PER_SPLIT = 12
PER_CLASS = 24
PROGRAM = "leafsight.retraining.program"
EASY = {"latency_ratio": 1000.0}
"""The network of these tests takes some microseconds, which says nothing on a busy machine."""
PROVENANCE = {"split_fingerprint": "ab" * 32, "seed": 0}


@dataclass
class Place:
    """Where a retraining happens, with what is needed to look at it from outside."""

    folder: Path
    state: State
    blobs: Blobs
    registry: Registry
    database_url: str
    champion: str

    def job(self, **request: Any) -> str:
        """A job for a retraining, held by nobody."""
        now_ms = self.state.now()
        one = JobRecord(
            id=new_id(),
            kind="retraining",
            state="queued",
            created_ms=now_ms,
            updated_ms=now_ms,
            request=request,
        )
        self.state.jobs.add(one)
        return one.id

    def values(self, job: str, **changes: Any) -> dict[str, Any]:
        """What a trainer hands to the program."""
        return {
            "job": job,
            "path": "quick",
            "database_url": self.database_url,
            "blob_url": str(self.folder / "blobs"),
            "registry_dir": str(self.folder / "registry"),
            "work_dir": str(self.folder / "learning"),
            "gate": EASY,
            **changes,
        }

    def order(self, job: str, **changes: Any) -> Order:
        return order_from(self.values(job, **changes))

    def workplace(self, job: str, talk: io.StringIO | None = None, **changes: Any) -> Workplace:
        """The same in this process."""
        order = self.order(job, **changes)
        folder = open_work_folder(order.work_dir, job)
        return Workplace(order, self.state, self.blobs, self.registry, folder, Telling(talk or io.StringIO()))

    def start(self, job: str, extra: dict[str, str] | None = None, **changes: Any) -> subprocess.Popen[str]:
        """The program as a process of its own group."""
        return subprocess.Popen(
            [sys.executable, "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                "LEAFSIGHT_RETRAINING": json.dumps(self.values(job, **changes)),
                "OMP_NUM_THREADS": "1",
                **(extra or {}),
            },
        )

    def run(self, job: str, **changes: Any) -> tuple[int, dict[str, Any], str]:
        """The program until it ends: status, what it printed, its talk."""
        with self.start(job, **changes) as process:
            printed, talk = held_open(process)
        return process.returncode, json.loads(printed or "{}"), talk

    def teach(self, label: str, colour: tuple[int, int, int], count: int, seed: int = 0) -> list[str]:
        """Accepted photographs of one colour."""
        records = [self.photograph(label, colour, seed + at) for at in range(count)]
        self.state.contributions.add_many(records)
        ids = [one.id for one in records]
        self.state.contributions.decide(ids, "accepted", by="ada")
        return ids

    def photograph(self, label: str, colour: tuple[int, int, int], seed: int) -> ContributionRecord:
        pixels = coloured(colour, side=4 * SIDE, seed=seed)
        data = png(pixels)
        blob = f"contributions/{hashlib.sha256(data).hexdigest()}"
        self.blobs.put(blob, data)
        one = new_id()
        return ContributionRecord(
            id=one,
            created_ms=self.state.now(),
            name=f"{label}/{seed}.png",
            class_name=label,
            label=label,
            photo_sha256=hashlib.sha256(data).hexdigest(),
            pixel_hash=hashlib.sha256(pixels.tobytes()).hexdigest(),
            blob=blob,
            group_id=one,
        )


def held_open(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Read a program to its end without closing its standard input, whose end would end it."""
    import threading

    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
    reading.start()
    printed = process.stdout.read()
    process.wait()
    reading.join(10)
    return printed, "".join(lines)


def png(pixels: np.ndarray) -> bytes:
    """The file of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def made_place(folder: Path, database_url: str = "", *, photographs: int = PER_CLASS) -> Place:
    """A model that remembers serves, and photographs of a class that it does not know are accepted."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.leafsight"
    write_bundle(path, tiny_contents(memory=tiny_memory(PER_SPLIT), provenance=PROVENANCE))
    registry = open_registry(folder / "registry")
    entry = registry.add(path)
    registry.promote(entry.hash, SERVING, reason="to begin with", by="ada")
    url = database_url or f"sqlite:///{folder / 'leafsight.db'}"
    place = Place(folder, open_state(url), open_blobs(str(folder / "blobs")), registry, url, entry.hash)
    if photographs:
        place.teach(NEW, YELLOW, photographs)
    return place
