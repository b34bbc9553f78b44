"""What each rule of grouping says: one code a photograph, equal for those that belong together.

Enters: the usable photographs of an index and the options of grouping. Leaves: codes a rule, -1 where the
rule says nothing of a photograph. It does not join what different rules say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Int64
from pydantic import BaseModel, ConfigDict, Field, field_validator

from leafsight.dataset.captures import capture_runs
from leafsight.dataset.codes import Codes, codes_of_sets, combined, encoded, in_blocks, numbers, runs_of
from leafsight.dataset.components import Components
from leafsight.dataset.leaf_map import leaves_of
from leafsight.dataset.near import near_sets
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.errors import UsageError

Rule = Literal["column", "leaf_map", "duplicates", "near_duplicates", "capture_runs", "copies", "same_leaf"]
# Somebody knew: the collection itself or a leaf map. Everything else is found, and can be wrong.
GIVEN_RULES = ("column", "leaf_map", "name")
# Worked out from the pixels by the duplicate finder and handed in; see ``found`` of ``group_photos``.
HANDED_IN = ("copies", "same_leaf")
EARLIER = "earlier_groups"
MAX_PATTERN = 200

RowCodes = Int64[np.ndarray, " usable"]


class GroupOptions(BaseModel):
    """How photographs are found to belong together.

    Attributes:
        group_by: the rules. ``column``: the group column of a CSV. ``leaf_map``: a CSV ``class,file,leaf``.
            ``duplicates``: equal files or equal pixels (always applied, named or not).
            ``near_duplicates``: looks alike within a class. ``capture_runs``: consecutive camera counters
            in file names, for photographs that neither column nor leaf map knows. ``copies`` and
            ``same_leaf``: what the duplicate finder found, handed in as ``found``.
        leaf_map: the CSV of the rule ``leaf_map``.
        name_pattern: a regular expression whose one pair of brackets finds, at the start of a file's name,
            whose photograph it is: ``([0-9]+)_`` for ``00000061_012.jpg``. Photographs of one source with the
            same find belong together, whatever their classes; a name that does not match says nothing.
        near_distance: bits of 64 in which near duplicates may differ.
        near_max_members: different pictures in one set of near duplicates.
        run_gap: largest step of the camera's counter inside a run.
        run_limit: most counters in a run.
        keep_groups: groups that the index has already stay together, whatever the rules find now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group_by: tuple[Rule, ...] = ("column", "leaf_map", "duplicates", "near_duplicates")
    leaf_map: Path | None = None
    name_pattern: str | None = Field(default=None, max_length=MAX_PATTERN)
    near_distance: int = Field(default=4, ge=0, le=16)
    near_max_members: int = Field(default=32, ge=2)
    run_gap: int = Field(default=4, ge=1)
    run_limit: int = Field(default=16, ge=2)
    keep_groups: bool = False

    @field_validator("name_pattern")
    @classmethod
    def _finds_one_thing(cls, pattern: str | None) -> str | None:
        try:
            pairs = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from error
        if pairs != 1:
            raise ValueError("one pair of brackets in it, around what names the leaf, plant or patient")
        return pattern


@dataclass(frozen=True, slots=True)
class FoundSets:
    """What a finder outside this room says of an index.

    Attributes:
        rule: ``copies`` or ``same_leaf``.
        sets: rows of the index that belong together; a set may share rows with another.
    """

    rule: str
    sets: Sequence[Sequence[int]]


def rule_codes(
    index: PhotoIndex,
    rows: Int64[np.ndarray, " usable"],
    options: GroupOptions,
    leaf_map: Mapping[tuple[str, str], str],
    found: Sequence[FoundSets],
) -> dict[str, RowCodes]:
    """What each rule says of the usable ``rows``; a code that one photograph has means: known to be alone.

    Raises:
        UsageError: a rule that must be handed in is asked for and was not, or sets of an unknown rule were.
    """
    table, rules = index.table, {}
    sources, classes = encoded(table.column("source"), rows), encoded(table.column("class_name"), rows)
    if "column" in options.group_by:
        given = encoded(table.column("given_group"), rows)
        rules["column"] = combined(sources.codes, given.codes)[0]
    if options.keep_groups:
        rules[EARLIER] = encoded(table.column("group"), rows).codes
    if "leaf_map" in options.group_by and leaf_map:
        rules["leaf_map"] = _leaves(index, rows, leaf_map)
    if options.name_pattern is not None:
        rules["name"] = combined(sources.codes, _named(index, rows, options.name_pattern))[0]
    known = np.any([codes >= 0 for codes in [np.full(len(rows), -1), *rules.values()]], axis=0)
    rules["duplicates"] = _duplicates(table, rows)
    if "near_duplicates" in options.group_by:
        rules["near_duplicates"] = _near(table, rows, classes.codes, options)
    if "capture_runs" in options.group_by:
        strata = combined(sources.codes, classes.codes)[0]
        rules["capture_runs"] = _captures(table, rows, np.where(known, -1, strata), options)
    rules.update(_handed_in(found, options, rows, len(index)))
    return rules


def _leaves(index: PhotoIndex, rows: RowCodes, leaf_map: Mapping[tuple[str, str], str]) -> RowCodes:
    paths, classes = (in_blocks(index.table.column(name), rows) for name in ("path", "class_name"))
    numbers_of: dict[str | None, int] = {None: -1}
    parts = [
        [numbers_of.setdefault(leaf, len(numbers_of)) for leaf in leaves_of(*block, leaf_map)]
        for block in zip(paths, classes, strict=True)
    ]
    return np.array([code for part in parts for code in part], np.int64)


def _named(index: PhotoIndex, rows: RowCodes, pattern: str) -> RowCodes:
    """What the pattern finds in each file's name, as a code; -1 where it finds nothing."""
    found, codes = re.compile(pattern), []
    numbers_of: dict[str, int] = {}
    for block in in_blocks(index.table.column("path"), rows):
        for path in block:
            match = found.match(PurePosixPath(path).name)
            named = match[1] if match else None
            codes.append(numbers_of.setdefault(named, len(numbers_of)) if named else -1)
    return np.array(codes, np.int64)


def _duplicates(table: Any, rows: RowCodes) -> RowCodes:
    same = Components(len(rows))
    for name in ("content_hash", "pixel_hash"):
        same.join_codes(encoded(table.column(name), rows).codes)
    return _shared(same.roots())


def _shared(codes: RowCodes) -> RowCodes:
    """Codes that at least two have; -1 for the others."""
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return np.where((codes >= 0) & (counts[codes] > 1), codes, -1)


def _near(table: Any, rows: RowCodes, classes: RowCodes, options: GroupOptions) -> RowCodes:
    """Near duplicates within a class, across sources: the same photograph may have been published twice."""
    hashes, seen = numbers(table.column("look_hash"), rows)
    found: list[Int64[np.ndarray, " _"]] = []
    for positions in runs_of(np.where(seen, classes, -1)):
        near = near_sets(
            hashes[positions], max_distance=options.near_distance, max_members=options.near_max_members
        )
        found += [positions[members] for members in near]
    return codes_of_sets(found, len(rows))


def _captures(table: Any, rows: RowCodes, strata: RowCodes, options: GroupOptions) -> RowCodes:
    codes = np.full(len(rows), -1, np.int64)
    first = 0
    for positions in runs_of(strata):
        paths = [path for block in in_blocks(table.column("path"), rows[positions]) for path in block]
        runs = capture_runs(paths, [0] * len(paths), gap=options.run_gap, limit=options.run_limit)
        inside = codes_of_sets(runs, len(paths))
        codes[positions] = np.where(inside >= 0, inside + first, -1)
        first += len(runs)
    return codes


def _handed_in(
    found: Sequence[FoundSets], options: GroupOptions, rows: RowCodes, count: int
) -> Iterator[tuple[str, RowCodes]]:
    given = {one.rule for one in found}
    if unknown := sorted(given - set(HANDED_IN)):
        raise UsageError(f"no rule is called '{unknown[0]}'", hint=f"use {' or '.join(HANDED_IN)}")
    for rule in HANDED_IN:
        if rule not in options.group_by:
            continue
        if rule not in given:
            raise UsageError(
                f"the rule '{rule}' needs what the duplicate finder found, and nothing was handed in",
                hint="leafsight split can hand in copies; in Python pass found=",
            )
        yield rule, _joined_sets([one for one in found if one.rule == rule], rows, count)


def _joined_sets(found: Sequence[FoundSets], rows: RowCodes, count: int) -> RowCodes:
    together = Components(count)
    usable = np.zeros(count, bool)
    usable[rows] = True
    for one in found:
        for members in one.sets:
            inside = [row for row in members if usable[row]]
            for other in inside[1:]:
                together.join(inside[0], other)
    return _shared(together.roots()[rows])


def given_rows(
    index: PhotoIndex, rows: Int64[np.ndarray, " usable"], rules: Mapping[str, RowCodes]
) -> Bool[np.ndarray, " usable"]:
    """Which usable photographs belong to a group that somebody knew, rather than one that was found."""
    given = np.zeros(len(rows), bool)
    for rule in GIVEN_RULES:
        if rule in rules:
            given |= rules[rule] >= 0
    if EARLIER in rules:
        basis: Codes = encoded(index.table.column("group_from"), rows)
        wanted = basis.names().index("given") if "given" in basis.names() else -2
        given |= basis.codes == wanted
    return given
