from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from leafsight.images import decode, plain_background

PAPERS = {"grey": (150, 148, 150), "violet": (140, 130, 155), "black": (2, 2, 2), "white": (244, 244, 246)}


def on_paper(paper: tuple[int, int, int], side: int = 160, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A green ellipse with brown spots and a shadow beside it, on grainy paper lit from one side."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    leaf = ((x - 0.5) / 0.3) ** 2 + ((y - 0.5) / 0.38) ** 2 < 1
    shadow = ((x - 0.56) / 0.3) ** 2 + ((y - 0.54) / 0.38) ** 2 < 1
    picture = np.array(paper) * (0.9 + 0.2 * x[..., None])
    picture[shadow] *= 0.4
    picture[leaf] = (70, 120, 50)
    picture[((x - 0.45) ** 2 + (y - 0.4) ** 2 < 0.004) & leaf] = (110, 80, 50)
    picture += rng.normal(0, 6, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), leaf


def foliage(side: int = 160) -> np.ndarray:
    rng = np.random.default_rng(1)
    coarse = rng.integers(20, 160, (12, 12, 3)) * np.array([0.8, 1.2, 0.5])
    blobs = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8)).resize((side, side))
    return np.asarray(blobs.filter(ImageFilter.SHARPEN))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
@pytest.mark.parametrize("side", [96, 160, 400])
def test_the_leaf_is_cut_out_of_its_shadow(paper, side):
    rgb, leaf = on_paper(paper, side)
    found = plain_background(rgb)
    assert found.is_plain
    assert found.leaf.shape == leaf.shape
    assert found.leaf.dtype == np.bool_
    # The blur that takes out the grain widens small pictures' masks by more of their size.
    assert overlap(found.leaf, leaf) > (0.93 if side >= 160 else 0.88)
    assert 0 < found.confidence <= 1


def test_foliage_and_soil_are_not_plain():
    assert not plain_background(foliage()).is_plain
    soil = np.clip(np.random.default_rng(0).normal((110, 80, 60), 50, (40, 40, 3)), 0, 255).astype(np.uint8)
    assert not plain_background(np.asarray(Image.fromarray(soil).resize((160, 160)))).is_plain


def test_a_leaf_that_fills_the_picture_has_no_backdrop():
    rgb = np.clip(np.random.default_rng(0).normal((70, 130, 60), 8, (160, 160, 3)), 0, 255).astype(np.uint8)
    found = plain_background(rgb)
    assert not found.is_plain
    assert found.confidence == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_sheet_has_no_leaf(level):
    found = plain_background(np.full((120, 90, 3), level, np.uint8))
    assert not found.is_plain
    assert not found.leaf.any()


@pytest.mark.parametrize("shape", [(8, 8), (8, 300), (300, 8), (1, 1)])
def test_any_shape_is_answered(shape):
    found = plain_background(np.zeros((*shape, 3), np.uint8))
    assert found.leaf.shape == shape


def test_bright_blue_does_not_leave_the_histogram():
    blue = np.zeros((100, 100, 3), np.uint8)
    blue[..., 2] = 255
    blue[30:70, 30:70] = (60, 120, 40)
    assert not plain_background(blue).is_plain, "a strong colour is no paper"


def test_real_photographs(shared_data):
    """Most of PlantVillage is plain, most of the field is not."""

    def share(folder: str, *, without: tuple[str, ...] = ()) -> float:
        paths = [
            path
            for label in sorted((shared_data / folder).iterdir())
            if label.is_dir() and not label.name.startswith(without or ("?",))
            for path in sorted(label.iterdir())[:3]
        ]
        if not paths:
            pytest.skip(f"needs data/{folder}")
        return float(np.mean([plain_background(decode(path.read_bytes())).is_plain for path in paths]))

    assert share("plantvillage", without=("Corn", "Background")) > 0.85
    assert share("field-bean") < 0.2
    assert share("field-chilli") < 0.2
