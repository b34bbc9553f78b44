"""What every photograph is called in the copy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from leafsight.dataset.copying.selection import source_paths
from leafsight.dataset.folders import NOT_PHOTOGRAPHS
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.safe_names import numbered, safe_name, safe_siblings, same_on_disk
from leafsight.storage import is_litter

# Where photographs without a split go when others have one.
NO_SPLIT_FOLDER = "unsplit"
_ENDINGS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WebP": "webp", "BMP": "bmp", "TIFF": "tif"}
UNKNOWN_ENDING = "jpg"


@dataclass(frozen=True, slots=True)
class Planned:
    """One photograph on its way.

    Attributes:
        row: its position in the index.
        file: where its bytes are now.
        path: its name in the copy, with ``/`` between folders; empty until it is given one.
        source_path: collection and name in it.
        label: its class.
        class_number: place of the class in the sorted list of classes.
        split: its split.
        group: photographs with the same value belong together.
        sha256: what its bytes must hash to.
        bytes: how many there must be.
        ending: what its format is written as in a file name.
    """

    row: int
    file: Path
    path: str
    source_path: str
    label: str
    class_number: int
    split: str | None
    group: str | None
    sha256: str
    bytes: int
    ending: str


def plan_copy(index: PhotoIndex, row_ids: Sequence[int]) -> tuple[list[Planned], tuple[str, ...]]:
    """The photographs without names yet, in the order of the index, and the sorted classes."""
    labels = index.column("class_name")
    classes = tuple(sorted({labels[row] for row in row_ids}))
    numbers = {name: number for number, name in enumerate(classes)}
    columns = {name: index.column(name) for name in ("split", "content_hash", "bytes", "format")}
    groups = [
        own or given for own, given in zip(index.column("group"), index.column("given_group"), strict=True)
    ]
    files, names = index.files(), source_paths(index)
    planned = [
        Planned(
            row,
            files[row],
            "",
            names[row],
            labels[row],
            numbers[labels[row]],
            columns["split"][row],
            groups[row],
            columns["content_hash"][row],
            columns["bytes"][row] or 0,
            _ENDINGS.get(columns["format"][row] or "", UNKNOWN_ENDING),
        )
        for row in row_ids
    ]
    return planned, classes


def split_names(planned: Sequence[Planned]) -> dict[str | None, str]:
    """A folder (or start of a shard's name) for each split; empty when no photograph has one."""
    splits = {one.split for one in planned}
    if splits <= {None}:
        return {}
    safe = safe_siblings([split or NO_SPLIT_FOLDER for split in splits], are_folders=True)
    return {split: safe[split or NO_SPLIT_FOLDER] for split in splits}


def folder_paths(planned: Sequence[Planned]) -> list[str]:
    """``split/class/file`` for each photograph, or ``class/file`` where there are no splits; all different.

    Each name can be written on any disk, two never meet on a disk that ignores case, and each is found again
    when the copy is indexed: no class looks like the litter of a desktop, no photograph like a text.
    """
    splits = split_names(planned)
    classes = {name: _shown(safe) for name, safe in _class_folders(planned).items()}
    inside: dict[tuple[str | None, str], list[int]] = defaultdict(list)
    for number, one in enumerate(planned):
        inside[one.split, one.label].append(number)
    paths = [""] * len(planned)
    for (split, label), numbers in inside.items():
        prefix = f"{splits[split]}/" if splits else ""
        for number, name in zip(numbers, _file_names([planned[n] for n in numbers]), strict=True):
            paths[number] = f"{prefix}{classes[label]}/{name}"
    return paths


def _class_folders(planned: Sequence[Planned]) -> dict[str, str]:
    return safe_siblings({one.label for one in planned}, are_folders=True)


def _shown(name: str) -> str:
    return "_" + name if is_litter(name) else name


def _file_names(planned: Sequence[Planned]) -> list[str]:
    """Different safe names in one folder; of those that are alike the first in the index keeps its own."""
    taken: set[str] = set()
    last: dict[str, int] = {}
    names = []
    for one in planned:
        wanted = _shown(safe_name(PurePosixPath(one.source_path).name))
        if PurePosixPath(wanted).suffix.lower() in NOT_PHOTOGRAPHS:
            wanted = safe_name(f"{wanted}.{one.ending}")
        free, key = wanted, same_on_disk(wanted)
        while same_on_disk(free) in taken:
            last[key] = last.get(key, 1) + 1
            free = numbered(wanted, last[key])
        taken.add(same_on_disk(free))
        names.append(free)
    return names
