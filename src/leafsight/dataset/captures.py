"""Camera counters in file names: consecutive shots are often of the same leaf.

Enters: file names. Leaves: what precedes the counter, and the counter. Measured on PlantVillage, see
``docs/dataset.md``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import PurePosixPath

# "<uuid>___" is put in front by the publisher; " copy 3" behind by a desktop that duplicated a file. And "New
# Plant Diseases" says what it did to a picture: "FREC_Scab 3417_90deg", "RS_NLB 3806 copy 2_new30degFlipLR".
_LEADING_ID = re.compile(r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}_+")
_TRAILING_COPY = re.compile(
    r"(?:[ _-]*(?:copy|Kopie|copie)(?: ?\d+)?| \(\d+\)"
    r"|_(?:\d{1,3}deg|(?:new\d{1,3}deg)?flip(?:LR|TB)|newPixel\d{1,3}|newGRR))+$",
    re.IGNORECASE,
)
# "IMG_3028_3" and "Leaf 180.1" are further pictures of shot 3028 and leaf 180.
_TRAILING_PART = re.compile(r"(?<=\d{3})[._]\d{1,2}$")
_COUNTER = re.compile(r"^(.*?)(\d{1,9})$", re.DOTALL)


def capture_of(path: str) -> tuple[str, int] | None:
    """What stands before the camera's counter, and the counter; ``None`` for a name without one.

    ``d0a1...___FREC_Scab 3003.jpg`` gives ``("FREC_Scab ", 3003)``. A number in brackets, as in
    ``image (12).jpg``, comes from a desktop and is no counter.
    """
    stem = _TRAILING_COPY.sub("", _LEADING_ID.sub("", PurePosixPath(path).stem))
    match = _COUNTER.match(_TRAILING_PART.sub("", stem))
    return (match[1], int(match[2])) if match else None


def capture_runs(
    paths: Sequence[str], kinds: Sequence[Hashable | None], *, gap: int, limit: int
) -> list[list[int]]:
    """Runs of photographs of one kind and prefix whose counters follow each other.

    Args:
        paths: file names.
        kinds: what must be equal inside a run, such as the class; ``None`` leaves the photograph out.
        gap: largest step from one counter to the next inside a run, at least 1.
        limit: most different counters in a run; a longer one is cut from its start into pieces of this
            length, so that a whole class shot in one go does not become one group.

    Returns:
        Positions in ``paths`` of every run of at least two photographs.
    """
    shots: dict[tuple[Hashable, str], list[tuple[int, int]]] = defaultdict(list)
    for position, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        capture = capture_of(path)
        if kind is not None and capture is not None:
            shots[kind, capture[0]].append((capture[1], position))
    runs: list[list[int]] = []
    for numbered in shots.values():
        if not is_enumeration([counter for counter, _ in numbered]):
            runs.extend(_runs(sorted(numbered), gap, limit))
    return [run for run in runs if len(run) > 1]


def is_enumeration(counters: Sequence[int]) -> bool:
    """Whether the numbers count the files of a collection rather than the shots of a camera.

    Somebody who renames files counts from about 1 to about how many there are (some were lost since); a
    camera's counter starts anywhere and runs past the shots that were not kept.
    """
    return min(counters) < 20 and max(counters) < 3 * len(counters)


def _runs(numbered: list[tuple[int, int]], gap: int, limit: int) -> list[list[int]]:
    runs: list[list[int]] = []
    last, length = None, 0
    for counter, position in numbered:
        if last is not None and counter == last:
            runs[-1].append(position)
            continue
        if last is None or counter - last > gap or length == limit:
            runs.append([])
            length = 0
        runs[-1].append(position)
        last, length = counter, length + 1
    return runs
