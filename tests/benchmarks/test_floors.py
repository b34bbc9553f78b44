"""What the floors count, against what is known of the networks."""

from __future__ import annotations

import pytest
from benchmarks.accelerator.floors import Accelerator, Step, counted_step, floors

from leafsight.training import load_recipe


def test_mobilenet_v2_has_the_arithmetic_of_its_paper() -> None:
    """Sandler 2018: 300 million multiplications and additions for 224 px; three times that to train."""
    recipe = load_recipe("plant-disease-64", ["preprocessing.side_px=224", "data.cache_side_px=256"])
    step = counted_step(recipe, 2, classes=1000)
    assert step.operations / 2 == pytest.approx(3 * 2 * 300e6, rel=0.02)


def test_arithmetic_and_bytes_grow_with_the_batch_and_the_state_does_not() -> None:
    recipe = load_recipe("plant-disease-64")
    small, large = counted_step(recipe, 4), counted_step(recipe, 8)
    assert large.operations == 2 * small.operations
    assert large.state_bytes == small.state_bytes
    assert large.kernels == small.kernels
    assert large.saved_bytes == pytest.approx(2 * small.saved_bytes, rel=0.03)  # weights are saved once
    # Every activation is written and read by more than one operation that fusion would spare.
    assert large.moved_bytes > large.fused_bytes


def test_the_higher_floor_counts() -> None:
    step = Step(batch=10, operations=1000, moved_bytes=400, saved_bytes=50, state_bytes=0)
    slow_arithmetic = floors(step, Accelerator("", operations=100.0, bytes=1000.0))
    slow_memory = floors(step, Accelerator("", operations=1e9, bytes=10.0))
    assert slow_arithmetic["photographs_per_s"] == pytest.approx(10 / 10)
    assert slow_memory["photographs_per_s"] == pytest.approx(10 / 10)
    assert slow_memory["photographs_per_s_unfused"] == pytest.approx(10 / 40)
