"""The whole study: set-ups one after the other, each under every load, again in every round.

Enters: options, an engine, a folder. Leaves: results in the folder, one by one. In each round the set-ups
come in another order, so that a slow hour of the machine does not fall on the same one every time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from leafsight.errors import ConflictError, LeafsightError, RemoteError
from leafsight.loadtest.behaviour import CORRECTED, RIGHT, SHARES
from leafsight.loadtest.calibration import calibrate
from leafsight.loadtest.checking import find_lost
from leafsight.loadtest.engines import Engine, Running
from leafsight.loadtest.generators import bound_by_generator, drive_order
from leafsight.loadtest.machine import describe_machine, speed_mb_s
from leafsight.loadtest.mix import SIZES
from leafsight.loadtest.options import StudyOptions, ladder_of
from leafsight.loadtest.orders import Order
from leafsight.loadtest.outcomes import OK, write_outcomes
from leafsight.loadtest.photographs import Photograph, digest_of, draw_photographs, take_photographs
from leafsight.loadtest.reference import ask_alone, compute_here, disagreements, keep_expected
from leafsight.loadtest.setups import Cell, Load, SetUp, plan_setups
from leafsight.loadtest.store import StudyFolder
from leafsight.loadtest.summing import sum_up
from leafsight.loadtest.watching import Watch
from leafsight.progress import Progress, Silent

AGAIN = "what was measured is kept; --resume drives what is missing"
PROBE_S, PROBE_CONNECTIONS = 8.0, 4
SETTLE_S = 2.0
START_S, LOAD_EXTRA_S = 40.0, 6.0
"""For the estimate of how long it all takes: a set-up, and what comes beside the seconds of a load."""


class Study:
    """One study.

    Args:
        options: what is asked.
        engine: runs the set-ups.
        folder: keeps the results.
        progress: hears of every load.
    """

    def __init__(
        self, options: StudyOptions, engine: Engine, folder: StudyFolder, progress: Progress | None = None
    ) -> None:
        self._options, self._engine, self._folder = options, engine, folder
        self._progress = progress or Silent()
        self._photographs: list[Photograph] = []

    def run(self, *, resume: bool = False) -> None:
        """Do everything that is not done yet.

        Raises:
            ConflictError: the folder holds another study.
            RemoteError: some set-ups could not be driven; the others were.
        """
        asked = self._options.model_dump(mode="json", exclude={"out"})
        self._folder.begin(asked, resume=resume)
        self._engine.clean()
        self._prepare()
        setups = self.setups()
        self._progress.start("load study", self.loads_to_come(setups))
        failed: list[str] = []
        try:
            for repeat in range(self._options.repeats):
                for setup in _shuffled(setups, self._options.seed, repeat):
                    try:
                        self._drive_setup(setup, repeat)
                    except RemoteError as error:  # the others are driven all the same
                        failed.append(f"{setup.name}, round {repeat + 1}: {error.message} ({error.hint})")
        finally:
            self._engine.clean()
        self._progress.finish(f"{len(self._folder.cells())} loads")
        if failed:
            raise RemoteError("not all set-ups could be driven:\n  " + "\n  ".join(failed), hint=AGAIN)

    def setups(self) -> list[SetUp]:
        """All set-ups of the study."""
        options = self._options
        return plan_setups(options.replicas, options.models, options.proxies, cross=options.cross)

    def loads_to_come(self, setups: Sequence[SetUp]) -> int:
        """How many loads are still to be driven; of a ladder that is not found yet, the usual number."""
        done = {one["name"] for one in self._folder.cells()}
        names = [
            cell.name
            for repeat in range(self._options.repeats)
            for one in setups
            for cell in self._cells(one, repeat)
        ]
        return sum(name not in done for name in names)

    def _prepare(self) -> None:
        """What is the same for all set-ups: photographs, machine, calibration."""
        options = self._options
        if options.photos:
            self._photographs = take_photographs(Path(options.photos), seed=options.seed)
        else:
            self._photographs = draw_photographs(
                self._folder.path / "photographs", seed=options.seed, progress=self._progress
            )
        study, facts = self._folder.study(), self._engine.facts()
        if "machine" in study:
            if differ := sorted(name for name in facts if facts[name] != study["engine"].get(name)):
                raise ConflictError(
                    f"the study was begun with another engine or other images: {', '.join(differ)}",
                    hint="begin another study: its numbers would not belong to these",
                )
            return
        logs = self._folder.logs("calibration")
        rows = [asdict(one) | {"path": one.name} for one in self._photographs]
        self._folder.add_facts(
            machine=describe_machine(),
            engine=facts,
            photographs={"drawn": not options.photos, "digest": digest_of(self._photographs), "files": rows},
            mix=[asdict(size) for size in SIZES] if not options.photos else [],
            people={"shares": SHARES, "corrected": CORRECTED, "right": RIGHT, "think_s": options.think_s},
            calibration=calibrate(self._order((), "", "", logs / "unused"), logs),
        )

    def _cells(self, setup: SetUp, repeat: int) -> list[Cell]:
        return [Cell(setup, load, repeat) for load in self._loads(setup)]

    def _loads(self, setup: SetUp) -> list[Load]:
        rates = self._options.rates or self._folder.ladders().get(setup.ladder) or ladder_of(10.0)
        return [Load(rate_per_s=rate) for rate in rates] + [
            Load(users=users) for users in self._options.users
        ]

    def _is_done(self, setup: SetUp, repeat: int) -> bool:
        if not self._options.rates and setup.ladder not in self._folder.ladders():
            return False
        done = {one["name"] for one in self._folder.cells()}
        return all(cell.name in done for cell in self._cells(setup, repeat))

    def _drive_setup(self, setup: SetUp, repeat: int) -> None:
        """Drive all loads that are not done; where a part has ended, begin anew for those that are left."""
        while not self._is_done(setup, repeat):
            before = len(self._folder.cells())
            logs = self._folder.logs(f"{setup.slug}.r{repeat}")
            with self._engine.running(setup, logs) as running:
                expected = logs / "expected.json"
                reference = self._reference(setup, running, expected)
                self._warm_up(running, setup, expected, logs)
                self._drive_loads(setup, repeat, running, reference)
            if len(self._folder.cells()) == before:
                raise RemoteError("no load could be driven", hint=AGAIN)

    def _drive_loads(self, setup: SetUp, repeat: int, running: Running, reference: dict[str, Any]) -> None:
        """One load after the other, as long as all parts run."""
        logs = self._folder.logs(f"{setup.slug}.r{repeat}")
        done = {one["name"] for one in self._folder.cells()}
        for cell in self._cells(setup, repeat):
            if cell.name in done:
                continue
            self._folder.add_cell(self._drive(cell, running, logs, reference))
            self._progress.advance(note=f"{cell.name}; {self._time_left()}")
            if any(part.ended() for part in running.parts):
                return
            time.sleep(SETTLE_S)

    def _reference(self, setup: SetUp, running: Running, expected: Path) -> dict[str, Any]:
        """Ask every replica alone; all must agree with each other and with the model file here.

        Raises:
            RemoteError: they do not.
        """
        model, marks = ask_alone(running.replicas[0], running.key, self._photographs)
        some = list({one.size: one for one in self._photographs}.values())  # one of each size for the others
        for address in running.replicas[1:]:
            other_model, other = ask_alone(address, running.key, some)
            if other_model != model or (differ := disagreements(other, marks)):
                raise RemoteError(
                    f"{address} and {running.replicas[0]} do not give the same answers",
                    hint="they serve different models" if other_model != model else f"such as to {differ[0]}",
                )
        found = {"model_hash": model, "by": "the service alone"}
        try:
            here, ours = compute_here(setup.model, self._photographs)
        except LeafsightError as error:
            here, ours = "", {}
            found["not_computed_here"] = error.message
        if here == model:
            if differ := disagreements(ours, marks):
                raise RemoteError(
                    f"the service answers {len(differ)} photographs unlike its model, such as {differ[0]}",
                    hint="is the image built from this source?",
                )
            found["by"] = "the service alone, and the same model without a service"
        keep_expected(expected, marks)
        return found

    def _warm_up(self, running: Running, setup: SetUp, expected: Path, logs: Path) -> None:
        """A closed loop without think time; its throughput gives the rates, if the study finds them."""
        order = self._order(_hosts(running), running.key, str(expected), logs / "warm-up.jsonl.gz")
        order = replace(
            order, closed=PROBE_CONNECTIONS * setup.replicas, seconds=PROBE_S, warm_s=0.0, rate_per_s=0.0,
            https=running.fronts[0].https,
        )  # fmt: skip
        driven = drive_order(order, logs)
        if self._options.rates or setup.ladder in self._folder.ladders():
            return
        half_s = PROBE_S / 2  # the first half warms up
        late = [one for one in driven.outcomes if one.kind == OK and one.begun_s + one.took_s >= half_s]
        capacity = len(late) / max(driven.wall_s - half_s, 1e-9)
        self._folder.add_ladder(setup.ladder, list(ladder_of(capacity)))

    def _drive(self, cell: Cell, running: Running, logs: Path, reference: dict[str, Any]) -> dict[str, Any]:
        """One load from its beginning to the look for what was lost."""
        options, raw = self._options, self._folder.raw(cell.name)
        raw.parent.mkdir(exist_ok=True)
        out = raw if cell.load.rate_per_s else raw.with_suffix("")  # Locust writes each line at once
        order = self._order(_hosts(running), running.key, str(logs / "expected.json"), out)
        order = replace(
            order, rate_per_s=cell.load.rate_per_s, users=cell.load.users, https=running.fronts[0].https,
            seed=_seed_of(options.seed, cell),
        )  # fmt: skip
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        speeds = [speed_mb_s()]
        with Watch(running) as watch:
            driven = drive_order(order, logs)
        speeds.append(speed_mb_s())
        if out != raw:
            write_outcomes(raw, driven.outcomes)
            out.unlink()
        summary = sum_up(driven.outcomes, from_s=options.warm_s, until_s=options.warm_s + options.seconds)
        late = summary["late_ms"]["p99"] if summary["late_ms"] and cell.load.rate_per_s else None
        return {
            "name": cell.name,
            "setup": asdict(cell.setup),
            "load": asdict(cell.load),
            "repeat": cell.repeat,
            "started": started,
            "warm_s": options.warm_s,
            "seconds": options.seconds,
            "client": summary,
            "server": watch.result(
                driven.begun_s + options.warm_s,
                driven.begun_s + options.warm_s + options.seconds,
                driven.cpu_share,
            )
            | {"speed_mb_s": [round(one, 1) for one in speeds]},
            "generator": {
                "cpu_share": round(driven.cpu_share, 4),
                "late_ms": summary["late_ms"] if cell.load.rate_per_s else None,
                "priority": driven.priority,
                "bound": bound_by_generator(driven.cpu_share, late),
            },
            "kept": find_lost(running, driven.outcomes),
            "reference": reference,
            "ready_s": round(running.ready_s, 2),
        }

    def _order(self, addresses: tuple[str, ...], key: str, expected: str, out: Path) -> Order:
        options = self._options
        return Order(
            addresses, key, tuple(self._photographs), expected, str(out), options.seconds, options.warm_s,
            arrivals=options.arrivals, timeout_s=options.timeout_s, think_s=options.think_s,
            seed=options.seed,
        )  # fmt: skip

    def _time_left(self) -> str:
        """An estimate from what is still to come."""
        return f"about {self.minutes_left():.0f} min left"

    def minutes_left(self) -> float:
        """How long everything that is not done yet will take, roughly."""
        options, setups = self._options, self.setups()
        loads = self.loads_to_come(setups)
        starts = sum(not self._is_done(one, n) for one in setups for n in range(options.repeats))
        each_s = options.warm_s + options.seconds + SETTLE_S + LOAD_EXTRA_S
        return (loads * each_s + starts * (START_S + PROBE_S)) / 60


def _hosts(running: Running) -> tuple[str, ...]:
    return tuple(str(address) for address in running.fronts)


def _shuffled(setups: Sequence[SetUp], seed: int, repeat: int) -> list[SetUp]:
    found = list(setups)
    if repeat:
        random.Random(f"{seed} {repeat}").shuffle(found)  # noqa: S311 (an order, no secret)
    return found


def _seed_of(seed: int, cell: Cell) -> int:
    """Arrivals differ between loads and rounds, and are the same for all set-ups."""
    return random.Random(f"{seed} {cell.load.slug} {cell.repeat}").randrange(2**31)  # noqa: S311
