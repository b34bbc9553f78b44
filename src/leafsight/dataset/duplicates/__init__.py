"""Duplicates in a collection, however they were changed, and photographs of one leaf.

Enters: small pictures and hashes; embeddings. Leaves: pairs with a kind and a score, and groups. It knows no
files, classes or splits.
"""

from leafsight.dataset.duplicates.finding import (
    DuplicateOptions,
    DuplicatePair,
    FoundDuplicates,
    find_duplicates,
)
from leafsight.dataset.duplicates.kinds import Change, Kind
from leafsight.dataset.duplicates.same_leaf import SameLeafOptions, find_same_leaf

__all__ = [
    "Change",
    "DuplicateOptions",
    "DuplicatePair",
    "FoundDuplicates",
    "Kind",
    "SameLeafOptions",
    "find_duplicates",
    "find_same_leaf",
]
