"""One trial of a search: train by a changed recipe, and end it early where others were better by then.

Enters: a recipe, photographs, a folder, and somebody who is told of every epoch. Leaves: what the kept epoch
reached on validation. It does not know how values are chosen, nor that other processes run trials, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import DeviceMemoryError, LeafsightError, NonFiniteLossError
from leafsight.progress import Progress
from leafsight.storage import os_errors_translated
from leafsight.training import Recipe, RunFolder, StopRequest, TrainingData, read_events, train


class EndedEarlyError(LeafsightError):
    """Raised inside of a run to leave it; whoever runs trials catches it."""


# A trial that ends like this has shown that its values are no good; the search goes on.
NO_GOOD = (EndedEarlyError, NonFiniteLossError, DeviceMemoryError)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one trial came to.

    Attributes:
        value: of the metric on validation, at the kept epoch; None for a trial that was ended early.
        valid: the other numbers of that epoch.
        epochs: how many were trained.
        note: why it was ended.
    """

    value: float | None
    valid: dict[str, Any]
    epochs: int
    note: str = ""


def run_trial(
    recipe: Recipe,
    data: TrainingData,
    folder: Path,
    metric: str,
    *,
    is_hopeless: Callable[[int, float], bool],
    label: str,
    pretrained: Path | None = None,
    device: str = "auto",
    progress: Progress,
    steps: Progress | None = None,
    stop: StopRequest | None = None,
) -> Attempt:
    """Train, or go on with what lies in ``folder``; the checkpoints are removed when the trial is over.

    Args:
        recipe: with the changes of the trial.
        data: the photographs.
        folder: of this trial.
        metric: ``accuracy`` or ``macro_f1``, on validation.
        is_hopeless: told of every epoch of the last stage (counted from 1) and of the metric; True ends the
            trial. Earlier stages are not told: their numbers say little about the end.
        label: of the progress bar.
        pretrained: as in ``train``.
        device: as in ``train``.
        progress: told of every epoch.
        steps: told of every batch.
        stop: as in ``train``.

    Raises:
        TrainingStoppedError: as ``train``; everything is saved.
        LeafsightError: as ``train``.
    """
    last = len(recipe.stages) - 1

    def hear(event: dict[str, Any]) -> None:
        if event["kind"] != "epoch":
            return
        value, epoch = event["valid"][metric], event["epoch"] + 1
        progress.advance(1, f"{event['stage_name']} {epoch}: {metric.replace('_', ' ')} {value:.3f}")
        if event["stage"] == last and is_hopeless(epoch, value):
            raise EndedEarlyError(f"the median of other trials was better after epoch {epoch}")

    progress.start(label, sum(stage.epochs for stage in recipe.stages))
    try:
        run = train(
            recipe, data, folder, device=device, pretrained=pretrained, progress=steps, on_event=[hear],
            stop=stop,
        )  # fmt: skip
    except NO_GOOD as error:
        progress.finish("ended early")
        return Attempt(None, {}, len(read_events(RunFolder(folder).events, "epoch")), error.message)
    value = run.best["valid"][metric]
    progress.finish(f"{metric.replace('_', ' ')} {value:.3f}")
    return Attempt(value, dict(run.best["valid"]), len(run.history))


def remove_checkpoints(folder: Path) -> None:
    """Of a trial that is over, recipe, diary and numbers stay; its weights would fill the disk."""
    checkpoints = RunFolder(folder).last.parent
    with os_errors_translated(checkpoints):
        if checkpoints.is_dir():
            shutil.rmtree(checkpoints)
