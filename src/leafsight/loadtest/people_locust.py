"""People for Locust. Only Locust's own process may import this file: gevent must come before everything else.

Run by the study, it takes its order from the file that ``LOADTEST_ORDER`` names. Run by hand
(``locust -f loadtest/locustfile.py --host http://127.0.0.1:8000``) it draws the photographs of the mix
once, takes the key from ``LEAFSIGHT_KEY``, and has no reference answers, so answers are looked at for their
form only.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from locust import HttpUser, events, task
from locust.env import Environment

from leafsight.loadtest.behaviour import BURST_PAUSE_S, CORRECTED, LOOKS, RIGHT, Visit, next_visit, think
from leafsight.loadtest.judging import Judged, judge_created, judge_look, judge_prediction
from leafsight.loadtest.orders import Order, multipart, read_expected, read_order
from leafsight.loadtest.outcomes import (
    BURST,
    CORRECTION,
    LOOK,
    OK,
    PHOTOGRAPH,
    PLANT,
    REFUSED,
    UPLOAD,
    Outcome,
    as_row,
)  # fmt: skip
from leafsight.loadtest.photographs import draw_photographs
from leafsight.loadtest.priority import hurry

ORDER, KEY = "LOADTEST_ORDER", "LEAFSIGHT_KEY"
PREDICT = "/v1/predict"
DRAW = """
import pathlib, sys
from leafsight.loadtest.photographs import draw_photographs
draw_photographs(pathlib.Path(sys.argv[1]))
"""
UPLOAD_LABEL = "tomato/late_blight"
OWN_CACHE = Path("~/.cache/leafsight/loadtest-photographs")


def _own_order() -> Order:
    """What is done when a person starts Locust by hand."""
    folder = OWN_CACHE.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    # In another process: NumPy and Pillow need not live beside gevent.
    subprocess.run([sys.executable, "-c", DRAW, str(folder)], check=True)  # noqa: S603 (our own words)
    out = Path(tempfile.gettempdir()) / "leafsight-locust-outcomes.jsonl"
    photographs = tuple(draw_photographs(folder))  # are there now: the table is read
    return Order((), os.environ.get(KEY, ""), photographs, "", str(out), seconds=0.0)


class Crowd:
    """What all people of this process share: the order, the photographs, the file of outcomes."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.expected = read_expected(order.expected)
        self.data = [one.read() for one in order.photographs]
        self.weights = [one.weight for one in order.photographs]
        self.megapixels = [one.width_px * one.height_px / 1e6 for one in order.photographs]
        self.numbers = count()
        self.priority = ""
        self.started_s = self.first_cpu_s = 0.0
        self._file = Path(order.out).open("w", encoding="utf-8")  # noqa: SIM115 (open as long as the process)

    def keep(self, outcome: Outcome) -> None:
        """Write a row at once: what was answered is known even if this process dies."""
        self._file.write(json.dumps(as_row(outcome), separators=(",", ":")) + "\n")
        self._file.flush()


CROWD = Crowd(read_order(Path(os.environ[ORDER])) if ORDER in os.environ else _own_order())


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _started(environment: Environment, **_: Any) -> None:
    CROWD.priority = hurry()
    CROWD.started_s, CROWD.first_cpu_s = time.perf_counter(), _cpu_s()


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _quitting(environment: Environment, **_: Any) -> None:
    """Say what the generator cost."""
    wall_s = time.perf_counter() - CROWD.started_s
    cost = {
        "begun_s": time.monotonic() - wall_s,
        "cpu_s": _cpu_s() - CROWD.first_cpu_s,
        "wall_s": wall_s,
        "priority": CROWD.priority,
    }
    Path(CROWD.order.out + ".cost").write_text(json.dumps(cost), encoding="utf-8")
    if ORDER in os.environ:
        environment.process_exit_code = 0  # the study counts failures by itself


class Person(HttpUser):
    """Somebody with a phone, a key and some patience."""

    def on_start(self) -> None:
        """Be somebody: an own chance, and one of the servers if nothing shares out in front of them."""
        number = next(CROWD.numbers)
        self.choice = random.Random(CROWD.order.seed * 100_003 + number)  # noqa: S311 (no secret)
        addresses = CROWD.order.addresses
        self.server = number % len(addresses) if addresses else 0
        scheme = "https" if CROWD.order.https else "http"
        self.base = f"{scheme}://{addresses[self.server]}" if addresses else ""
        self.client.verify = not CROWD.order.https
        if CROWD.order.key:
            self.client.headers["Authorization"] = f"Bearer {CROWD.order.key}"
        self.last_id = ""
        time.sleep(think(self.choice, CROWD.order.think_s))  # nobody starts in step with the others

    @task
    def visit(self) -> None:
        """Do one thing."""
        visit = next_visit(self.choice, CROWD.weights, CROWD.megapixels)
        {PHOTOGRAPH: self.ask, BURST: self.burst, PLANT: self.plant, UPLOAD: self.upload, LOOK: self.look}[
            visit.kind
        ](visit)

    def wait_time(self) -> float:
        """Seconds until the next visit."""
        return think(self.choice, CROWD.order.think_s)

    def ask(self, visit: Visit) -> None:
        """One photograph; now and then the answer is corrected."""
        judged = self._predict(visit.photographs, PHOTOGRAPH)
        if judged.kind == OK and judged.ids and self.choice.random() < CORRECTED:
            time.sleep(think(self.choice, CROWD.order.think_s))
            self._correct(judged)

    def burst(self, visit: Visit) -> None:
        """Several photographs, each as soon as the one before is answered."""
        for one in visit.photographs:
            self._predict((one,), BURST)
            time.sleep(think(self.choice, BURST_PAUSE_S))

    def plant(self, visit: Visit) -> None:
        """Several photographs of one plant in one request."""
        self._predict(visit.photographs, PLANT, f"?plant_id=load-{self.choice.randrange(10**9)}")

    def upload(self, visit: Visit) -> None:
        """A labelled photograph to learn from."""
        number = visit.photographs[0]
        self._send(
            "POST", f"/v1/uploads?label={UPLOAD_LABEL}", "/v1/uploads", UPLOAD, judge_created,
            size=CROWD.order.photographs[number].size, data=CROWD.data[number], kind="image/jpeg",
        )  # fmt: skip

    def look(self, visit: Visit) -> None:
        """What the model can name, or one's own last answer."""
        if self.last_id and self.choice.random() < 0.5:
            path, wanted, name = f"/v1/predictions/{self.last_id}", "id", "/v1/predictions/ID"
        else:
            path, wanted = self.choice.choice(LOOKS)
            name = path
        self._send("GET", path, name, LOOK, lambda status, body: judge_look(status, body, wanted))

    def _predict(self, numbers: tuple[int, ...], deed: str, query: str = "") -> Judged:
        sent = [CROWD.order.photographs[one] for one in numbers]
        kind, body = multipart([(one.name, CROWD.data[at]) for at, one in zip(numbers, sent, strict=True)])
        names = [one.name for one in sent]
        judged = self._send(
            "POST", PREDICT + query, f"{PREDICT} ({deed})", deed,
            lambda status, answer: judge_prediction(
                status, answer, names, CROWD.expected, plant=deed == PLANT
            ),
            size=sent[0].size if len(sent) == 1 else "", data=body, kind=kind,
        )  # fmt: skip
        if judged.ids:
            self.last_id = judged.ids[0]
        return judged

    def _correct(self, judged: Judged) -> None:
        """Say that the answer was right, or what it should have been."""
        right = self.choice.random() < RIGHT or len(judged.alternatives) < 2
        said: dict[str, object] = {"right": right}
        if not right:
            said["class"] = judged.alternatives[1]
        self._send(
            "POST", f"/v1/predictions/{judged.ids[0]}/correction", "/v1/predictions/ID/correction",
            CORRECTION, judge_created, data=json.dumps(said).encode(), kind="application/json",
            about=judged.ids[0],
        )  # fmt: skip

    def _send(
        self, method: str, path: str, name: str, deed: str, judge: Any, *, size: str = "",
        data: bytes | None = None, kind: str = "", about: str = "",
    ) -> Judged:  # fmt: skip
        """One request, judged and written down."""
        headers = {"Content-Type": kind} if kind else None
        begun_s = time.perf_counter()
        with self.client.request(
            method, self.base + path, name=name, data=data, headers=headers, catch_response=True,
            timeout=CROWD.order.timeout_s,
        ) as response:  # fmt: skip
            took_s = time.perf_counter() - begun_s
            if response.status_code:
                judged: Judged = judge(response.status_code, response.content or b"")
            else:
                judged = Judged(_missing(response.error))
            if judged.kind == OK:
                response.success()
            else:
                response.failure(judged.kind + (f": {judged.told}" if judged.told else ""))
        begun_s -= CROWD.started_s
        CROWD.keep(
            Outcome(
                judged.kind, begun_s, took_s, 0.0, deed, size, self.server, judged.ids, judged.told, about
            )
        )
        if judged.kind == REFUSED:
            time.sleep(1.0)  # the least that Retry-After says
        return judged


def _missing(error: object) -> str:
    """Why there was no answer."""
    name = type(error).__name__
    if "Timeout" in name:
        return "timeout"
    text = repr(error)
    if "RemoteDisconnected" in text or "ConnectionReset" in text:
        return "cut"
    return "connect" if "Connection" in name else "malformed"
