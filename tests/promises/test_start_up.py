"""What a command does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fakes.tiny_bundle import RED
from tests.journeys.small_world import save_picture

AFTER = """
import sys
from leafsight.cli.entry import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {names!r}), file=sys.stderr)
sys.exit(code)
"""


def loaded(names: set[str], *words: object) -> list[str]:
    """Which of ``names`` are in memory after a command."""
    done = subprocess.run(
        [sys.executable, "-c", AFTER.format(names=names), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1].split()


def test_help_loads_nothing_heavy() -> None:
    heavy = {"torch", "onnxruntime", "numpy", "pydantic", "PIL", "rich", "pyarrow", "matplotlib", "jaxtyping"}
    assert loaded(heavy, "--help") == []


def test_predict_loads_only_what_it_needs(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "red.jpg", RED)
    unwanted = {"torch", "pyarrow", "matplotlib", "onnx", "scipy", "safetensors", "pydantic", "pandas"}
    words = ("predict", photo, "--model", colour_model, "--json", "--heatmap", tmp_path / "h.png")
    assert loaded(unwanted | {"onnxruntime"}, *words) == ["onnxruntime"]


def test_a_card_needs_no_network() -> None:
    assert loaded({"torch", "onnxruntime", "pyarrow"}, "show", "tomato early blight") == []
