"""Lives on a machine of the cluster and opens photographs there.

Enters: rows of files, and what is to be found out. Leaves: what ``look_at`` gives. The network is loaded
once, when the first photographs are to go through it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TypeAlias

import ray

from leafsight.dataset import Embedder, PhotoRow, Seen, Wanted, look_at
from leafsight.errors import ClusterError

Task: TypeAlias = tuple[list[PhotoRow], Wanted]


class PhotoWorker:
    """One worker; several threads may call it at once.

    Args:
        model: path of the bundle whose embeddings are wanted; ``None`` is the built-in one.
    """

    def __init__(self, model: str | None) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None

    def begin(self, sample: Task) -> tuple[str, Seen]:
        """The address of this machine, and what it sees in a few photographs."""
        return str(ray.util.get_node_ip_address()), self.do(sample)

    def do(self, task: Task) -> Seen:
        """Open a task's photographs.

        Raises:
            BundleError: the model cannot be opened here.
            ClusterError: another model lies here under the same path.
        """
        rows, wanted = task
        return look_at(rows, wanted, None if wanted.network is None else self._network(wanted.network))

    def _network(self, tag: str) -> Embedder:
        with self._lock:
            if self._embedder is None:
                from leafsight.inference import bundle_embedder

                self._embedder = bundle_embedder(None if self._model is None else Path(self._model))
            if self._embedder.tag != tag:
                here = ray.util.get_node_ip_address()
                raise ClusterError(
                    f"{here} has another model under {self._model or 'the name of the built-in one'}",
                    hint="put the model on storage that every machine mounts at the same path",
                )
            return self._embedder
