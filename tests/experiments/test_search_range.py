from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.tiny import tiny_data, tiny_recipe

from leafsight.experiments.search_range import (
    RangeTest,
    narrowed,
    narrowed_space,
    rate_keys,
    run_range_tests,
)
from leafsight.models import save_weights
from leafsight.training import SearchRange, new_network

WIDE = SearchRange(low=1e-5, high=1.0, log=True)


def test_a_decade_on_either_side() -> None:
    low, high, said = narrowed(WIDE, 0.01, own=0.005)
    assert (low, high) == pytest.approx((0.001, 0.1))
    assert "0.01" in said


def test_the_recipes_own_rate_stays_inside() -> None:
    assert narrowed(WIDE, 0.1, own=1e-4)[:2] == pytest.approx((1e-4, 1.0))
    assert narrowed(WIDE, 0.1, own=1e-6)[:2] == pytest.approx((1e-2, 1.0))


def test_a_suggestion_that_is_outside_changes_nothing() -> None:
    tried = SearchRange(low=1e-4, high=1e-3, log=True)
    for suggestion in (0.5, 1e-7, 0.009):
        low, high, said = narrowed(tried, suggestion, own=5e-4)
        assert (low, high) == (1e-4, 1e-3)
        assert "stays" in said
    assert "all of it" in narrowed(tried, 5e-4, own=5e-4)[2]


def test_stages_are_found_by_name_and_number() -> None:
    space = {"stages.all.learning_rate": WIDE, "stages.0.learning_rate": WIDE, "stages.0.epochs": WIDE}
    found = rate_keys(tiny_recipe(), space)
    assert found == {"stages.all.learning_rate": 1, "stages.0.learning_rate": 0}
    listed = {"stages.all.learning_rate": SearchRange(choices=(0.1, 0.2))}
    assert rate_keys(tiny_recipe(), listed) == {}


def test_every_stage_is_tested_and_the_same_again(tmp_path: Path) -> None:
    recipe, data = tiny_recipe(), tiny_data()
    space = {"stages.head.learning_rate": WIDE, "stages.all.learning_rate": WIDE}
    first = run_range_tests(recipe, space, data, device="cpu", steps=15)
    assert [test.key for test in first] == list(space)
    for test in first:
        assert test.suggestion is not None
        assert 1e-5 <= test.low < test.high <= 1.0
        assert test.low <= 0.01 <= test.high
        assert RangeTest.from_dict(test.to_dict()) == test
    assert run_range_tests(recipe, space, data, device="cpu", steps=15) == first
    weights = tmp_path / "start.safetensors"
    network = new_network(tiny_recipe(seed=5), 3)
    save_weights(network, weights, {"classes": '["a","b","c"]', "epoch": "{}"})
    other = run_range_tests(recipe, space, data, device="cpu", steps=15, pretrained=weights)
    assert other[1].losses != first[1].losses


def test_a_stage_that_cannot_be_tested_keeps_its_range() -> None:
    found = run_range_tests(
        tiny_recipe(), {"stages.all.learning_rate": WIDE}, tiny_data(), device="cpu", steps=2
    )
    assert found[0].suggestion is None
    assert (found[0].low, found[0].high) == (1e-5, 1.0)
    assert "cannot raise" in found[0].said


def test_the_narrowed_space_changes_those_keys_only() -> None:
    space = {"a": WIDE, "b": SearchRange(choices=(1, 2))}
    after = narrowed_space(space, [RangeTest("a", 0.01, 0.001, 0.1, "")])
    assert (after["a"].low, after["a"].high, after["a"].log) == (0.001, 0.1, True)
    assert after["b"] == space["b"]
