from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from tests.export.conftest import SIDE_PX, drawn

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import ExportError, MissingExtraError
from leafsight.export import (
    FORMATS,
    ExportedNetwork,
    ExportOptions,
    FormatSource,
    ParityProof,
    ProofPhotographs,
    drawn_photographs,
    export_formats,
    export_network,
    require_formats,
    source_of_bundle,
    source_of_run,
    write_model,
)
from leafsight.export.formats_apart import MOST_NOTES, converted_apart, notes_of
from leafsight.export.formats_converted import Converted
from leafsight.images import Preprocessing
from leafsight.inference import OnnxNetwork
from leafsight.models import Network

CLASSES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def photographs() -> ProofPhotographs:
    return ProofPhotographs(drawn(12, seed=3), "drawn squares")


@pytest.fixture(scope="module")
def source(sturdy: Network, preprocessing: Preprocessing, photographs: ProofPhotographs) -> FormatSource:
    return source_of_run(
        sturdy, CLASSES, preprocessing, photographs.squares, name="small", tolerance=1e-3, origin={"a": 1}
    )


def int8(
    network: Network, preprocessing: Preprocessing, squares: np.ndarray, labels: np.ndarray
) -> ExportedNetwork:
    return export_network(
        network,
        preprocessing,
        training_images=squares,
        judged_images=squares,
        judged_labels=labels,
        options=ExportOptions(
            proof_photos=4, calibration_photos=16, timed_rounds=3, max_accuracy_loss=0.5, min_speedup=0.001
        ),
    )


@pytest.fixture(scope="module")
def bundle(
    tmp_path_factory: pytest.TempPathFactory,
    sturdy: Network,
    preprocessing: Preprocessing,
    squares: np.ndarray,
    labels: np.ndarray,
) -> Bundle:
    path = tmp_path_factory.mktemp("bundle") / "small.leafsight"
    exported = int8(sturdy, preprocessing, squares, labels)
    assert exported.spec.precision == "int8"
    write_model(path, exported, sturdy, CLASSES, name="small one")
    return open_bundle(path)


def test_formats_of_a_run_with_what_their_user_must_know(
    source: FormatSource, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    names = ["onnx", "torch-export", "torchscript"]
    made = list(export_formats(source, names, photographs, tmp_path / "new" / "folder"))
    assert [one.path.name for one in made] == ["model.onnx", "model.pt2", "model.torchscript.pt"]
    assert sorted(path.name for path in made[0].path.parent.iterdir()) == sorted(
        name for one in made for name in (one.path.name, f"{one.path.name}.json")
    )
    for one in made:
        assert one.proof.passed
        assert 0 < one.proof.max_abs_diff < 1e-4
        assert (one.proof.photos, one.proof.top1_agreement) == (12, 1.0)
        record = json.loads(one.proof_path.read_text())
        assert record["files"] == {
            one.path.name: {
                "bytes": one.path.stat().st_size,
                "sha256": hashlib.sha256(one.path.read_bytes()).hexdigest(),
            }
        }
        assert record["classes"] == list(CLASSES)
        assert record["preprocessing"] == Preprocessing(side_px=SIDE_PX).to_dict()
        assert record["input"]["shape"] == [None, SIDE_PX, SIDE_PX, 3]
        assert record["proof"]["photographs"] == "drawn squares"
        assert record["proof"]["logit_spread"] > 1
        assert record["source"]["graph_against_torch"]["passed"] is True
        assert record["source"]["a"] == 1
        assert {"torch", "onnxruntime", "leafsight", "python"} <= set(record["versions"])
        json.dumps(one.to_dict(), allow_nan=False)


def test_what_differs_is_refused_and_what_lay_there_stays(
    source: FormatSource, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    (tmp_path / "model.pt2").write_text("mine")
    made = export_formats(source, ["onnx", "torch-export"], photographs, tmp_path, tolerance=1e-12)
    with pytest.raises(
        ExportError, match=r"onnx: torch .* and ONNX Runtime differ by up to .* it was not written"
    ):
        list(made)
    wrong = replace(source, graph=other_graph(source))
    with pytest.raises(ExportError, match=r"torch-export: torch .* and ONNX Runtime differ"):
        list(export_formats(wrong, ["torch-export"], photographs, tmp_path))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("model.pt2", "mine")]


def test_small_logits_do_not_pass_for_small_differences(
    source: FormatSource, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    """Of a network whose logits are all about 0.0001 the usual tolerance of 0.001 would say nothing."""

    def faint(graph: bytes, share: float) -> bytes:
        model = onnx.load_from_string(graph)
        for one in model.graph.initializer:
            if one.name in next(node for node in model.graph.node if node.op_type == "Gemm").input:
                one.CopyFrom(
                    numpy_helper.from_array(numpy_helper.to_array(one) * np.float32(share), one.name)
                )
        data: bytes = model.SerializeToString()
        return data

    assert source.network is not None
    network = deepcopy(source.network)
    with torch.no_grad():
        for parameter in network.classifier.parameters():
            parameter *= 1e-5
    small = replace(source, graph=faint(source.graph, 1.1e-5), network=network)
    with pytest.raises(ExportError, match=r"torchscript: torch .* and ONNX Runtime differ"):
        list(export_formats(small, ["torchscript"], photographs, tmp_path))
    right = replace(small, graph=faint(source.graph, 1e-5))
    assert next(export_formats(right, ["torchscript"], photographs, tmp_path)).proof.passed


def other_graph(source: FormatSource) -> bytes:
    """The graph with another bias in its head."""
    model = onnx.load_from_string(source.graph)
    (gemm,) = [node for node in model.graph.node if node.op_type == "Gemm"]
    (bias,) = [one for one in model.graph.initializer if one.name == gemm.input[2]]
    changed = numpy_helper.to_array(bias) + np.float32(0.01)
    bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
    data: bytes = model.SerializeToString()
    return data


def test_the_mirrored_network_stays_mirrored(
    sturdy: Network, preprocessing: Preprocessing, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    both = source_of_run(
        sturdy, CLASSES, preprocessing, photographs.squares, name="small", tolerance=1e-3, mirrored=True
    )
    plain = source_of_run(sturdy, CLASSES, preprocessing, photographs.squares, name="small", tolerance=1e-3)
    for one in export_formats(both, ["torch-export", "torchscript"], photographs, tmp_path):
        assert one.proof.passed
        assert json.loads(one.proof_path.read_text())["mirrored"] is True
    apart = [OnnxNetwork(one.graph, one.spec)(photographs.squares).logits for one in (both, plain)]
    assert np.abs(apart[0] - apart[1]).max() > 1e-3


def test_onnx_of_a_bundle_is_the_graph_that_serves(
    bundle: Bundle, photographs: ProofPhotographs, tmp_path: Path
) -> None:
    source = source_of_bundle(bundle)
    assert source.weights == "int8, as fp32 numbers"
    assert source.graph != bundle.network()
    (made,) = export_formats(source, ["onnx"], photographs, tmp_path, stem="mine")
    assert made.path.read_bytes() == bundle.network()
    record = json.loads((tmp_path / "mine.onnx.json").read_text())
    assert (record["weights"], record["against_served_int8"]) == ("int8", None)
    assert record["proof"]["reference"].endswith("int8 graph")
    assert record["source"] == {"kind": "model file", "content_hash": bundle.content_hash}


def test_others_of_an_int8_bundle_are_compared_with_both(
    bundle: Bundle, photographs: ProofPhotographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faithful(
        wanted: object, source: FormatSource, squares: np.ndarray, folder: Path, file: str
    ) -> Converted:
        (folder / file).mkdir()
        (folder / file / "model.xml").write_text("<xml/>")
        said = OnnxNetwork(source.graph, source.spec)(squares)
        return Converted(
            folder / file, said, "a fake", {"fake": "1"}, as_usual=said, how="slowly", notes=("hm",)
        )

    monkeypatch.setattr("leafsight.export.formats_making.converted_apart", faithful)
    monkeypatch.setattr("leafsight.export.formats_making.find_spec", lambda name: True)
    (tmp_path / "model-openvino").mkdir()
    (tmp_path / "model-openvino" / "old.bin").write_text("of an earlier export")
    (made,) = export_formats(source_of_bundle(bundle), ["openvino"], photographs, tmp_path)
    assert [path.name for path in made.path.iterdir()] == ["model.xml"]
    assert {path.name for path in tmp_path.iterdir()} == {"model-openvino", "model-openvino.json"}
    assert made.proof.max_abs_diff == 0
    assert made.against_served is not None
    assert made.against_served.max_abs_diff > 0
    record = json.loads(made.proof_path.read_text())
    assert set(record["as_usual"]) == {
        "photos", "max_abs_diff", "mean_abs_diff", "max_abs_diff_embedding", "top1_agreement"
    }  # fmt: skip
    assert (record["open_with"], record["notes"]) == ("slowly", ["hm"])
    assert list(record["files"]) == ["model-openvino/model.xml"]


def test_rounded_weights_may_differ_but_must_agree(
    source: FormatSource, photographs: ProofPhotographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = OnnxNetwork(source.graph, source.spec)(photographs.squares)
    spread = float(right.logits.std())

    def off_by(by: np.ndarray) -> None:
        def rounded(wanted: object, source: object, squares: object, folder: Path, file: str) -> Converted:
            (folder / file).write_bytes(b"tflite")
            moved = replace(right, logits=(right.logits + by).astype(np.float32))
            return Converted(folder / file, moved, "a fake", {})

        monkeypatch.setattr("leafsight.export.formats_making.converted_apart", rounded)
        monkeypatch.setattr("leafsight.export.formats_making.find_spec", lambda name: True)

    def make() -> ParityProof:
        (made,) = export_formats(source, ["tflite-int8"], photographs, tmp_path)
        return made.proof

    off_by(np.array(0.2 * spread))  # every logit alike: no other first class
    assert make().tolerance == pytest.approx(0.25 * spread)
    off_by(np.array(0.3 * spread))
    with pytest.raises(ExportError, match="tflite-int8: a fake and ONNX Runtime differ"):
        make()
    # One that was nearly a tie becomes another class: too many of twelve.
    runner_up = np.sort(right.logits, 1)[:, -2]
    close = replace(right, logits=np.where(right.logits == right.logits.max(1, keepdims=True),
                                           (runner_up + 0.01 * spread)[:, None], right.logits))  # fmt: skip
    right = replace(close, logits=close.logits.astype(np.float32))
    monkeypatch.setattr("leafsight.export.formats_making.OnnxNetwork", lambda *_: lambda _: right)
    by = np.zeros_like(right.logits)
    by[0, right.logits[0].argmax()] = -0.05 * spread
    off_by(by)
    with pytest.raises(ExportError, match=r"same first class on 92% \(wanted: 95%\)"):
        make()


def test_what_cannot_be_made_is_said_before_anything_is_done() -> None:
    with pytest.raises(ExportError, match="torchscript is made from the training run"):
        require_formats(["onnx", "torchscript"], from_network=False)
    for name, module, extra in (("openvino", "openvino", "openvino"), ("tflite", "tensorflow", "formats")):
        if find_spec(module) is None:
            with pytest.raises(MissingExtraError) as caught:
                require_formats([name], from_network=False)
            assert caught.value.hint == f"pip install 'leafsight[{extra}]'"
    assert [one.name for one in require_formats(["onnx", "onnx"], from_network=False)] == ["onnx"]


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.export.formats_making.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="this needs 'tensorflow'"):
        require_formats(["saved-model"], from_network=True)


def test_drawn_photographs_are_the_same_every_time() -> None:
    contract = Preprocessing(side_px=40)
    one, two = (drawn_photographs(contract, 32) for _ in range(2))
    assert one.squares.shape == (32, 40, 40, 3)
    assert (one.squares == two.squares).all()
    assert len(np.unique(one.squares.reshape(32, -1), axis=0)) == 32


def test_a_converter_that_fails_gives_its_last_words(source: FormatSource, tmp_path: Path) -> None:
    unknown = replace(FORMATS["openvino"], name="nonsense")
    with pytest.raises(ExportError, match="the converter for nonsense failed with status 1") as caught:
        converted_apart(unknown, source, drawn(1, seed=1), tmp_path, "file")
    assert caught.value.hint == "KeyError: 'nonsense'"


def test_what_libraries_always_say_is_not_passed_on() -> None:
    said = """WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1 30716 port.cc:153] oneDNN custom operations are on.
W0000 00:00:1 30716 tf_tfl_flatbuffer_helpers.cc:364] Ignored output_format.
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
W0000 00:00:2 30716 something.cc:1] the model is too deep
/x/y.py:3: UserWarning: half of it was left out
done"""
    assert notes_of(said) == (
        "W0000 00:00:2 30716 something.cc:1] the model is too deep",
        "/x/y.py:3: UserWarning: half of it was left out",
    )
    assert len(notes_of("warning\n" * 50)) == MOST_NOTES
