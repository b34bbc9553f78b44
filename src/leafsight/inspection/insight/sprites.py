"""Thumbnails as sprite sheets: many small pictures in one JPEG, within a budget of bytes.

Enters: rows, the most important first. Leaves: sheets in base64, and where each photograph stands. It does
not know what the photographs are shown for.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

SIDES_PX = (64, 48, 32)
SHEET_SIDE_PX = 1024  # decoded, one sheet takes 4 MiB; browsers on telephones still take a few dozen
QUALITY = 62  # set by eye: leaf spots of three pixels can still be told from noise
PROBED = 256  # thumbnails that are encoded to estimate how large all of them become
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Sprites:
    """Sheets of thumbnails.

    Attributes:
        side_px: of one thumbnail.
        columns: thumbnails in a row of a sheet; as many rows.
        sheets: JPEG in base64.
        placed: how many thumbnails, in the order of the rows that were handed in.
    """

    side_px: int
    columns: int
    sheets: tuple[str, ...]
    placed: int


def make_sprites(rows: Rows, pictures: Callable[[Rows], Any], max_characters: int) -> Sprites:
    """As many thumbnails as fit, as large as they can be.

    Args:
        rows: photographs with a picture, the most important first.
        pictures: rows -> uint8[k, 64, 64, 3].
        max_characters: of base64 in all sheets together.
    """
    if not len(rows) or max_characters <= 0:
        return Sprites(SIDES_PX[0], SHEET_SIDE_PX // SIDES_PX[0], (), 0)
    probe = pictures(np.sort(rows[:: max(1, len(rows) // PROBED)][:PROBED]))
    side_px, fit = SIDES_PX[-1], 0
    for side_px in SIDES_PX:
        each = len(_sheet(probe, side_px)) / len(probe)
        fit = int(max_characters / each)
        if fit >= len(rows) * 1.05:  # the probe is an estimate
            break
    columns = SHEET_SIDE_PX // side_px
    sheets: list[str] = []
    left, placed = max_characters, 0
    for start in range(0, len(rows), columns**2):
        part = rows[start : start + columns**2]
        sheet = _sheet(pictures(part), side_px)
        left -= len(sheet)
        if left < 0:
            break
        sheets.append(sheet)
        placed += len(part)
    return Sprites(side_px, columns, tuple(sheets), placed)


def _sheet(pictures: Any, side_px: int) -> str:
    """One sheet as JPEG in base64."""
    columns = SHEET_SIDE_PX // side_px
    lines = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * side_px, lines * side_px))
    for place, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        if side_px != image.width:
            image = image.resize((side_px, side_px), Image.Resampling.LANCZOS)
        sheet.paste(image, (place % columns * side_px, place // columns * side_px))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
