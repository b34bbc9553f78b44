"""The picture of a run: losses, validation numbers and the learning rate over the epochs."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leafsight.errors import require
from leafsight.storage import write_bytes

SIZE_IN = (11.0, 3.4)
DOTS_PER_INCH = 110


def draw_curves(history: Sequence[Mapping[str, Any]], path: Path, *, title: str = "") -> None:
    """Draw the epochs of a run.

    Args:
        history: the records of a ``TrainedRun``, at least one.
        path: a ``.png`` or ``.svg`` file.
        title: above the picture.

    Raises:
        MissingExtraError: no matplotlib.
        StorageError: the file cannot be written.
    """
    figures = require("matplotlib.figure", "train")
    epochs = range(1, len(history) + 1)
    figure = figures.Figure(figsize=SIZE_IN, layout="constrained")
    loss, quality, rate = figure.subplots(1, 3)
    loss.plot(epochs, [record["train_loss"] for record in history], label="train", marker=".")
    loss.plot(epochs, [record["valid"]["loss"] for record in history], label="valid", marker=".")
    loss.set_title("loss")
    for key, label in (("macro_f1", "macro F1"), ("accuracy", "accuracy")):
        quality.plot(epochs, [record["valid"][key] for record in history], label=label, marker=".")
    quality.set_title("validation")
    rate.plot(
        epochs, [record["learning_rate"] for record in history], label="at the end of the epoch", marker="."
    )
    rate.set_title("learning rate")
    best = max(
        number for number, record in zip(epochs, history, strict=True) if record["is_best"] or number == 1
    )
    for axes in (loss, quality, rate):
        _mark_stages(axes, history)
        axes.axvline(best, color="tab:green", linewidth=0.8, linestyle=":")
        axes.set_xlabel("epoch")
        axes.legend(frameon=False, fontsize="small")
    figure.suptitle(title, fontsize="medium")
    picture = io.BytesIO()
    # No date inside, so that equal runs give equal files.
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    figure.savefig(picture, format=path.suffix.removeprefix("."), dpi=DOTS_PER_INCH, metadata=metadata)
    write_bytes(path, picture.getvalue())


def _mark_stages(axes: Any, history: Sequence[Mapping[str, Any]]) -> None:
    stages = [record["stage"] for record in history]
    for position in range(1, len(stages)):
        if stages[position] != stages[position - 1]:
            axes.axvline(position + 0.5, color="0.8", linewidth=0.8)
