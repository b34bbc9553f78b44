"""Converts one graph and asks the result; run as ``python -m leafsight.export.formats_program FOLDER``.

Enters: a folder with ``request.json``, ``graph.onnx`` and ``squares.npy``. Leaves there: the model under the
name of the request, its ``scores.npz``, and ``reply.json``. It is a process of its own because TensorFlow and
OpenVINO print to both streams from C++, keep what memory they took, and would share a process with torch. It
does not know what is proved.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.errors import LeafsightError, require
from leafsight.storage import read_json, write_bytes, write_json

BATCH = 8
Ask = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""uint8 [n, side, side, 3] to logits [n, classes] and embedding [n, d]."""


def main(folder: Path) -> None:
    """Do what the request says; an error of ours becomes the reply."""
    request = read_json(folder / "request.json")
    squares = np.load(folder / "squares.npy")
    try:
        asks, said = CONVERTERS[request["format"]](folder, request)
    except LeafsightError as error:
        write_json(folder / "reply.json", {"error": error.message, "hint": error.hint})
        return
    answers: dict[str, Any] = {}
    for name, ask in asks.items():
        parts = [ask(squares[at : at + BATCH]) for at in range(0, len(squares), BATCH)]
        answers[f"{name}_logits"] = np.concatenate([logits for logits, _ in parts])
        answers[f"{name}_embedding"] = np.concatenate([embedding for _, embedding in parts])
    np.savez(folder / "scores.npz", **answers)
    write_json(folder / "reply.json", said)


def _openvino(folder: Path, request: Mapping[str, Any]) -> tuple[dict[str, Ask], dict[str, Any]]:
    # Its import tells Google Analytics that it happened, unless openvino_telemetry is missing. Here it is.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    openvino = require("openvino", "openvino")
    core = openvino.Core()
    model = folder / request["file"] / "model.xml"
    model.parent.mkdir()
    openvino.save_model(core.read_model(folder / "graph.onnx"), model, compress_to_fp16=False)

    def opened(settings: Mapping[str, str]) -> Any:
        return core.compile_model(core.read_model(model), "CPU", dict(settings))

    def asking(compiled: Any) -> Ask:
        def ask(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            answer = compiled({request["input"]: squares})
            return np.array(answer[request["logits"]]), np.array(answer[request["embedding"]])

        return ask

    proved = {"INFERENCE_PRECISION_HINT": "f32"}
    usual = opened({})
    asks = {"proved": asking(opened(proved))}
    said = {"versions": _versions("openvino"), "runtime": f"OpenVINO {version('openvino')}"}
    precision = usual.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if precision != "f32":
        asks["usual"] = asking(usual)
        said["how"] = (
            f'compile with {{"INFERENCE_PRECISION_HINT": "f32"}}; by itself it takes {precision} here'
        )
    return asks, said


def _saved_model(folder: Path, request: Mapping[str, Any]) -> tuple[dict[str, Ask], dict[str, Any]]:
    tf = require("tensorflow", "formats")
    path = folder / request["file"]
    _save(folder, path)
    opened = tf.saved_model.load(str(path))
    serve = opened.signatures["serving_default"]

    def ask(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answer = serve(**{request["input"]: tf.constant(squares)})
        return answer[request["logits"]].numpy(), answer[request["embedding"]].numpy()

    said = {"versions": _versions("tensorflow", "keras", "onnx"), "runtime": f"TensorFlow {tf.__version__}"}
    return {"proved": ask}, said


def _tflite(folder: Path, request: Mapping[str, Any]) -> tuple[dict[str, Ask], dict[str, Any]]:
    tf, litert = require("tensorflow", "formats"), require("ai_edge_litert.interpreter", "formats")
    _save(folder, folder / "saved")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    if request["format"] != "tflite":
        # Without photographs to calibrate on this rounds the weights, not the activations.
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request["format"] == "tflite-fp16":
        converter.target_spec.supported_types = [tf.float16]
    data: bytes = converter.convert()
    write_bytes(folder / request["file"], data)
    answer = litert.Interpreter(model_content=data).get_signature_runner("serving_default")

    def ask(squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = answer(**{request["input"]: squares})
        return np.array(given[request["logits"]]), np.array(given[request["embedding"]])

    said = {
        "versions": _versions("tensorflow", "ai-edge-litert", "onnx"),
        "runtime": f"LiteRT {version('ai-edge-litert')}",
    }
    return {"proved": ask}, said


def _save(folder: Path, path: Path) -> None:
    # Not at the top: it needs TensorFlow's extra, and OpenVINO goes without.
    from leafsight.export.tensorflow_graph import tensorflow_module

    tf = require("tensorflow", "formats")
    module = tensorflow_module((folder / "graph.onnx").read_bytes())
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.answer})


def _versions(*libraries: str) -> dict[str, str]:
    """Versions of those that are installed; TensorFlow goes by several names."""
    found = {}
    for library in libraries:
        for name in (library, f"{library}-cpu", f"{library}-intel"):
            try:
                found[library] = version(name)
                break
            except PackageNotFoundError:
                continue
    return found


CONVERTERS = {
    "openvino": _openvino,
    "saved-model": _saved_model,
    "tflite": _tflite,
    "tflite-fp16": _tflite,
    "tflite-int8": _tflite,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
