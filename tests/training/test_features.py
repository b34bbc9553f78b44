from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.models import ModelOptions, build_network
from leafsight.progress import Silent
from leafsight.training.features import FOLDING_SAMPLE, FeatureWork, quick_dropout
from leafsight.training.memory import PieceCounter
from leafsight.training.recipe import Recipe
from leafsight.training.stages import PhotoWork, Setting, choose_trainable


def head_recipe(views: int, **changes: Any) -> Recipe:
    stage = plain_stage(trainable="head", views=views, epochs=3)
    return tiny_recipe(stages=[stage], valid_batch_size=7, **{"augmentation": {"preset": "none"}, **changes})


def setting(recipe: Recipe, data: Any = None) -> Setting:
    torch.manual_seed(0)
    network = build_network(ModelOptions(name="simple_cnn", width=0.25, dropout=0.0), 3)
    choose_trainable(network, recipe.stages[0])
    return Setting(
        network, data or tiny_data(), recipe, torch.device("cpu"), "fp32", PieceCounter(1, lambda *_: None)
    )


def cached(recipe: Recipe, data: Any = None) -> FeatureWork:
    return FeatureWork(setting(recipe, data), 0, Silent(), lambda: None)


def test_without_augmentation_it_is_the_plain_way() -> None:
    plain = PhotoWork(setting(head_recipe(0)), 0)
    quick = cached(head_recipe(1))
    assert plain.batches_per_epoch == quick.batches_per_epoch
    for epoch in range(2):
        plain.begin_training()
        quick.begin_training()
        for one, other in zip(plain.batches(epoch, 0), quick.batches(epoch, 0), strict=True):
            assert np.array_equal(one.rows, other.rows)
            assert torch.equal(one.targets.argmax(1), other.targets)
            torch.testing.assert_close(
                plain.forward(one.inputs), quick.forward(other.inputs), rtol=1e-4, atol=1e-5
            )
    np.testing.assert_allclose(plain.valid_logits(), quick.valid_logits(), rtol=1e-4, atol=1e-5)


def test_the_backbone_runs_once_for_each_view(monkeypatch: pytest.MonkeyPatch) -> None:
    work = cached(head_recipe(2))
    seen = 0
    network = work._setting.network
    embed = network.embed

    def counted(pixels: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += len(pixels)
        return embed(pixels)

    monkeypatch.setattr(network, "embed", counted)
    for epoch in range(6):
        work.begin_training()
        for batch in work.batches(epoch, 0):
            work.forward(batch.inputs).sum().backward()
        work.valid_logits()
    # Two views of the training photographs, the validation ones, and a few to check the folded copy by.
    assert seen == 2 * 40 + 20 + 3 * 2 * FOLDING_SAMPLE


def test_every_photograph_shows_all_its_views_in_turn() -> None:
    work = cached(head_recipe(3, augmentation={"preset": "light"}))
    features = work._train_features.reshape(3, 40, -1)
    assert not torch.equal(features[0], features[1])
    shown: list[set[int]] = [set() for _ in range(40)]
    for epoch in range(3):
        for batch in work.batches(epoch, 0):
            for row, embedding in zip(batch.rows, batch.inputs, strict=True):
                (view,) = [v for v in range(3) if torch.equal(features[v, row], embedding)]
                shown[row].add(view)
    assert all(views == {0, 1, 2} for views in shown)


def test_the_first_view_is_the_photograph_as_it_is() -> None:
    augmented = cached(head_recipe(2, augmentation={"preset": "standard"}))
    plain = cached(head_recipe(1))
    torch.testing.assert_close(augmented._train_features[:40], plain._train_features)


def test_the_pass_can_be_stopped() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    work = FeatureWork(setting(head_recipe(1)), 0, Silent(), stop)
    with pytest.raises(KeyboardInterrupt):
        work.begin_training()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_quick_dropout_is_dropout(share: float) -> None:
    torch.manual_seed(0)
    x = torch.full((999, 1001), 3.0, requires_grad=True)
    y = quick_dropout(x, share)
    assert set(y.detach().unique().tolist()) == {0.0, float(torch.tensor(3.0) * (1.0 / (1.0 - share)))}
    assert float((y == 0).float().mean()) == pytest.approx(share, abs=0.002)
    assert float((y[1:] == 0).logical_and(y[:-1] == 0).float().mean()) == pytest.approx(share**2, abs=0.003)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad == 0, y == 0)
    torch.manual_seed(0)
    assert torch.equal(quick_dropout(x, share), y)


def test_dropout_is_for_training_only() -> None:
    recipe = head_recipe(1)
    work = FeatureWork(setting(recipe), 0, Silent(), lambda: None)
    network = work._setting.network
    network.head[0].p = 0.5
    work.begin_training()
    inputs = next(iter(work.batches(0, 0))).inputs
    assert not torch.equal(work.forward(inputs), work.forward(inputs))
    network.head.eval()
    torch.testing.assert_close(work.forward(inputs), network.head(inputs))
