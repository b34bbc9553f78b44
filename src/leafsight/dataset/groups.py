"""Which photographs show the same leaf, plant or picture and must stay on one side of a split.

Enters: an index and the rules to apply. Leaves: the index with ``group`` filled and a note a rule. A group is
null where no rule says anything: that photograph may have relatives that nobody knows of.
"""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset.captures import capture_runs
from leafsight.dataset.components import Components
from leafsight.dataset.near import near_sets
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import DatasetError
from leafsight.storage import os_errors_translated

Rule = Literal["column", "leaf_map", "duplicates", "near_duplicates", "capture_runs"]


class GroupOptions(BaseModel):
    """How photographs are found to belong together.

    Attributes:
        group_by: the rules. ``column``: the group column of a CSV. ``leaf_map``: a CSV ``class,file,leaf``.
            ``duplicates``: equal files or equal pixels (always applied, named or not).
            ``near_duplicates``: looks alike within a class. ``capture_runs``: consecutive camera counters
            in file names, for photographs that neither column nor leaf map knows.
        leaf_map: the CSV of the rule ``leaf_map``.
        near_distance: bits of 64 in which near duplicates may differ.
        near_max_members: different pictures in one set of near duplicates.
        run_gap: largest step of the camera's counter inside a run.
        run_limit: most counters in a run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group_by: tuple[Rule, ...] = ("column", "leaf_map", "duplicates", "near_duplicates")
    leaf_map: Path | None = None
    near_distance: int = Field(default=4, ge=0, le=16)
    near_max_members: int = Field(default=32, ge=2)
    run_gap: int = Field(default=4, ge=1)
    run_limit: int = Field(default=16, ge=2)


@dataclass(frozen=True, slots=True)
class GroupReport:
    """What one rule joins on its own: groups of at least two photographs, and the photographs in them."""

    rule: str
    groups: int
    photographs: int
    largest: int

    def __str__(self) -> str:
        return (
            f"grouping by {self.rule}: {self.photographs} photographs in {self.groups} groups, "
            f"the largest has {self.largest}"
        )


def read_leaf_map(path: Path) -> dict[tuple[str, str], str]:
    """A CSV with the columns ``class,file,leaf`` as (class, file name) to leaf.

    Raises:
        DatasetError: a column is missing or the text is no CSV.
        StorageError: the file cannot be read.
    """
    leaves: dict[tuple[str, str], str] = {}
    with os_errors_translated(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            missing = {"class", "file", "leaf"} - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(
                    f"{path} lacks the columns {', '.join(sorted(missing))}",
                    hint="it must start with class,file,leaf",
                )
            for row in reader:
                if row["leaf"]:
                    leaves[row["class"], row["file"]] = f"{row['class']}/{row['leaf']}"
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path}, line {reader.line_num}: {error}", hint="save it as UTF-8 CSV"
            ) from error
    return leaves


def group_photos(
    index: PhotoIndex,
    options: GroupOptions | None = None,
    *,
    leaf_map: Mapping[tuple[str, str], str] | None = None,
) -> tuple[PhotoIndex, tuple[GroupReport, ...]]:
    """Fill the column ``group`` and say what each rule did.

    The name of a group is the smallest content hash in it, so it depends on the photographs alone.
    Photographs with a fault get none.

    Args:
        index: any index; what ``group`` held before is replaced, ``given_group`` stays.
        options: the rules.
        leaf_map: instead of the file named in ``options``.

    Raises:
        DatasetError: the rule ``leaf_map`` is asked for by name of a file that is no leaf map.
    """
    options = options or GroupOptions()
    usable = index.usable()
    if leaf_map is None and options.leaf_map is not None and "leaf_map" in options.group_by:
        leaf_map = read_leaf_map(options.leaf_map)
    rules = _rules(usable, options, leaf_map or {})
    together = Components(len(usable))
    covered = np.zeros(len(usable), dtype=bool)
    reports = []
    for rule, sets in rules.items():
        shared = [members for members in sets if len(members) > 1]
        for members in sets:
            covered[members] = True
            for other in members[1:]:
                together.join(members[0], other)
        sizes = [len(members) for members in shared]
        reports.append(GroupReport(rule, len(shared), sum(sizes), max(sizes, default=0)))
    groups: list[str | None] = [None] * len(index)
    hashes, row_ids = usable.column("content_hash"), index.row_ids().tolist()
    for members in together.sets():
        if covered[members].any():
            name = min(hashes[member] for member in members)
            for member in members:
                groups[row_ids[member]] = name
    kept_notes = [note for note in index.notes if not note.startswith("grouping by ")]
    noted = PhotoIndex(index.table, [*kept_notes, *map(str, reports)])
    return noted.with_column("group", groups), tuple(reports)


def _rules(
    usable: PhotoIndex, options: GroupOptions, leaf_map: Mapping[tuple[str, str], str]
) -> dict[str, Sequence[Sequence[int]]]:
    """The sets that each rule finds; sets of one are photographs that the rule knows to be alone."""
    paths, classes, sources = (usable.column(name) for name in ("path", "class_name", "source"))
    strata = list(zip(sources, classes, strict=True))
    rules: dict[str, Sequence[Sequence[int]]] = {}
    known = np.zeros(len(usable), dtype=bool)
    if "column" in options.group_by:
        given = usable.column("given_group")
        keys = [
            None if group is None else (source, group) for source, group in zip(sources, given, strict=True)
        ]
        rules["column"] = _equal(keys)
    if "leaf_map" in options.group_by and leaf_map:
        rules["leaf_map"] = _equal(_leaves(paths, classes, leaf_map))
    for sets in rules.values():
        for members in sets:
            known[members] = True
    rules["duplicates"] = _duplicates(usable)
    if "near_duplicates" in options.group_by:
        rules["near_duplicates"] = _near(usable, strata, options)
    if "capture_runs" in options.group_by:
        kinds = [None if mapped else stratum for stratum, mapped in zip(strata, known, strict=True)]
        rules["capture_runs"] = capture_runs(paths, kinds, gap=options.run_gap, limit=options.run_limit)
    return rules


def _equal(keys: Sequence[Hashable | None]) -> list[list[int]]:
    members: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            members.setdefault(key, []).append(position)
    return list(members.values())


def _leaves(
    paths: Sequence[str], classes: Sequence[str], leaf_map: Mapping[tuple[str, str], str]
) -> list[str | None]:
    """The leaf of each photograph, looked up by its class and, as classes get renamed, by its folder."""
    leaves = []
    for path, class_name in zip(paths, classes, strict=True):
        pure = PurePosixPath(path)
        leaves.append(leaf_map.get((pure.parent.name, pure.name)) or leaf_map.get((class_name, pure.name)))
    return leaves


def _duplicates(usable: PhotoIndex) -> list[list[int]]:
    same = Components(len(usable))
    same.join_equal(usable.column("content_hash"))
    same.join_equal(usable.column("pixel_hash"))
    return [members for members in same.sets() if len(members) > 1]


def _near(usable: PhotoIndex, strata: Sequence[tuple[str, str]], options: GroupOptions) -> list[list[int]]:
    """Near duplicates within a class, across sources: the same photograph may have been published twice."""
    looks = usable.column("look_hash")
    found = []
    for positions in _equal([class_name for _, class_name in strata]):
        seen = [position for position in positions if looks[position] is not None]
        hashes = np.array([looks[position] for position in seen], dtype=np.uint64)
        for near in near_sets(
            hashes, max_distance=options.near_distance, max_members=options.near_max_members
        ):
            found += [[seen[member] for member in near.tolist()]]
    return found
