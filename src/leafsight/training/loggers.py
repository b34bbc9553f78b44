"""Listeners that pass the diary of a run on to TensorBoard or MLflow, where those are installed.

Each is called with every record (``train(..., on_event=[logger])``) and closed by whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from leafsight.errors import require

EXTRA = "loggers"


def scalars_of(event: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a ``step`` or ``epoch`` record under the names that both loggers use."""
    if event["kind"] == "step":
        for key in ("loss", "learning_rate", "images_per_s"):
            if event[key] is not None:
                yield f"step/{key}", float(event[key])
    if event["kind"] == "epoch":
        yield "epoch/train_loss", float(event["train_loss"])
        for key, value in event["valid"].items():
            if isinstance(value, Mapping):
                yield from ((f"valid/{key}/{name}", float(inner)) for name, inner in value.items())
            elif value is not None:
                yield f"valid/{key}", float(value)


class TensorBoardLogger:
    """Writes scalars into a folder that ``tensorboard --logdir`` reads.

    Raises:
        MissingExtraError: no tensorboard.
    """

    def __init__(self, folder: Path) -> None:
        require("tensorboard", EXTRA)
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one record."""
        for name, value in scalars_of(event):
            self._writer.add_scalar(name, value, event["step"])

    def __enter__(self) -> TensorBoardLogger:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._writer.close()


class MlflowLogger:
    """Writes metrics into a run of MLflow; where to, MLflow's own environment variables say.

    Raises:
        MissingExtraError: no mlflow.
    """

    def __init__(self, experiment: str, name: str) -> None:
        self._mlflow: Any = require("mlflow", EXTRA)
        self._mlflow.set_experiment(experiment)
        self._run = self._mlflow.start_run(run_name=name)

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one record."""
        metrics = dict(scalars_of(event))
        if metrics:
            self._mlflow.log_metrics(metrics, step=event["step"])

    def __enter__(self) -> MlflowLogger:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        self._mlflow.end_run("FAILED" if kind else "FINISHED")
