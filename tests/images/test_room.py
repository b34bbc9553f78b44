"""The door: what it offers, and how little it costs to open."""

from __future__ import annotations

import subprocess
import sys

import leafsight.images

HEAVY = {"jaxtyping", "pydantic", "torch", "onnxruntime", "scipy", "matplotlib", "pyarrow", "simplejpeg"}


def test_everything_offered_is_there():
    assert sorted(leafsight.images.__all__) == list(leafsight.images.__all__)
    assert all(hasattr(leafsight.images, name) for name in leafsight.images.__all__)


def test_opening_the_door_imports_nothing_heavy():
    code = "import sys, leafsight.images; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not HEAVY & {name.split(".")[0] for name in loaded}
