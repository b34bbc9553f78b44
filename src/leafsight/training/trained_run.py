"""A finished run, read back from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import TrainingError
from leafsight.models import Network, load_network
from leafsight.storage import read_json
from leafsight.training.recipe import Recipe
from leafsight.training.recipe_files import load_recipe
from leafsight.training.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """What training leaves.

    Attributes:
        network: with the best weights, on the CPU, in eval mode.
        classes: names in the order of the logits.
        recipe: as resolved.
        history: one record an epoch: losses, validation numbers, whether it was the best so far.
        best: the record of the kept weights.
        record: the whole of ``run.json``: versions, machine, seed, duration, data fingerprint.
        folder: where everything lies.
    """

    network: Network
    classes: tuple[str, ...]
    recipe: Recipe
    history: tuple[dict[str, Any], ...]
    best: dict[str, Any]
    record: dict[str, Any]
    folder: RunFolder


def is_finished(folder: RunFolder) -> bool:
    """Whether the run in the folder came to its end."""
    return (
        folder.record.exists()
        and folder.best.exists()
        and read_json(folder.record).get("status") == "finished"
    )


def load_run(path: Path) -> TrainedRun:
    """Read a finished run.

    Raises:
        TrainingError: no run there, or not a finished one.
        StorageError: a file is missing or damaged.
    """
    folder = RunFolder(path)
    if not is_finished(folder):
        raise TrainingError(
            f"{path} holds no finished run", hint="train first; an interrupted run goes on when trained again"
        )
    record = read_json(folder.record)
    network, _ = load_network(folder.best)
    return TrainedRun(
        network=network.eval(),
        classes=tuple(record["data"]["classes"]),
        recipe=load_recipe(folder.recipe),
        history=tuple(record["history"]),
        best=record["best"],
        record=record,
        folder=folder,
    )
