"""A person installed leafsight without its training half: diagnosing works, the rest says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import RED
from tests.journeys.small_world import World, in_another_process, save_picture

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "pyarrow", "matplotlib", "onnx", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def test_predict_with_heatmap(colour_model: Path, tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "red.jpg", RED)
    done = in_another_process(
        "predict",
        photo,
        "--model",
        colour_model,
        "--json",
        "--heatmap",
        tmp_path / "where.png",
        before=WITHOUT,
    )
    assert done.code == 0, done.err
    assert done.json[0]["display"] == "Apple: scab"
    assert (tmp_path / "where.png").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--help",), ("show", "tomato early blight"), ("recipes", "ls"), ("config", "show"),
        ("recipes", "cp", "quick", "my.toml"),
    ],
)  # fmt: skip
def test_what_needs_no_training_works(words: tuple[str, ...], tmp_path: Path) -> None:
    done = in_another_process(*words, before=WITHOUT, folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_show_a_model(world: World) -> None:
    assert in_another_process("show", world.model, before=WITHOUT).code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("train", "quick", "--data", "{photos}"), ("recipes", "check", "quick"), ("check", "{photos}"),
        ("split", "{photos}", "--out", "s.parquet"), ("evaluate", "{photos}", "--model", "{model}"),
        ("export", "run"),
    ],
)  # fmt: skip
def test_what_needs_training_says_how_to_get_it(words: tuple[str, ...], world: World, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "index.parquet").touch()
    filled = [word.format(model=world.model, photos=world.photographs) for word in words]
    done = in_another_process(*filled, before=WITHOUT, folder=tmp_path)
    assert done.code == 1
    assert done.err.startswith("error: this needs ")
    assert done.error_lines[1] == "hint: pip install 'leafsight[train]'"
