"""Aliases in a bucket: one small object each, moved by compare-and-set, and one with its history.

Enters: changes. Leaves: the present change of an alias, all of them, and whether a move was made. It knows no
lock: who moves an alias says which state of it they saw, and is told when somebody else was quicker.

``aliases/NAME.json`` is the truth. It holds its own line of ``history/NAME.jsonl``, which is written after
it, at the latest before the next change. Both look as in a folder: a copy of the bucket is a registry.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress

from leafsight.errors import StateBusyError, StateError, StorageError
from leafsight.registry.names import is_alias
from leafsight.registry.objects import Objects
from leafsight.registry.pointers import (
    MAX_HISTORY_BYTES,
    MAX_POINTER_BYTES,
    Standing,
    damaged_pointer,
    missing_of,
    read_lines,
)
from leafsight.registry.records import Change, change_from_dict
from leafsight.storage import canonical_json

ALIASES, HISTORY = "aliases", "history"
MOST_TRIES = 50
"""Of several who write the same object one gets through each time."""
WRITING = "writing"
"""Names one writing of a pointer, so that who wrote it knows it again when the answer got lost."""


class BucketPointers:
    """What lies in ``aliases`` and ``history`` of a bucket; each method as in ``Pointers``."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def names(self) -> list[str]:
        """Every alias that points somewhere, sorted."""
        names = (name.removeprefix(f"{ALIASES}/") for name, _, _ in self._objects.list(ALIASES))
        stems = (name.removesuffix(".json") for name in names if name.endswith(".json"))
        return sorted(stem for stem in stems if is_alias(stem))

    def current(self, alias: str) -> Change | None:
        """The change that made the alias point where it does; None when it points nowhere.

        Raises:
            StorageError: its object is damaged.
            StateBusyError, StateError: the bucket.
        """
        return self.current_and_tag(alias)[0]

    def current_and_tag(self, alias: str) -> tuple[Change | None, str | None]:
        """The same, and the tag of the pointer."""
        found = self._objects.get(_pointer_name(alias), max_bytes=MAX_POINTER_BYTES)
        if found is None:
            return None, None
        return self._parsed(found[0], alias), found[1]

    def latest(self, alias: str) -> Change | None:
        """As ``current``; where the pointer is damaged, the last change of its history."""
        try:
            return self.current(alias)
        except StorageError:
            return next(reversed(self._lines(alias)), None)

    def standing(self, alias: str) -> Standing:
        """Where the alias stands, and the tag that a move from there needs."""
        found = self._objects.get(_pointer_name(alias), max_bytes=MAX_POINTER_BYTES)
        if found is None:
            return Standing(None, self._lines(alias))
        try:
            latest = self._parsed(found[0], alias)
        except StorageError:
            changes = self._lines(alias)
            return Standing(next(reversed(changes), None), changes, readable=False, tag=found[1])
        return Standing(latest, _with(latest, self._lines(alias)), tag=found[1])

    def history(self, alias: str) -> list[Change]:
        """Every change of an alias, the oldest first.

        Raises:
            StateBusyError, StateError: the bucket, or the history is over 256 MiB.
        """
        current = None
        # First, as in a folder: lines that are read later lack this one at most.
        with suppress(StorageError):
            current = self.current(alias)
        return _with(current, self._lines(alias))

    def lost_lines(self, alias: str) -> int:
        """How many lines of the history cannot be read."""
        found = self._objects.get(_history_name(alias), max_bytes=MAX_HISTORY_BYTES)
        return read_lines(found[0], alias)[1] if found else 0

    def token(self, alias: str) -> str:
        """Another text after every change of an alias: the tag of its pointer."""
        found = self._objects.look(_pointer_name(alias))
        return found[0] if found else "none"

    def move(self, change: Change, standing: Standing) -> bool:
        """Let an alias point elsewhere, if it stands where it was seen; whether it did.

        Raises:
            StateBusyError: the bucket does not answer; the hint says so when it is not known what happened.
            StateError: the bucket is set up wrongly.
        """
        self.settle(change.alias)
        name, mine = _pointer_name(change.alias), secrets.token_hex(16)
        data = (canonical_json(change.to_dict() | {WRITING: mine}, indent=2) + "\n").encode()
        try:
            moved = self._objects.put_if(name, data, standing.tag) is not None
        except StateBusyError as error:
            if not self._is_mine(name, mine, error):
                raise
            moved = True
        # The client asks again by itself when an answer gets lost, and is then refused for its own writing.
        moved = moved or self._is_mine(name, mine)
        if moved:
            with suppress(StateError):  # the pointer tells everything; the line may come later
                self.settle(change.alias)
        return moved

    def settle(self, alias: str) -> None:
        """Write the line that the history of an alias lacks, if it lacks one.

        Raises:
            StateBusyError, StateError: the bucket, or others write all the time.
        """
        name = _history_name(alias)
        for _ in range(MOST_TRIES):
            try:
                current = self.current(alias)
            except StorageError:
                return  # a damaged pointer tells no line; it is about to be replaced
            if current is None:
                return
            data, tag = self._objects.get(name, max_bytes=MAX_HISTORY_BYTES) or (b"", None)
            missing = missing_of(current, alias, data)
            if not missing or self._objects.put_if(name, data + missing, tag) is not None:
                return
        raise too_many(alias)

    def _is_mine(self, name: str, mine: str, trouble: StateBusyError | None = None) -> bool:
        """Whether the pointer is the one that we wrote.

        Raises:
            StateBusyError: there was trouble, and now it cannot be told.
        """
        try:
            found = self._objects.get(name, max_bytes=MAX_POINTER_BYTES)
        except StateBusyError as error:
            if trouble is None:
                return False
            raise StateBusyError(
                f"{trouble.message}; whether the alias has moved is not known",
                hint="leafsight models history tells when the bucket answers again",
            ) from error
        return found is not None and mine.encode() in found[0]

    def _lines(self, alias: str) -> list[Change]:
        found = self._objects.get(_history_name(alias), max_bytes=MAX_HISTORY_BYTES)
        return read_lines(found[0], alias)[0] if found else []

    def _parsed(self, data: bytes, alias: str) -> Change:
        where = f"{_pointer_name(alias)} in {self._objects.address}"
        try:
            return change_from_dict(json.loads(data), alias)
        except RecursionError as error:
            raise damaged_pointer(where, alias, "it is not valid JSON") from error
        except ValueError as error:
            raise damaged_pointer(where, alias, str(error)) from error


def too_many(alias: str) -> StateBusyError:
    """The error when others are quicker every time."""
    return StateBusyError(f"others move {alias!r} all the time", hint="try again in a moment")


def _with(current: Change | None, changes: list[Change]) -> list[Change]:
    behind = current is not None and (not changes or changes[-1].number < current.number)
    return [*changes, current] if behind and current is not None else changes


def _pointer_name(alias: str) -> str:
    return f"{ALIASES}/{alias}.json"


def _history_name(alias: str) -> str:
    return f"{HISTORY}/{alias}.jsonl"
