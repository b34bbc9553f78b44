from __future__ import annotations

import numpy as np
import pytest

from leafsight.images import MORPHOLOGY_OPERATIONS, apply_morphology, morphology_sheet
from leafsight.images.contact_sheet import GAP_PX, RESIDUE_GAIN, RESIDUES


def parts(sheet: np.ndarray, height: int, width: int) -> list[np.ndarray]:
    """The eight pictures, row by row, without labels."""
    step_down = (sheet.shape[0] - GAP_PX) // 2 + GAP_PX
    step_right = width + GAP_PX
    corners = [(row * step_down, column * step_right) for row in range(2) for column in range(4)]
    return [sheet[top : top + height, left : left + width] for top, left in corners]


@pytest.mark.parametrize("size_px", [3, 7])
def test_the_sheet_shows_the_photograph_and_every_operation(size_px):
    photo = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    sheet = morphology_sheet(photo, size_px, shape="disc")
    assert sheet.shape[1] == 4 * 90 + 3 * GAP_PX
    first, *others = parts(sheet, 60, 90)
    assert (first == photo).all()
    for operation, shown in zip(MORPHOLOGY_OPERATIONS, others, strict=True):
        wanted = apply_morphology(photo, operation, size_px=size_px, shape="disc").astype(int)
        gain = RESIDUE_GAIN if operation in RESIDUES else 1
        assert (shown == np.minimum(wanted * gain, 255)).all()


@pytest.mark.parametrize("side_px", [96, 224, 500])
def test_every_label_is_there_and_fits(side_px):
    photo = np.full((side_px, side_px, 3), 200, np.uint8)
    sheet = morphology_sheet(photo, 31, shape="square")
    strip = (sheet.shape[0] - GAP_PX) // 2 - side_px
    for row in range(2):
        top = row * (side_px + strip + GAP_PX) + side_px
        for column in range(4):
            left = column * (side_px + GAP_PX)
            label = sheet[top : top + strip, left : left + side_px]
            assert (label < 128).any()
            assert (label[:, -1] == 255).all(), "a label is cut off at the right"


def test_a_tiny_photograph_is_no_fault():
    assert morphology_sheet(np.zeros((1, 1, 3), np.uint8)).shape[2] == 3
