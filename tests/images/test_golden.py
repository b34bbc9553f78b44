"""The contract in bytes: committed files give committed squares, here and on every other machine.

Tolerance: PNG and WebP exact for the bilinear filter (whole-number arithmetic); one grey level for JPEG,
whose inverse transform may differ between libjpeg builds, and for Pillow's other filters.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.images.golden import make_golden

GOLDEN = Path(__file__).resolve().parent / "golden"
EXPECTED = dict(np.load(GOLDEN / "expected.npz", allow_pickle=False))

FILES = sorted(path for path in GOLDEN.iterdir() if path.suffix in {".jpg", ".png", ".webp"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_give_the_committed_squares(path):
    found = make_golden.expected(path.name, path.read_bytes())
    assert found, "nothing was compared"
    for name, square in found.items():
        tolerance = 1 if path.suffix == ".jpg" or name.endswith("bicubic") else 0
        assert square.dtype == np.uint8
        difference = np.abs(square.astype(int) - EXPECTED[name])
        assert difference.max() <= tolerance, f"{name} differs by {difference.max()}"


def test_every_committed_square_is_compared():
    compared = {name.split("/")[0] for name in EXPECTED}
    assert compared == {path.name for path in FILES}
