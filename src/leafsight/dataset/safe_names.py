"""File names that every disk can write, and that stay different on a disk that ignores case.

Enters: names and relative paths from anywhere. Leaves: names that Windows, macOS and Linux accept. The same
names always give the same answer, in whatever order they come. It does not know disks: nothing is opened.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

# Linux allows 255 bytes a part; the rest is room for a number and for the ".part" of a file being written.
MAX_PART_BYTES = 200
# Of a name that is cut, an ending up to this length stays.
MAX_SUFFIX_BYTES = 16
# Source: Microsoft, "Naming Files, Paths, and Namespaces" (reserved characters and device names).
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"]
)
# Control, format (they hide or turn the text around them), surrogate, private; line and paragraph breaks.
_HIDDEN_KINDS = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def safe_name(name: str) -> str:
    """One file or folder name that can be written on any disk; a name that can is kept as it is.

    What is forbidden becomes ``_``; the name of a device (``nul.jpg``) gets a ``_`` in front; a hidden name
    (``.leaf``) shows; spaces and dots at the end go; a long name is cut and keeps its ending. The result is
    in the composed Unicode form (NFC), has 1 to 200 bytes of UTF-8 and is its own ``safe_name``.

    Args:
        name: one part of a path; a ``/`` in it counts as forbidden.
    """
    composed = unicodedata.normalize("NFC", name)
    allowed = "".join("_" if _is_forbidden(character) else character for character in composed)
    trimmed = allowed.lstrip(" ").rstrip(" .")
    if trimmed.startswith("."):
        trimmed = "_" + trimmed[1:]
    if trimmed.split(".")[0].rstrip(" ").lower() in _DEVICES:
        trimmed = "_" + trimmed
    return _shortened(trimmed, "") or "_"


def safe_names(paths: Iterable[str]) -> dict[str, str]:
    """A safe relative path for each path, all different for a disk that ignores case and Unicode form.

    Every part goes through ``safe_name``. Where two would then be one (``Leaf.JPG`` and ``leaf.jpg``), the
    first in sorted order keeps its name and the others get a number: ``leaf__2.jpg``. A name that needs no
    change comes before one that does. Paths of one folder stay in one folder.

    Args:
        paths: relative paths with ``/`` between the parts. ``..``, empty and absolute parts become ``_``, so
            that no result leads outside.

    Returns:
        The safe path of each given path; two different paths never share one.
    """
    inside: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    wanted = sorted(set(paths))
    for path in wanted:
        for parent, name, is_folder in _steps(path):
            inside[parent].add((name, is_folder))
    names = {parent: _different(items) for parent, items in inside.items()}
    return {
        path: "/".join(names[parent][name, is_folder] for parent, name, is_folder in _steps(path))
        for path in wanted
    }


def safe_siblings(names: Iterable[str], *, are_folders: bool = False) -> dict[str, str]:
    """A safe name for each name in one folder, all different; a ``/`` in a name is no folder here but ``_``.

    Args:
        names: such as class names, or file names of one class.
        are_folders: a number then goes to the end of the name, not before its ending.
    """
    return {name: safe for (name, _), safe in _different({(name, are_folders) for name in names}).items()}


def same_on_disk(name: str) -> str:
    """What a disk that ignores case and Unicode form compares; equal for names that would be one file."""
    composed = unicodedata.normalize("NFC", name)
    # Upper case first: some letters, such as the dotless i, meet others only that way.
    return unicodedata.normalize("NFC", composed.upper().casefold())


def numbered(name: str, number: int, *, is_folder: bool = False) -> str:
    """A safe ``name`` with ``__number`` before its ending, at most 200 bytes long."""
    mark = f"__{number}"
    if is_folder:
        return _cut(name, MAX_PART_BYTES - len(mark)) + mark
    return _shortened(name, mark)


def _is_forbidden(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character) in _HIDDEN_KINDS


def _shortened(name: str, mark: str) -> str:
    """``name`` with ``mark`` before its ending, cut in the middle where it is too long."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len((dot + ending).encode()) > MAX_SUFFIX_BYTES:
        stem, ending = name, ""
    else:
        ending = dot + ending
    room = MAX_PART_BYTES - len((mark + ending).encode())
    short = _cut(stem, room)
    return short + mark + ending if mark or ending else short.rstrip(" .")


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _steps(path: str) -> Iterator[tuple[str, str, bool]]:
    """Each part of a path as (the path before it, the part, whether it is a folder)."""
    start = 0
    while (end := path.find("/", start)) >= 0:
        yield path[:start], path[start:end], True
        start = end + 1
    yield path[:start], path[start:], False


def _different(items: set[tuple[str, bool]]) -> dict[tuple[str, bool], str]:
    """Safe and different names for what lies in one folder; a file and a folder may not share one either."""
    taken: set[str] = set()
    names: dict[tuple[str, bool], str] = {}
    losers: list[tuple[str, str, bool]] = []
    for name, is_folder in sorted(items, key=lambda item: (safe_name(item[0]) != item[0], item)):
        wanted = safe_name(name)
        if (key := same_on_disk(wanted)) in taken:
            losers.append((name, wanted, is_folder))
            continue
        taken.add(key)
        names[name, is_folder] = wanted
    last_number: dict[str, int] = defaultdict(lambda: 1)
    for name, wanted, is_folder in losers:
        key = same_on_disk(wanted)
        free = wanted
        while same_on_disk(free) in taken:
            last_number[key] += 1
            free = numbered(wanted, last_number[key], is_folder=is_folder)
        taken.add(same_on_disk(free))
        names[name, is_folder] = free
    return names
