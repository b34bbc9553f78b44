"""One generator, one value for each picture."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leafsight.training.augmentation_colour import ColourOptions
from leafsight.training.draws import Draws


def seeded(count: int, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), count)


def test_uniform_fills_its_range_and_follows_the_seed() -> None:
    drawn = seeded(5000).uniform(2, 6)
    assert drawn.shape == (5000,)
    assert 2 <= drawn.min() < 2.05
    assert 5.95 < drawn.max() <= 6
    assert drawn.mean() == pytest.approx(4, abs=0.1)
    assert torch.equal(drawn, seeded(5000).uniform(2, 6))
    assert not torch.equal(drawn, seeded(5000, seed=1).uniform(2, 6))


def test_log_uniform_is_symmetric_in_the_logarithm() -> None:
    drawn = seeded(5000).log_uniform(0.5, 2)
    assert drawn.log().mean() == pytest.approx(0, abs=0.03)
    assert (drawn < 1).float().mean() == pytest.approx(0.5, abs=0.03)


@given(st.floats(0, 1))
def test_a_share_is_chosen_with_its_probability(probability: float) -> None:
    share = float(seeded(2000).chosen(probability).float().mean())
    assert share == pytest.approx(probability, abs=0.05)


def test_probability_zero_chooses_nothing_and_one_everything() -> None:
    assert not seeded(1000).chosen(0).any()
    assert seeded(1000).chosen(1).all()


def test_pixels_are_standard_normal_and_move_the_generator_on() -> None:
    draws = seeded(1)
    first = draws.pixels((4, 3, 32, 32), torch.device("cpu"))
    second = draws.pixels((4, 3, 32, 32), torch.device("cpu"))
    assert float(first.std()) == pytest.approx(1, abs=0.03)
    assert not torch.equal(first, second)
    assert torch.equal(first, seeded(1).pixels((4, 3, 32, 32), torch.device("cpu")))


def test_muted_colours_are_nearly_grey() -> None:
    colours = seeded(2000).muted_colours()
    assert 0 <= colours.min() <= colours.max() <= 255
    assert float((colours.amax(1) - colours.amin(1)).mean()) < 60


def test_a_range_from_high_to_low_is_refused() -> None:
    with pytest.raises(ValidationError, match="from low to high"):
        ColourOptions(brightness=(1.2, 0.8))
