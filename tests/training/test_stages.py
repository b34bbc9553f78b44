from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe
from torch import nn

from leafsight.errors import ConfigError
from leafsight.models import ModelOptions, build_network
from leafsight.training.memory import PieceCounter
from leafsight.training.stages import PhotoWork, Setting, choose_trainable, row_positions


def work_for(**changes: Any) -> tuple[PhotoWork, Setting]:
    recipe = tiny_recipe(stages=[plain_stage(**changes)], valid_batch_size=6)
    torch.manual_seed(0)
    network = build_network(ModelOptions(name="simple_cnn", width=0.25), 3)
    choose_trainable(network, recipe.stages[0])
    setting = Setting(
        network, tiny_data(), recipe, torch.device("cpu"), "fp32", PieceCounter(1, lambda *_: None)
    )
    return PhotoWork(setting, 0), setting


@pytest.mark.parametrize(("trainable", "blocks"), [("head", 0), ("last:1", 1), ("last:3", 3), ("all", 4)])
def test_what_moves(trainable: str, blocks: int) -> None:
    _, setting = work_for(trainable=trainable)
    moving = [
        any(weight.requires_grad for weight in block.parameters()) for block in setting.network.features
    ]
    assert moving == [False] * (4 - blocks) + [True] * blocks
    assert all(weight.requires_grad for weight in setting.network.head.parameters())


def test_more_blocks_than_there_are() -> None:
    with pytest.raises(ConfigError, match="last 9 of 4 blocks"):
        work_for(trainable="last:9")


@pytest.mark.parametrize(("batch_norm", "moves"), [("train", True), ("frozen", False)])
def test_batch_statistics_move_or_stay(batch_norm: str, moves: bool) -> None:
    work, setting = work_for(batch_norm=batch_norm)
    norm = next(module for module in setting.network.modules() if isinstance(module, nn.BatchNorm2d))
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    work.begin_training()
    work.forward(next(iter(work.batches(0, 0))).inputs)
    assert torch.equal(before, norm.running_mean) != moves
    assert norm.weight.requires_grad


def test_validation_is_in_the_order_of_the_rows_and_in_eval_mode() -> None:
    work, setting = work_for()
    work.begin_training()
    logits = work.valid_logits()
    assert logits.shape == (20, 3)
    assert not setting.network.training
    assert np.array_equal(logits, work.valid_logits())


def test_bf16_is_used_where_the_machine_was_found_fit_for_it() -> None:
    work, setting = work_for()
    inputs = next(iter(work.batches(0, 0))).inputs
    with replace(setting, precision="bf16").autocast():
        assert work.forward(inputs).dtype == torch.bfloat16
    with setting.autocast():
        assert work.forward(inputs).dtype == torch.float32


def test_positions_of_rows() -> None:
    assert row_positions(np.array([4, 1]), 6).tolist() == [-1, 1, -1, -1, 0, -1]
