"""A file of equally long records that only grows: one block of bytes a photograph, read by memory map.

Enters: arrays, each with the SHA-256 of what it was made from. Leaves: the number of each record, and records
by number. What they mean is said by a tag in the head of the file; it does not know photographs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeAlias

import numpy as np

from leafsight.errors import DatasetError
from leafsight.storage import holding, os_errors_translated

_MAGIC = b"leafsight records 1\n"
_HEAD_BYTES = 256
_KEY_BYTES = 8

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class RecordFile:
    """Records at ``path``; open for reading until ``writing`` is entered.

    A file whose head tells another tag or another size of record, or that is cut off inside its head, counts
    as empty: it is a by-product that can be made again. A record that was cut off is not counted. Every
    record begins with the first 8 bytes of a hash, so that an older index cannot take another photograph's
    record for its own.

    Args:
        path: the file, which need not be there.
        tag: what the records are, at most 150 characters; another version of the same thing has another tag.
        record_bytes: length of one record.
    """

    def __init__(self, path: Path, tag: str, record_bytes: int) -> None:
        self.path = path
        self.record_bytes = record_bytes
        self._stride = _KEY_BYTES + record_bytes
        self._head = (_MAGIC + f"{tag}\n{record_bytes}\n".encode()).ljust(_HEAD_BYTES, b" ")
        if len(self._head) > _HEAD_BYTES:
            raise ValueError(f"the tag {tag!r} is too long")
        self._records: Bytes | None = None

    def __len__(self) -> int:
        """Whole records in the file now."""
        try:
            with self.path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
                size = os.fstat(file.fileno()).st_size
        except OSError:
            return 0
        return max(0, size - _HEAD_BYTES) // self._stride if head == self._head else 0

    def read(self, numbers: Numbers) -> Bytes:
        """Records by number, uint8 ``[k, record_bytes]``.

        Raises:
            DatasetError: a number that the file does not hold.
            StorageError: the file cannot be read.
        """
        if self._records is None:
            self._records = self._mapped()
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(self._records):
            raise DatasetError(
                f"{self.path} holds {len(self._records)} records, asked for number {int(numbers.max())}",
                hint="run the check again with --fresh",
            )
        return np.asarray(self._records[numbers, _KEY_BYTES:])

    def holds(self, number: int | None, sha256: str | None) -> bool:
        """Whether the record of this number was made from what has this hash."""
        if number is None or sha256 is None:
            return False
        if self._records is None:
            self._records = self._mapped()
        return 0 <= number < len(self._records) and self._records[number, :_KEY_BYTES].tobytes() == _key(
            sha256
        )

    def _mapped(self) -> Bytes:
        count = len(self)
        if not count:
            return np.zeros((0, self._stride), np.uint8)
        with os_errors_translated(self.path):
            return np.memmap(self.path, np.uint8, "r", _HEAD_BYTES, (count, self._stride))

    @contextmanager
    def writing(self) -> Iterator[RecordWriter]:
        """Append records; one writer at a time, and what was appended is on the disk at the end.

        Raises:
            DatasetError: another process is writing the file.
            StorageError: the file cannot be written; DiskFullError, PermissionDeniedError where that is why.
        """
        with os_errors_translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            busy = DatasetError(
                f"another process is reading the same photographs into {self.path}", hint="wait for it to end"
            )
            with (
                self.path.open("r+b" if self.path.exists() else "w+b") as file,
                holding(file.fileno(), busy),
            ):
                count = len(self)
                file.truncate(_HEAD_BYTES + count * self._stride if count else 0)
                file.seek(0)
                if not count:
                    file.write(self._head)
                file.seek(0, os.SEEK_END)
                with RecordWriter(file, count, self.record_bytes) as writer:
                    try:
                        yield writer
                    finally:
                        self._records = None


class RecordWriter:
    """Appends to an open file; leaving the block brings everything to the disk."""

    def __init__(self, file: IO[bytes], count: int, record_bytes: int) -> None:
        self._file = file
        self._record_bytes = record_bytes
        self.count = count

    def append(self, records: np.ndarray[Any, Any], sha256s: Sequence[str]) -> range:
        """Add records, an array whose first axis counts them, and tell their numbers."""
        data = np.ascontiguousarray(records).reshape(len(sha256s), -1).view(np.uint8)
        if data.shape[1] != self._record_bytes:
            raise ValueError(f"{data.shape[1]} bytes are not a record of {self._record_bytes}")
        keys = np.frombuffer(b"".join(map(_key, sha256s)), np.uint8).reshape(-1, _KEY_BYTES)
        self._file.write(np.concatenate([keys, data], axis=1).tobytes())
        self.count += len(data)
        return range(self.count - len(data), self.count)

    def sync(self) -> None:
        """Bring what was appended so far to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> RecordWriter:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sync; after a full disk there is nothing to sync, and the error is already on its way."""
        if kind is None or not issubclass(kind, OSError):
            self.sync()


def _key(sha256: str) -> bytes:
    return bytes.fromhex(sha256[: 2 * _KEY_BYTES])
