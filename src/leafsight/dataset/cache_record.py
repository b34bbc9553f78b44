"""What lies beside the pixels of a cache: the sidecar of a finished one, the journal of one being built."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import DatasetError
from leafsight.images import Preprocessing
from leafsight.storage import canonical_json, os_errors_translated, read_json, write_json

CACHE_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some photographs of the index in a row.

    Attributes:
        photographs: how many were tried.
        kept: how many have pixels in the cache.
        sha256: of their pixels.
        faults: those without, as (position among the usable photographs of the index, reason).
    """

    photographs: int
    kept: int
    sha256: str
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """Everything about a cache except its pixels.

    Attributes:
        key: hash of the photographs' contents in order and of how they were prepared.
        side_px: side of the square pictures.
        preprocessing: the contract that prepared them, as plain values.
        chunks: in the order of the photographs.
    """

    key: str
    side_px: int
    preprocessing: dict[str, Any]
    chunks: tuple[Chunk, ...]

    @property
    def kept(self) -> int:
        """Photographs with pixels."""
        return sum(chunk.kept for chunk in self.chunks)

    @property
    def photographs(self) -> int:
        """Photographs tried."""
        return sum(chunk.photographs for chunk in self.chunks)

    @property
    def faults(self) -> dict[int, str]:
        """Position among the usable photographs to reason, for those without pixels."""
        return dict(fault for chunk in self.chunks for fault in chunk.faults)

    def save(self, path: Path) -> None:
        """Write the sidecar."""
        write_json(path, {"format": CACHE_FORMAT, **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> CacheRecord:
        """Read a sidecar.

        Raises:
            DatasetError: it is damaged or from another version.
            StorageError: it is missing or no JSON.
        """
        values = read_json(path)
        try:
            if values["format"] != CACHE_FORMAT:
                raise DatasetError(
                    f"{path} has cache format {values['format']}", hint="remove it and run again"
                )
            chunks = tuple(chunk_of(chunk) for chunk in values["chunks"])
            return cls(str(values["key"]), int(values["side_px"]), dict(values["preprocessing"]), chunks)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{path} is damaged: {error!r}", hint="remove it and run again") from error


def chunk_of(values: dict[str, Any]) -> Chunk:
    """A chunk from JSON."""
    faults = tuple((int(position), str(reason)) for position, reason in values["faults"])
    return Chunk(int(values["photographs"]), int(values["kept"]), str(values["sha256"]), faults)


def cache_key(usable: PhotoIndex, preprocessing: Preprocessing) -> str:
    """32 hex digits of what decides the pixels: contents in order, and everything but mean and std."""
    shape = {name: value for name, value in preprocessing.to_dict().items() if name not in ("mean", "std")}
    digest = hashlib.sha256(canonical_json({"cache": CACHE_FORMAT, "preprocessing": shape}).encode())
    for content in usable.column("content_hash"):
        digest.update(bytes.fromhex(content))
    return digest.hexdigest()[:32]


class Journal:
    """One line of JSON a finished chunk, synced after the pixels were; a torn last line is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def chunks(self) -> list[Chunk]:
        """Chunks that were finished before."""
        done: list[Chunk] = []
        if self._path.exists():
            with os_errors_translated(self._path):
                lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
            for line in lines[:-1]:
                try:
                    done.append(chunk_of(json.loads(line)))
                except (KeyError, TypeError, ValueError):
                    break
        return done

    def restart(self, chunks: Sequence[Chunk]) -> None:
        """Begin with these chunks."""
        with os_errors_translated(self._path), self._path.open("w", encoding="utf-8") as file:
            file.writelines(canonical_json(asdict(chunk)) + "\n" for chunk in chunks)
            file.flush()
            os.fsync(file.fileno())

    def add(self, chunk: Chunk) -> None:
        """Note a chunk whose pixels are on the disk."""
        with os_errors_translated(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(canonical_json(asdict(chunk)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Forget everything."""
        self._path.unlink(missing_ok=True)
