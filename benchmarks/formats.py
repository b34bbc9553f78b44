"""One network in every format: how quick, how large, how far from ONNX Runtime, and what its runtime weighs.

    python benchmarks/formats.py [--rounds 40] [--model builtin] [--json]

Needs the extras openvino and formats. The model is a bundle; without --model it is MobileNetV2 at 224 px with
random weights, its batch statistics settled on drawn leaves (and without tflite-int8: random features do not
survive 8 bits). Batch 1, one thread each. Every row is timed once in every round, so that a noisy machine
disturbs all alike; the speed is the median over the rounds of ONNX Runtime's time over the row's within a
round. Compare ratios of one run, never milliseconds of two. Import times are of new processes, the least of
three.

"INT8, as served" is the bundle's own graph in ONNX Runtime; "QDQ" is that graph read by OpenVINO, which the
export does not write, and is compared with it. All else is compared with fp32 in ONNX Runtime. "as it opens"
leaves OpenVINO its own precision.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.export import (
    FORMATS,
    FormatSource,
    ProofPhotographs,
    drawn_photographs,
    export_formats,
    source_of_bundle,
    source_of_run,
)
from leafsight.images import Preprocessing
from leafsight.inference import OnnxNetwork, interleaved_ms, median_ratio
from leafsight.models import ModelOptions, build_network

CLASSES = 49
ACCURATE = {"INFERENCE_PRECISION_HINT": "f32"}
IMPORTS = {
    "onnxruntime": "import onnxruntime",
    "openvino": "import sys; sys.modules['openvino_telemetry'] = None; import openvino",
    "tensorflow": "import tensorflow",
    "ai_edge_litert": "import ai_edge_litert.interpreter",
    "torch": "import torch",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    source, photographs = the_source(arguments.model)
    left_out = "tflite-int8" if source.network is not None else ""
    names = [
        name
        for name, one in FORMATS.items()
        if name != left_out and (source.network is not None or one.made_from == "graph")
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = {one.format: one for one in export_formats(source, names, photographs, Path(folder))}
        calls = rows(source, {name: one.path for name, one in made.items()}, photographs.squares[:1])
        times = interleaved_ms(calls, arguments.rounds)
    sizes = {name: one.size_bytes for name, one in made.items()} | {"onnx": len(source.graph)}
    proofs = {name: one.proof.max_abs_diff for name, one in made.items()}
    if made["openvino"].as_usual is not None:
        proofs["openvino, as it opens"] = made["openvino"].as_usual.max_abs_diff
    if source.served is not None:
        sizes["onnx INT8, as served"] = len(source.served[0])
        proofs |= off_of_int8(source, photographs.squares)
    result = {
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("onnxruntime", "openvino", "ai-edge-litert", "torch")},
        "import_s": {name: least_import(code) for name, code in IMPORTS.items()},
        "rows": {
            name: {
                "median_ms": median(spent),
                "times_onnxruntime": median_ratio(times["onnx"], spent),
                "bytes": sizes.get(name),
                "max_abs_diff": proofs.get(name),
            }
            for name, spent in times.items()
        },
    }
    print(json.dumps(result, indent=2)) if arguments.json else show(result)


def the_source(model: Path | None) -> tuple[FormatSource, ProofPhotographs]:
    if model is not None:
        source = source_of_bundle(open_bundle(builtin_bundle_path() if model == Path("builtin") else model))
        return source, drawn_photographs(source.preprocessing, 32)
    contract = Preprocessing()
    photographs = drawn_photographs(contract, 32)
    torch.manual_seed(0)
    network = build_network(ModelOptions(dropout=0), CLASSES).train()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the statistics are those of the one pass below
    with torch.no_grad():
        network(torch.from_numpy(photographs.squares).permute(0, 3, 1, 2).float())
    network.eval()
    classes = tuple(f"Crop___condition_{number}" for number in range(CLASSES))
    source = source_of_run(network, classes, contract, photographs.squares, name="benchmark", tolerance=1e-3)
    return source, photographs


def rows(
    source: FormatSource, paths: Mapping[str, Path], square: np.ndarray
) -> dict[str, Callable[[], object]]:
    """What is timed, by name; each with one thread."""
    plain = OnnxNetwork(source.graph, source.spec)
    calls: dict[str, Callable[[], object]] = {"onnx": lambda: plain.run(square)}
    if source.served is not None:
        served = OnnxNetwork(*source.served)
        calls["onnx INT8, as served"] = lambda: served.run(square)
    calls |= openvino_rows(source, paths["openvino"] / "model.xml", square)
    calls["saved-model"] = saved_model(paths["saved-model"], square)
    for name in (name for name in paths if name.startswith("tflite")):
        calls[name] = lite(paths[name], square)
    if source.network is not None:
        calls |= torch_rows(paths, square)
    return calls


def openvino_rows(source: FormatSource, path: Path, square: np.ndarray) -> dict[str, Callable[[], object]]:
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    core = openvino.Core()

    def opened(model: Any, settings: Mapping[str, str]) -> Callable[[], object]:
        compiled = core.compile_model(
            core.read_model(model), "CPU", {**settings, "INFERENCE_NUM_THREADS": "1", "NUM_STREAMS": "1"}
        )
        request = compiled.create_infer_request()
        return lambda: request.infer({"image": square})

    calls = {"openvino": opened(path, ACCURATE), "openvino, as it opens": opened(path, {})}
    if source.served is not None:
        calls["openvino QDQ"] = opened(source.served[0], ACCURATE)
    return calls


def off_of_int8(source: FormatSource, squares: np.ndarray) -> dict[str, float]:
    """How far the served INT8 graph is from fp32 in ONNX Runtime, and from itself in OpenVINO."""
    import openvino

    assert source.served is not None
    served = OnnxNetwork(*source.served)(squares).logits
    compiled = openvino.Core().compile_model(
        openvino.Core().read_model(source.served[0]), "CPU", dict(ACCURATE)
    )
    return {
        "onnx INT8, as served": float(
            np.abs(served - OnnxNetwork(source.graph, source.spec)(squares).logits).max()
        ),
        "openvino QDQ": float(np.abs(served - compiled({"image": squares})["logits"]).max()),
    }


def saved_model(path: Path, square: np.ndarray) -> Callable[[], object]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    opened = tf.saved_model.load(str(path))
    tensor = tf.constant(square)
    # The function holds its variables weakly, so the module has to live on.
    return lambda: opened.signatures["serving_default"](image=tensor)["logits"].numpy()


def lite(path: Path, square: np.ndarray) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    ask = interpreter.get_signature_runner("serving_default")
    return lambda: ask(image=square)


def torch_rows(paths: Mapping[str, Path], square: np.ndarray) -> dict[str, Callable[[], object]]:
    """Files that this program has just written; leafsight itself opens none."""
    tensor = torch.from_numpy(square.copy())
    scripted = torch.jit.load(paths["torchscript"])  # type: ignore[no-untyped-call]
    exported = torch.export.load(paths["torch-export"]).module()
    no_gradients = torch.inference_mode()
    return {
        "torchscript": no_gradients(lambda: scripted(tensor)),
        "torch-export": no_gradients(lambda: exported(tensor)),
    }


def least_import(code: str) -> float:
    timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    return min(
        float(
            subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(3)
    )


def show(result: Mapping[str, Any]) -> None:
    print(result["machine"], result["versions"])
    print("import, s:", {name: round(value, 2) for name, value in result["import_s"].items()})
    print(f"{'':24}{'ms':>8}{'speed':>8}{'MB':>8}  off by")
    for name, row in result["rows"].items():
        size = "" if row["bytes"] is None else f"{row['bytes'] / 1e6:.1f}"
        off = "" if row["max_abs_diff"] is None else f"{row['max_abs_diff']:.1e}"
        print(f"{name:24}{row['median_ms']:8.1f}{row['times_onnxruntime']:8.2f}{size:>8}  {off}")


if __name__ == "__main__":
    main()
