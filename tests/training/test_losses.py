"""Losses, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from leafsight.errors import TrainingError
from leafsight.training.losses import LossOptions, build_loss

COUNTS = np.array([60, 30, 10])
# Probabilities 0.7, 0.2, 0.1 and 0.25, 0.25, 0.5.
LOGITS = torch.tensor([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]]).log()
LABELS = torch.tensor([0, 2])


def test_cross_entropy() -> None:
    loss = build_loss(LossOptions(), COUNTS)
    expected = -(math.log(0.7) + math.log(0.5)) / 2
    assert float(loss(LOGITS, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_soft_targets() -> None:
    targets = torch.tensor([[0.6, 0.4, 0.0], [0.0, 0.0, 1.0]])
    expected = -(0.6 * math.log(0.7) + 0.4 * math.log(0.2) + math.log(0.5)) / 2
    assert float(build_loss(LossOptions(), COUNTS)(LOGITS, targets)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_label_smoothing_is_torchs(smoothing: float) -> None:
    ours = build_loss(LossOptions(label_smoothing=smoothing), COUNTS)
    expected = F.cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)
    assert float(ours(LOGITS, LABELS)) == pytest.approx(float(expected), rel=1e-5)
    one_hot = F.one_hot(LABELS, 3).float()
    assert float(ours(LOGITS, one_hot)) == pytest.approx(float(expected), rel=1e-5)


def test_focal_passes_over_what_is_right() -> None:
    loss = build_loss(LossOptions(name="focal", focal_gamma=2), COUNTS)
    expected = -(0.3**2 * math.log(0.7) + 0.5**2 * math.log(0.5)) / 2
    assert float(loss(LOGITS, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_focal_without_gamma_is_cross_entropy() -> None:
    focal = build_loss(LossOptions(name="focal", focal_gamma=0), COUNTS)
    assert float(focal(LOGITS, LABELS)) == pytest.approx(float(F.cross_entropy(LOGITS, LABELS)), rel=1e-5)


def test_class_weights_scale_each_class() -> None:
    loss = build_loss(LossOptions(), COUNTS, np.array([0.5, 1.0, 2.0], np.float32))
    expected = -(0.5 * math.log(0.7) + 2.0 * math.log(0.5)) / 2
    assert float(loss(LOGITS, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_logit_adjustment_adds_the_prior_while_training() -> None:
    loss = build_loss(LossOptions(logit_adjustment=1), COUNTS)
    first = 0.7 * 0.6 / (0.7 * 0.6 + 0.2 * 0.3 + 0.1 * 0.1)
    second = 0.5 * 0.1 / (0.25 * 0.6 + 0.25 * 0.3 + 0.5 * 0.1)
    expected = -(math.log(first) + math.log(second)) / 2
    assert float(loss(LOGITS, LABELS)) == pytest.approx(expected, rel=1e-5)


def test_logit_adjustment_survives_a_class_without_photographs() -> None:
    loss = build_loss(LossOptions(logit_adjustment=1), np.array([5, 5, 0]))
    assert math.isfinite(float(loss(LOGITS, LABELS)))


def test_all_together_is_finite_and_has_gradients_in_half_precision() -> None:
    options = LossOptions(name="focal", label_smoothing=0.1, logit_adjustment=1)
    logits = (LOGITS * 30).to(torch.bfloat16).requires_grad_()
    value = build_loss(options, COUNTS, np.array([1.0, 2.0, 3.0], np.float32))(logits, LABELS)
    value.backward()
    assert value.dtype == torch.float32
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_focal_gradient_is_finite_where_the_network_is_certain() -> None:
    logits = torch.tensor([[200.0, -200.0, -200.0]], requires_grad=True)
    build_loss(LossOptions(name="focal", focal_gamma=0.5), COUNTS)(logits, torch.tensor([0])).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_constants_are_not_saved_with_the_network() -> None:
    loss = build_loss(LossOptions(logit_adjustment=1), COUNTS, np.array([1.0, 2.0, 3.0], np.float32))
    assert loss.state_dict() == {}


@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0, -1.0, 1.0], [1.0, float("nan"), 1.0]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(TrainingError, match="class weights"):
        build_loss(LossOptions(), COUNTS, np.array(weights, np.float32))


def test_counts_of_nothing_are_refused() -> None:
    with pytest.raises(TrainingError, match="not all zero"):
        build_loss(LossOptions(), np.zeros(3, np.int64))
