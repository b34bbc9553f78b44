"""Steps are looked at in order, and on an accelerator seldom; nothing gets lost between two looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from leafsight.errors import NonFiniteLossError
from leafsight.training.step_ledger import STEPS_BETWEEN_LOOKS, SettledStep, StepLedger, non_finite

ROWS = np.arange(10)


def noted(ledger: StepLedger, steps: range, losses: dict[int, float] | None = None) -> None:
    for number in steps:
        loss = (losses or {}).get(number, float(number))
        ledger.add(number, ROWS, 12, torch.tensor(loss, requires_grad=True), torch.tensor(2.0 * number))


def test_on_a_processor_every_step_is_due() -> None:
    ledger = StepLedger(torch.device("cpu"))
    assert not ledger.is_due
    noted(ledger, range(1))
    assert ledger.is_due
    assert [step.loss for step in ledger.settled()] == [0.0]
    assert not ledger.is_due


def test_an_accelerator_is_asked_seldom_and_tells_everything_in_order() -> None:
    ledger = StepLedger(torch.device("meta"))
    noted(ledger, range(STEPS_BETWEEN_LOOKS - 1))
    assert not ledger.is_due
    assert math.isnan(ledger.last_loss)
    noted(ledger, range(STEPS_BETWEEN_LOOKS - 1, STEPS_BETWEEN_LOOKS))
    assert ledger.is_due
    steps = ledger.settled()
    assert [(step.number, step.loss, step.norm, step.photos) for step in steps] == [
        (number, float(number), 2.0 * number, 12) for number in range(STEPS_BETWEEN_LOOKS)
    ]
    assert ledger.last_loss == STEPS_BETWEEN_LOOKS - 1
    assert ledger.settled() == []


def test_the_first_step_that_went_wrong_is_named() -> None:
    ledger = StepLedger(torch.device("meta"))
    noted(ledger, range(6), {3: math.inf, 4: math.nan})
    wrong = [step for step in ledger.settled() if not step.is_finite]
    assert [step.number for step in wrong] == [3, 4]
    error = non_finite(wrong[0], "whole", 1, [f"{row}.jpg" for row in ROWS])
    assert isinstance(error, NonFiniteLossError)
    assert error.message.startswith("the loss is inf in stage whole, epoch 2, step 4, on 0.jpg, 1.jpg")
    assert error.message.endswith("7.jpg and 2 more")


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_a_wrong_gradient_is_wrong_too(norm: float) -> None:
    step = SettledStep(0, ROWS, 10, 1.0, norm)
    assert not step.is_finite
    assert "the gradient's norm is" in non_finite(step, "all", 0, []).message
