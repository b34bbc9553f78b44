"""Pictures as fixtures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tests.images.drawn_pictures import drawn, encode


@pytest.fixture
def picture() -> np.ndarray:
    return drawn()


@pytest.fixture
def jpeg(picture: np.ndarray) -> bytes:
    return encode(Image.fromarray(picture), "JPEG", quality=90)
