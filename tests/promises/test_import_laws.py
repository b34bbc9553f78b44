"""The import contracts hold, cover every room, and refuse a violation of each law."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = REPOSITORY / "src" / "leafsight"
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
# framework -> the only rooms that may name it (laws 4 and 5 of DESIGN.md)
OWNERS = {
    "torch": {"models", "training", "export"},
    "click": {"cli"},
    "rich": {"cli"},
    "onnxruntime": {"inference", "export"},
    "pyarrow": {"dataset"},
    "fastapi": {"service"},
    "uvicorn": {"service"},
    "opentelemetry": {"service"},
    "sqlalchemy": {"state"},
    "obstore": {"state"},
    "httpx2": {"client"},
    "httpcore2": {"client"},
    "dbos": {"retraining"},
    "optuna": {"experiments"},
    "ray": {"cluster"},
    "openvino": {"export"},
    "tensorflow": {"export"},
    "sklearn": {"estimator"},
    "PySide6": {"desktop"},
    "locust": set(),  # one file of loadtest, which the contract names
    "leafsight.settings": {"cli", "settings"},
}
# file -> the line planted at its end, and what the linter must say
PLANTED = {
    "attic/__init__.py": ("", "law 1", "attic"),
    "images/limits.py": ("from leafsight import dataset", "law 1", "images.limits -> leafsight.dataset"),
    "taxonomy/records.py": ("from leafsight.taxonomy import lookup", "law 2", "leafsight.taxonomy"),
    "inference/crops.py": ("from leafsight import models", "law 3", "inference.crops -> leafsight.models"),
    "images/lab.py": ("import torch", "law 4: torch stays", "leafsight.images.lab -> torch"),
    "cli/show.py": ("import torch", "law 4: the command line", "leafsight.cli.show -> torch"),
    "evaluation/metrics.py": ("import click", "law 5: the terminal", "leafsight.evaluation.metrics -> click"),
    "models/simple.py": ("import rich", "law 5: the terminal", "leafsight.models.simple -> rich"),
    "training/data.py": ("import onnxruntime", "law 5: onnxruntime", "training.data -> onnxruntime"),
    "export/card.py": ("import pyarrow", "law 5: pyarrow", "leafsight.export.card -> pyarrow"),
    "client/calls.py": ("import fastapi", "law 5: fastapi", "leafsight.client.calls -> fastapi"),
    "service/once.py": ("import sqlalchemy", "law 5: databases", "leafsight.service.once -> sqlalchemy"),
    "state/ids.py": ("import httpx2", "law 5: httpx2", "leafsight.state.ids -> httpx2"),
    "state/paging.py": ("import opentelemetry", "law 5: opentelemetry", "state.paging -> opentelemetry"),
    "web/__init__.py": ("from leafsight import pages", "law 1", "leafsight.web -> leafsight.pages"),
    "feedback/__init__.py": ("import dbos", "law 5: dbos", "leafsight.feedback -> dbos"),
    "monitoring/__init__.py": ("from leafsight import retraining", "law 3", "leafsight.retraining"),
    "retraining/__init__.py": ("import torch", "law 4: the learning loop", "leafsight.retraining -> torch"),
    "monitoring/marks.py": ("import sklearn", "law 5: scikit-learn", "leafsight.monitoring.marks -> sklearn"),
    "evaluation/interval.py": ("import openvino", "law 5: other formats", "evaluation.interval -> openvino"),
    "loadtest/study.py": ("import locust", "law 5: locust", "leafsight.loadtest.study -> locust"),
    "training/draws.py": ("import optuna", "law 5: optuna", "leafsight.training.draws -> optuna"),
    "estimator/labels.py": ("import ray", "law 5: ray", "leafsight.estimator.labels -> ray"),
    "service/pages.py": ("from leafsight import training", "law 3", "service.pages -> leafsight.training"),
    "images/limits_of_qt.py": ("import PySide6", "law 5: Qt", "images.limits_of_qt -> PySide6"),
    "desktop/session/finding.py": ("import PySide6.QtCore", "law 6", "session.finding -> PySide6"),
    "desktop/session/choosing.py": (
        "from leafsight.desktop import window", "law 6", "session.choosing -> leafsight.desktop.window",
    ),
    "desktop/options.py": (
        "from leafsight import training", "law 3", "leafsight.desktop.options -> leafsight.training",
    ),
    "training/seeds.py": (
        "from leafsight import settings", "law 7", "leafsight.training.seeds -> leafsight.settings",
    ),
}  # fmt: skip


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on the sources in ``folder``."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_laws_hold() -> None:
    done = lint(REPOSITORY)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy in which every law is broken at once."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache", "*.leafsight")
    shutil.copytree(REPOSITORY / "src", folder / "src", ignore=ignored)
    for file, (line, _, _) in PLANTED.items():
        path = folder / "src" / "leafsight" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as text:
            text.write(f"\n{line}\n")
    done = lint(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("file", PLANTED)
def test_a_planted_violation_is_refused(refused: str, file: str) -> None:
    _, law, said = PLANTED[file]
    broken = [contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" in refused]
    assert any(name.startswith(law) for name in broken), refused
    details = refused[refused.index("Broken contracts") :]
    assert said in details, details


@pytest.mark.parametrize("name", OWNERS)
def test_every_room_but_the_owners_is_named(name: str) -> None:
    """A new room joins the contracts on its first day."""
    rooms = {path.parent.name for path in ROOMS.glob("*/__init__.py")}
    forbidden: set[str] = set()
    for contract in CONTRACTS:
        if name in contract.get("forbidden_modules", ()):
            named = (module.removeprefix("leafsight.") for module in contract["source_modules"])
            forbidden |= {module for module in named if "." not in module}  # law 6 is about a part of a room
    assert forbidden == rooms - OWNERS[name]
