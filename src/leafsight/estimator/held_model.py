"""A model file held as bytes, and opened when it is first asked.

Enters: the bytes of a ``.leafsight`` file. Leaves: the predictor that ``leafsight predict`` uses. It does not
know what is asked of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from leafsight.bundle import Bundle, open_bundle, write_bundle
from leafsight.inference import BundlePredictor
from leafsight.storage import os_errors_translated

FILE = "model.leafsight"


class HeldModel:
    """Bytes and, once asked, the predictor on them.

    Attributes:
        data: a bundle as one file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._opened: tuple[int, BundlePredictor] | None = None

    def predictor(self, threads: int) -> BundlePredictor:
        """The predictor on ``threads`` threads; all classes stand in its answers, most probable first.

        Raises:
            BundleError: the bytes are no whole bundle.
        """
        if self._opened is None or self._opened[0] != threads:
            self._opened = (threads, self._open(threads))
        return self._opened[1]

    def _open(self, threads: int) -> BundlePredictor:
        # All that a prediction needs is read while the predictor is made: the file may go afterwards.
        with tempfile.TemporaryDirectory(prefix="leafsight-model-") as folder:
            path = Path(folder) / FILE
            with os_errors_translated(path):
                path.write_bytes(self.data)
            bundle = open_bundle(path, keep_network=True)
            return BundlePredictor(bundle, threads=threads, top=len(bundle.classes))


def bundle_bytes(bundle: Bundle) -> bytes:
    """A bundle as one file; a folder of parts is packed again and keeps its content hash.

    Raises:
        BundleError, StorageError: it changed since it was opened, or cannot be read.
    """
    if not bundle.path.is_dir():
        with os_errors_translated(bundle.path):
            return bundle.path.read_bytes()
    with tempfile.TemporaryDirectory(prefix="leafsight-model-") as folder:
        packed = Path(folder) / FILE
        write_bundle(packed, bundle.contents())
        return packed.read_bytes()
