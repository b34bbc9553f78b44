"""A worker that diagnoses: one model, held as long as the worker lives, and one chunk after another.

Enters: a chunk. Leaves: its answers as the bytes of a Parquet file, or what went wrong with all of it. It
holds the photographs of one batch and those read ahead, never a chunk of them.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import ray

from leafsight.cluster.predicting_attempts import Attempt
from leafsight.cluster.predicting_chunks import Chunk
from leafsight.cluster.predicting_photographs import (
    Found,
    Loaded,
    loaded,
    loaded_ahead,
    photographs_of,
)
from leafsight.dataset import AnswerFile
from leafsight.errors import ClusterError, LeafsightError, StateBusyError, StateError
from leafsight.images import DecodeLimits
from leafsight.inference import BundlePredictor, Prediction
from leafsight.storage import readable

ANSWER_S = 60.0
TELL_S = 0.5
BATCH_PHOTOGRAPHS, BATCH_BYTES = 16, 64 * 1024**2
GROUP_ROWS = 1024
OUT_OF_MEMORY_EXIT_CODE = 137
CHUNK, WORK, FILE, SAID = "chunk", "work", "file", "said"
"""Columns of what goes in (the first two) and what comes out."""


@dataclass(frozen=True, slots=True)
class Order:
    """What every worker does alike.

    Attributes:
        model: name in the model's folder to bytes; the empty name where it is one file.
        crop: the plant, if it is known.
        top: classes to list.
        views: averaged views a photograph.
        threads: of a worker.
        limits: of a photograph.
    """

    model: Mapping[str, bytes]
    crop: str | None
    top: int
    views: int
    threads: int
    limits: DecodeLimits


class Diagnosing:
    """What Ray Data calls in a process of its own.

    Args:
        order: reference to an ``Order``, in a list so that Ray does not fetch it.
        attempts: of ``new_attempts``.
    """

    def __init__(self, order: list[Any], attempts: Any) -> None:
        self._attempts = attempts
        self._told_s = 0.0
        self._fault: LeafsightError | None = None
        try:
            self._order: Order = ray.get(order[0], timeout=ANSWER_S)
            self._predictor = _predictor(self._order)
        except Exception as error:  # raised here, Ray would begin another worker, which ends the same way
            self._fault = _as_ours(error)
        attempts.hello.remote()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """One chunk in, one file or one fault out."""
        number = int(batch[CHUNK][0])
        data = b""
        try:
            if self._fault is not None:
                raise self._fault
            data, counts = self._diagnosed(number, Chunk.from_line(str(batch[WORK][0])))
            said: dict[str, Any] = {"counts": counts}
        except MemoryError:
            os._exit(OUT_OF_MEMORY_EXIT_CODE)  # as the system would do: what it worked on is known then
        except Exception as error:
            ours = _as_ours(error)
            everywhere = f"{ours.hint}, on every machine of the cluster" if _is_of_a_machine(ours) else ""
            said = {"message": ours.message, "hint": everywhere or ours.hint}
        return {
            CHUNK: np.array([number]),
            FILE: np.array([data], dtype=object),
            SAID: np.array([json.dumps(said)]),
        }

    def _diagnosed(self, number: int, chunk: Chunk) -> tuple[bytes, dict[str, int]]:
        attempt: Attempt = ray.get(self._attempts.begin.remote(number), timeout=ANSWER_S)
        if attempt.is_over:
            raise ClusterError(
                f"too many workers were lost with chunk {number} ({chunk}): {attempt.lost}",
                hint="do they have memory enough? 'leafsight predict' on these shows what happens",
            )
        file, waiting = AnswerFile(), list[dict[str, Any]]()
        with photographs_of(chunk, self._order.limits) as found:
            rows = (
                self._quickly(number, chunk, found)
                if attempt.is_first
                else self._carefully(number, found, attempt.skip)
            )
            for some in rows:
                waiting += some
                if len(waiting) >= GROUP_ROWS:
                    file.add(waiting)
                    waiting = []
        file.add(waiting)
        return file.close(), dict(file.counts)

    def _quickly(self, number: int, chunk: Chunk, found: Iterable[Found]) -> Iterator[list[dict[str, Any]]]:
        done = 0
        for batch in _batches(loaded(found) if chunk.is_shard else loaded_ahead(found)):
            yield self._answers(batch)
            done += len(batch)
            if time.monotonic() - self._told_s >= TELL_S:
                self._told_s = time.monotonic()
                self._attempts.tell.remote(number, done)

    def _carefully(
        self, number: int, found: Iterable[Found], skip: frozenset[int]
    ) -> Iterator[list[dict[str, Any]]]:
        """One photograph at a time, none of which is begun before it is known which one it is."""
        at = -1
        for at, one in enumerate(found):
            ray.get(self._attempts.tell.remote(number, at, at), timeout=ANSWER_S)
            yield self._answers([(one, _deadly() if at in skip else one.load())])
        ray.get(self._attempts.tell.remote(number, at + 1), timeout=ANSWER_S)

    def _answers(self, batch: list[tuple[Found, Loaded]]) -> list[dict[str, Any]]:
        photos = [data if isinstance(data, bytes) else b"" for _, data in batch]
        answers = self._predictor.predict(photos, crop=self._order.crop)
        return [
            {**_with_error(answer, data).to_dict(), "photo": one.photo, "member": one.member}
            for answer, (one, data) in zip(answers, batch, strict=True)
        ]


def _batches(found: Iterable[tuple[Found, Loaded]]) -> Iterator[list[tuple[Found, Loaded]]]:
    """So many that a worker's memory does not hang on how large photographs are."""
    batch, held_bytes = list[tuple[Found, Loaded]](), 0
    for one, data in found:
        batch.append((one, data))
        held_bytes += len(data) if isinstance(data, bytes) else 0
        if len(batch) >= BATCH_PHOTOGRAPHS or held_bytes >= BATCH_BYTES:
            yield batch
            batch, held_bytes = [], 0
    if batch:
        yield batch


def _with_error(answer: Prediction, data: Loaded) -> Prediction:
    """What is said of no bytes becomes what kept them away."""
    if isinstance(data, bytes):
        return answer
    return replace(answer, reason=readable(data.message), hint=data.hint, error=data.as_dict())


def _deadly() -> LeafsightError:
    return ClusterError(
        "the worker that looked at this photograph ended, twice",
        hint="look at it alone with 'leafsight predict', on a machine with more memory",
    )


def _predictor(order: Order) -> BundlePredictor:
    with tempfile.TemporaryDirectory(prefix="leafsight-") as folder:
        path = Path(folder) / "model.leafsight"
        for name, data in order.model.items():
            file = path / name if name else path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return BundlePredictor(
            path,
            threads=order.threads,
            test_time_views=order.views,
            top=order.top,
            limits=order.limits,
        )


def _is_of_a_machine(error: LeafsightError) -> bool:
    """Whether a bucket refuses what this machine has, such as its credentials."""
    return isinstance(error, StateError) and not isinstance(error, StateBusyError)


def _as_ours(error: Exception) -> LeafsightError:
    if isinstance(error, LeafsightError):
        return error
    return ClusterError(f"a worker failed: {type(error).__name__}: {str(error)[:300]}")
