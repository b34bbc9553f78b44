"""The notebook: cells as in its source, outputs kept and clean, and it runs from top to bottom."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from notebooks.build import NOTEBOOK, SOURCE, faults_of, notebook_of
from PIL import Image
from tests.journeys.small_world import draw

BUILD = SOURCE.with_name("build.py")
LARGEST_BYTES = 1_500_000
EVERYWHERE = {"onnx", "torch-export", "torchscript"}


@pytest.fixture(scope="module")
def kept() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_its_cells_are_those_of_the_source(kept: Any) -> None:
    """When this fails: python notebooks/build.py."""
    wanted = notebook_of(SOURCE.read_text(encoding="utf-8"))
    told = [(one.cell_type, one.id, one.source) for one in kept.cells]
    assert told == [(one.cell_type, one.id, one.source) for one in wanted.cells]
    assert kept.metadata == wanted.metadata


def test_it_was_run_from_top_to_bottom(kept: Any) -> None:
    code = [one for one in kept.cells if one.cell_type == "code"]
    assert [one.execution_count for one in code] == list(range(1, len(code) + 1))
    assert all(set(one.metadata) == set() for one in kept.cells)  # no times


def test_its_outputs_are_clean_and_small(kept: Any) -> None:
    assert faults_of(kept) == []
    assert NOTEBOOK.stat().st_size < LARGEST_BYTES
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert "/home/" not in text
    assert "/root/" not in text
    assert "Warning:" not in text


def test_its_pictures_can_be_seen(kept: Any) -> None:
    pictures = [
        base64.b64decode(data)
        for cell in kept.cells
        for output in cell.get("outputs", [])
        for kind, data in output.get("data", {}).items()
        if kind.startswith("image/")
    ]
    assert len(pictures) >= 15
    for picture in pictures:
        width, height = Image.open(io.BytesIO(picture)).size
        assert min(width, height) > 60


def test_every_chapter_ends_with_exercises(kept: Any) -> None:
    told = "\n".join(cell.source for cell in kept.cells if cell.cell_type == "markdown")
    chapters = told.split("\n## ")[2:-1]  # without the settings and the summary
    assert len(chapters) == 12
    assert [chapter.splitlines()[0] for chapter in chapters if "**Exercises.**" not in chapter] == []


def test_every_code_cell_is_explained_before_it(kept: Any) -> None:
    alone = [
        after.id
        for before, after in zip(kept.cells, kept.cells[1:], strict=False)
        if before.cell_type == after.cell_type == "code"
    ]
    assert len(alone) <= 2, alone  # a picture that follows its cell


def test_faults_are_seen() -> None:
    notebook = notebook_of("# %%\nprint(1)\n")
    notebook.cells[0].outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("stream", name="stdout", text=f"written to {Path.home()}/leaf"),
        nbformat.v4.new_output("error", ename="KeyError", evalue="'leaf'", traceback=[]),
    ]
    assert len(faults_of(notebook)) >= 3


def test_text_before_the_first_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="before the first cell"):
        notebook_of("import os\n# %%\nprint(1)\n")


def run_notebook(folder: Path, **environment: str) -> dict[str, Any]:
    """Build and run it in another process; what it measured."""
    made = folder / "made.ipynb"
    done = subprocess.run(
        [sys.executable, str(BUILD), "--out", str(made), "--work", str(folder)],
        env={**os.environ, "LEAFSIGHT_NOTEBOOK_QUICK": "1", "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert made.stat().st_size < LARGEST_BYTES
    found: dict[str, Any] = json.loads((folder / "notebook-work" / "results.json").read_text())
    return found


@pytest.mark.slow
def test_it_runs_afresh(tmp_path: Path) -> None:
    found = run_notebook(tmp_path)
    assert found["accuracy"] > found["chance"] + 0.15
    assert found["sisters_grouped"] == 0 < found["sisters_random"]
    assert abs(found["coin_grouped"] - 0.5) < 0.04
    assert found["coin_random"] > found["coin_grouped"] + 0.01
    assert found["parity"] <= found["parity_allowed"]
    assert found["pixels_that_differ"] == 0
    assert set(found["formats"]) == EVERYWHERE
    assert all(one["off"] <= one["allowed"] and one["same"] == 1 for one in found["formats"].values())
    assert found["learned"] == ["Roundleaf___Powdery_mildew"]
    assert found["gate_checks"] >= 10
    assert found["new_class_before"] == 0  # it has no name for it
    assert found["rolled_back"] is True
    assert found["strangers_diagnosed"] < found["strangers"]
    assert all(0 <= score <= 1 for score in found["folds"])


@pytest.mark.slow
def test_a_folder_of_the_readers_own(tmp_path: Path) -> None:
    """Three classes, no leaf to spare for teaching: the chapters that need more say so, and nothing fails."""
    photographs = draw(tmp_path / "photographs", leaves=14)
    found = run_notebook(tmp_path, LEAFSIGHT_NOTEBOOK_DATA=str(photographs))
    assert found["drawn"] is False
    assert "learned" not in found
    assert found["pixels_that_differ"] == 0
    assert set(found["formats"]) == EVERYWHERE
