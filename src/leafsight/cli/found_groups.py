"""Photographs to split, with what the check finds of them where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.cli.collections import STORE_FOLDER, bundle_embedder, read_collection, read_index
from leafsight.cli.terminal import progress

if TYPE_CHECKING:
    from leafsight.dataset import FoundSets, PhotoIndex

COPIES, SAME_LEAF = "copies", "same_leaf"


def read_to_group(
    sources: tuple[Path, ...], rules: Sequence[str], beside: Path, *, quiet: bool
) -> tuple[PhotoIndex, list[FoundSets]]:
    """The index of SOURCES, and sets of photographs that belong together when the rules ask for them.

    Args:
        sources: folders, listings, archives, or one saved index.
        rules: with ``copies`` the small pictures of all photographs are compared, too; with ``same_leaf``
            the built-in model is asked for embeddings.
        beside: folder in which photographs from archives are unpacked.
        quiet: no progress.
    """
    if COPIES not in rules and SAME_LEAF not in rules:
        return read_index(sources, None, quiet=quiet, store=beside / STORE_FOLDER), []
    from leafsight.dataset import FoundSets
    from leafsight.inspection import find_copies, find_leaves

    embedder = bundle_embedder(None) if SAME_LEAF in rules else None
    looked = read_collection(sources, quiet=quiet, embedder=embedder).looked
    found = []
    if COPIES in rules:
        found.append(FoundSets(COPIES, find_copies(looked, progress(quiet)).groups))
    if SAME_LEAF in rules:
        found.append(FoundSets(SAME_LEAF, find_leaves(looked).groups))
    return looked.index, found
