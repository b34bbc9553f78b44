"""The packed pixel cache: every usable photograph decoded once, in one memory-mapped file.

Enters: an index and a preprocessing contract whose side is the training side plus margin. Leaves:
``uint8[n, side, side, 3]`` on disk, and which row of the index each picture is. It does not know labels,
splits or batches.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from leafsight.dataset.cache_building import build_pixels
from leafsight.dataset.cache_record import CacheRecord, cache_key
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import DatasetError
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated


@dataclass(frozen=True, slots=True)
class PixelCache:
    """A finished cache.

    Attributes:
        images: read-only memory map, upright RGB.
        row_ids: row of the index for each picture, ascending.
        faults: row of the index to reason, for photographs that failed at full decoding; they have no
            picture.
        path: the file of pixels.
        record: hashes and settings.
    """

    images: UInt8[np.ndarray, "n side side 3"]
    row_ids: Int64[np.ndarray, " n"]
    faults: dict[int, str]
    path: Path
    record: CacheRecord

    @classmethod
    def build(
        cls,
        index: PhotoIndex,
        folder: Path,
        preprocessing: Preprocessing,
        *,
        max_bytes: int | None = None,
        limits: DecodeLimits | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> PixelCache:
        """Decode and prepare every usable photograph, or reuse what an earlier call finished.

        The same photographs in the same order with the same contract (mean and std aside) are decoded
        once, whatever their labels and splits. After an interruption only unfinished chunks are decoded
        again.

        Args:
            index: where the photographs are.
            folder: caches are kept here, one pair of files a set of photographs and contract.
            preprocessing: ``side_px`` is the side of the cache.
            max_bytes: refuse a cache with more pixels than this.
            limits: what is too large to be decoded.
            workers: threads that decode; ``None`` takes one a core.
            progress: is told about every photograph.

        Raises:
            DatasetError: no usable photograph, over ``max_bytes``, or another process builds this cache now.
            DiskFullError: no room; said before anything is decoded where the file system can reserve space.
            PermissionDeniedError, StorageError: the folder cannot be written.
        """
        usable = index.usable()
        key = cache_key(usable, preprocessing)
        need_bytes = len(usable) * preprocessing.side_px**2 * 3
        if not len(usable):
            raise DatasetError(
                "no photograph can be used, so there is nothing to cache", hint="see check_photos"
            )
        if max_bytes is not None and need_bytes > max_bytes:
            raise DatasetError(
                f"{len(usable)} photographs at {preprocessing.side_px} px need {need_bytes:,} bytes, "
                f"the limit is {max_bytes:,}",
                hint=f"raise the limit or use at most {_largest_side_px(max_bytes, len(usable))} px",
            )
        if not _is_finished(folder, key):
            build_pixels(
                usable, folder, key, preprocessing, limits or DecodeLimits(), workers, progress or Silent()
            )
        return cls.open(index, folder, preprocessing)

    @classmethod
    def open(cls, index: PhotoIndex, folder: Path, preprocessing: Preprocessing) -> PixelCache:
        """A cache that was built from these photographs with this contract.

        Raises:
            DatasetError: there is none, or its size is wrong.
            StorageError: a file cannot be read.
        """
        usable_ids = index.row_ids()
        key = cache_key(index.usable(), preprocessing)
        if not _is_finished(folder, key):
            raise DatasetError(f"{folder} has no finished cache of these photographs", hint="build it first")
        record = CacheRecord.load(_sidecar(folder, key))
        path = _pixels(folder, key)
        shape = (record.kept, record.side_px, record.side_px, 3)
        with os_errors_translated(path):
            size = path.stat().st_size
            if size != int(np.prod(shape)) or record.photographs != len(usable_ids):
                raise DatasetError(
                    f"{path} has {size:,} bytes, not the size of {shape}", hint="remove it and build again"
                )
            images = np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
        kept = np.ones(len(usable_ids), dtype=bool)
        kept[list(record.faults)] = False
        faults = {int(usable_ids[position]): reason for position, reason in record.faults.items()}
        return cls(images, usable_ids[kept], faults, path, record)

    def __len__(self) -> int:
        return len(self.row_ids)

    @property
    def side_px(self) -> int:
        """Side of the pictures."""
        return self.record.side_px

    def positions(self, row_ids: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " pictures"]:
        """Where the pictures of these rows of the index are; rows without a picture are left out."""
        places = np.searchsorted(self.row_ids, row_ids)
        places = np.minimum(places, len(self.row_ids) - 1)
        found: Int64[np.ndarray, " pictures"] = places[self.row_ids[places] == row_ids].astype(np.int64)
        return found

    def verify(self) -> None:
        """Hash all pixels again.

        Raises:
            DatasetError: some differ from what was written; names the first row of the index concerned.
        """
        first = 0
        for chunk in self.record.chunks:
            pixels = self.images[first : first + chunk.kept]
            if hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest() != chunk.sha256:
                raise DatasetError(
                    f"{self.path} is damaged from row {int(self.row_ids[first])} of the index on",
                    hint=f"remove it and {self.path.with_suffix('.json').name}, then build again",
                )
            first += chunk.kept


def _pixels(folder: Path, key: str) -> Path:
    return folder / f"{key}.pixels"


def _sidecar(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _is_finished(folder: Path, key: str) -> bool:
    return _sidecar(folder, key).exists() and _pixels(folder, key).exists()


def _largest_side_px(max_bytes: int, photographs: int) -> int:
    return int((max_bytes / 3 / photographs) ** 0.5)
