"""Background replacement: the leaf stays, the table goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.training.leaf_bank import FIELD_ROWS, LEAF, PLAIN_ROWS, SIDE_PX, TABLE, draw_cache, make_bank

from leafsight.errors import TrainingError
from leafsight.training.augmentation_colour import ColourOptions
from leafsight.training.backgrounds import BackgroundOptions, build_bank, replace_backgrounds

STILL = {
    "probability": 1.0,
    "leaf_scale": (1.0, 1.0),
    "leaf_rotation_degrees": 0.0,
    "leaf_colour": ColourOptions(),
    "background_colour": ColourOptions(),
    "shadow_probability": 0.0,
}
ONLY_FIELD = {"place_weight": 0, "texture_weight": 0, "foliage_weight": 0}
ONLY_PLACE = {"field_weight": 0, "texture_weight": 0, "foliage_weight": 0}


def replaced(rows: np.ndarray, seed: int = 0, **options: object) -> torch.Tensor:
    images = torch.from_numpy(draw_cache()[rows]).permute(0, 3, 1, 2)
    chosen = BackgroundOptions.model_validate({**STILL, **options})
    return replace_backgrounds(images, rows, make_bank(), torch.Generator().manual_seed(seed), chosen)


def test_the_leaf_stays_and_the_table_goes() -> None:
    result = replaced(PLAIN_ROWS, **ONLY_PLACE)
    assert result.dtype == torch.float32
    # The shift is at most a tenth of half the frame here, so the middle is leaf and the corner is not.
    assert torch.allclose(result[:, :, 16, 16], torch.tensor(LEAF).float().expand(8, 3), atol=1)
    assert torch.allclose(result[:, :, 0, 0], torch.full((8, 3), 255.0), atol=1)
    table = (result - torch.tensor(TABLE).view(3, 1, 1)).abs().sum(1) < 8
    assert float(table.float().mean()) < 0.02


def test_busy_photographs_are_left_as_they_are() -> None:
    images = torch.from_numpy(draw_cache()[FIELD_ROWS]).permute(0, 3, 1, 2).float()
    assert torch.equal(replaced(FIELD_ROWS), images)


def test_probability_zero_changes_nothing_and_the_input_is_never_changed() -> None:
    images = torch.from_numpy(draw_cache()[PLAIN_ROWS]).permute(0, 3, 1, 2).float()
    before = images.clone()
    off = replace_backgrounds(images, PLAIN_ROWS, make_bank(), torch.Generator(), BackgroundOptions())
    assert torch.equal(off, before)
    on = BackgroundOptions(probability=1)
    assert not torch.equal(
        replace_backgrounds(images, PLAIN_ROWS, make_bank(), torch.Generator(), on), before
    )
    assert torch.equal(images, before)


def test_the_probability_is_the_share_replaced() -> None:
    rows = np.resize(PLAIN_ROWS, 400)
    unchanged = torch.from_numpy(draw_cache()[rows]).permute(0, 3, 1, 2).float()
    changed = (replaced(rows, probability=0.3) != unchanged).flatten(1).any(1)
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.07)


def test_seed_fixes_everything() -> None:
    loose = {"leaf_scale": (0.6, 1.3), "shadow_probability": 0.5, "leaf_rotation_degrees": 180}
    assert torch.equal(replaced(PLAIN_ROWS, **loose), replaced(PLAIN_ROWS, **loose))
    assert not torch.equal(replaced(PLAIN_ROWS, **loose), replaced(PLAIN_ROWS, seed=1, **loose))


def test_field_photographs_of_the_same_class_are_not_used() -> None:
    bank, rows = make_bank(), np.resize(PLAIN_ROWS, 64)
    images = torch.from_numpy(draw_cache()[rows]).permute(0, 3, 1, 2)
    options = BackgroundOptions.model_validate({**STILL, **ONLY_FIELD})
    generator = torch.Generator().manual_seed(0)
    blue = torch.tensor([10.0, 20.0, 200.0])
    other = replace_backgrounds(images, rows, bank, generator, options)[:, :, 0, 0]
    assert torch.allclose(other, blue.expand(64, 3), atol=1)
    bank.labels[rows] = 2  # now half of the field photographs are of the leaves' own class
    mixed = replace_backgrounds(images, rows, bank, generator, options)[:, :, 0, 0]
    is_field = ((mixed - blue).abs().sum(1) < 3).float().mean()
    assert 0.3 < float(is_field) < 0.75


def test_leaves_change_size_and_place() -> None:
    rows = np.resize(PLAIN_ROWS, 100)
    moved = replaced(rows, leaf_scale=(0.6, 1.3), **ONLY_PLACE)
    is_leaf = (moved[:, 2] < 150).float()  # white has blue, the leaf little
    size = is_leaf.mean((1, 2)).sqrt()
    assert float(size.max() / size.min()) > 1.6
    line = torch.linspace(-1, 1, SIDE_PX)
    middle = (is_leaf.sum(1) * line).sum(1) / is_leaf.sum((1, 2))
    assert float(middle.std()) > 0.05


def test_shadows_darken_the_background_only() -> None:
    bright = replaced(PLAIN_ROWS, **ONLY_PLACE)
    shaded = replaced(PLAIN_ROWS, shadow_probability=1.0, shadow_strength=(0.6, 0.6), **ONLY_PLACE)
    assert torch.allclose(shaded[:, :, 16, 16], bright[:, :, 16, 16], atol=1)
    assert (shaded.mean((1, 2, 3)) < bright.mean((1, 2, 3))).all()


def test_without_any_weight_textures_are_used() -> None:
    result = replaced(PLAIN_ROWS, field_weight=0, **ONLY_FIELD)
    table = (result - torch.tensor(TABLE).view(3, 1, 1)).abs().sum(1) < 8
    assert float(table.float().mean()) < 0.2


def test_pictures_of_another_side_are_refused() -> None:
    with pytest.raises(TrainingError, match="32 px"):
        replace_backgrounds(
            torch.zeros(1, 3, 16, 16), np.array([0]), make_bank(), torch.Generator(), BackgroundOptions()
        )


def test_real_leaves_keep_their_look_on_new_backgrounds(shared_data: Path) -> None:
    files = sorted((shared_data / "plantvillage" / "Potato___Early_blight").iterdir())[:12]
    images = np.stack([np.asarray(Image.open(f).convert("RGB").resize((96, 96)), np.uint8) for f in files])
    bank = build_bank(images, np.zeros(12, np.int64), np.arange(12), folder=None, fingerprint="x", workers=1)
    rows = np.flatnonzero(bank.is_plain)
    assert len(rows) >= 6
    options = BackgroundOptions.model_validate({**STILL, "field_weight": 0, "foliage_weight": 0})
    before = torch.from_numpy(images[rows]).permute(0, 3, 1, 2).float()
    after = replace_backgrounds(before, rows, bank, torch.Generator().manual_seed(0), options)
    leaf = torch.from_numpy(bank.leaf_masks(rows)).bool()
    greener = [(x[:, 1] - x[:, 2])[leaf].mean() for x in (before, after)]
    # Flipped and shifted a little, but the colours under the mask are still mostly the leaf's.
    assert float(greener[1]) > 0.5 * float(greener[0])
    assert float((after - before).abs().mean(1)[~leaf].mean()) > 10
