"""Photographs listed by a COCO-style JSON: images, annotations and categories.

Enters: the JSON file, or a folder that holds such files where Roboflow and COCO put them. Leaves: one class a
photograph. Boxes and outlines are not read: a class is what the whole photograph shows.
Source of the format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leafsight.dataset.folders import SPLIT_FOLDERS, Finding, found, is_unicode, unlisted
from leafsight.dataset.listing_faults import ListingFaults
from leafsight.dataset.listing_json import ListingLimits, place_inside, read_listing_json
from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError, nearest

PARTS = ("images", "annotations", "categories")
# Large and not wanted; thrown away as soon as read, which keeps the memory of COCO's own file in bounds.
_SHAPES = ("segmentation", "keypoints", "bbox")
# How many images are looked for to find out which folder the names start at.
_PROBED = 50


@dataclass(slots=True)
class _Reading:
    """What is gathered while a file is read."""

    listing: Path
    classes: Sequence[str] | None
    faults: ListingFaults
    names: dict[Any, str] = field(default_factory=dict)
    seen: dict[Any, tuple[str, ...]] = field(default_factory=dict)
    boxes: int = 0


def find_in_coco(
    listing: Path,
    source: str,
    classes: Sequence[str] | None = None,
    *,
    base: Path | None = None,
    split: str | None = None,
    limits: ListingLimits | None = None,
) -> Finding:
    """Every image of a COCO JSON that has exactly one class.

    Names start at the folder of the JSON, at ``images/`` beside it, or where COCO itself puts them (beside
    ``annotations/``). An image whose annotations name different categories becomes a row with the fault
    ``several-labels``; one without an annotation is left out and counted in a note.

    Args:
        listing: the JSON file.
        source: name of the collection.
        classes: categories that are allowed; ``None`` allows all.
        base: folder that the rows' names are relative to; the one of the JSON when not given.
        split: goes into the rows.
        limits: what is too large to be read.

    Raises:
        DatasetError: not COCO, over a limit, nothing labelled in it, or any entry with a fault: a missing
            file, a path that leads outside, an identifier twice or unknown. All of them are in the message.
        StorageError: the file cannot be read.
    """
    limits = limits or ListingLimits()
    value = read_listing_json(listing, limits, _without_shapes)
    _check_form(value, listing, limits)
    reading = _Reading(listing, classes, ListingFaults())
    _read_categories(value["categories"], reading)
    _read_annotations(value["annotations"], reading)
    finding = _photos_of(value["images"], reading, source, base, split)
    reading.faults.raise_if_any(listing, "correct these entries; nothing was indexed")
    if all(photo.fault for photo in finding.photos):
        raise DatasetError(
            f"{listing} gives no image one class",
            hint="each image needs an annotation with the category_id of its class",
        )
    if reading.boxes:
        finding.notes.append(f"{source}: boxes and outlines of {reading.boxes} annotations were ignored")
    return finding


def coco_listings(folder: Path) -> list[tuple[Path, str | None]]:
    """COCO files of a folder, each with its split, where tools put them; none when there are none.

    These are ``*.coco.json`` in the folder and its split folders (Roboflow) and the ``instances_*.json`` or
    the only JSON of ``annotations/`` (COCO).
    """
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir())
        given: list[tuple[Path, str | None]] = [(path, None) for path in sorted(folder.glob("*.coco.json"))]
        for one in below:
            if one.name.lower() in SPLIT_FOLDERS:
                given += [(path, SPLIT_FOLDERS[one.name.lower()]) for path in sorted(one.glob("*.coco.json"))]
            if one.name == "annotations":
                inside = sorted(path for path in one.glob("*.json") if _looks_like_coco(path))
                instances = [path for path in inside if path.name.startswith("instances_")]
                given += [
                    (path, _split_of(path)) for path in instances or (inside if len(inside) == 1 else [])
                ]
    except OSError:
        return []  # the walk through the folder says why
    return given


def find_in_coco_folder(
    folder: Path, source: str, classes: Sequence[str] | None, listings: Sequence[tuple[Path, str | None]]
) -> Finding:
    """All COCO files of one folder as one collection.

    Raises:
        DatasetError: see ``find_in_coco``; or one photograph stands in two of the files.
    """
    whole = Finding()
    first: dict[str, Path] = {}
    faults = ListingFaults()
    for listing, split in listings:
        finding = find_in_coco(listing, source, classes, base=folder.resolve(), split=split)
        for photo in finding.photos:
            if (earlier := first.setdefault(photo.path, listing)) is not listing:
                faults.add(listing.name, f"{photo.path!r} is named in {earlier.name} already")
        whole.photos += finding.photos
        whole.notes += finding.notes
    faults.raise_if_any(folder, "keep one of them; nothing was indexed")
    if others := unlisted(folder.resolve(), first):
        whole.notes.append(f"{source}: {others} photographs are in no listing or have no annotation")
    return whole


def _without_shapes(entry: dict[str, Any]) -> dict[str, Any]:
    if "category_id" in entry:
        for name in _SHAPES:
            if entry.get(name):
                entry["bbox"] = True
                if name != "bbox":
                    del entry[name]
    return entry


def _check_form(value: Any, listing: Path, limits: ListingLimits) -> None:
    if not isinstance(value, dict) or any(not isinstance(value.get(part), list) for part in PARTS):
        has = ", ".join(sorted(map(str, value))[:10]) if isinstance(value, dict) else type(value).__name__
        raise DatasetError(
            f"{listing} is not a COCO listing: it needs {', '.join(PARTS)} and has: {has or 'nothing'}",
            hint="give a COCO JSON, a CSV with path,label or a folder of class folders",
        )
    for part in PARTS:
        if len(value[part]) > limits.max_entries:
            raise DatasetError(
                f"{listing} has {len(value[part])} {part}; at most {limits.max_entries} are read",
                hint="divide it into several listings",
            )


def _identifier(value: object) -> int | str | None:
    """A usable identifier: whole numbers (also written ``3.0``) and text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _read_categories(entries: list[Any], reading: _Reading) -> None:
    for number, entry in enumerate(entries):
        where = f"categories[{number}]"
        key = _identifier(entry.get("id")) if isinstance(entry, dict) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        if key is None or not isinstance(name, str) or not name.strip() or not is_unicode(name):
            reading.faults.add(where, "no id (a whole number or text) or no readable name")
        elif key in reading.names:
            reading.faults.add(where, f"the id {key!r} belongs to {reading.names[key]!r} already")
        else:
            reading.names[key] = name.strip()


def _read_annotations(entries: list[Any], reading: _Reading) -> None:
    """Fill ``seen`` with the class names of each image; almost always one, so a tuple and no set."""
    alone = {name: (name,) for name in reading.names.values()}
    for number, entry in enumerate(entries):
        image = _identifier(entry.get("image_id")) if isinstance(entry, dict) else None
        category = _identifier(entry.get("category_id")) if isinstance(entry, dict) else None
        if image is None or category is None:
            reading.faults.add(f"annotations[{number}]", "no image_id or no category_id")
            continue
        name = reading.names.get(category)
        if name is None:
            reading.faults.add(f"annotations[{number}]", f"no category has the id {category!r}")
            continue
        reading.boxes += bool(entry.get("bbox"))
        earlier = reading.seen.setdefault(image, alone[name])
        if name not in earlier:
            reading.seen[image] = (*earlier, name)


def _photos_of(
    entries: list[Any], reading: _Reading, source: str, base: Path | None, split: str | None
) -> Finding:
    home = _image_folder(entries, reading.listing.resolve())
    base = base or Path(os.path.commonpath([reading.listing.resolve().parent, home]))
    prefix = os.path.relpath(home, base).replace(os.sep, "/")
    prefix = "" if prefix == "." else prefix + "/"
    finding = Finding()
    known: set[Any] = set()
    places: dict[str, int] = {}
    bare = 0
    for number, entry in enumerate(entries):
        where = f"images[{number}]"
        key = _identifier(entry.get("id")) if isinstance(entry, dict) else None
        if key is None or key in known:
            what = "no id (a whole number or text)" if key is None else f"the id {key!r} stands here twice"
            reading.faults.add(where, what)
            continue
        known.add(key)
        name, complaint = place_inside(str(home), entry.get("file_name"))
        if not complaint and (earlier := places.setdefault(name, number)) != number:
            complaint = f"{name!r} is images[{earlier}] already"
        names = reading.seen.get(key, ())
        if unknown := _unknown(names, reading.classes):
            reading.faults.add(where, unknown)
        if complaint:
            reading.faults.add(where, complaint)
        elif names:
            finding.photos.append(_photo(source, str(base), prefix + name, names, split))
        else:
            bare += 1
    for lost in [key for key in reading.seen if key not in known]:
        reading.faults.add("annotations", f"no image has the id {lost!r}")
    _say(finding, source, reading.listing, bare)
    return finding


def _photo(source: str, base: str, path: str, names: tuple[str, ...], split: str | None) -> FoundPhoto:
    if len(names) == 1:
        return found(source, base, path, names[0], split)
    several = ", ".join(sorted(names))
    fault = f"several-labels: its annotations name {len(names)} classes: {several}"
    return FoundPhoto(source, base, path, " + ".join(sorted(names)), split=split, fault=fault)


def _unknown(names: tuple[str, ...], classes: Sequence[str] | None) -> str:
    for name in names if classes is not None else ():
        if name not in (classes or ()):
            close = nearest(name, classes or ())
            return f"unknown class {name!r}" + (f", did you mean {close!r}?" if close else "")
    return ""


def _say(finding: Finding, source: str, listing: Path, bare: int) -> None:
    finding.notes.append(f"{source}: {listing.name} was read as COCO, one class a photograph")
    if bare:
        finding.notes.append(f"{source}: {bare} images have no annotation and were left out")
    several = sum(photo.fault is not None and photo.fault.startswith("several") for photo in finding.photos)
    if several:
        finding.notes.append(f"{source}: {several} images have several different classes and cannot be used")


def _image_folder(entries: list[Any], listing: Path) -> Path:
    """The folder in which most of the first images are."""
    folder = listing.parent
    candidates = [folder, folder / "images"]
    if folder.name.lower() in {"annotations", "labels"}:
        outside = folder.parent
        candidates += [outside, outside / "images"]
        for word in listing.stem.split("_")[1:]:
            candidates += [outside / word, outside / "images" / word]
    names = [entry.get("file_name") for entry in entries[:_PROBED] if isinstance(entry, dict)]
    hits = [sum(not place_inside(str(one), name)[1] for name in names) for one in candidates]
    return candidates[hits.index(max(hits))]


def _looks_like_coco(path: Path) -> bool:
    """Whether all three names stand in the file; ``annotations/`` may hold JSON of any other kind."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return all(data.find(f'"{part}"'.encode()) >= 0 for part in PARTS)


def _split_of(listing: Path) -> str | None:
    """``instances_val2017.json`` is of the validation split."""
    for word in re.split(r"[^a-z]+", listing.stem.lower()):
        if word in SPLIT_FOLDERS:
            return SPLIT_FOLDERS[word]
    return None
