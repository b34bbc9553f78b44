"""Photographs, engines and results for tests."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from tests.loadtest.fake_server import FakeServer

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import Address
from leafsight.loadtest.engines import SERVICE, Part, Running
from leafsight.loadtest.outcomes import OK, Outcome, write_outcomes
from leafsight.loadtest.parts import Reading
from leafsight.loadtest.setups import Cell, Load, SetUp
from leafsight.loadtest.store import StudyFolder
from leafsight.loadtest.summing import sum_up


def write_photographs(folder: Path, count: int = 4) -> Path:
    """Small JPEG files of different colours."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        file = io.BytesIO()
        Image.new("RGB", (32 + number, 32), (40 * number, 120, 60)).save(file, "JPEG")
        (folder / f"leaf-{number}.jpg").write_bytes(file.getvalue())
    return folder


@dataclass
class FakeEngine:
    """Set-ups that are one fake server; keeps book of what was started and ended."""

    server: FakeServer
    fails_at: int = 0
    refuses: tuple[int, ...] = ()
    ends_after_first: bool = False
    image: str = ""
    started: list[SetUp] = field(default_factory=list)
    ended: list[SetUp] = field(default_factory=list)
    cleaned: int = 0

    def facts(self) -> dict[str, Any]:
        images = {"service": {"id": self.image, "bytes": 1}} if self.image else {}
        return {"engine": "fake", "version": "0", "images": images, "database": "none"}

    def how_it_ended(self) -> str:
        return "killed for memory" if self.ends_after_first else ""

    def clean(self) -> int:
        self.cleaned += 1
        return 0

    @contextlib.contextmanager
    def running(self, setup: SetUp, folder: Path) -> Iterator[Running]:
        self.started.append(setup)
        if self.fails_at == len(self.started):
            raise KeyboardInterrupt
        if setup.replicas in self.refuses:
            raise RemoteError("no such luck", hint="try again")
        folder.mkdir(parents=True, exist_ok=True)
        address = Address("127.0.0.1", self.server.port)
        part = Part("replica 1", SERVICE, lambda: Reading(cpu_s=0.0, memory_bytes=1), self.how_it_ended)
        try:
            yield Running((address,), (address,) * setup.replicas, "key", (part,), 0.1)
        finally:
            self.ended.append(setup)


def outcomes(
    count: int, *, kind: str = OK, took_s: float = 0.1, over_s: float = 10.0, **more: Any
) -> list[Outcome]:
    """So many requests, evenly over some seconds."""
    return [Outcome(kind, number * over_s / count, took_s, **more) for number in range(count)]


def add_cell(
    folder: StudyFolder, setup: SetUp, load: Load, found: list[Outcome], *, repeat: int = 0, bound: str = "",
    used: float = 0.2, lost: int = 0, **server: Any,
) -> dict[str, Any]:  # fmt: skip
    """Write a result with its raw outcomes, as the study does."""
    cell = Cell(setup, load, repeat)
    write_outcomes(folder.raw(cell.name), found)
    part = {
        "name": "replica 1", "role": SERVICE, "cpus_allowed": 0.4, "cpus_used": used, "throttled_share": 0.1,
        "throttled_s": 0.2, "memory_limit_bytes": 512 * 2**20, "memory_most_bytes": 180 * 2**20,
        "memory_peak_bytes": 200 * 2**20, "ended": "",
    } | server.pop("part", {})  # fmt: skip
    lost_ids = {"predictions": [str(n) for n in range(lost)], "corrections": [], "uploads": []}
    result = {
        "name": cell.name,
        "setup": asdict(setup),
        "load": asdict(load),
        "repeat": repeat,
        "warm_s": 0.0,
        "seconds": 10.0,
        "client": sum_up(found, from_s=0.0, until_s=10.0),
        "server": {
            "parts": [part, *server.pop("parts", [])],
            "machine_busy": 0.5,
            "others_cpus": 0.0,
            "counters": [],
        }
        | server,
        "generator": {"cpu_share": 0.05, "late_ms": None, "bound": bound},
        "kept": {
            "checked": {"predictions": 9, "corrections": 0, "uploads": 0},
            "lost": lost_ids,
            "error": "",
        },
        "reference": {"model_hash": "f", "by": "the service alone"},
        "ready_s": 3.0,
    }
    folder.add_cell(result)
    return result
