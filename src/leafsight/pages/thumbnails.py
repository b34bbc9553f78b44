"""Photographs as small JPEG files inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
from jaxtyping import UInt8

from leafsight.errors import require
from leafsight.pages.markup import Html, tag

SIDE_PX = 200
QUALITY = 78  # about 8 kB at 200 px; below 70 lesions begin to show blocks


def thumbnail(picture: UInt8[np.ndarray, "height width 3"], alt: str) -> Html:
    """An ``<img>`` with the picture in it, at most ``SIDE_PX`` on a side.

    Args:
        picture: uint8[h, w, 3], RGB. The pixels are encoded anew, so no metadata of the file comes along.
        alt: what it shows, for those who cannot see it.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    require("PIL", "images")
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return tag(
        "img",
        src=f"data:image/jpeg;base64,{data}",
        alt=alt,
        width=image.width,
        height=image.height,
        loading="lazy",
    )
