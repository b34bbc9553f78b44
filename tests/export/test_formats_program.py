"""The converters themselves; each part skips, saying so, where its extra is not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.export.conftest import SIDE_PX, drawn, trained

from leafsight.export import (
    FormatExport,
    FormatSource,
    ProofPhotographs,
    export_formats,
    source_of_run,
)
from leafsight.images import Preprocessing
from leafsight.models import ModelOptions

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="openvino is not installed: pip install 'leafsight[openvino]'"
)
needs_tensorflow = pytest.mark.skipif(
    find_spec("tensorflow") is None or find_spec("ai_edge_litert") is None,
    reason="tensorflow and LiteRT are not installed: pip install 'leafsight[formats]'",
)
NETWORKS: dict[str, dict[str, object]] = {
    "mobilenet": {"width": 0.35},
    "mobilenet, symmetric": {"width": 0.35, "padding": "symmetric"},
    "resnet": {"name": "resnet18"},
    "two dense layers": {"name": "simple_cnn", "width": 0.25, "head": (12,)},
    "morphology": {
        "name": "simple_cnn",
        "width": 0.25,
        "morphology": {"operation": "white_top_hat", "shape": "disc", "size_px": 5},
    },
}


@pytest.fixture(scope="module")
def photographs() -> ProofPhotographs:
    # More than a batch, and no whole number of batches.
    return ProofPhotographs(drawn(11, seed=4), "drawn squares")


def source(
    name: str,
    squares: np.ndarray,
    labels: np.ndarray,
    photographs: ProofPhotographs,
    *,
    mirrored: bool = False,
) -> FormatSource:
    return source_of_run(
        trained(ModelOptions.model_validate({"dropout": 0, **NETWORKS[name]}), squares, labels),
        ("red", "green", "blue"),
        Preprocessing(side_px=SIDE_PX),
        photographs.squares,
        name=name,
        tolerance=1e-3,
        mirrored=mirrored,
    )


def record(made: FormatExport) -> dict[str, object]:
    found: dict[str, object] = json.loads(made.proof_path.read_text())
    return found


@needs_openvino
@pytest.mark.parametrize("mirrored", [False, True])
def test_openvino_gives_the_same_answers(
    squares: np.ndarray, labels: np.ndarray, photographs: ProofPhotographs, tmp_path: Path, mirrored: bool
) -> None:
    network = source("mobilenet", squares, labels, photographs, mirrored=mirrored)
    (made,) = export_formats(network, ["openvino"], photographs, tmp_path)
    assert made.proof.max_abs_diff < 1e-3
    assert made.notes == ()
    assert sorted(path.name for path in made.path.iterdir()) == ["model.bin", "model.xml"]
    assert (made.as_usual is None) == (made.how == "")


@needs_openvino
def test_openvino_tells_nobody_that_it_was_used(
    squares: np.ndarray, labels: np.ndarray, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    """Its import sends an event through openvino_telemetry, if that can be imported. This one would tell."""
    spy = tmp_path / "spy" / "openvino_telemetry"
    spy.mkdir(parents=True)
    (spy / "__init__.py").write_text(f"open({str(tmp_path / 'told')!r}, 'w').close()")
    (tmp_path / "made").mkdir()
    network = source("two dense layers", squares, labels, photographs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(spy.parent))
        subprocess.run(
            [sys.executable, "-c", "import openvino"], env={**os.environ}, check=False, capture_output=True
        )
        assert (tmp_path / "told").exists()
        (tmp_path / "told").unlink()
        list(export_formats(network, ["openvino"], photographs, tmp_path / "made"))
    assert not (tmp_path / "told").exists()


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_tensorflow_gives_the_same_answers(
    name: str,
    squares: np.ndarray,
    labels: np.ndarray,
    photographs: ProofPhotographs,
    tmp_path: Path,
    mirrored: bool,
) -> None:
    network = source(name, squares, labels, photographs, mirrored=mirrored)
    saved, lite = export_formats(network, ["saved-model", "tflite"], photographs, tmp_path)
    for made in (saved, lite):
        assert made.proof.max_abs_diff < 1e-3
        assert made.proof.top1_agreement == 1
        assert made.notes == ()
        assert record(made)["versions"]["tensorflow"]  # type: ignore[index]
    assert (saved.path / "saved_model.pb").is_file()
    assert lite.path.read_bytes()[4:8] == b"TFL3"


@needs_tensorflow
@pytest.mark.slow
def test_fewer_bits_are_smaller_and_told(
    squares: np.ndarray, labels: np.ndarray, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    network = source("resnet", squares, labels, photographs)
    names = ["tflite", "tflite-fp16", "tflite-int8"]
    whole, half, quarter = export_formats(network, names, photographs, tmp_path)
    assert half.size_bytes == pytest.approx(whole.size_bytes / 2, rel=0.05)
    assert quarter.size_bytes == pytest.approx(whole.size_bytes / 4, rel=0.05)
    assert whole.proof.max_abs_diff < half.proof.max_abs_diff < quarter.proof.max_abs_diff


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("what", ["Softsign", "Gemm with transA", "Conv with weights that are computed"])
def test_what_is_not_translated_is_named(
    what: str, squares: np.ndarray, labels: np.ndarray, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    network = source("two dense layers", squares, labels, photographs)
    model = onnx.load_from_string(network.graph)
    first = {node.op_type: node for node in reversed(model.graph.node)}
    # These graphs need not be right: they are refused before anything is calculated.
    if what == "Softsign":
        first["Relu"].op_type = "Softsign"
    elif "transA" in what:
        next(one for one in first["Gemm"].attribute if one.name == "transA").i = 1
    else:
        first["Conv"].input[1] = first["Cast"].output[0]
    request = {"format": "saved-model", "file": "saved", "input": "image"}
    (tmp_path / "request.json").write_text(json.dumps(request))
    (tmp_path / "graph.onnx").write_bytes(model.SerializeToString())
    np.save(tmp_path / "squares.npy", photographs.squares)
    run = [sys.executable, "-m", "leafsight.export.formats_program", str(tmp_path)]
    subprocess.run(run, check=True, capture_output=True)
    reply = json.loads((tmp_path / "reply.json").read_text())
    assert what.split()[0] in reply["error"]
    assert "cannot be translated" in reply["error"]
    assert "openvino" in reply["hint"]
