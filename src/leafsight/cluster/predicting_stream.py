"""Chunks through Ray Data: it keeps so many workers busy, and holds back where answers are not fetched.

Enters: chunks. Leaves: their files as they come, and in between how far the others are. It never waits
without a limit: Ray Data does, for machines that are not there and for workers that say nothing, so its loop
runs in a thread of its own and is watched.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError

from leafsight.cluster.options import ClusterOptions
from leafsight.cluster.predicting_chunks import Chunk
from leafsight.cluster.predicting_worker import CHUNK, FILE, SAID, WORK, Diagnosing
from leafsight.errors import ClusterError

LOOK_S = 0.5
ANSWER_S, STOP_S = 60.0, 10.0
MOST_WAITING = 4
"""Files that wait for the disk."""
AT_A_WORKER = 2
"""Chunks that a worker has: the one in work, and one more so that it need not wait."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answers of a chunk."""

    number: int
    file: bytes
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Underway:
    """How far the chunks in work are: photographs, and workers lost since the beginning."""

    photographs: int
    lost: int


@dataclass(slots=True)
class Watch:
    """What is known of the workers; one for all waves of a command.

    Attributes:
        attempts: of ``new_attempts``.
        options: how long is waited.
    """

    attempts: Any
    options: ClusterOptions
    _heard: int = 0
    _heard_s: float = field(default_factory=time.monotonic)
    _finished: list[int] = field(default_factory=list)

    def finished(self, number: int) -> None:
        """A chunk is here."""
        self._finished.append(number)
        self._heard_s = time.monotonic()

    def begin(self) -> None:
        """Workers may take their time from now on."""
        self._heard_s = time.monotonic()

    def look(self) -> Underway:
        """How far they are.

        Raises:
            ClusterError: nobody was heard for too long.
        """
        try:
            heard, photographs, lost = ray.get(self.attempts.look.remote(self._finished), timeout=ANSWER_S)
        except RayError as error:
            raise ClusterError(
                "the cluster does not answer any more", hint="run the command again"
            ) from error
        self._finished = []
        now_s = time.monotonic()
        if heard != self._heard:
            self._heard, self._heard_s = heard, now_s
        limit_s = self.options.silence_s if heard else self.options.start_s
        if now_s - self._heard_s > limit_s:
            what = "said anything" if heard else "began"
            raise ClusterError(
                f"no worker {what} for {limit_s:.0f} s",
                hint="is the cluster busy with other work? Run the command again when there is room",
            )
        return Underway(photographs, lost)


def diagnosed(
    chunks: Sequence[tuple[int, Chunk]], order: Any, watch: Watch, workers: int
) -> Generator[Finished | Underway, None, None]:
    """Each chunk once, in any order.

    Args:
        chunks: with their numbers; all of them are held.
        order: reference to an ``Order``.
        watch: of the workers.
        workers: at most so many.

    Raises:
        ClusterError: a worker says what is wrong with all photographs, or nothing at all.
    """
    waiting: queue.Queue[Any] = queue.Queue(MOST_WAITING)
    over = threading.Event()
    words = (chunks, order, watch, workers, waiting, over)
    thread = threading.Thread(target=_pump, args=words, name="ray data", daemon=True)
    missing = {number for number, _ in chunks}
    watch.begin()
    thread.start()
    looked_s = time.monotonic()
    try:
        while missing:
            with contextlib.suppress(queue.Empty):
                done = _finished(waiting.get(timeout=LOOK_S))
                if done.number in missing:
                    missing.remove(done.number)
                    watch.finished(done.number)
                    yield done
            if time.monotonic() - looked_s >= LOOK_S:
                looked_s = time.monotonic()
                yield watch.look()
        yield watch.look()
    except BaseException:
        over.set()
        _stop()
        raise
    finally:
        over.set()
        thread.join(timeout=STOP_S)


def _stop() -> None:
    """End what Ray Data has begun.

    It has no word for that (2.60). Left alone, its thread would meet a cluster that is gone, and end in a
    traceback on the terminal.
    """
    for thread in threading.enumerate():
        if thread.name.startswith("StreamingExecutor") and hasattr(thread, "shutdown"):
            with contextlib.suppress(Exception):
                thread.shutdown(force=True)


def _pump(
    chunks: Sequence[tuple[int, Chunk]],
    order: Any,
    watch: Watch,
    workers: int,
    waiting: queue.Queue[Any],
    over: threading.Event,
) -> None:
    """Ray Data's loop; whatever ends it is said, too."""
    try:
        with _quietly():
            for batch in _dataset(chunks, order, watch, workers).iter_batches(
                batch_size=None, batch_format="numpy", prefetch_batches=1
            ):
                for row in zip(batch[CHUNK], batch[FILE], batch[SAID], strict=True):
                    _offer(waiting, row, over)
                if over.is_set():
                    return
        raise ClusterError("chunks were lost on the way", hint="run the command again; it goes on")
    except BaseException as error:
        _offer(waiting, error, over)


def _dataset(chunks: Sequence[tuple[int, Chunk]], order: Any, watch: Watch, workers: int) -> Any:
    rows = [{CHUNK: number, WORK: chunk.to_line()} for number, chunk in chunks]
    options = watch.options
    return ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        Diagnosing,
        fn_constructor_args=([order], watch.attempts),
        batch_size=None,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(
            size=min(workers, len(rows)), max_tasks_in_flight_per_actor=AT_A_WORKER
        ),
        num_cpus=options.cpus_per_worker,
    )


def _offer(waiting: queue.Queue[Any], value: Any, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(value, timeout=LOOK_S)
            return


def _finished(row: Any) -> Finished:
    if isinstance(row, ClusterError):
        raise row
    if isinstance(row, BaseException):
        lines = [line for line in str(row).splitlines() if line.strip()] or [type(row).__name__]
        raise ClusterError(f"the cluster lost the work: {lines[-1].strip()[:300]}") from row
    number, file, said = int(row[0]), bytes(row[1]), json.loads(str(row[2]))
    if "message" in said:
        raise ClusterError(said["message"], hint=said["hint"])
    return Finished(number, file, said["counts"])


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Ray Data's bars and lines speak to programmers."""
    context, logger = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before, level = (context.enable_progress_bars, context.print_on_execution_start), logger.level
    context.enable_progress_bars = context.print_on_execution_start = False
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        context.enable_progress_bars, context.print_on_execution_start = before
        logger.setLevel(level)
