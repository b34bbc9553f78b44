from __future__ import annotations

import numpy as np
import pytest

from leafsight.images.lab import to_lab

# Published values of the sRGB primaries under D65 (for example Lindbloom's calculator).
KNOWN = {
    (255, 255, 255): (100, 0, 0),
    (0, 0, 0): (0, 0, 0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (119, 119, 119): (50.03, 0, 0),
}


@pytest.mark.parametrize(("rgb", "lab"), KNOWN.items())
def test_known_colours(rgb, lab):
    found = to_lab(np.array(rgb, np.uint8).reshape(1, 1, 3))[0, 0]
    assert found == pytest.approx(lab, abs=0.2)
    assert found.dtype == np.float32
