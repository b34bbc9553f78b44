"""Photographs by the million diagnosed on a cluster, into a folder of Parquet that grows chunk by chunk.

Enters: what is to be diagnosed, with which model, and a folder. Leaves: one row for each photograph in that
folder, and how many of each verdict. Killed at any moment and run again, it does what is missing. The
command's own process lists, keeps and counts; it sees no photograph.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import ray

from leafsight import __version__
from leafsight.bundle import builtin_bundle_path
from leafsight.cluster.connection import Cluster, connected
from leafsight.cluster.machines import Needs, check_machines
from leafsight.cluster.options import ClusterOptions
from leafsight.cluster.predicting_attempts import new_attempts
from leafsight.cluster.predicting_chunks import BUCKET, CHUNK_PHOTOGRAPHS, Chunk
from leafsight.cluster.predicting_folder import AnswersFolder, open_answers
from leafsight.cluster.predicting_inputs import check_inputs, find_chunks
from leafsight.cluster.predicting_stream import Underway, Watch, diagnosed
from leafsight.cluster.predicting_worker import Order
from leafsight.errors import UsageError
from leafsight.images import DecodeLimits
from leafsight.inference import BundlePredictor
from leafsight.progress import Progress, Silent
from leafsight.storage import readable

WAVE_CHUNKS, WAVE_CHUNKS_PER_WORKER = 256, 16
"""So many are handed to Ray Data at once, which holds their names: of 260,000 photographs, some 30 MB."""
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be diagnosed, and how.

    Attributes:
        inputs: folders, photographs, tars and ``s3://`` addresses as a person wrote them.
        out: folder of the answers.
        model: a model file; None takes the built-in one.
        crop: the plant, if it is known.
        top: classes to list.
        views: averaged views a photograph.
        limits: of a photograph.
        chunk_photographs: rows of a file of answers, where they are not those of a tar.
    """

    inputs: tuple[str, ...]
    out: Path
    model: Path | None = None
    crop: str | None = None
    top: int = 3
    views: int = 1
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    chunk_photographs: int = CHUNK_PHOTOGRAPHS


@dataclass(frozen=True, slots=True)
class Answered:
    """What stands in the folder now.

    Attributes:
        folder: of the answers.
        photographs: rows.
        verdicts: rows of each verdict.
        files: of Parquet.
        done_before: rows that stood there when the command began.
        listed: when the photographs were listed, seconds since 1970.
        seconds: that the command worked.
        workers_lost: that were replaced.
    """

    folder: Path
    photographs: int
    verdicts: dict[str, int]
    files: int
    done_before: int
    listed: float
    seconds: float
    workers_lost: int

    @property
    def unreadable(self) -> int:
        """Rows without an answer."""
        return self.verdicts.get(UNREADABLE, 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = ("photographs", "verdicts", "unreadable", "files", "done_before", "seconds", "workers_lost")
        return {"folder": str(self.folder), **{name: getattr(self, name) for name in names}}


def predict_on_cluster(
    asked: Asked, options: ClusterOptions, *, progress: Progress | None = None
) -> Answered:
    """Diagnose what is not diagnosed yet.

    Args:
        asked: what and how; the same as before where the folder was begun.
        options: where, and with how many workers.
        progress: told of the listing and of the photographs.

    Raises:
        UsageError: an input is none, or the folder holds something else.
        ConflictError: the folder holds answers to something else, or another command writes there.
        BundleError, TaxonomyError: the model cannot be used, or does not know the crop.
        ClusterError: the cluster does not answer or fit, or lost more workers than allowed.
        StateError: a bucket cannot be listed.
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be written.
    """
    began_s, progress = time.monotonic(), progress or Silent()
    if options.gpus_per_worker:
        raise UsageError("models diagnose on processors", hint="leave --worker-gpus out")
    inputs = check_inputs(asked.inputs)
    path = asked.model if asked.model is not None else builtin_bundle_path()
    identity = _identity(asked, inputs, path)
    with open_answers(asked.out) as folder:
        if folder.is_begun and (folder.has_answers or folder.is_about(identity)):
            folder.require_same(identity)
        else:
            progress.start("finding photographs")
            folder.begin(identity, _told(find_chunks(asked.inputs, asked.chunk_photographs), progress))
            progress.finish()
        work = _Work(folder, progress, folder.manifest())
        work.count_what_is_done()
        if work.is_missing_any:
            _diagnose(work, asked, path, options)
        return work.answered(time.monotonic() - began_s)


class _Work:
    """What is done, what is not, and what is shown of it."""

    def __init__(self, folder: AnswersFolder, progress: Progress, manifest: dict[str, Any]) -> None:
        self.folder, self.progress, self._manifest = folder, progress, manifest
        self._verdicts: Counter[str] = Counter()
        self._done: set[int] = set()
        self._before = self._shown = self.lost = 0
        self._began_s = time.monotonic()

    @property
    def is_missing_any(self) -> bool:
        return len(self._done) < int(self._manifest["chunks"])

    def count_what_is_done(self) -> None:
        for number in range(self._manifest["chunks"]):
            counts = self.folder.counts(number)
            if counts is not None:
                self._done.add(number)
                self._verdicts.update(counts)
        self._before = self._verdicts.total()

    def missing(self) -> Iterator[tuple[int, Chunk]]:
        """Chunks that are not done, one after another."""
        return ((number, chunk) for number, chunk in self.folder.chunks() if number not in self._done)

    def begin(self) -> None:
        # Nobody knows how many photographs a tar holds before it was read.
        photographs, shards = int(self._manifest["photographs"]), int(self._manifest["shards"])
        of_tars = f" and {shards} tars" if shards else ""
        again = f", {self._before} of them done before" if self._before else ""
        total = None if shards else photographs - self._before
        self.progress.start(f"diagnosing {photographs} photographs{of_tars}{again}", total)
        self._began_s = time.monotonic()

    def put(self, number: int, file: bytes, counts: dict[str, int]) -> None:
        self.folder.put(number, file)
        self._done.add(number)
        self._verdicts.update(counts)
        self.show(0)

    def show(self, underway: int) -> None:
        """Advance to what is done and underway, never back: a lost worker's photographs are done again."""
        now = self._verdicts.total() - self._before + underway
        seconds = time.monotonic() - self._began_s
        note = f"{now / max(seconds, 0.1):.0f}/s, {self._verdicts[UNREADABLE]} unreadable"
        note += f", workers lost: {self.lost}" if self.lost else ""
        self.progress.advance(max(0, now - self._shown), note)
        self._shown = max(self._shown, now)

    def answered(self, seconds: float) -> Answered:
        return Answered(
            folder=self.folder.path,
            photographs=self._verdicts.total(),
            verdicts=dict(self._verdicts.most_common()),
            files=len(self._done),
            done_before=self._before,
            listed=float(self._manifest["listed"]),
            seconds=round(seconds, 1),
            workers_lost=self.lost,
        )


def _diagnose(work: _Work, asked: Asked, model: Path, options: ClusterOptions) -> None:
    with connected(options, progress=work.progress) as cluster:
        cluster.require_room()
        has_bucket = any(word.startswith(BUCKET) for word in asked.inputs)
        modules = (("pyarrow", "cluster"), *((("obstore", "serve"),) if has_bucket else ()))
        check_machines(Needs(modules=modules, seen=_samples(work)))
        order = ray.put(
            Order(_bytes_of(model), asked.crop, asked.top, asked.views, options.cpus_per_worker, asked.limits)
        )
        work.begin()
        watch = Watch(new_attempts(options.max_failures), options)
        _in_waves(work, order, watch, cluster)
        work.progress.finish()


def _in_waves(work: _Work, order: Any, watch: Watch, cluster: Cluster) -> None:
    missing = work.missing()
    size = max(WAVE_CHUNKS, WAVE_CHUNKS_PER_WORKER * cluster.workers)
    while wave := list(islice(missing, size)):
        with closing(diagnosed(wave, order, watch, cluster.workers)) as coming:
            for told in coming:
                if isinstance(told, Underway):
                    work.lost = told.lost
                    work.show(told.photographs)
                else:
                    work.put(told.number, told.file, told.counts)


def _identity(asked: Asked, inputs: Sequence[str], model: Path) -> dict[str, Any]:
    """What makes answers what they are; the model is tried, and so is the crop."""
    predictor = BundlePredictor(model, test_time_views=asked.views, top=asked.top, limits=asked.limits)
    predictor.predict([], crop=asked.crop)
    return {
        "inputs": [readable(one) for one in inputs],
        "leafsight": __version__,
        "model": predictor.bundle.name,
        "model_hash": predictor.bundle.content_hash,
        "crop": asked.crop,
        "top": asked.top,
        "views": asked.views,
        "max_image_bytes": asked.limits.max_bytes,
        "max_image_pixels": asked.limits.max_pixels,
    }


def _told(chunks: Iterator[Chunk], progress: Progress) -> Iterator[Chunk]:
    for chunk in chunks:
        progress.advance(len(chunk.names))
        yield chunk


def _samples(work: _Work) -> tuple[Path, ...]:
    """A file that is there for each root of the chunks that come next."""
    places: dict[str, Path] = {}
    for _, chunk in islice(work.missing(), WAVE_CHUNKS):
        if not chunk.in_bucket and chunk.root not in places:
            found = next((place for place in map(chunk.place, chunk.names) if os.path.isfile(place)), None)  # noqa: PTH113
            places |= {chunk.root: Path(found)} if found else {}
    return tuple(places.values())


def _bytes_of(model: Path) -> dict[str, bytes]:
    """A model file under the empty name; or the files of a model's folder."""
    if model.is_file():
        return {"": model.read_bytes()}
    return {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
