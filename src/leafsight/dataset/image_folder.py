"""Hugging Face's image-folder layout: photographs beside a metadata.csv or metadata.jsonl that labels them.

Enters: a folder. Leaves: every photograph that the metadata names, with its label and split. Folders without
metadata are class folders and not of this module.
Source: https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leafsight.dataset.folders import SPLIT_FOLDERS, Finding, found, is_unicode, unlisted
from leafsight.dataset.listing_faults import ListingFaults
from leafsight.dataset.listing_json import ListingLimits, place_inside, read_json_lines, read_listing_json
from leafsight.dataset.photo_table import FoundPhoto
from leafsight.errors import DatasetError, nearest
from leafsight.storage import os_errors_translated

METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "text")
MAX_CARD_BYTES = 4 * 1024**2
# Row of the metadata: where it stands, and its cells.
Row = tuple[int, Mapping[str, Any]]


class NotMetadataError(DatasetError):
    """A file that has the name of metadata and is something else; then folders may give the class."""


@dataclass(frozen=True, slots=True)
class _Metadata:
    """One metadata file: the folder its names start at, relative to the collection, and its split."""

    path: Path
    prefix: str
    split: str | None


def metadata_files(folder: Path) -> list[Path]:
    """The metadata of a folder: at the top, or else in its split folders; none when there is none."""
    tops = [folder / name for name in METADATA_NAMES if (folder / name).is_file()]
    if tops:
        return tops
    try:
        below = sorted(path for path in folder.iterdir() if path.name.lower() in SPLIT_FOLDERS)
    except OSError:
        return []  # the walk through the folder says why
    return [one / name for one in below for name in METADATA_NAMES if (one / name).is_file()]


def find_in_image_folder(
    folder: Path,
    source: str,
    classes: Sequence[str] | None = None,
    *,
    files: Sequence[str] | None = None,
    limits: ListingLimits | None = None,
) -> Finding:
    """Every photograph named by the metadata of ``folder``.

    A label that is a number is looked up in the class list of ``dataset_info.json``, ``dataset_infos.json``
    or the head of ``README.md`` where there is one.

    Args:
        folder: the collection.
        source: its name.
        classes: labels that are allowed; ``None`` allows all.
        files: names of the metadata to read, if not all of ``folder``.
        limits: what is too large to be read.

    Raises:
        NotMetadataError: no ``file_name``, no column with a label, or no row that can be read.
        DatasetError: any row with a missing file, a path that leads outside, no label or an unknown one, or a
            file named twice. All of them are in the message.
        StorageError: a file cannot be read.
    """
    limits = limits or ListingLimits()
    folder = folder.resolve()
    faults, finding = ListingFaults(), Finding()
    known_names = _class_list(folder)
    places: dict[str, str] = {}
    labels: set[str] = set()
    given = metadata_files(folder) if files is None else [folder / name for name in files]
    for one in _described(folder, given):
        rows, column = _rows(one.path, limits)
        labels.add(column)
        for line, row in rows:
            where = f"{one.prefix}{one.path.name} line {line}"
            photo, complaint = _photo(row, column, one, folder, known_names)
            if not complaint and (earlier := places.setdefault(photo.path, where)) != where:
                complaint = f"{photo.path!r} is named in {earlier} already"
            if not complaint and classes is not None and photo.class_name not in classes:
                close = nearest(photo.class_name, classes)
                complaint = f"unknown class {photo.class_name!r}"
                complaint += f", did you mean {close!r}?" if close else ""
            if complaint:
                faults.add(where, complaint)
            elif not len(faults):
                finding.photos.append(replace(photo, source=source))
    faults.raise_if_any(folder, "correct these lines; nothing was indexed")
    _add_splits(finding)
    _say(finding, folder, source, places, labels, bool(known_names))
    return finding


def _described(folder: Path, files: Sequence[Path]) -> Iterator[_Metadata]:
    for path in files:
        home = path.parent
        inside = home.relative_to(folder).as_posix()
        prefix = "" if inside == "." else inside + "/"
        yield _Metadata(path, prefix, SPLIT_FOLDERS.get(home.name.lower()) if prefix else None)


def _rows(path: Path, limits: ListingLimits) -> tuple[Iterator[Row], str]:
    """The rows and the name of the column with the label."""
    rows = _csv_rows(path, limits) if path.suffix == ".csv" else read_json_lines(path, limits)
    hint = "name the photographs in file_name and their classes in label"
    try:
        first = next(rows, None)
    except DatasetError as error:
        raise NotMetadataError(error.message, hint=error.hint) from error
    if first is None:
        raise NotMetadataError(f"{path} names no photograph", hint=hint)
    column = next((name for name in LABEL_COLUMNS if name in first[1]), None)
    if "file_name" not in first[1] or column is None:
        has = ", ".join(map(str, first[1])) or "nothing"
        missing = "file_name" if "file_name" not in first[1] else "with a label"
        raise NotMetadataError(f"{path} has no column {missing}; it has: {has}", hint=hint)

    def all_rows() -> Iterator[Row]:
        yield first
        yield from rows

    return all_rows(), column


def _csv_rows(path: Path, limits: ListingLimits) -> Iterator[Row]:
    with os_errors_translated(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for row in reader:
                if reader.line_num > limits.max_entries:
                    raise DatasetError(f"{path} has more than {limits.max_entries} lines")
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path}, line {reader.line_num}: {error}", hint="save it as UTF-8 CSV"
            ) from error


def _photo(
    row: Mapping[str, Any], column: str, metadata: _Metadata, folder: Path, names: Mapping[int, str]
) -> tuple[FoundPhoto, str]:
    name, complaint = place_inside(str(metadata.path.parent), row.get("file_name"))
    label, fault = _label(row.get(column), names)
    split = str(row.get("split") or "").strip()
    split = SPLIT_FOLDERS.get(split.lower(), split) or (metadata.split or "")
    group = row.get("group")
    if not is_unicode(f"{label}{split}{group}"):
        fault = fault or "a cell is not valid Unicode"
    photo = found("", str(folder), metadata.prefix + name, sys.intern(label), split or None)
    if group not in (None, "") and isinstance(group, str | int):
        photo = replace(photo, given_group=str(group))
    return photo, "; ".join(filter(None, (complaint, fault)))


def _label(value: object, names: Mapping[int, str]) -> tuple[str, str]:
    """The class name, and what is wrong with the label: empty when nothing is."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | tuple | dict):
        return "", f"several labels: {value!r}"
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if not text:
        return "", "no label"
    if names and re.fullmatch(r"[0-9]{1,9}", text):
        name = names.get(int(text))
        return (name, "") if name is not None else ("", f"label {text} is not in the class list")
    return text, ""


def _class_list(folder: Path) -> dict[int, str]:
    """Number to class name as the collection itself says it; empty when it does not."""
    for name in ("dataset_info.json", "dataset_infos.json"):
        if (folder / name).is_file():
            names = _names_within(read_listing_json(folder / name, ListingLimits(MAX_CARD_BYTES)))
            if names:
                return dict(enumerate(names))
    card = folder / "README.md"
    if not card.is_file():
        return {}
    with os_errors_translated(card), card.open("rb") as file:
        text = file.read(MAX_CARD_BYTES).decode("utf-8", errors="replace")
    return _names_of_card(text)


def _names_within(value: Any) -> list[str]:
    """The names of the one feature of type ClassLabel, wherever the versions of the format put it."""
    pending, lists = [value], []
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            names = one.get("names")
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                lists.append(names)
            pending += one.values()
    return lists[0] if len(lists) == 1 else []  # of two, nobody says which belongs to the label


def _names_of_card(text: str) -> dict[int, str]:
    """``class_label: names: '0': rust`` of the YAML head, without a library for YAML."""
    head = re.match(r"---\r?\n(.*?)\r?\n---", text, re.S)
    lists = re.findall(
        r"class_label:[ \t\r]*\n[ \t]*names:[ \t\r]*\n((?:[ \t]*['\"]?\d+['\"]?:[^\n]*\n?)+)",
        head[1] if head else "",
    )
    if len(lists) != 1:
        return {}
    lines = re.findall(r"^\s*['\"]?(\d{1,9})['\"]?:\s*(.+?)\s*$", lists[0], re.M)
    return {int(number): name.strip("'\"") for number, name in lines}


def _add_splits(finding: Finding) -> None:
    """Where metadata at the top names files of split folders only, the folders give the split."""
    tops = [photo.path.split("/")[0].lower() if "/" in photo.path else "" for photo in finding.photos]
    if any(photo.split for photo in finding.photos) or any(top not in SPLIT_FOLDERS for top in tops):
        return
    finding.photos = [
        replace(photo, split=SPLIT_FOLDERS[top]) for photo, top in zip(finding.photos, tops, strict=True)
    ]


def _say(
    finding: Finding,
    folder: Path,
    source: str,
    places: Mapping[str, str],
    columns: set[str],
    has_names: bool,
) -> None:
    column = "', '".join(sorted(columns))
    finding.notes.append(f"{source}: read as an image folder; the metadata's '{column}' is the class")
    if others := unlisted(folder, places):
        finding.notes.append(f"{source}: {others} photographs are not in the metadata and were left out")
    if not has_names and all(photo.class_name.isdecimal() for photo in finding.photos):
        finding.notes.append(f"{source}: the labels are numbers, and nothing in the folder names them")
