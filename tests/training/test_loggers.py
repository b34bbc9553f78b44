from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.errors import MissingExtraError
from leafsight.training import MlflowLogger, TensorBoardLogger, train
from leafsight.training.loggers import scalars_of

EPOCH = {
    "kind": "epoch",
    "step": 5,
    "train_loss": 0.5,
    "valid": {"accuracy": 0.75, "loss": None, "domain_accuracy": {"lab": 1.0}},
}


def test_names_and_numbers() -> None:
    assert dict(scalars_of(EPOCH)) == {
        "epoch/train_loss": 0.5,
        "valid/accuracy": 0.75,
        "valid/domain_accuracy/lab": 1.0,
    }
    step = {"kind": "step", "step": 1, "loss": None, "learning_rate": 0.1, "images_per_s": 9.0}
    assert dict(scalars_of(step)) == {"step/learning_rate": 0.1, "step/images_per_s": 9.0}
    assert dict(scalars_of({"kind": "stage"})) == {}


def test_missing_libraries_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, logger in (("tensorboard", TensorBoardLogger), ("mlflow", MlflowLogger)):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=name):
            logger(tmp_path) if logger is TensorBoardLogger else logger("leaves", "run")


def test_mlflow_gets_every_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    fake = SimpleNamespace(
        set_experiment=lambda name: told.append(("experiment", name)),
        start_run=lambda run_name: told.append(("run", run_name)),
        log_metrics=lambda metrics, step: told.append((step, metrics)),
        end_run=lambda status: told.append(("end", status)),
    )
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    with MlflowLogger("leaves", "tiny") as logger:
        train(tiny_recipe(stages=[plain_stage(epochs=1)]), tiny_data(), tmp_path, on_event=[logger])
    assert told[:2] == [("experiment", "leaves"), ("run", "tiny")]
    assert told[-1] == ("end", "FINISHED")
    assert any(step == 5 and "valid/macro_f1" in metrics for step, metrics in told[2:-1])


def test_tensorboard_gets_every_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            told.append((name, value, step))

        def close(self) -> None:
            told.append(("closed", 0.0, 0))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorboard", ModuleType("tensorboard"))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    with TensorBoardLogger(tmp_path) as logger:
        logger(EPOCH)
    assert ("valid/accuracy", 0.75, 5) in told
    assert told[-1][0] == "closed"
