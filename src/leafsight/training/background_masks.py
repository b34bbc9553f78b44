"""The file that keeps leaf masks beside a pixel cache, so that each photograph is cut out once in its life.

Enters: rows of one state byte and the bits of a mask. Leaves: the same. It does not know how masks are made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from leafsight.storage import replacing

VERSION = 1  # raise it when masks of old files should be made anew
NOT_SEEN, PLAIN, BUSY = 0, 1, 2


def packed_bytes(shape: Sequence[int]) -> int:
    """Bytes of one row for pictures ``[n, h, w, 3]``: the state, then one bit for each pixel."""
    return 1 + -(-shape[1] * shape[2] // 8)


class MaskFile:
    """Masks of one cache.

    Args:
        folder: where the file is.
        fingerprint: of the cache's contents; masks of other contents are never found.
        shape: of the cache, ``[n, S, S, 3]``.
    """

    def __init__(self, folder: Path, fingerprint: str, shape: Sequence[int]) -> None:
        self._shape = (shape[0], packed_bytes(shape))
        key = hashlib.sha256(f"{VERSION} {fingerprint} {tuple(shape)}".encode()).hexdigest()
        self.path = folder / f"leaf-masks-{key[:16]}.npy"

    def read(self) -> UInt8[np.ndarray, "n packed"]:
        """What is kept; all zeros (nothing seen) where there is no file or not a whole one."""
        try:
            found = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return np.zeros(self._shape, np.uint8)  # missing or half a file: it will be made anew
        if found.shape != self._shape or found.dtype != np.uint8:
            return np.zeros(self._shape, np.uint8)
        return np.asarray(found)

    def write(self, found: UInt8[np.ndarray, "n packed"]) -> None:
        """Keep it, whole or not at all.

        Raises:
            StorageError: no space or no permission.
        """
        with replacing(self.path) as file:
            np.save(file, found, allow_pickle=False)
