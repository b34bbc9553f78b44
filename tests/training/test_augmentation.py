"""The whole augmentation of a batch, its presets and its options."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import torch

from leafsight.errors import ConfigError, TrainingError, validated
from leafsight.training.augmentation import AugmentationOptions, PresetName, augment_batch
from leafsight.training.augmentation_presets import PRESETS


def batch(count: int = 12, side_px: int = 40) -> torch.Tensor:
    """Bytes as the cache gives them: a channels-last view."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, side_px, side_px, 3), dtype=np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def augmented(preset: PresetName, seed: int = 0, **changes: object) -> torch.Tensor:
    options = validated(AugmentationOptions, {"preset": preset, **changes}, "test")
    return augment_batch(batch(), options, torch.Generator().manual_seed(seed), side_px=32)


def test_every_preset_has_a_name_and_every_name_a_preset() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)


@pytest.mark.parametrize("preset", get_args(PresetName))
def test_result_is_finite_float_in_range_at_the_asked_side(preset: PresetName) -> None:
    result = augmented(preset)
    assert result.shape == (12, 3, 32, 32)
    assert result.dtype == torch.float32
    assert torch.isfinite(result).all()
    assert 0 <= float(result.min()) <= float(result.max()) <= 255


@pytest.mark.parametrize("preset", ["light", "standard", "field"])
def test_same_seed_same_pictures_and_other_seed_others(preset: PresetName) -> None:
    assert torch.equal(augmented(preset), augmented(preset))
    assert not torch.equal(augmented(preset), augmented(preset, seed=1))


def test_none_only_resizes() -> None:
    images = batch(4, 32)
    options = AugmentationOptions(preset="none")
    same = augment_batch(images, options, torch.Generator(), side_px=32)
    assert torch.allclose(same, images.float(), atol=0.01)
    half = augment_batch(images, options, torch.Generator(), side_px=16)
    assert torch.allclose(half, torch.nn.functional.avg_pool2d(images.float(), 2), atol=0.01)


def test_input_is_not_changed_and_floats_give_the_same_as_bytes() -> None:
    images, options = batch(), AugmentationOptions(preset="field")
    before = images.clone()
    from_bytes = augment_batch(images, options, torch.Generator().manual_seed(0), side_px=32)
    floats = images.float()
    from_floats = augment_batch(floats, options, torch.Generator().manual_seed(0), side_px=32)
    assert torch.equal(images, before)
    assert torch.equal(floats, before.float())
    assert torch.equal(from_bytes, from_floats)


def test_presets_grow_stronger() -> None:
    leaf = torch.tensor([90.0, 130.0, 60.0]).view(1, 3, 1, 1).expand(300, 3, 16, 16)

    def spread(preset: PresetName) -> float:
        options, generator = AugmentationOptions(preset=preset), torch.Generator().manual_seed(0)
        return float(augment_batch(leaf, options, generator, side_px=16).mean((2, 3)).std(0).mean())

    spreads = [spread(preset) for preset in ("none", "light", "standard", "field")]
    assert spreads[0] == pytest.approx(0, abs=0.01)
    assert all(stronger > 1.3 * weaker for weaker, stronger in pairwise(spreads[1:]))
    assert spreads[1] > 3


def test_a_change_keeps_the_rest_of_the_preset() -> None:
    options = validated(AugmentationOptions, {"preset": "field", "colour": {"hue_degrees": 1}}, "test")
    assert options.colour.hue_degrees == 1
    assert options.colour.temperature == AugmentationOptions(preset="field").colour.temperature
    assert options.geometry == AugmentationOptions(preset="field").geometry


def test_options_survive_being_written_down() -> None:
    options = validated(AugmentationOptions, {"preset": "field", "camera": {"noise": (0, 1)}}, "test")
    assert AugmentationOptions.model_validate(options.model_dump(mode="json")) == options


def test_all_faults_are_told_with_the_nearest_key() -> None:
    wrong = {"preset": "feild", "colour": {"hue_degree": 3, "probability": 2}}
    with pytest.raises(ConfigError) as caught:
        validated(AugmentationOptions, wrong, "recipe.toml")
    assert len(caught.value.faults) == 3
    assert "did you mean 'hue_degrees'" in str(caught.value)
    assert "did you mean 'field'" in str(caught.value)


def test_pictures_that_are_not_square_rgb_are_refused() -> None:
    options = AugmentationOptions()
    for shape in ((2, 3, 16, 20), (2, 1, 16, 16)):
        with pytest.raises(TrainingError, match="square RGB"):
            augment_batch(torch.zeros(shape), options, torch.Generator(), side_px=16)
