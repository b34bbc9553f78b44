"""The load beside a fault, in a process of its own: photographs at a constant rate, corrections, uploads.

    python -m benchmarks.faults.driving ORDER.json

Open loop: a photograph is sent when its time has come, whatever became of those before. Nothing is sent
twice. Ends with SIGTERM: what is under way is waited for, then the rows are written.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.rows import Row, write_rows

from leafsight.loadtest.asking import unverified
from leafsight.loadtest.judging import Judged, judge_created, judge_prediction, read_object
from leafsight.loadtest.orders import http_request, multipart
from leafsight.loadtest.outcomes import CORRECTION, OK, PHOTOGRAPH, UPLOAD, WRONG
from leafsight.loadtest.photographs import Photograph
from leafsight.loadtest.wire import Answer, Connection, CutError, MalformedError

UPLOAD_LABEL = "tomato/late_blight"
CORRECTION_BODY = json.dumps({"right": True}).encode()
LATEST_S = 0.05


@dataclass(frozen=True, slots=True)
class Task:
    """What is driven.

    Attributes:
        host, port: of the proxy; TLS is spoken, its certificate is not looked at.
        key: with the scopes predict and upload.
        photographs: what is sent.
        expected: file with the reference answers: hash of a model -> name of a photograph -> marks.
        out: file for the rows.
        rate_per_s: photographs.
        most_s: ends then at the latest.
        correct_each: of so many recorded answers, one is corrected.
        upload_every_s: a labelled photograph is uploaded.
        timeout_s: a request is given up, from its intended send time.
        seed: of the choice of photographs.
    """

    host: str
    port: int
    key: str
    photographs: tuple[Photograph, ...]
    expected: str
    out: str
    rate_per_s: float
    most_s: float = 900.0
    correct_each: int = 5
    upload_every_s: float = 8.0
    timeout_s: float = 10.0
    seed: int = 0

    def write(self, path: Path) -> None:
        """Keep it for the process that carries it out; it holds a key."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_task(path: Path) -> Task:
    """The task in a file."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    values["photographs"] = tuple(Photograph(**one) for one in values["photographs"])
    return Task(**values)


def judge(
    status: int, body: bytes, name: str, expected: Mapping[str, Mapping[str, Any]]
) -> tuple[Judged, str, bool | None]:
    """Hold an answer against the reference of the model that it says it is from.

    Returns:
        What became of it, the hash of the model, and whether it is recorded.
    """
    answer = read_object(body) if status == 200 else None
    if answer is None:
        return judge_prediction(status, body, [name], {}), "", None
    model = answer.get("model")
    hashed = str(model.get("hash", "")) if isinstance(model, dict) else ""
    judged = judge_prediction(status, body, [name], expected.get(hashed, {}))
    if judged.kind == OK and hashed not in expected:
        judged = judged._replace(kind=WRONG)  # a model that nobody put there
    said = answer.get("predictions")
    recorded = bool(said[0].get("recorded")) if judged.kind == OK and said else None
    return judged, hashed, recorded


class Load:
    """Sends, and keeps every row.

    Args:
        task: what is driven.
    """

    def __init__(self, task: Task) -> None:
        self.rows: list[Row] = []
        self.stopped = asyncio.Event()
        self._task = task
        self._expected = json.loads(Path(task.expected).read_text(encoding="utf-8"))
        self._bodies = {one.name: one.read() for one in task.photographs}
        self._choice = random.Random(task.seed)
        self._idle: list[Connection] = []
        self._begun_s = 0.0
        self._recorded = 0
        self._also: set[asyncio.Task[None]] = set()
        self._tls = unverified()

    async def run(self) -> float:
        """Drive until the end; when it began, by ``time.monotonic``."""
        self._begun_s = asyncio.get_running_loop().time()
        begun_s = time.monotonic()
        uploads = asyncio.ensure_future(self._keep_uploading())
        await self._keep_asking()
        await uploads
        while self._also:
            await asyncio.wait(self._also)
        for connection in self._idle:
            connection.close()
        return begun_s

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._begun_s

    async def _until(self, at: float) -> bool:
        """Wait for a moment; False when the load has ended meanwhile."""
        while (delay := at - self._now()) > 0 and not self.stopped.is_set():
            if delay < LATEST_S:
                await asyncio.sleep(delay)
            else:
                try:
                    await asyncio.wait_for(self.stopped.wait(), delay - LATEST_S / 2)
                except TimeoutError:
                    continue
        return not self.stopped.is_set()

    async def _keep_asking(self) -> None:
        number = 0
        while (at := number / self._task.rate_per_s) < self._task.most_s and await self._until(at):
            self._begin(self._ask(at))
            number += 1

    async def _keep_uploading(self) -> None:
        number = 1
        while (at := number * self._task.upload_every_s) < self._task.most_s and await self._until(at):
            self._begin(self._upload(at))
            number += 1

    def _begin(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._also.add(task)
        task.add_done_callback(self._also.discard)

    async def _ask(self, at: float) -> None:
        photograph = self._choice.choices(
            self._task.photographs, [one.weight for one in self._task.photographs]
        )[0]
        kind, body = multipart([(photograph.name, self._bodies[photograph.name])])
        late_s = max(0.0, self._now() - at)
        missing, answer = await self._answer("/v1/predict", kind, body, at)
        judged, model, recorded = Judged(missing), "", None
        if answer is not None:
            judged, model, recorded = judge(answer.status, answer.body, photograph.name, self._expected)
        self.rows.append(
            Row(
                judged.kind,
                at,
                self._now() - at,
                late_s,
                PHOTOGRAPH,
                judged.ids,
                judged.told,
                "",
                model,
                recorded,
            )
        )
        if recorded and judged.ids:
            self._recorded += 1
            if self._recorded % self._task.correct_each == 0 and not self.stopped.is_set():
                await self._correct(judged.ids[0])

    async def _correct(self, prediction: str) -> None:
        path = f"/v1/predictions/{prediction}/correction"
        await self._create(path, "application/json", CORRECTION_BODY, self._now(), CORRECTION, prediction)

    async def _upload(self, at: float) -> None:
        photograph = self._choice.choice(self._task.photographs)
        path = f"/v1/uploads?label={UPLOAD_LABEL}"
        await self._create(path, "image/jpeg", self._bodies[photograph.name], at, UPLOAD, "")

    async def _create(self, path: str, kind: str, body: bytes, at: float, deed: str, about: str) -> None:
        missing, answer = await self._answer(path, kind, body, at)
        judged = Judged(missing) if answer is None else judge_created(answer.status, answer.body)
        self.rows.append(Row(judged.kind, at, self._now() - at, 0.0, deed, judged.ids, judged.told, about))

    async def _answer(self, path: str, kind: str, body: bytes, at: float) -> tuple[str, Answer | None]:
        """Why there is no answer, or the answer."""
        until_s = self._begun_s + at + self._task.timeout_s
        request = http_request(
            f"{self._task.host}:{self._task.port}", "POST", path, key=self._task.key, kind=kind, body=body
        )
        connection: Connection | None = None
        try:
            connection = await self._connection(until_s)
            async with asyncio.timeout_at(until_s):
                return "", await connection.ask(request)
        except TimeoutError:
            if connection is not None:
                connection.close()
            return ("timeout" if connection is not None else "connect"), None
        except CutError as error:
            return ("stale" if error.stale else "cut"), None
        except MalformedError:
            return "malformed", None
        except OSError:
            return "connect", None
        finally:
            if connection is not None and connection.is_open:
                self._idle.append(connection)

    async def _connection(self, until_s: float) -> Connection:
        while self._idle:
            if (connection := self._idle.pop()).is_open:
                return connection
        make: Callable[[], Connection] = Connection
        async with asyncio.timeout_at(until_s):
            _, made = await asyncio.get_running_loop().create_connection(
                make, self._task.host, self._task.port, ssl=self._tls
            )
        return made


async def drive(task: Task) -> tuple[Load, float]:
    """Carry a task out until SIGTERM, or its longest time."""
    load = Load(task)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, load.stopped.set)
    gc.collect()
    gc.disable()  # a collection would look like a slow answer
    print("driving", flush=True)
    begun_s = await load.run()
    return load, begun_s


def main() -> int:
    """Carry out the task in the file named first; what it cost goes to stdout."""
    task = read_task(Path(sys.argv[1]))
    load, begun_s = asyncio.run(drive(task))
    write_rows(Path(task.out), sorted(load.rows, key=lambda row: row.begun_s))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"begun_s": begun_s, "cpu_s": used.ru_utime + used.ru_stime}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
