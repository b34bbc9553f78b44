"""What processes counted that have ended, put together, so that there is not one file more for each of them.

Enters: the folder in which each process counts into files of its own (``prometheus_client``'s multiprocess
mode), and which process has ended. Leaves: one file of all that ended for each kind of count, and everything
that was counted. It does not know what is counted, nor who asks.

=========================  ===================================================================
``counter_123.db``         process 123 counts into it
``counter_ended-7.db``     the process has ended; 7 grows and is given once
``counter_folded-7.db``    what all counted whose files were given numbers up to 7
=========================  ===================================================================

The newest ``folded`` file counts, older ones do not, and no ``ended`` file up to its number does. So each
step of a fold is one rename, or one removal of what does not count any more: whoever reads, and whatever is
killed in between, finds each count once. A reader looks at the names before and after, and reads again if
they differ.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from leafsight.errors import OverloadError, StorageError
from leafsight.storage import os_errors_translated, sync_folder

Fold = Callable[[float, float], float]
FOLDS: Mapping[str, Fold] = {
    "counter": lambda one, other: one + other,
    "histogram": lambda one, other: one + other,
    "gauge_min": min,
}
"""Kinds of files that outlive their process. Files of other kinds stay as they are, and are read."""
LEAST = "gauge_min"
MOST_LOOKS = 200
_ENDED = re.compile(r"(.+)_(ended|folded)-([0-9]+)\.db")
_HEAD = struct.Struct("i4x")


@dataclass(frozen=True, slots=True)
class _Past:
    """A file of processes that have ended."""

    path: Path
    kind: str
    is_folded: bool
    number: int


def read_counts(folder: Path) -> list[Metric]:
    """What all processes counted, those that ended too.

    Args:
        folder: theirs.

    Raises:
        OverloadError: files came and went at every look.
    """
    for _ in range(MOST_LOOKS):
        files = _counting(folder)
        try:
            written = [str(one) for one in files if _is_written(one)]
            found = list(MultiProcessCollector.merge(written))  # type: ignore[no-untyped-call]
        except FileNotFoundError:
            continue
        if _counting(folder) == files:
            return found
    raise OverloadError("processes come and go too fast to count", hint="ask again", retry_after_s=1)


def fold_process(folder: Path, process_id: int) -> None:
    """Add what a process counted to what the others counted that have ended; forget its live gauges.

    Args:
        folder: of all processes.
        process_id: of one that does not run any more.

    Raises:
        StorageError: it cannot be done now. Nothing is lost: its files count as they are, and the next call
            takes them along.
    """
    with os_errors_translated(folder):
        mark_process_dead(process_id, str(folder))  # type: ignore[no-untyped-call]
        for kind in FOLDS:
            number = 1 + max((one.number for one in _past(folder) if one.kind == kind), default=0)
            own = folder / f"{kind}_{process_id}.db"
            if own.exists():
                own.rename(folder / f"{kind}_ended-{number}.db")
        for kind in FOLDS:
            _fold(folder, kind)


def _fold(folder: Path, kind: str) -> None:
    counting = set(_counting(folder))
    past = [one for one in _past(folder) if one.kind == kind and one.path in counting]
    if any(not one.is_folded for one in past):
        together = _together((one.path for one in past), kind)
        _write(folder / f"{kind}_folded-{max(one.number for one in past)}.db", together)
    counting = set(_counting(folder))
    for one in _past(folder):
        if one.kind == kind and one.path not in counting:
            one.path.unlink()


def _past(folder: Path) -> list[_Past]:
    found = [(path, _ENDED.fullmatch(path.name)) for path in folder.iterdir()]
    return [_Past(path, one[1], one[2] == "folded", int(one[3])) for path, one in found if one]


def _counting(folder: Path) -> list[Path]:
    """The files that count now, in the order of their names."""
    files = [path for path in folder.iterdir() if path.name.endswith(".db")]
    past = {one.path: one for one in _past(folder)}
    newest: dict[str, int] = {}
    for one in past.values():
        if one.is_folded:
            newest[one.kind] = max(one.number, newest.get(one.kind, 0))

    def counts(path: Path) -> bool:
        if (one := past.get(path)) is None:
            return True
        last = newest.get(one.kind, 0)
        return one.number == last if one.is_folded else one.number > last

    return sorted(filter(counts, files))


def _is_written(path: Path) -> bool:
    """Not the moment in which a process makes the file, nor that before it says the first least value."""
    if path.stat().st_size == 0:
        return False
    return not path.name.startswith(f"{LEAST}_") or bool(_values(path, LEAST))


def _values(path: Path, kind: str) -> dict[str, float]:
    """What is in a file, by the library's keys. Of least values 0 is none: it says "not said yet".

    Raises:
        StorageError: the file is damaged.
        OSError: it cannot be read.
    """
    if path.stat().st_size == 0:
        return {}
    try:
        entries = list(MmapedDict.read_all_values_from_file(str(path)))  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, struct.error) as error:
        raise StorageError(f"the counts in {path.name} are damaged: {error}") from error
    return {key: value for key, value, *_ in entries if value or kind != LEAST}


def _together(files: Iterable[Path], kind: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for path in files:
        for key, value in _values(path, kind).items():
            sums[key] = FOLDS[kind](sums[key], value) if key in sums else value
    return sums


def _write(path: Path, values: Mapping[str, float]) -> None:
    """All of it, or nothing; and only what the library reads as it was meant.

    Not with the library's own writer: that maps the file into memory, and a full disk then kills who writes.

    Raises:
        StorageError: the library reads something else, being of another version.
        OSError: the disk is full, or anything else of that kind.
    """
    body = b"".join(_entry(key, value) for key, value in values.items())
    part = path.with_name("folded.part")  # the same name each time, so that nothing piles up
    with part.open("wb") as file:
        file.write(_HEAD.pack(_HEAD.size + len(body)) + body)
        file.flush()
        os.fsync(file.fileno())
    if _values(part, "") != values:
        raise StorageError("this version of prometheus_client has files of another form")
    part.rename(path)
    sync_folder(path.parent)


def _entry(key: str, value: float) -> bytes:
    """Length of the key, the key with blanks up to a multiple of 8 bytes, the value, a time (not used)."""
    name = key.encode()
    padded = name + b" " * (8 - (len(name) + 4) % 8)
    return struct.pack(f"i{len(padded)}sdd", len(name), padded, value, 0.0)
