"""WebDataset shards: tars in which ``key.jpg``, ``key.cls`` and ``key.json`` together are one photograph.

Enters: what was unpacked of a tar, or a folder of tars. Leaves: every photograph with its class. It does not
unpack; ``archives`` does, under its limits.
Source: https://github.com/webdataset/webdataset#the-webdataset-format
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from leafsight.dataset.folders import SPLIT_FOLDERS, Finding, found, is_unicode
from leafsight.dataset.listing_faults import ListingFaults
from leafsight.dataset.listing_json import ListingLimits, read_listing_json
from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError

PICTURES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "mpo", "ppm", "pgm")
LABELS = ("cls", "json", "txt")
CLASS_LIST = "classes.txt"
# What others call the class in their JSON, ours first.
CLASS_KEYS = ("class_name", "label", "class", "category", "cls")
MAX_LABEL_BYTES = 1024**2


@dataclass(slots=True)
class _Sample:
    """The files of one key: kind to (name in the tar, place in the store)."""

    pictures: list[tuple[str, str | None]] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)


def is_shard(names: Sequence[str] | Mapping[str, object]) -> bool:
    """Whether the files of a tar are samples: beside a picture is a ``.cls`` of its key.

    A ``.json`` counts, too, but not in a folder: tools for drawing outlines put one beside each photograph.
    """
    pictures, labels = set(), set()
    for name in names:
        key, kind = _key(name)
        if kind in PICTURES:
            pictures.add(key)
        elif kind == "cls" or (kind == "json" and "/" not in key):
            labels.add(key)
    return not pictures.isdisjoint(labels)


def label_by_key(
    stored: Mapping[str, str | None], home: Path, source: str, archive: Path, classes: Sequence[str] = ()
) -> Finding:
    """Give every picture of a shard the class that stands beside it.

    The class comes from ``class_name`` (or ``label``) of the JSON; else from the number in ``.cls``, which is
    a place in ``classes`` where there are any; else from the text in ``.cls`` or ``.txt``. The split comes
    from the JSON, else from the name of the shard: ``train-000000.tar``.

    Args:
        stored: name in the tar to place below ``home``; ``None`` for a file that was too large.
        home: where the files were unpacked to.
        source: name of the collection.
        archive: the tar, for messages and the split.
        classes: names of the numbers in ``.cls``.

    Raises:
        DatasetError: a picture without a readable label, or a key with two pictures; all of them are told.
    """
    samples: dict[str, _Sample] = defaultdict(_Sample)
    for name, place in stored.items():
        key, kind = _key(name)
        if kind in PICTURES:
            samples[key].pictures.append((name, place))
        elif kind in LABELS:
            samples[key].labels[kind] = place
    finding, faults = Finding(), ListingFaults()
    empty = 0
    split = _split_of(archive)
    for key, sample in sorted(samples.items()):
        if not sample.pictures:
            empty += 1
            continue
        photo, complaint = _photo(key, sample, home, source, classes)
        if complaint:
            faults.add(f"key {key!r}", complaint)
        else:
            finding.photos.append(photo if photo.split else replace(photo, split=split))
    faults.raise_if_any(archive, "write the shard again; nothing was indexed")
    finding.notes.append(f"{source}: {archive.name} was read as a WebDataset shard")
    if empty:
        finding.notes.append(f"{source}: {empty} keys of {archive.name} have no picture and were left out")
    return finding


def class_list(folder: Path) -> tuple[str, ...]:
    """The names in ``classes.txt`` of a folder of shards, one a line; none when there is no such file."""
    path = folder / CLASS_LIST
    if not path.is_file() or path.stat().st_size > MAX_LABEL_BYTES:
        return ()
    return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines())


def shard_files(folder: Path) -> list[Path]:
    """The tars at the top of a folder that holds no folders with anything else; sorted by name."""
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
        if any(path.is_dir() for path in inside):
            return []
        return sorted(path for path in inside if re.search(r"\.(tar|tgz)$|\.tar\.(gz|bz2|xz)$", path.name))
    except OSError:
        return []  # the walk through the folder says why


def _key(name: str) -> tuple[str, str]:
    """Key and kind: the path up to the first dot of its last part, and the rest in lower case."""
    folder, slash, last = name.rpartition("/")
    stem, _, kind = last.partition(".")
    return folder + slash + stem, kind.lower()


def _photo(
    key: str, sample: _Sample, home: Path, source: str, classes: Sequence[str]
) -> tuple[FoundPhoto, str]:
    name, place = sample.pictures[0]
    photo = replace(found(source, str(home), name, ""), stored_as=place)
    if len(sample.pictures) > 1:
        others = ", ".join(other for other, _ in sample.pictures)
        return photo, f"more than one picture: {others}"
    told: dict[str, object] = {}
    try:
        if (described := sample.labels.get("json")) is not None:
            value = read_listing_json(home / described, ListingLimits(MAX_LABEL_BYTES))
            told = value if isinstance(value, dict) else {}
        label = _named_class(told) or _numbered_class(_text(home, sample.labels.get("cls")), classes)
        label = label or _text(home, sample.labels.get("txt"))
    except (DatasetError, UnicodeDecodeError, ValueError) as error:
        return photo, str(error).replace(str(home), "").strip("/ ")
    if not label or not is_unicode(label):
        return photo, "no label in a .cls, .json or .txt"
    group, split = _word(told.get("group")), _word(told.get("split"))
    split = SPLIT_FOLDERS.get(split.lower(), split)
    return replace(photo, class_name=label, given_group=group or None, split=split or None), ""


def _word(value: object) -> str:
    return value if isinstance(value, str) and is_unicode(value) else ""


def _named_class(told: Mapping[str, object]) -> str:
    for name in CLASS_KEYS:
        value = told.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _numbered_class(text: str, classes: Sequence[str]) -> str:
    if not classes or not re.fullmatch(r"[0-9]{1,9}", text):
        return text
    number = int(text)
    if number >= len(classes):
        raise ValueError(f"class {number} is not among the {len(classes)} of {CLASS_LIST}")
    return classes[number]


def _text(home: Path, place: str | None) -> str:
    if place is None:
        return ""
    with (home / place).open("rb") as file:
        return file.read(MAX_LABEL_BYTES).decode("utf-8").strip()


def _split_of(archive: Path) -> str | None:
    """``train-000000.tar`` is of the training split."""
    word = re.split(r"[^a-z]", archive.name.lower())[0]
    return SPLIT_FOLDERS.get(word)
