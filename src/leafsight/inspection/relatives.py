"""Which photographs of a collection that was read belong together: copies, and shots of one leaf.

Enters: a collection. Leaves: pairs and groups of its rows. It does not know splits.
"""

from __future__ import annotations

from dataclasses import dataclass

from leafsight.dataset import ByNumber, capture_of
from leafsight.dataset.duplicates import FoundDuplicates, find_duplicates, find_same_leaf
from leafsight.inspection.copies import FoundPair
from leafsight.inspection.looked import MOST_EMBEDDED, Looked, Rows
from leafsight.progress import Progress


@dataclass(frozen=True, slots=True)
class Relatives:
    """Pairs and groups of rows of an index."""

    pairs: tuple[FoundPair, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()


def find_copies(looked: Looked, progress: Progress | None = None) -> Relatives:
    """Copies of one picture, however they were changed.

    Args:
        looked: the collection.
        progress: told of every stage.
    """
    rows = looked.rows()
    usable = looked.index.rows(rows)
    found = find_duplicates(
        ByNumber(looked.sketches.grey),
        ByNumber(looked.sketches.rgb),
        usable.column("content_hash"),
        usable.column("pixel_hash"),
        look_hashes=usable.column("look_hash"),
        records=looked.sketch_numbers(),
        progress=progress,
    )
    return _placed(found, rows)


def find_leaves(looked: Looked) -> Relatives:
    """Photographs that seem to show one leaf, by what a network makes of them and by the camera's counter.

    Nothing where no network was asked, or for more than ``MOST_EMBEDDED`` photographs.
    """
    rows = looked.rows()
    features = looked.features() if len(rows) <= MOST_EMBEDDED else None
    if features is None:
        return Relatives()
    usable = looked.index.rows(rows)
    columns = (usable.column(name) for name in ("source", "class_name", "path"))
    captures = []
    for source, class_name, path in zip(*columns, strict=True):
        capture = capture_of(path)
        captures.append(capture and ((source, class_name, capture[0]), capture[1]))
    return _placed(find_same_leaf(features, captures), rows)


def _placed(found: FoundDuplicates, rows: Rows) -> Relatives:
    """Positions among the comparable photographs as rows of the index."""
    place = rows.tolist()
    pairs = [FoundPair(place[pair.one], place[pair.other], pair.kind, pair.score) for pair in found.pairs]
    return Relatives(tuple(pairs), tuple(tuple(place[at] for at in group) for group in found.groups))
