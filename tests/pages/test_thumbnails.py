from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from leafsight.pages import thumbnail


def test_a_thumbnail_is_small_keeps_its_shape_and_says_what_it_shows() -> None:
    picture = np.full((300, 600, 3), (20, 160, 40), np.uint8)
    image = thumbnail(picture, 'a "leaf" <i>')
    assert 'alt="a &quot;leaf&quot; &lt;i&gt;" width="200" height="100"' in image
    data = re.search(r"base64,([^\"]+)", image)
    assert data
    opened = Image.open(io.BytesIO(base64.b64decode(data[1])))
    assert opened.size == (200, 100)
    assert np.abs(np.asarray(opened).astype(int)[50, 100] - (20, 160, 40)).max() < 6
