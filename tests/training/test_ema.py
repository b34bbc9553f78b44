from __future__ import annotations

import pytest
import torch
from torch import nn

from leafsight.training.ema import WeightAverage


def moved(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(value)


def test_the_decay_rises_and_is_capped() -> None:
    module = nn.Linear(1, 1)
    moved(module, 0.0)
    average = WeightAverage(module, 0.5)
    moved(module, 1.0)
    average.update()  # decay 2/11
    assert average.tensors["weight"].item() == pytest.approx(9 / 11)
    moved(module, 0.0)
    for _ in range(20):
        average.update()
    before = average.tensors["weight"].item()
    average.update()  # by now the cap of 0.5
    assert average.tensors["weight"].item() == pytest.approx(before * 0.5)


def test_batch_statistics_are_averaged_and_counters_copied() -> None:
    module = nn.BatchNorm2d(2)
    average = WeightAverage(module, 0.9)
    module(torch.full((2, 2, 4, 4), 8.0))
    average.update()
    assert module.running_mean is not None
    assert 0 < average.tensors["running_mean"][0].item() < module.running_mean[0].item()
    assert average.tensors["num_batches_tracked"].item() == 1


def test_swapping_in_and_out_changes_nothing() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, 0.9)
    moved(module, 5.0)
    average.update()
    averaged = average.tensors["weight"].clone()
    with average.swapped_in():
        assert torch.equal(module.weight, averaged)
    assert torch.equal(module.weight, torch.full((2, 3), 5.0))
    assert torch.equal(average.tensors["weight"], averaged)
    average.settle()
    assert torch.equal(module.weight, averaged)


def test_swapping_out_happens_on_errors_too() -> None:
    module = nn.Linear(1, 1)
    average = WeightAverage(module, 0.9)
    moved(module, 5.0)
    with pytest.raises(KeyError), average.swapped_in():
        raise KeyError
    assert module.weight.item() == 5.0
