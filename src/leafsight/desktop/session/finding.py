"""Photographs among what a person dropped: files as they are, folders searched through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from leafsight.images import photographs_below


def photographs_among(places: Sequence[Path]) -> Iterator[Path]:
    """Every file that was named, and every photograph below the folders, in the order of their names.

    A file that was named is given whatever it is called: its row says what is wrong with it.
    """
    for place in places:
        if place.is_dir():
            yield from photographs_below(place)
        else:
            yield place
