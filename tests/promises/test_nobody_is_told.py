"""A diagnosis tells nobody: what ONNX Runtime would write and send by itself is off before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import importlib, sys
importlib.import_module(sys.argv[1])
import numpy as np
from leafsight.bundle import builtin_bundle_path
from leafsight.inference import BundlePredictor
said = BundlePredictor(builtin_bundle_path(), threads=1).predict([np.full((64, 64, 3), 90, np.uint8)])
assert len(said) == 1
"""


@pytest.mark.parametrize("first", ["leafsight", "leafsight.inference", "leafsight.cli"])
def test_a_diagnosis_leaves_nothing_in_the_home_folder(tmp_path: Path, first: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, first],
        env={**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()] == []


def test_who_wants_it_may_have_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import leafsight, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"],
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.strip() == "0"
