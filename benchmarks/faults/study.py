"""The study: for each fault a baseline, the fault, the time until all is well, and the check of what is kept.

Enters: options. Leaves: a folder with ``faults.json``, rows of every request, logs of every container.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.faults.breaking import Fault
from benchmarks.faults.changing import write_second_model
from benchmarks.faults.checking import check_kept
from benchmarks.faults.driving import Task
from benchmarks.faults.engine import Containers, EngineError, version_of
from benchmarks.faults.phases import Marks, summed
from benchmarks.faults.rows import Row, read_rows
from benchmarks.faults.scene import Scene, Timing, watching
from benchmarks.faults.setup import ROOT, FullSetUp, SetUpOptions

from leafsight.bundle import builtin_bundle_path
from leafsight.loadtest.generators import drive_order
from leafsight.loadtest.machine import describe_machine
from leafsight.loadtest.orders import Order
from leafsight.loadtest.photographs import Photograph, draw_photographs
from leafsight.loadtest.reference import ask_alone, compute_here, disagreements

USUAL = ("256 px", "512 px", "0.8 MP", "2 MP")
"""Of ordinary callers. Files of 5 and 12 megapixels are left to the flood: with them p95 says how many of
those a stretch of 5 s happens to hold, and not how well the service is."""
WARM_S, CLOSED, CAPACITY_S, STOP_LIMIT_S, MEMORY_EVERY_S = 5.0, 4, 15.0, 60.0, 1.0


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """What is asked for.

    Attributes:
        out: folder of the study.
        setup: what the set-up is like.
        timing: seconds of each part.
        share: of the measured capacity that the load takes.
        rate_per_s: of the load; 0 means the share of the capacity.
        fresh: a set-up of its own for each fault.
        second_image: for the rolling update.
    """

    out: Path
    setup: SetUpOptions
    timing: Timing
    share: float = 0.5
    rate_per_s: float = 0.0
    fresh: bool = False
    second_image: str = ""


class FaultStudy:
    """All faults, one after the other.

    Args:
        options: what is asked for.
        faults: which.
    """

    def __init__(self, options: StudyOptions, faults: Sequence[Fault]) -> None:
        self._options, self._faults = options, faults
        self._engine = Containers()
        self._rate_per_s = options.rate_per_s
        self._photographs: list[Photograph] = []
        self._models = ("", "")
        self.found: dict[str, Any] = {"faults": []}

    def run(self) -> dict[str, Any]:
        """Everything; what is known so far is in the folder after each fault."""
        out = self._options.out
        out.mkdir(parents=True, exist_ok=True)
        self._prepare()
        left = list(self._faults)
        while left:
            number = len(self._faults) - len(left)
            with FullSetUp(self._engine, self._options.setup, out / f"setup-{number:02d}").running() as setup:
                self._say(f"set-up {number:02d} is up at {setup.front}")
                self._look_at(setup)
                while left:
                    fault = left.pop(0)
                    row = self._one(setup, fault)
                    self.found["faults"].append(row)
                    self._keep()
                    if self._options.fresh or not row["whole_afterwards"]:
                        break
        return self.found

    def _prepare(self) -> None:
        out, options = self._options.out, self._options
        drawn = draw_photographs(out / "photographs")
        self._photographs = [one for one in drawn if one.size in USUAL]
        total = sum(one.weight for one in self._photographs)
        self._photographs = [replace(one, weight=100 * one.weight / total) for one in self._photographs]
        (out / "second").mkdir(exist_ok=True)
        second = write_second_model(out / "second" / "second.leafsight")
        (out / "second" / "second.leafsight").chmod(0o644)
        expected = {}
        for path in (builtin_bundle_path(), out / "second" / "second.leafsight"):
            name, marks = compute_here(str(path), self._photographs)
            expected[name] = marks
        first = next(name for name in expected if name != second)
        self._models = (first, second)
        (out / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
        same = [
            name
            for name in expected[first]
            if not disagreements({name: expected[first][name]}, expected[second])
        ]
        if same:
            raise EngineError(f"the two models give the same answers for {', '.join(same)}")
        self._engine.tag_another(options.setup.image, options.second_image)
        self.found |= {
            "machine": describe_machine(),
            "versions": {
                "podman": version_of("podman"),
                "kernel": platform.release(),
                "leafsight": _revision(),
                "images": {
                    name: self._engine.image(image)
                    for name, image in (
                        ("service", options.setup.image), ("worker", options.setup.worker_image),
                        ("second", options.second_image),
                    )
                },
            },
            "options": {
                **{name: value for name, value in asdict(options.setup).items() if name != "compose"},
                **asdict(options.timing), "share": options.share, "fresh": options.fresh,
            },
        }  # fmt: skip

    def _look_at(self, setup: FullSetUp) -> None:
        """Answers must be right before any fault; the capacity is measured once."""
        out = self._options.out
        expected = json.loads((out / "expected.json").read_text(encoding="utf-8"))
        model, marks = ask_alone(setup.front, setup.key, self._photographs)
        if differ := disagreements(marks, expected.get(model, {})):
            raise EngineError(f"without any load the answers about {', '.join(differ)} are not right")
        if not self._rate_per_s:
            order = Order(
                (str(setup.front),), setup.key, tuple(self._photographs), "", str(out / "capacity.jsonl.gz"),
                seconds=CAPACITY_S, warm_s=WARM_S, closed=CLOSED, https=True,
            )  # fmt: skip
            counted = [one for one in drive_order(order, out / "capacity").outcomes if one.begun_s >= WARM_S]
            capacity = sum(one.kind == "ok" for one in counted) / CAPACITY_S
            self._rate_per_s = round(self._options.share * capacity, 1)
            self.found["capacity_per_s"] = round(capacity, 2)
            self.found["capacity_refused"] = sum(one.kind == "refused" for one in counted)
        self.found["rate_per_s"] = self._rate_per_s
        self._say(
            f"capacity {self.found.get('capacity_per_s', 'not measured')}, load {self._rate_per_s} a second"
        )

    def _one(self, setup: FullSetUp, fault: Fault) -> dict[str, Any]:
        folder = self._options.out / fault.name
        folder.mkdir(exist_ok=True)
        scene = Scene(setup, self._options.timing, folder, self._models, self._options.second_image)
        peaks: dict[str, int] = {}
        error = ""
        self._say(f"{fault.name}: begins")
        try:
            if fault.prepare is not None:
                fault.prepare(scene)
            rows = self._driven(setup, fault, scene, folder, peaks)
        except Exception as trouble:  # (a study goes on; what happened stands in its report)
            error = f"{type(trouble).__name__}: {trouble}"
            rows = read_rows(folder / "rows.jsonl.gz") if (folder / "rows.jsonl.gz").exists() else []
            self._say(f"{fault.name}: {error}")
        end_s = max((row.begun_s for row in rows), default=0.0)
        marks = Marks(WARM_S, scene.fault_s, max(scene.back_s, scene.fault_s), end_s)
        row = {
            "name": fault.name, "title": fault.title, "done": fault.done, "rate_per_s": self._rate_per_s,
            **summed(rows, marks), "notes": scene.notes, "figures": scene.figures, "memory_peak_bytes": peaks,
            "error": error,
        }  # fmt: skip
        if fault.name == "promotion":
            row["figures"]["answers_by_model"] = _by_model(rows, scene, self._models)
        row["whole_afterwards"] = not error and self._is_whole(setup)
        row["kept"] = check_kept(setup, rows)
        for name in setup.parts():
            setup.keep_log(name, folder)
        self._say(f"{fault.name}: {_short(row)}")
        return row

    def _driven(
        self, setup: FullSetUp, fault: Fault, scene: Scene, folder: Path, peaks: dict[str, int]
    ) -> list[Row]:
        """The load with the fault in it."""
        task = Task(
            setup.front.host, setup.front.port, setup.key, tuple(self._photographs),
            str(self._options.out / "expected.json"), str(folder / "rows.jsonl.gz"), self._rate_per_s,
        )  # fmt: skip
        path = folder / "task.json"
        task.write(path)
        words = [sys.executable, "-m", "benchmarks.faults.driving", str(path)]
        with (folder / "driving.log").open("w") as talk:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=talk, text=True)
        assert process.stdout is not None
        trouble: Exception | None = None
        try:
            process.stdout.readline()
            scene.begun_s = time.monotonic()
            path.unlink()
            with watching(lambda: _note_memory(setup, peaks), MEMORY_EVERY_S):
                time.sleep(WARM_S + self._options.timing.before_s)
                try:
                    fault.act(scene)
                    time.sleep(self._options.timing.after_s)
                except Exception as found:
                    trouble = found
        finally:
            path.unlink(missing_ok=True)
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                told, _ = process.communicate(timeout=STOP_LIMIT_S)
            if process.poll() is None:
                process.kill()
                process.wait()
        if trouble is not None:
            raise trouble
        scene.figures["generator_cpu_s"] = round(json.loads(told.splitlines()[-1])["cpu_s"], 1)
        return read_rows(folder / "rows.jsonl.gz")

    def _is_whole(self, setup: FullSetUp) -> bool:
        """Whether every part runs and says that it is well."""
        try:
            for name in setup.parts():
                self._engine.wait_until_healthy(name, 30.0)
        except EngineError as error:
            self._say(f"not whole: {str(error).splitlines()[0]}")
            return False
        return len(setup.replicas) == self._options.setup.replicas

    def _keep(self) -> None:
        text = json.dumps(self.found, indent=1, default=str) + "\n"
        (self._options.out / "faults.json").write_text(text, encoding="utf-8")

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _note_memory(setup: FullSetUp, peaks: dict[str, int]) -> None:
    for name, reading in setup.memory().items():
        short = name.removeprefix(setup.name + "-")
        if reading.memory_bytes is not None:
            peaks[short] = max(peaks.get(short, 0), reading.memory_bytes)


def _by_model(rows: Sequence[Row], scene: Scene, models: tuple[str, str]) -> dict[str, dict[str, int]]:
    """Answers of each model before the promotion, while it settles, and after."""
    found = {}
    parts = {
        "before": (0.0, scene.fault_s),
        "during": (scene.fault_s, scene.back_s),
        "after": (scene.back_s, 1e9),
    }
    for part, (from_s, until_s) in parts.items():
        some = [row for row in rows if row.model and from_s <= row.begun_s < until_s]
        found[part] = {
            "first": sum(row.model == models[0] for row in some),
            "second": sum(row.model == models[1] for row in some),
        }
    return found


def _short(row: dict[str, Any]) -> str:
    lost = row["kept"]["lost"]
    gone = "not known" if lost is None else sum(len(ids) for ids in lost.values())
    return (
        f"{row['requests']} requests, {row['ok']} ok, {row['refused']} refused, failed {row['failures']}, "
        f"unrecorded {row['unrecorded']}, lost {gone}, p95 {row['p95_ms']}, "
        f"well after {row['well_after_s']} s ({row['well_after_back_s']} s after it was back) {row['error']}"
    )


def _revision() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    return done.stdout.strip() or "not known"
