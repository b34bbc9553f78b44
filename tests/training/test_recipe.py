from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.training.tiny import plain_stage, tiny_recipe

from leafsight.errors import ConfigError
from leafsight.training.preparation import cache_contract


def test_a_stage_names_only_what_differs() -> None:
    recipe = tiny_recipe(
        optimizer={"weight_decay": 0.3, "ema_decay": 0.5},
        stages=[plain_stage(optimizer={"ema_decay": 0.0}), plain_stage(name="second")],
    )
    first, second = recipe.stages
    assert recipe.optimizer_of(first).weight_decay == 0.3
    assert recipe.optimizer_of(first).ema_decay == 0.0
    assert recipe.optimizer_of(second) == recipe.optimizer


@pytest.mark.parametrize(
    "changes",
    [
        {"stages": []},
        {"stages": [plain_stage(), plain_stage()]},
        {"stages": [plain_stage(trainable="last:0")]},
        {"stages": [plain_stage(trainable="tail")]},
        {"stages": [plain_stage(learning_rate=float("inf"))]},
        {"stages": "all"},
        {"data": {"ratios": {"train": 0.9, "test": 0.1}}},
        {"preprocessing": {"side_px": 4096}},
        {"optimizer": {"ema_decay": 1.0}},
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        tiny_recipe(**changes)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        tiny_recipe().seed = 1  # type: ignore[misc]


def test_the_fingerprint_sees_what_decides_and_nothing_else() -> None:
    base = tiny_recipe().fingerprint()
    assert tiny_recipe(recipe={"name": "other", "title": "same"}).fingerprint() == base
    assert tiny_recipe(threads=2, checkpoint_steps=5).fingerprint() == base
    assert tiny_recipe(data={"max_cache_bytes": 10**9}).fingerprint() == base
    assert tiny_recipe(data={"seed": 9}).fingerprint() != base
    assert tiny_recipe(seed=1).fingerprint() != base
    assert tiny_recipe(loss={"label_smoothing": 0.1}).fingerprint() != base


def test_runs_from_before_morphology_are_still_themselves() -> None:
    base = tiny_recipe()
    assert "morphology" not in base.decisive_values()["model"]
    plain = {"name": "simple_cnn", "width": 0.25}
    assert tiny_recipe(model={**plain, "morphology": {}}).fingerprint() == base.fingerprint()
    seen = {base.fingerprint()}
    for table in ({"operation": "opening"}, {"operation": "opening", "size_px": 5}, {"operation": "closing"}):
        seen.add(tiny_recipe(model={**plain, "morphology": table}).fingerprint())
    assert len(seen) == 4


def test_runs_from_before_a_stage_had_a_side_are_still_themselves() -> None:
    base = tiny_recipe(stages=[plain_stage()])
    assert "side_px" not in base.decisive_values()["stages"][0]
    small = tiny_recipe(stages=[plain_stage(side_px=12)])
    assert small.fingerprint() != base.fingerprint()
    assert (small.side_px_of(small.stages[0]), base.side_px_of(base.stages[0])) == (12, 16)


def test_pixels_are_packed_for_the_largest_side_of_any_stage() -> None:
    small, large = plain_stage(name="small", side_px=12), plain_stage(name="large", side_px=40)
    assert cache_contract(tiny_recipe(stages=[small])).side_px == 24
    assert cache_contract(tiny_recipe(stages=[small, large])).side_px == 48
    assert cache_contract(tiny_recipe(stages=[large], data={"cache_side_px": 32})).side_px == 32


def test_cached_features_have_the_side_at_which_the_network_is_used() -> None:
    with pytest.raises(ConfigError, match="side_px where pictures are shown"):
        tiny_recipe(stages=[plain_stage(trainable="head", side_px=12)])
    assert tiny_recipe(stages=[plain_stage(trainable="head", views=0, side_px=12)]).stages[0].side_px == 12


def test_when_features_are_cached() -> None:
    def cached(**changes: Any) -> bool:
        return tiny_recipe(stages=[plain_stage(**changes)]).stages[0].uses_cached_features

    assert cached(trainable="head")
    assert not cached(trainable="head", views=0)
    assert not cached(trainable="last:1")


def test_the_preprocessing_contract_is_that_of_images() -> None:
    contract = tiny_recipe(preprocessing={"side_px": 96, "resize": "crop"}).preprocessing.contract()
    assert (contract.side_px, contract.resize) == (96, "crop")
