from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset.synth import SynthOptions, draw_background, draw_leaf, write_synthetic_collection
from leafsight.dataset.synth_leaf import SHAPES
from leafsight.dataset.synth_lesions import CONDITIONS
from leafsight.errors import DatasetError

SMALL = SynthOptions(crops=("Roundleaf",), conditions=("healthy", "Rust"), leaves_per_class=3, side_px=48)


def test_the_same_seed_draws_the_same_photograph() -> None:
    first = draw_leaf("Roundleaf", "Rust", seed=5, view=1, field=True, side_px=64)
    again = draw_leaf("Roundleaf", "Rust", seed=5, view=1, field=True, side_px=64)
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)


def test_another_leaf_and_another_view_look_different() -> None:
    one = draw_leaf("Heartleaf", "healthy", seed=5, side_px=64).astype(int)
    assert np.abs(one - draw_leaf("Heartleaf", "healthy", seed=6, side_px=64)).mean() > 5
    assert np.abs(one - draw_leaf("Heartleaf", "healthy", seed=5, view=1, side_px=64)).mean() > 5


@pytest.mark.parametrize("condition", [name for name in CONDITIONS if name != "healthy"])
def test_every_condition_changes_the_leaf(condition: str) -> None:
    changed = [
        np.abs(
            draw_leaf("Roundleaf", condition, seed=seed, side_px=96).astype(int)
            - draw_leaf("Roundleaf", "healthy", seed=seed, side_px=96)
        ).mean()
        for seed in range(3)
    ]
    assert min(changed) > 1


@pytest.mark.parametrize("crop", SHAPES)
def test_a_lab_leaf_is_greener_than_its_paper(crop: str) -> None:
    picture = draw_leaf(crop, "healthy", seed=3, side_px=96).astype(int)
    greenness = 2 * picture[..., 1] - picture[..., 0] - picture[..., 2]
    assert greenness[40:56, 40:56].mean() > greenness[:4].mean() + 20


def test_a_background_is_a_picture() -> None:
    assert draw_background(seed=1, side_px=40).std() > 3


def test_unknown_crop_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DatasetError) as caught:
        draw_leaf("Oak", "Rust", seed=0)
    assert "Roundleaf" in caught.value.hint


def test_nothing_is_drawn_before_an_unknown_crop_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'Oak'"):
        write_synthetic_collection(
            tmp_path / "drawn", SMALL.model_copy(update={"crops": ("Roundleaf", "Oak")})
        )
    assert not (tmp_path / "drawn").exists()


def test_a_collection_is_class_folders_with_a_leaf_map(tmp_path: Path) -> None:
    made = write_synthetic_collection(tmp_path, SMALL)
    assert made.classes == ("Background_without_leaves", "Roundleaf___Rust", "Roundleaf___healthy")
    files = sorted(tmp_path.glob("*/*.jpg"))
    assert len(files) == made.photographs
    assert made.leaves == 9
    with Image.open(files[0]) as picture:
        assert picture.size == (48, 48)
    rows = (tmp_path / "leaf_groups.csv").read_text().splitlines()
    assert rows[0] == "class,file,leaf"
    assert len(rows) == 1 + made.photographs


def test_an_interrupted_collection_goes_on_and_keeps_what_is_there(tmp_path: Path) -> None:
    write_synthetic_collection(tmp_path, SMALL)
    files = sorted(tmp_path.glob("*/*.jpg"))
    before = files[0].read_bytes()
    files[0].unlink()
    files[1].write_bytes(b"mine")
    write_synthetic_collection(tmp_path, SMALL)
    assert files[0].read_bytes() == before
    assert files[1].read_bytes() == b"mine"


def test_another_seed_shares_no_leaf(tmp_path: Path) -> None:
    write_synthetic_collection(tmp_path / "a", SMALL)
    write_synthetic_collection(tmp_path / "b", SMALL.model_copy(update={"seed": 1}))
    first = {path.read_bytes() for path in (tmp_path / "a").glob("*/*.jpg")}
    assert first.isdisjoint(path.read_bytes() for path in (tmp_path / "b").glob("*/*.jpg"))
