"""What scikit-learn calls X, as photographs.

Enters: a list or 1-D array of paths, bytes, PIL pictures and arrays, or ``uint8[n, height, width, 3]``.
Leaves: one photograph after the other, as a predictor takes them. It does not know classes or models.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from leafsight.errors import ImageError, UsageError
from leafsight.images import DecodeLimits, read_photo
from leafsight.inference import Photo

Item: TypeAlias = Path | bytes | np.ndarray | Image.Image
HINT = "give a list of paths, of bytes or of PIL pictures, or an array uint8[n, height, width, 3]"
AS_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
NO_COLOURS = ("I", "F", "I;16B", "I;16L", "I;16N")
SHOWN = 8


class InputError(UsageError, ValueError):
    """What was given cannot be learned from or judged.

    A ``UsageError`` for those who know leafsight, a ``ValueError`` for the tools of scikit-learn, which catch
    nothing else.
    """


def items_of(X: Any) -> list[Item]:  # noqa: N803
    """The photographs in ``X``, none of them read yet.

    Raises:
        InputError: a table of numbers, a single photograph, nothing, or something that is no photograph.
    """
    if isinstance(X, (str, bytes, os.PathLike, Image.Image)):
        raise InputError(f"X is one {type(X).__name__}, not several photographs", hint=HINT)
    dimensions = getattr(X, "ndim", 1)
    if dimensions not in (1, 4):
        raise InputError(f"X has {dimensions} dimensions: that is no list of photographs", hint=HINT)
    if not isinstance(X, Iterable):
        raise InputError(f"X is a {type(X).__name__}", hint=HINT)
    items = [_item(value, number) for number, value in enumerate(X)]
    if not items:
        raise InputError("X holds no photograph: 0 samples, at least 1 is needed", hint=HINT)
    return items


def _item(value: Any, number: int) -> Item:
    if isinstance(value, (str, os.PathLike)):
        return Path(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, Image.Image):
        return value
    if not isinstance(value, np.ndarray):
        raise InputError(f"X[{number}] is a {type(value).__name__}, no photograph", hint=HINT)
    if value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        shape = ", ".join(map(str, value.shape))
        raise InputError(f"X[{number}] is {value.dtype}[{shape}], not uint8[height, width, 3]", hint=HINT)
    return value


def photo_of(item: Item, limits: DecodeLimits) -> Photo:
    """One photograph as a predictor takes it: the bytes of a file, or ``uint8[height, width, 3]``.

    Raises:
        StorageError: the file is missing or cannot be read.
        ImageError: it is a folder, empty or too large, or its pixels are no colours.
    """
    if isinstance(item, Path):
        return read_photo(item, limits)
    return png_of(item) if isinstance(item, Image.Image) else item


def png_of(picture: Image.Image | np.ndarray) -> bytes:
    """The pixels as PNG, which loses nothing; the camera's orientation is applied.

    Transparency, palettes and 16 bits stay in the file: the one decoder treats them as it does in any file.

    Args:
        picture: of PIL, or ``uint8[height, width, 3]``.

    Raises:
        ImageError: its pixels are measurements, such as 32-bit numbers, that have no agreed white.
    """
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in NO_COLOURS:
        raise ImageError(f"a picture of mode {upright.mode}", hint='make it a photograph with convert("RGB")')
    if upright.mode not in AS_PNG:
        upright = upright.convert("RGB")
    buffer = io.BytesIO()
    upright.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def places(faults: Mapping[int, str]) -> str:
    """Faults by their place in ``X``, the first ones in words and the others as a number."""
    told = "; ".join(f"X[{number}]: {fault}" for number, fault in sorted(faults.items())[:SHOWN])
    return told + (f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else "")
