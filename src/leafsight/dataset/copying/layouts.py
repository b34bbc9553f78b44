"""The two ways a copy lies on the disk: folders of files, and tars of samples."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from leafsight.dataset.copying.options import CopyOptions
from leafsight.dataset.copying.planning import Planned, folder_paths, split_names
from leafsight.dataset.copying.report import LeftOut
from leafsight.dataset.copying.transfer import LostPhotoError, place, read_checked
from leafsight.progress import Progress
from leafsight.storage import canonical_json, os_errors_translated, replacing

PHOTOS_PER_STEP = 64
NO_SPLIT_SHARD = "photos"
_TAR_BLOCK = 512


@dataclass(slots=True)
class Written:
    """What has come into the new folder so far.

    Attributes:
        photos: photographs with their names in the copy.
        files: other files made, with their SHA-256: the shards.
        left_out: what was planned and could not be written.
        linked: how many photographs are second names of their originals.
    """

    photos: list[Planned] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    linked: int = 0

    def lose(self, one: Planned, error: LostPhotoError) -> None:
        """Note a photograph that is not in the copy."""
        self.left_out.append(LeftOut(one.source_path, one.label, one.split, error.kind, error.reason))


def write_folders(
    planned: Sequence[Planned], folder: Path, options: CopyOptions, progress: Progress
) -> Written:
    """Write every photograph as a file.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be written.
    """
    written = Written()
    made: set[Path] = set()
    progress.start("copying", len(planned))
    for number, (one, path) in enumerate(zip(planned, folder_paths(planned), strict=True), 1):
        target = folder / path
        if target.parent not in made:
            with os_errors_translated(target.parent):
                target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        try:
            linked = place(one.file, target, one.sha256, one.bytes, link=options.link == "hard")
        except LostPhotoError as error:
            written.lose(one, error)
        else:
            written.linked += linked
            written.photos.append(replace(one, path=path))
        if number % PHOTOS_PER_STEP == 0 or number == len(planned):
            progress.advance((number - 1) % PHOTOS_PER_STEP + 1)
    progress.finish(f"{written.linked} linked, {len(written.photos) - written.linked} copied")
    return written


def write_shards(
    planned: Sequence[Planned], folder: Path, options: CopyOptions, progress: Progress
) -> Written:
    """Write tars of samples, ``<split>-000000.tar`` and on; the same photographs give the same bytes.

    Within a split photographs stand in the order of their SHA-256, which mixes classes and sources: shards
    are read from start to end, and a network must not see one class for an hour.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be written.
    """
    written = Written()
    progress.start("packing", len(planned))
    for name, part in _shards(planned, options.max_shard_bytes):
        with replacing(folder / name) as file:
            hashing = _Hashing(file)
            with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
                for key, one in part:
                    _add(tar, name, key, one, written)
        written.files[name] = hashing.digest.hexdigest()
        progress.advance(len(part))
    progress.finish(f"{len(written.files)} shards")
    return written


def shard_bytes(one: Planned) -> int:
    """Bytes that a photograph takes in a tar: three heads, and three bodies in blocks of 512."""
    bodies = (one.bytes, len(_described(one)), len(str(one.class_number)))
    return sum(_TAR_BLOCK + -(-size // _TAR_BLOCK) * _TAR_BLOCK for size in bodies)


class _Hashing:
    """A file that remembers the hash of what goes through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)


def _shards(planned: Sequence[Planned], max_bytes: int) -> Iterator[tuple[str, list[tuple[str, Planned]]]]:
    """Name of each shard, and key and photograph of each sample in it."""
    splits = split_names(planned)
    inside: dict[str, list[Planned]] = defaultdict(list)
    for one in planned:
        inside[splits.get(one.split, NO_SPLIT_SHARD)].append(one)
    for split, members in sorted(inside.items()):
        number, held, part = 0, 0, list[tuple[str, Planned]]()
        mixed = sorted(members, key=lambda member: (member.sha256, member.source_path))
        for count, one in enumerate(mixed):
            weight = shard_bytes(one)
            if part and held + weight > max_bytes - tarfile.RECORDSIZE:  # its padded end
                yield f"{split}-{number:06d}.tar", part
                number, held, part = number + 1, 0, []
            part.append((f"{count:08d}", one))
            held += weight
        yield f"{split}-{number:06d}.tar", part


def _add(tar: tarfile.TarFile, shard: str, key: str, one: Planned, written: Written) -> None:
    try:
        data = read_checked(one.file, one.sha256, one.bytes)
    except LostPhotoError as error:
        written.lose(one, error)
        return
    members = {"cls": str(one.class_number).encode(), one.ending: data, "json": _described(one)}
    for kind, content in sorted(members.items()):
        info = tarfile.TarInfo(f"{key}.{kind}")  # its time and owner are 0
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    written.photos.append(replace(one, path=f"{shard}/{key}.{one.ending}"))


def _described(one: Planned) -> bytes:
    told: dict[str, Any] = {
        "class_name": one.label,
        "class_number": one.class_number,
        "source_path": one.source_path,
        "sha256": one.sha256,
        "group": one.group,
        "split": one.split,
    }
    return canonical_json(told).encode()
