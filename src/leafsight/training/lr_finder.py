"""The learning-rate finder: a short run with a rising rate, and the rate at which the loss falls fastest.

Smith 2017 (Cyclical Learning Rates, arXiv 1506.01186), with an exponential ramp and a smoothed loss. The
network is left as it was.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leafsight.errors import TrainingError
from leafsight.models import Network
from leafsight.progress import Progress, Silent
from leafsight.training.balance import class_counts, class_weights
from leafsight.training.batches import Batch, memory_format
from leafsight.training.data import TrainingData
from leafsight.training.features import FeatureWork
from leafsight.training.losses import build_loss
from leafsight.training.machine import prepared_machine
from leafsight.training.memory import PieceCounter
from leafsight.training.optimisation import build_optimizer, clip_gradients, set_learning_rate
from leafsight.training.recipe import Recipe
from leafsight.training.seeds import seed_dropout
from leafsight.training.stages import PhotoWork, Setting, Work, choose_trainable

SMOOTHING = 0.9
DIVERGED_TIMES = 4.0
LEAST_POINTS = 5


@dataclass(frozen=True, slots=True)
class LearningRateCurve:
    """What the finder saw.

    Attributes:
        rates: of every step, rising.
        losses: smoothed (exponential, bias-corrected), of the same steps.
        suggestion: where the smoothed loss falls fastest.
        diverged: whether the ramp ended early because the loss left its lowest value far behind.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float
    diverged: bool


def find_learning_rate(
    network: Network,
    recipe: Recipe,
    data: TrainingData,
    *,
    stage_index: int = 0,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    device: str = "auto",
    progress: Progress | None = None,
) -> LearningRateCurve:
    """Raise the learning rate from ``lowest`` to ``highest`` over ``steps`` steps of one stage.

    Args:
        network: to start from; its weights, statistics, frozen parts and mode are put back at the end.
        recipe: for the stage's optimiser, batches and loss; the schedule is not used.
        data: its training photographs.
        stage_index: which stage.
        lowest: rate of the first step.
        highest: rate of the last step, unless the loss diverges before.
        steps: at least 5.
        device: as in ``train``.
        progress: told of every step.

    Raises:
        TrainingError: too few steps, an empty range, or a loss that diverges at once.
    """
    if steps < LEAST_POINTS or not 0 < lowest < highest:
        raise TrainingError(f"cannot raise a rate from {lowest} to {highest} in {steps} steps")
    progress = progress or Silent()
    kept = copy.deepcopy(network.state_dict())
    learns = {name: weight.requires_grad for name, weight in network.named_parameters()}
    was_training, home = network.training, next(network.parameters()).device
    progress.start("learning-rate finder", steps)
    try:
        with prepared_machine(device, recipe.threads, recipe.precision) as (chosen, machine):
            network.to(device=chosen, memory_format=memory_format(recipe.channels_last))  # type: ignore[call-overload]
            setting = Setting(
                network, data, recipe, chosen, machine.precision, PieceCounter(1, lambda *_: None)
            )
            curve = _climb(setting, stage_index, np.geomspace(lowest, highest, steps), progress)
    finally:
        network.freeze(keep_last=None)
        network.to(home)
        network.load_state_dict(kept)
        for name, weight in network.named_parameters():
            weight.requires_grad_(learns[name])
            weight.grad = None
        network.train(was_training)
    progress.finish(f"suggestion {curve.suggestion:.2g}")
    return curve


def _climb(setting: Setting, stage_index: int, rates: np.ndarray, progress: Progress) -> LearningRateCurve:
    recipe, stage, data = setting.recipe, setting.recipe.stages[stage_index], setting.data
    choose_trainable(setting.network, stage)
    work: Work = PhotoWork(setting, stage_index)
    if stage.uses_cached_features:
        work = FeatureWork(setting, stage_index, Silent(), lambda: None)
    labels = data.labels[data.train_rows]
    weights = class_weights(labels, len(data.classes), recipe.balance)
    criterion = build_loss(recipe.loss, class_counts(labels, len(data.classes)), weights).to(setting.device)
    options = recipe.optimizer_of(stage)
    optimizer = build_optimizer(setting.network, options, 1.0, stage.backbone_rate)
    work.begin_training()
    losses: list[float] = []
    average = 0.0
    for step, (rate, batch) in enumerate(zip(rates, _endless(work), strict=False)):
        set_learning_rate(optimizer, float(rate))
        seed_dropout(setting.network, recipe.seed, (step,), setting.device)
        optimizer.zero_grad(set_to_none=True)
        with setting.autocast():
            logits = work.forward(batch.inputs)
        loss = criterion(logits.float(), batch.targets)
        loss.backward()
        average = SMOOTHING * average + (1 - SMOOTHING) * float(loss.detach())
        smoothed = average / (1 - SMOOTHING ** (step + 1))
        if not math.isfinite(smoothed) or (losses and smoothed > DIVERGED_TIMES * min(losses)):
            break
        clip_gradients(optimizer, options.clip_norm)
        optimizer.step()
        losses.append(smoothed)
        progress.advance(1, f"rate {rate:.1e}, loss {smoothed:.3f}")
    return curve_of(rates[: len(losses)], losses, diverged=len(losses) < len(rates))


def _endless(work: Work) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from work.batches(epoch, 0)
        epoch += 1


def curve_of(rates: np.ndarray, losses: list[float], *, diverged: bool) -> LearningRateCurve:
    """The curve with its suggestion: the steepest fall over the logarithm of the rate.

    Raises:
        TrainingError: the loss diverged after fewer than five steps.
    """
    if len(losses) < LEAST_POINTS:
        raise TrainingError(
            f"the loss diverged after {len(losses)} steps of the learning-rate finder",
            hint="begin lower, or check the photographs and weights",
        )
    slopes = np.gradient(np.asarray(losses), np.log(rates))
    # The first tenth is the average settling, not the loss falling; a dip behind the lowest place is noise
    # of a rate that is too high already.
    settled = len(losses) // 10
    lowest = max(settled, int(np.argmin(losses)))
    suggestion = float(rates[settled + int(slopes[settled : lowest + 1].argmin())])
    return LearningRateCurve(tuple(map(float, rates)), tuple(losses), suggestion, diverged)
