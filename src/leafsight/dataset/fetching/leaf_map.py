"""PlantVillage's own leaf map as our ``leaf_groups.csv``, and how far it reaches.

Source: ``leaf_grouping/aggregate_map.py`` and ``create_data_distribution.py`` of
github.com/spMohanty/PlantVillage-Dataset: the map goes from the original file name, lower case and without
ending, to a list of ``CLASS:::LEAF``. The authors' loader gives a photograph that the map does not know a
leaf of its own; here it gets none, because nobody knows.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leafsight.errors import DatasetError
from leafsight.storage import read_json, write_text

MAX_MAP_BYTES = 64 * 1024 * 1024
ENDINGS = (".jpg", ".jpeg", ".png")
# One sheet of the map is called by the disease's other name: frogeye leaf spot is the leaf phase of black
# rot, and the photographs called JR_FrgE.S stand in Apple___Black_rot.
OTHER_NAMES = {"Apple_Frogeye Spot": "Apple___Black_rot"}


@dataclass(frozen=True, slots=True)
class LeafPhoto:
    """A photograph: class and file as they are called here, and as the source called them."""

    class_name: str
    file: str
    source_class: str
    source_file: str


@dataclass(frozen=True, slots=True)
class ClassCoverage:
    """Of one class: photographs, those of a known leaf, and leaves."""

    class_name: str
    photographs: int
    mapped: int
    leaves: int


def read_plantvillage_map(path: Path) -> dict[str, list[str]]:
    """The map as it is published.

    Raises:
        DatasetError: it is not of the known form.
        StorageError: it cannot be read or is no JSON.
    """
    value = read_json(path, max_bytes=MAX_MAP_BYTES)
    if not isinstance(value, dict) or not value:
        raise DatasetError(f"{path} is no leaf map: it should go from file names to lists of leaves")
    for name, leaves in value.items():
        if not isinstance(leaves, list) or not all(
            isinstance(leaf, str) and ":::" in leaf for leaf in leaves
        ):
            raise DatasetError(f"{path} is no leaf map: {name!r} has {leaves!r}, not a list of CLASS:::LEAF")
    return value


def write_leaf_groups(
    leaf_map: Mapping[str, list[str]], photos: Iterable[LeafPhoto], target: Path
) -> tuple[ClassCoverage, ...]:
    """Write ``class,file,leaf`` for every photograph whose leaf is known.

    Args:
        leaf_map: as ``read_plantvillage_map`` gives it.
        photos: all photographs of the collection.
        target: the CSV, as ``dataset.read_leaf_map`` reads it.

    Returns:
        For each class how far the map reaches, sorted by name.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("class", "file", "leaf"))
    counts: dict[str, int] = defaultdict(int)
    mapped: dict[str, int] = defaultdict(int)
    leaves: dict[str, set[str]] = defaultdict(set)
    for photo in sorted(photos, key=lambda one: (one.class_name, one.file)):
        counts[photo.class_name] += 1
        leaf = leaf_of(leaf_map, photo.source_class, photo.source_file)
        if leaf is not None:
            mapped[photo.class_name] += 1
            leaves[photo.class_name].add(leaf)
            writer.writerow((photo.class_name, photo.file, leaf))
    write_text(target, text.getvalue())
    return tuple(
        ClassCoverage(name, counts[name], mapped[name], len(leaves[name])) for name in sorted(counts)
    )


def leaf_of(leaf_map: Mapping[str, list[str]], class_name: str, file: str) -> str | None:
    """The leaf of a photograph; ``None`` when the map knows none in this class, or more than one."""
    found = {
        leaf.removesuffix(".0")
        for entry in leaf_map.get(identifier_of(file), ())
        for sheet, _, leaf in [entry.partition(":::")]
        if leaf and OTHER_NAMES.get(sheet, sheet) == class_name
    }
    return found.pop() if len(found) == 1 else None


def identifier_of(file: str) -> str:
    """What the map calls a file: ``...___RS_HL 5531 copy 2.JPG``, a cut of one, is ``rs_hl 5531``."""
    name = file.replace("_final_masked", "").split("___")[-1].split("copy")[0]
    for ending in ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name.lower().strip()
