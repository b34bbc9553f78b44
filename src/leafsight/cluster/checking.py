"""Photographs opened by the workers of a cluster, for a collection that is read and kept on this machine.

Enters: rows of files, some at a time. Leaves: what this machine would have made of the same files. Whatever
shows that a machine sees something else ends the reading: a file that only one machine does not see would be
kept as a fault of the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import ray

from leafsight.cluster.checking_worker import PhotoWorker, Task
from leafsight.cluster.connection import Cluster, connected
from leafsight.cluster.crew import Crew, Hiring
from leafsight.cluster.head import HeadWatch
from leafsight.cluster.machines import Needs, check_machines
from leafsight.cluster.options import ClusterOptions
from leafsight.dataset import Embedder, PhotoRow, Seen, Wanted, look_at
from leafsight.errors import ClusterError, UsageError
from leafsight.progress import Progress
from leafsight.storage import is_packed, os_errors_translated

SAMPLE = 8
"""Photographs that every new worker opens before it is given others, and this process beside it."""
SAME_DIRECTION = 0.99
"""Least cosine of an embedding made there and here; integer arithmetic differs between processors."""
UNREADABLE = ("unreadable:", "storage:", "permission-denied:", "disk-full:")
"""Faults that lie in the machine, or in the way to the file, rather than in the photograph."""
EXACT = ("fault", "format", "width_px", "height_px", "content_hash", "pixel_hash")
"""Equal wherever the same versions decode; measures in floating point may differ in their last digit."""
SHOWN = 3


@contextmanager
def photo_workers(
    options: ClusterOptions,
    sources: Sequence[Path],
    *,
    store: Path,
    model: Path | None = None,
    embedder: Embedder | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[PhotosElsewhere]:
    """Workers for the time of the block; they begin when there is something to open.

    Args:
        options: where, and how many.
        sources: what will be read; folders must be seen by every machine.
        store: folder below which photographs of archives are unpacked; must then be the same on all.
        model: bundle of ``embedder``; ``None`` is the built-in one.
        embedder: the network that is asked about every photograph; ``None`` asks none.
        progress: told while a cluster starts.
        say: told who works, and of lost workers.

    Raises:
        UsageError: no address, or workers with GPUs.
        ClusterError: nothing answers there, it is too small, or its machines do not fit.
        StorageError: ``store`` cannot be written.
    """
    if options.gpus_per_worker:
        raise UsageError("photographs are read on processors", hint="leave --worker-gpus out")
    with connected(options, progress=progress) as cluster:
        cluster.require_room()
        check_machines(_needs(sources, store, model))
        many = "s" if cluster.workers > 1 else ""
        say(f"reading with {cluster.workers} worker{many} of the cluster {cluster.address}")
        elsewhere = PhotosElsewhere(cluster, model, embedder, say)
        try:
            yield elsewhere
        finally:
            elsewhere.close()


class PhotosElsewhere:
    """An ``Elsewhere`` of room ``dataset`` whose workers are those of a cluster.

    Args:
        cluster: that this process is in.
        model: as for ``photo_workers``.
        embedder: as for ``photo_workers``.
        say: as for ``photo_workers``.
    """

    def __init__(
        self, cluster: Cluster, model: Path | None, embedder: Embedder | None, say: Callable[[str], None]
    ) -> None:
        self.workers = cluster.workers
        self._options, self._say = cluster.options, say
        self._head = HeadWatch(cluster.address)
        self._model = None if model is None else str(model.resolve())
        self._embedder = embedder
        self._crews: dict[Wanted, Crew[Task]] = {}

    def look(self, tasks: Sequence[list[PhotoRow]], wanted: Wanted) -> Iterator[Seen]:
        """See ``Elsewhere``.

        Raises:
            ClusterError: too many workers were lost, or a machine sees other photographs than this one.
        """
        if not tasks:
            return
        crew = self._crew(tasks[0], wanted)
        for rows, (machine, seen) in zip(tasks, crew.map([(rows, wanted) for rows in tasks]), strict=True):
            _require_same_files(machine, rows, seen, wanted)
            yield seen

    def close(self) -> None:
        """End the workers."""
        for crew in self._crews.values():
            crew.close()
        self._crews = {}

    def _crew(self, rows: list[PhotoRow], wanted: Wanted) -> Crew[Task]:
        """The workers that look for this; a second collection may want less of its photographs."""
        if wanted not in self._crews:
            self.close()
            sample = [copy(row) for row in rows[:SAMPLE]]
            here = look_at([copy(row) for row in sample], wanted, self._network(wanted))
            hiring: Hiring[Task] = Hiring(
                new=self._new_worker,
                greeting=(sample, wanted),
                admit=lambda machine, there: _require_same_answers(machine, sample, here, there, wanted),
                name=lambda task: _named(task[0]),
                say=self._say,
                watch=self._head.look,
            )
            self._crews[wanted] = Crew(self.workers, self._options, hiring)
        return self._crews[wanted]

    def _network(self, wanted: Wanted) -> Embedder | None:
        if wanted.network is None:
            return None
        if self._embedder is None or self._embedder.tag != wanted.network:
            raise ValueError(f"the workers were not told of the network {wanted.network}")
        return self._embedder

    def _new_worker(self) -> Any:
        made = ray.remote(num_cpus=self._options.cpus_per_worker, max_restarts=0, max_task_retries=0)(
            PhotoWorker
        )
        return made.options(
            max_concurrency=self._options.cpus_per_worker, scheduling_strategy="SPREAD"
        ).remote(self._model)


def _needs(sources: Sequence[Path], store: Path, model: Path | None) -> Needs:
    """What can be asked before anything is found; the rest shows in the first photographs."""
    seen = [source for source in sources if source.is_dir()] + ([model] if model is not None else [])
    packed = any(source.is_file() and _is_archive(source) for source in sources)
    return Needs(modules=(("pyarrow", "cluster"),), seen=tuple(seen), shared=(store,) if packed else ())


def _is_archive(source: Path) -> bool:
    with os_errors_translated(source):
        return is_packed(source)


def _require_same_files(machine: str, before: list[PhotoRow], seen: Seen, wanted: Wanted) -> None:
    """Look here at what was not there, or was of another size.

    Raises:
        ClusterError: it is the machine, not the photograph.
    """
    for row, after in zip(before, seen.rows, strict=True):
        if after.bytes == row.bytes and not (after.fault or "").startswith(UNREADABLE):
            continue
        here = look_at([copy(row)], Wanted(wanted.limits), None).rows[0]
        if (here.fault, here.bytes) != (after.fault, after.bytes):
            raise ClusterError(
                f"{machine} does not see {_place(row)} as this machine does"
                + (f": {after.fault}" if after.fault else ""),
                hint="put the photographs on storage that every machine mounts at the same path; "
                "if they were written just now, run the command again",
            )


def _require_same_answers(
    machine: str, sample: list[PhotoRow], here: Seen, there: Seen, wanted: Wanted
) -> None:
    """Refuse a machine whose decoders or network give something else.

    Raises:
        ClusterError: they do.
    """
    _require_same_files(machine, sample, there, wanted)
    for one, other in zip(here.rows, there.rows, strict=True):
        if any(getattr(one, name) != getattr(other, name) for name in EXACT):
            raise ClusterError(
                f"{machine} decodes {_place(one)} to something else than this machine",
                hint="install the same versions of pillow, simplejpeg and numpy on both",
            )
    if here.embedded is None or there.embedded is None or not len(here.embedded):
        return
    ours, theirs = here.embedded.astype(np.float64), there.embedded.astype(np.float64)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    if np.any((ours * theirs).sum(axis=1) < SAME_DIRECTION * lengths):
        raise ClusterError(
            f"the network gives something else on {machine} than on this machine",
            hint="install the same version of onnxruntime on both",
        )


def _place(row: PhotoRow) -> str:
    return f"{row.root}/{row.stored_as or row.path}"


def _named(rows: list[PhotoRow]) -> str:
    names = ", ".join(map(_place, rows[:SHOWN]))
    return f"{names} and {len(rows) - SHOWN} more" if len(rows) > SHOWN else names
