"""``leafsight export --format``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.journeys.small_world import World, leafsight


def test_a_run_in_several_formats(world: World, tmp_path: Path) -> None:
    done = leafsight(
        "export", world.run, "--format", "onnx", "--format", "torch-export", "--out", tmp_path / "out"
    )
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        str(tmp_path / "out" / name) for name in ("model.onnx", "model.pt2")
    ]
    assert all("logits differ by at most" in line and "same first class on" in line for line in lines)
    assert "(validation split of the run)" in done.err
    assert json.loads((tmp_path / "out" / "model.pt2.json").read_text())["proof"]["passed"] is True


def test_a_model_file_on_a_collection_as_json(world: World, tmp_path: Path) -> None:
    done = leafsight(
        "export", world.model, "--format", "onnx", "--photos", world.photographs, "--json", "-q",
        "--set", "export.proof_photos=5", folder=tmp_path,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.json["photographs"] == world.photographs.name
    (made,) = done.json["formats"]
    assert (made["path"], made["proof"]["photos"]) == ("model-formats/model.onnx", 5)
    assert (tmp_path / made["proof_path"]).is_file()


def test_a_model_file_alone_is_compared_on_drawn_leaves(world: World, tmp_path: Path) -> None:
    done = leafsight("export", world.model, "--format", "onnx", "--out", tmp_path)
    assert done.code == 0
    assert "compared on 32 photographs (drawn leaves)" in done.err


def test_side_and_mirror_image_of_a_run(world: World, tmp_path: Path) -> None:
    done = leafsight(
        "export", world.run, "--format", "onnx", "--out", tmp_path, "-q",
        "--set", "side_px=40", "--set", "export.mirrored=true",
    )  # fmt: skip
    assert done.code == 0
    record = json.loads((tmp_path / "model.onnx.json").read_text())
    assert (record["input"]["shape"], record["mirrored"]) == ([None, 40, 40, 3], True)


def test_what_does_not_go_together(world: World, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("limits")
    for words, said in (
        (("--format", "onnx", "--card", card), "--card does not go with --format"),
        (("--format", "onnx", "--weights"), "--weights does not go with --format"),
        (("--format", "onnx", "--abroad", tmp_path), "--abroad does not go with --format"),
        (("--format", "onnx", "--out", tmp_path / "a.onnx"), "with --format this is a folder"),
        (("--photos", tmp_path), "--photos goes with --format"),
    ):
        done = leafsight("export", world.run, *words)
        assert done.code == 2
        assert said in done.error_lines[0]
    for words, said in (
        ((), "is a model file already"),
        (("--format", "onnx", "--set", "side_px=40"), "has its graph already"),
        (("--format", "onnx", "--set", "export.mirrored=true"), "has its graph already"),
    ):
        done = leafsight("export", world.model, *words, folder=tmp_path)
        assert done.code == 2
        assert said in done.error_lines[0]


def test_torch_formats_want_the_run(world: World) -> None:
    done = leafsight("export", world.model, "--format", "torchscript")
    assert done.code == 1
    assert "name the folder of the run" in done.error_lines[1]


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    done = leafsight("export", tmp_path, "--format", "onnx")
    assert done.code == 1
    assert "holds no finished run" in done.error_lines[0]


def test_a_model_file_that_is_not_there(tmp_path: Path) -> None:
    done = leafsight("export", tmp_path / "lost.leafsight", "--format", "onnx")
    assert done.code == 1
    assert "lost.leafsight" in done.error_lines[0]
    assert "run" not in done.error_lines[0].replace(str(tmp_path), "")


@pytest.mark.skipif(find_spec("openvino") is not None, reason="openvino is installed")
def test_a_missing_extra_is_named_with_its_pip_line(world: World) -> None:
    done = leafsight("export", world.model, "--format", "openvino")
    assert done.code == 1
    assert done.error_lines[1] == "hint: pip install 'leafsight[openvino]'"


def test_the_tolerance_is_the_askers(world: World, tmp_path: Path) -> None:
    done = leafsight(
        "export", world.model, "--format", "onnx", "--out", tmp_path, "--set", "export.tolerance=1e-30"
    )
    assert done.code == 0  # the same graph twice differs by nothing
    done = leafsight(
        "export", world.run, "--format", "onnx", "--out", tmp_path, "--set", "export.tolerance=1e-30"
    )
    assert done.code == 1
    assert "torch and the ONNX graph differ" in done.error_lines[0]
