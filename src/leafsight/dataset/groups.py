"""Which photographs show the same leaf, plant or picture and must stay on one side of a split.

Enters: an index and the rules to apply. Leaves: the index with ``group`` and ``group_from`` filled and a note
a rule. A group is null where no rule says anything: that photograph may have relatives that nobody knows of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from leafsight.dataset.codes import encoded, scattered, text_column
from leafsight.dataset.components import Components
from leafsight.dataset.group_rules import FoundSets, GroupOptions, RowCodes, given_rows, rule_codes
from leafsight.dataset.leaf_map import read_leaf_map
from leafsight.dataset.photo_index import PhotoIndex

NOTE = "grouping by "
GIVEN, FOUND = "given", "found"


@dataclass(frozen=True, slots=True)
class GroupReport:
    """What one rule joins on its own: groups of at least two photographs, and the photographs in them."""

    rule: str
    groups: int
    photographs: int
    largest: int

    def __str__(self) -> str:
        return (
            f"{NOTE}{self.rule}: {self.photographs} photographs in {self.groups} groups, "
            f"the largest has {self.largest}"
        )


def group_photos(
    index: PhotoIndex,
    options: GroupOptions | None = None,
    *,
    leaf_map: Mapping[tuple[str, str], str] | None = None,
    found: Sequence[FoundSets] = (),
) -> tuple[PhotoIndex, tuple[GroupReport, ...]]:
    """Fill the columns ``group`` and ``group_from`` and say what each rule did.

    The name of a group is the smallest content hash in it, so it depends on the photographs alone.
    ``group_from`` is ``given`` where the group column or a leaf map speaks of the photograph, ``found`` where
    only other rules do. Photographs with a fault get neither.

    Args:
        index: any index; what ``group`` held before is replaced, ``given_group`` stays.
        options: the rules.
        leaf_map: instead of the file named in ``options``.
        found: what the rules ``copies`` and ``same_leaf`` go by: sets of rows of ``index``.

    Raises:
        DatasetError: the rule ``leaf_map`` is asked for by name of a file that is no leaf map.
        UsageError: ``copies`` or ``same_leaf`` is asked for and not in ``found``.
    """
    options = options or GroupOptions()
    if leaf_map is None and options.leaf_map is not None and "leaf_map" in options.group_by:
        leaf_map = read_leaf_map(options.leaf_map)
    rows = index.row_ids()
    rules = rule_codes(index, rows, options, leaf_map or {}, found)
    together = Components(len(rows))
    covered = np.zeros(len(rows), bool)
    for codes in rules.values():
        together.join_codes(codes)
        covered |= codes >= 0
    reports = tuple(_report(rule, codes) for rule, codes in rules.items())
    content = encoded(index.table.column("content_hash"), rows)
    smallest = _smallest(together.roots(), content.ranks()[content.codes], covered)
    named = np.append(content.by_rank(), -1)[smallest]
    basis = np.where(smallest < 0, -1, np.where(given_rows(index, rows, rules), 0, 1))
    kept_notes = [note for note in index.notes if not note.startswith(NOTE)]
    noted = PhotoIndex(index.table, [*kept_notes, *map(str, reports)])
    columns = {
        "group": text_column(scattered(named, rows, len(index)), content.values),
        "group_from": text_column(scattered(basis, rows, len(index)), (GIVEN, FOUND)),
    }
    for name, values in columns.items():
        noted = noted.with_column(name, values)
    return noted, reports


def _report(rule: str, codes: RowCodes) -> GroupReport:
    _, sizes = np.unique(codes[codes >= 0], return_counts=True)
    shared = sizes[sizes > 1]
    return GroupReport(rule, len(shared), int(shared.sum()), int(shared.max(initial=0)))


def _smallest(roots: RowCodes, ranks: RowCodes, covered: np.ndarray) -> Int64[np.ndarray, " usable"]:
    """The smallest rank in the set of each photograph; -1 in sets of which no rule speaks."""
    count = len(roots)
    smallest = np.full(count, count, np.int64)
    np.minimum.at(smallest, roots, ranks)
    spoken = np.zeros(count, bool)
    spoken[roots[covered]] = True
    return np.where(spoken[roots], smallest[roots], -1)
