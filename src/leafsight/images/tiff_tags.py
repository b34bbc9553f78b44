"""The tag directories of TIFF, which EXIF uses as well: whole numbers, a few at a time, and short texts.

Sources: TIFF 6.0 (Adobe, 1992) section 2; Exif 2.32 (CIPA DC-008-2019) section 4.6.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT, BITS, PHOTOMETRIC = 256, 257, 258, 262
ORIENTATION, SAMPLES, TILE_WIDTH, TILE_HEIGHT, SAMPLE_FORMAT = 274, 277, 322, 323, 339
GPS = 34853
MAKE, MODEL, CHANGED, EXIF_DIRECTORY, TAKEN = 271, 272, 306, 34665, 36867

MAX_ENTRIES = 4096
MAX_VALUES = 8
MAX_DIRECTORIES = 1000
MAX_TEXT_BYTES = 64
WHOLE_TYPES = {1: "B", 3: "H", 4: "I", 13: "I"}  # BYTE, SHORT, LONG, IFD

TEXT_TYPE = 2
# Exif 2.32 section 4.6.5: "YYYY:MM:DD HH:MM:SS"; a camera whose clock was never set writes spaces or zeros.
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")

Tags = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What EXIF says beside the picture.

    Attributes:
        orientation: 1 to 8; 1 is upright.
        has_gps: a GPS directory is there.
        camera: make and model, such as ``"Canon EOS 60D"``.
        taken: local time of the shutter, ``"YYYY-MM-DDTHH:MM:SS"``; of the last change where only that is
            there.
    """

    orientation: int = 1
    has_gps: bool = False
    camera: str | None = None
    taken: str | None = None


class TagError(ValueError):
    """The directory cannot be read; the message says why."""


def byte_order(data: bytes) -> str:
    """``"<"`` or ``">"`` for ``struct``.

    Raises:
        TagError: no TIFF header.
    """
    if data[:4] == b"II*\x00":
        return "<"
    if data[:4] == b"MM\x00*":
        return ">"
    raise TagError("it has no TIFF header")


def first_directory(data: bytes) -> tuple[Tags, int]:
    """Tags of the first directory, and the offset of the next one (0 when there is none).

    Raises:
        TagError: the header or the directory lies outside the bytes.
    """
    order = byte_order(data)
    if len(data) < 8:
        raise TagError("the header is cut off")
    return _directory(data, struct.unpack_from(order + "I", data, 4)[0], order)


def count_directories(data: bytes) -> int:
    """How many pictures a TIFF holds: directories that follow one another, at most 1000.

    Raises:
        TagError: the first directory cannot be read; a broken later one ends the count.
    """
    order = byte_order(data)
    _, following = first_directory(data)
    seen: set[int] = set()
    while following and following not in seen and len(seen) < MAX_DIRECTORIES - 1:
        try:
            _, after = _directory(data, following, order)
        except TagError:
            break
        seen.add(following)
        following = after
    return 1 + len(seen)


def exif_facts(exif: bytes) -> ExifFacts:
    """Orientation, GPS, camera and time from an EXIF block.

    EXIF is advice beside the picture: what cannot be read counts as upright, without GPS, of no known camera.
    """
    data = exif.removeprefix(b"Exif\x00\x00")
    try:
        tags, _ = first_directory(data)
    except TagError:
        return ExifFacts()
    texts = _texts(data, struct.unpack_from(byte_order(data) + "I", data, 4)[0])
    if inner := tags.get(EXIF_DIRECTORY):
        texts = {**texts, **_texts(data, inner[0])}
    return ExifFacts(orientation(tags), GPS in tags, _camera(texts), _taken(texts))


def _camera(texts: Mapping[int, str]) -> str | None:
    """Make and model as one name; most makers repeat the make in the model."""
    make, model = texts.get(MAKE, ""), texts.get(MODEL, "")
    if make and model.lower().startswith(make.split()[0].lower()):
        make = ""
    return " ".join(part for part in (make, model) if part) or None


def _taken(texts: Mapping[int, str]) -> str | None:
    for tag in (TAKEN, CHANGED):
        if match := _TIME.match(texts.get(tag, "")):
            year, month, day, hour, minute, second = match.groups()
            if year > "0000" and "01" <= month <= "12" and "01" <= day <= "31" and hour < "24":
                return f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    return None


def orientation(tags: Tags) -> int:
    """The orientation 1..8; anything else counts as 1, as every viewer does."""
    value = tags.get(ORIENTATION, (1,))[0]
    return value if 1 <= value <= 8 else 1


def _directory(data: bytes, offset: int, order: str) -> tuple[Tags, int]:
    if offset + 2 > len(data):
        raise TagError("a tag directory lies outside the file")
    count = struct.unpack_from(order + "H", data, offset)[0]
    if count > MAX_ENTRIES:
        raise TagError(f"a tag directory claims {count} entries")
    end = offset + 2 + 12 * count
    if end > len(data):
        raise TagError("a tag directory is cut off")
    tags: dict[int, tuple[int, ...]] = {}
    for start in range(offset + 2, end, 12):
        tag, kind, length = struct.unpack_from(order + "HHI", data, start)
        # The first of two equal tags wins, as it does in libtiff.
        tags.setdefault(tag, _values(data, start + 8, kind, length, order))
    following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    return {tag: values for tag, values in tags.items() if values}, following


def _values(data: bytes, field: int, kind: int, length: int, order: str) -> tuple[int, ...]:
    """The first few whole numbers of one entry; empty for text, fractions and what lies outside."""
    letter = WHOLE_TYPES.get(kind)
    if letter is None or length == 0:
        return ()
    taken = min(length, MAX_VALUES)
    pattern = f"{order}{taken}{letter}"
    if length * struct.calcsize(letter) > 4:
        field = struct.unpack_from(order + "I", data, field)[0]
    if field + struct.calcsize(pattern) > len(data):
        return ()
    return struct.unpack_from(pattern, data, field)


def _texts(data: bytes, offset: int) -> dict[int, str]:
    """The short ASCII texts of the directory at ``offset``; empty when it cannot be read."""
    order = byte_order(data)
    if offset + 2 > len(data):
        return {}
    count = min(struct.unpack_from(order + "H", data, offset)[0], MAX_ENTRIES)
    texts: dict[int, str] = {}
    for start in range(offset + 2, min(offset + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(order + "HHI", data, start)
        if kind != TEXT_TYPE or tag not in (MAKE, MODEL, CHANGED, TAKEN):
            continue
        at = start + 8 if length <= 4 else struct.unpack_from(order + "I", data, start + 8)[0]
        raw = data[at : at + min(length, MAX_TEXT_BYTES)].split(b"\x00")[0]
        # Anything may stand there; only what prints is kept.
        text = " ".join(
            "".join(c if c.isprintable() else " " for c in raw.decode("ascii", "replace")).split()
        )
        texts.setdefault(tag, text)
    return texts
