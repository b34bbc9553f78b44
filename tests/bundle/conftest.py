"""Contents that make a small bundle; the network is a stand-in, for the room never runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leafsight.bundle import BundleContents, Label, NetworkSpec, write_bundle

LABELS = (
    Label("Apple___Apple_scab", "apple/scab", "apple", "scab", "Apple: scab"),
    Label("Apple___healthy", "apple/healthy", "apple", "healthy", "Apple: healthy"),
    Label("Background_without_leaves", "not-a-leaf", None, None, "no leaf", is_leaf=False),
)


def make_contents(**changes: Any) -> BundleContents:
    values: dict[str, Any] = {
        "name": "small",
        "labels": LABELS,
        "preprocessing": {"version": 1, "side_px": 8, "mean": (127.5, 127.5, 127.5)},
        "network": b"onnx" * 500,
        "network_spec": NetworkSpec.standard(side_px=8, n_classes=3, width=4, map_hw=(2, 2)),
        "calibration": {"temperature": 1.25},
        "calibration_arrays": {"quantiles": np.linspace(0, 1, 5)},
        "cam_weight": np.arange(12).reshape(3, 4),
        "cam_bias": np.zeros(3),
        "metrics": {"accuracy": 0.5},
        "provenance": {"seed": 7},
        "recipe": 'title = "größer"\n',
        "card": "# small\n",
    }
    return BundleContents(**(values | changes))


@pytest.fixture
def contents() -> Callable[..., BundleContents]:
    return make_contents


@pytest.fixture(params=[False, True], ids=["file", "folder"])
def bundle_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "small.leafsight"
    write_bundle(path, make_contents(), as_folder=request.param)
    return path


@pytest.fixture
def bundle_file(tmp_path: Path) -> Path:
    path = tmp_path / "file.leafsight"
    write_bundle(path, make_contents())
    return path


@pytest.fixture
def bundle_folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder.leafsight"
    write_bundle(path, make_contents(), as_folder=True)
    return path
