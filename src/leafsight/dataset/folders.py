"""Photographs in class folders: which layout it is, and every file with its class."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError
from leafsight.storage import is_litter, os_errors_translated, readable

# What people call the folders of a ready-made split, and what we call it.
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
    "calibration": "calibration",
}
# Kept beside photographs on purpose. Anything else is opened, so a photograph with an odd name is found.
NOT_PHOTOGRAPHS = {
    ".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".yaml", ".yml", ".toml", ".html", ".htm", ".pdf",
    ".py", ".ipynb", ".log", ".zip", ".tar", ".gz", ".parquet", ".db", ".ini", ".npy", ".npz", ".mat",
}  # fmt: skip
# A path may be as long as the disk allows, and every folder of a lost disk may fail.
LONGEST_SHOWN_CHARACTERS = 200
MOST_NOTES = 40


@dataclass(slots=True)
class Finding:
    """What a source holds: files with a class, and sentences on what was left out."""

    photos: list[FoundPhoto] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_in_folders(root: Path, source: str) -> Finding:
    """Every file below the class folders of ``root``.

    Raises:
        DatasetError: the folder is missing, is not a folder, or holds no class folder with files.
        PermissionDeniedError: the folder itself cannot be listed.
    """
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise DatasetError(
            f"{root} {what}", hint="give a folder with one sub-folder a class, a CSV, a tar or a zip"
        )
    root = root.resolve()
    walk = Walk(root)
    names = list(walk.files())
    finding = label_by_folder(names, str(root), source)
    finding.notes.extend(walk.notes)
    return finding


def label_by_folder(names: Iterable[str], root: str, source: str, *, called: str = "") -> Finding:
    """Give every name the class (and split) of its folders.

    A single wrapping folder is looked through, as in ``archive/PlantVillage/<class>/<file>``. When all
    folders at the top are called train, valid, test or the like, they give the split.

    Args:
        names: relative names with ``/`` between folders.
        root: goes into the rows.
        source: goes into the rows and messages.
        called: what a person knows it as; ``root`` when not given.

    Raises:
        DatasetError: no name has a class.
    """
    finding = Finding()
    names = sorted(name for name in names if not is_litter(name))
    others = Counter(PurePosixPath(n).suffix.lower() for n in names if _is_no_photograph(n))
    if others:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        finding.notes.append(f"{source}: files that are no photographs were left out: {kinds}")
    names = [name for name in names if not _is_no_photograph(name)]
    depth = _wrapping_folders(names)
    tops = {name.split("/")[depth].lower() for name in names if name.count("/") > depth}
    split_layout = (
        bool(tops) and tops <= SPLIT_FOLDERS.keys() and any(n.count("/") > depth + 1 for n in names)
    )
    loose = 0
    for name in names:
        parts = name.split("/")[depth:]
        split = SPLIT_FOLDERS[parts[0].lower()] if split_layout and len(parts) > 1 else None
        inside = parts[1:] if split_layout else parts
        if len(inside) < 2:
            loose += 1
            continue
        finding.photos.append(found(source, root, name, inside[0], split))
    if loose:
        finding.notes.append(f"{source}: {loose} files are in no class folder and were left out")
    if not finding.photos:
        raise DatasetError(
            f"{called or root} holds no photographs in class folders ({loose} loose files)",
            hint="put the photographs of each class into a folder with the name of the class",
        )
    return finding


def found(source: str, root: str, name: str, class_name: str, split: str | None = None) -> FoundPhoto:
    """A found file; a name that is not valid Unicode becomes readable and a fault."""
    if is_unicode(name):
        return FoundPhoto(source, root, name, class_name, split=split)
    reason = "unreadable-name: the file name is not valid UTF-8; rename the file"
    return FoundPhoto(source, root, readable(name), readable(class_name), split=split, fault=reason)


def _is_no_photograph(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in NOT_PHOTOGRAPHS


def is_unicode(name: str) -> bool:
    """Whether a table can hold ``name``: no half of a character pair, as bytes that are no text become."""
    return name.isascii() or not any(0xD800 <= ord(character) <= 0xDFFF for character in name)


def unlisted(root: Path, listed: Container[str]) -> int:
    """How many photographs below ``root`` are not among ``listed``, judged by their names only."""
    walk = Walk(root)
    return sum(not (_is_no_photograph(name) or readable(name) in listed) for name in walk.files())


def _wrapping_folders(names: list[str]) -> int:
    """How many folders at the top hold everything and are no class: the common ones, up to a split folder."""
    if not names:
        return 0
    # One pass each, keeping nothing: the folders of a million names as lists would take a gigabyte.
    first = min(name.split("/")[:-1] for name in names)
    last = max(name.split("/")[:-1] for name in names)
    common = 0
    while common < min(len(first), len(last)) and first[common] == last[common]:
        if first[common].lower() in SPLIT_FOLDERS:
            return common
        common += 1
    inner = {parts[common] for parts in (name.split("/") for name in names) if len(parts) > common + 1}
    # Without two folders inside, the innermost common folder is the one class that there is.
    return common if len(inner) >= 2 else max(0, common - 1)


class Walk:
    """Lists files below a folder; every real folder once, links to folders only when they lead outside."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: set[tuple[int, int]] = set()
        self._links: deque[tuple[str, str]] = deque()
        self.notes: list[str] = []

    def files(self) -> Iterator[str]:
        """Names relative to the root with ``/`` in between; what cannot be listed goes into ``notes``."""
        with os_errors_translated(self._root):
            next(self._root.iterdir(), None)
        yield from self._below(str(self._root), "")
        # Links come last: a folder that is really here keeps its own class, and a loop ends at once.
        while self._links:
            folder, prefix = self._links.popleft()
            yield from self._below(folder, prefix)

    def _below(self, folder: str, prefix: str) -> Iterator[str]:
        pending = [(folder, prefix)]
        while pending:
            folder, prefix = pending.pop()
            try:
                status = Path(folder).stat()
                if (status.st_dev, status.st_ino) in self._seen:
                    continue
                self._seen.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    inside = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._note(folder, error)
                continue
            for entry in inside:
                name = prefix + entry.name
                if is_litter(entry.name):
                    continue
                if _is_folder(entry, follow_links=False):
                    pending.append((entry.path, name + "/"))
                elif _is_folder(entry):
                    self._links.append((entry.path, name + "/"))
                else:
                    yield name

    def _note(self, folder: str, error: OSError) -> None:
        shown = readable(folder)
        if len(shown) > LONGEST_SHOWN_CHARACTERS:
            shown = f"{shown[:LONGEST_SHOWN_CHARACTERS]}... ({len(shown)} characters)"
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{shown} could not be listed: {error.strerror}")
        elif len(self.notes) == MOST_NOTES:
            self.notes.append("and more folders that could not be listed")


def _is_folder(entry: os.DirEntry[str], *, follow_links: bool = True) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow_links)
    except OSError:
        return False  # a link to itself: listed as a file, and reported as unreadable when it is opened
