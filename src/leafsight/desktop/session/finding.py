"""Photographs among what a person dropped: files as they are, folders searched through, beside the window."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from leafsight.images import PHOTO_SUFFIXES, photographs_below

FOUND_AT_ONCE = 200
MODEL_SUFFIX = ".leafsight"


def told_apart(places: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Photographs and folders, and the models among them, which are known by their ending."""
    photos: list[Path] = []
    models: list[Path] = []
    for place in places:
        (models if place.suffix.lower() == MODEL_SUFFIX else photos).append(place)
    return photos, models


def name_patterns() -> str:
    """How photographs are called, for a dialog that chooses files: ``*.jpg *.JPG ...``."""
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(PHOTO_SUFFIXES))


def photographs_among(places: Sequence[Path]) -> Iterator[Path]:
    """Every file that was named, and every photograph below the folders, in the order of their names.

    A file that was named is given whatever it is called: its row says what is wrong with it.
    """
    for place in places:
        if place.is_dir():
            yield from photographs_below(place)
        else:
            yield place


class Search:
    """Searches folders on threads; what is found waits until it is taken, on the thread of the owner.

    Args:
        wake: called on any thread when something was found, or a search is over.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._running = 0
        self._ended = threading.Event()
        self._found: deque[Path | None] = deque()

    @property
    def goes_on(self) -> bool:
        """Whether folders are still being searched, as far as what was taken says."""
        return self._running > 0

    @property
    def has_more(self) -> bool:
        """Whether something waits to be taken."""
        return bool(self._found)

    def start(self, places: Sequence[Path]) -> None:
        """Search these as well."""
        self._running += 1
        threading.Thread(target=self._search, args=(list(places),), name="searching", daemon=True).start()

    def take(self) -> list[Path]:
        """What was found, a bounded number at once."""
        found = []
        for _ in range(min(FOUND_AT_ONCE, len(self._found))):
            place = self._found.popleft()
            if place is None:
                self._running -= 1
            else:
                found.append(place)
        return found

    def end(self) -> None:
        """Find no more."""
        self._ended.set()

    def _search(self, places: list[Path]) -> None:
        for number, path in enumerate(photographs_among([place.absolute() for place in places])):
            if self._ended.is_set():
                return
            self._found.append(path)
            if number % FOUND_AT_ONCE == 0:
                self._wake()
        self._found.append(None)
        self._wake()
