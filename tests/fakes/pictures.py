"""Pictures as the bytes of files."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from tests.fakes.tiny_bundle import RED, coloured


def picture_bytes(colour: Sequence[int] = RED, *, kind: str = "JPEG", side: int = 64, seed: int = 0) -> bytes:
    """A photograph of one colour that the tiny bundle knows."""
    file = io.BytesIO()
    Image.fromarray(coloured(colour, side, seed)).save(
        file, kind, **({"quality": 95} if kind == "JPEG" else {})
    )
    return file.getvalue()
