from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.tiny import tiny_data, tiny_recipe

from leafsight.errors import TrainingError
from leafsight.models import ModelOptions, build_network
from leafsight.training import find_learning_rate
from leafsight.training.lr_finder import curve_of


def test_a_curve_and_a_network_left_as_it_was() -> None:
    torch.manual_seed(0)
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 3)
    network.freeze(keep_last=2)
    network.eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learns = [weight.requires_grad for weight in network.parameters()]
    curve = find_learning_rate(
        network, tiny_recipe(), tiny_data(), stage_index=1, lowest=1e-5, highest=10, steps=40
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert [weight.requires_grad for weight in network.parameters()] == learns
    assert not network.training
    assert list(curve.rates) == sorted(curve.rates)
    assert len(curve.rates) == len(curve.losses)
    assert curve.rates[0] < curve.suggestion < curve.rates[-1]
    assert min(curve.losses) < curve.losses[0]


def test_it_works_on_cached_features() -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 3)
    curve = find_learning_rate(network, tiny_recipe(), tiny_data(), stage_index=0, steps=10)
    assert len(curve.rates) == 10


def test_the_suggestion_is_the_steepest_fall() -> None:
    rates = np.geomspace(1e-4, 1, 9)
    losses = [2.0, 2.0, 1.9, 1.5, 0.9, 0.7, 0.7, 0.9, 3.0]
    assert curve_of(rates, losses, diverged=True).suggestion == pytest.approx(rates[3])
    with pytest.raises(TrainingError, match="diverged after 3 steps"):
        curve_of(rates[:3], losses[:3], diverged=True)


def test_a_dip_behind_the_lowest_place_is_noise() -> None:
    rates = np.geomspace(1e-5, 1, 11)
    losses = [1.1, 1.1, 1.1, 1.0, 0.85, 0.7, 0.9, 2.0, 1.6, 1.0, 2.6]
    assert curve_of(rates, losses, diverged=False).suggestion == pytest.approx(rates[4])


def test_an_empty_range() -> None:
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 3)
    with pytest.raises(TrainingError, match="cannot raise a rate"):
        find_learning_rate(network, tiny_recipe(), tiny_data(), lowest=1.0, highest=0.1)
