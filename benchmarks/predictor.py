"""The predictor against eager torch on the same network, and against a bare ONNX Runtime session.

    python benchmarks/predictor.py [--rounds 60] [--side 224] [--classes 49] [--json]

Batch 1, one thread, MobileNetV2. Every row is timed once in every round, so that a noisy machine disturbs all
of them alike; a ratio is the median over the rounds of the ratio within a round. Compare ratios of one run,
never milliseconds of two.

- "torch" is eager torch in channels_last under inference_mode with float pixels ready in memory: the fastest
  eager way. "torch, contiguous" is the layout one gets by default.
- "bare" is an ONNX Runtime session with the same options, asked for the same outputs. "runner" is our
  OnnxNetwork around it; "predictor" is BundlePredictor.scores on a prepared square (graph, checks, views).
- "photo" is BundlePredictor.predict on the bytes of a 256 px JPEG: decode, resize, network, verdict. What it
  takes beyond "predictor" is preprocessing and judging.

Speed does not depend on the values of weights: they are random, or those of --weights.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and torch: the promise is about one thread

import argparse
import io
import json
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime as ort
import torch
from PIL import Image

from leafsight.bundle import NetworkSpec
from leafsight.evaluation import fit_calibration
from leafsight.export import (
    ExportedNetwork,
    ParityProof,
    PrecisionDecision,
    Scheme,
    export_graph,
    quantise,
    spec_of,
    write_model,
)
from leafsight.images import Preprocessing
from leafsight.inference import BundlePredictor, OnnxNetwork, interleaved_ms, median_ratio
from leafsight.models import ModelOptions, Network, build_network, load_pretrained, remeasure_batch_statistics

# What the README promises: times as fast as eager torch, and share of the bare session's speed.
TARGETS = {"fp32": 1.9, "int8": 2.5}
OF_BARE = 0.95
# NAME=RATIO: (slow row, fast row); {p} is the precision.
RATIOS = {
    "predictor over torch": ("torch", "{p} predictor"),
    "predictor over torch, contiguous": ("torch, contiguous", "{p} predictor"),
    "predictor of bare": ("{p} bare", "{p} predictor"),
    "runner of bare": ("{p} bare", "{p} runner"),
}


def main() -> None:
    arguments = parsed()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        calls = rows(arguments, Path(folder))
        times = interleaved_ms(calls, arguments.rounds)
    ratios = {
        f"{precision} {name}": median_ratio(times[slow.format(p=precision)], times[fast.format(p=precision)])
        for precision in TARGETS
        for name, (slow, fast) in RATIOS.items()
    }
    if arguments.json:
        print(json.dumps({"median_ms": {k: median(v) for k, v in times.items()}, "ratios": ratios}, indent=2))
    else:
        show(times, ratios)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--classes", type=int, default=49)
    parser.add_argument("--weights", type=Path, help="safetensors for the network")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def rows(arguments: argparse.Namespace, folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    squares = drawn(24, arguments.side)
    network = prepared_network(arguments, squares)
    spec = spec_of(network, arguments.side)
    fp32 = export_graph(network, spec)
    int8 = quantise(fp32, squares[:16], input_name=spec.input.name, scheme=Scheme())
    calls = torch_rows(network, squares[:1])
    for precision, graph in (("fp32", fp32), ("int8", int8)):
        calls |= graph_rows(precision, graph, replace(spec, precision=precision), network, squares, folder)
    return calls


def drawn(count: int, side: int) -> np.ndarray:
    """Smooth pictures with some grain, uint8 [count, side, side, 3]."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 7, 7, 3), dtype=np.uint8)
    smooth = [
        np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in coarse
    ]
    grain = rng.integers(-12, 13, (count, side, side, 3))
    return np.clip(np.stack(smooth) + grain, 0, 255).astype(np.uint8)


def prepared_network(arguments: argparse.Namespace, squares: np.ndarray) -> Network:
    torch.manual_seed(0)
    network = build_network(ModelOptions(), arguments.classes)
    if arguments.weights:
        load_pretrained(network, arguments.weights)
    network.eval()
    remeasure_batch_statistics(network, [torch.from_numpy(squares).permute(0, 3, 1, 2).float()])
    return network


def torch_rows(network: Network, square: np.ndarray) -> dict[str, Callable[[], object]]:
    def eager(layout: torch.memory_format) -> Callable[[], object]:
        pixels = torch.from_numpy(square).permute(0, 3, 1, 2).float().contiguous(memory_format=layout)
        model = build_network(network.options, network.n_classes).eval()
        model.load_state_dict(network.state_dict())
        model.to(memory_format=layout)  # type: ignore[call-overload]
        return torch.inference_mode()(lambda: model(pixels))

    return {"torch": eager(torch.channels_last), "torch, contiguous": eager(torch.contiguous_format)}


def graph_rows(
    precision: str, graph: bytes, spec: NetworkSpec, network: Network, squares: np.ndarray, folder: Path
) -> dict[str, Callable[[], object]]:
    one = np.ascontiguousarray(squares[:1])
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [spec.logits.name, spec.embedding.name]
    predictor = BundlePredictor(bundle_of(precision, graph, spec, network, squares, folder))
    photo = jpeg(squares[0])
    runner = OnnxNetwork(graph, spec)
    return {
        f"{precision} bare": lambda: session.run(names, {spec.input.name: one}),
        f"{precision} runner": lambda: runner.run(one),
        f"{precision} predictor": lambda: predictor.scores(one),
        f"{precision} photo": lambda: predictor.predict([photo]),
    }


def bundle_of(
    precision: str, graph: bytes, spec: NetworkSpec, network: Network, squares: np.ndarray, folder: Path
) -> Path:
    """A bundle without claims: its calibration is fitted on random labels."""
    classes = [f"Crop___condition_{number}" for number in range(network.n_classes)]
    scores = OnnxNetwork(graph, spec)(squares)
    labels = np.arange(len(squares)) % network.n_classes
    calibration = fit_calibration(scores.logits, labels, scores.embedding, None, None, classes)
    exported = ExportedNetwork(
        graph,
        spec,
        Preprocessing(side_px=squares.shape[1]),
        ParityProof(0, 0.0, 0.0, 0.0, 0.0, 0.0),
        PrecisionDecision(precision, "a benchmark", 0),
    )
    path = folder / f"{precision}.leafsight"
    write_model(path, exported, network, classes, name="benchmark", calibration=calibration)
    return path


def jpeg(square: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(square).resize((256, 256)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def show(times: dict[str, list[float]], ratios: dict[str, float]) -> None:
    print(f"{platform.machine()}, torch {torch.__version__}, onnxruntime {ort.__version__}")
    for name, values in times.items():
        print(f"{name:22s} {median(values):8.2f} ms   least {min(values):8.2f}")
    for precision in TARGETS:
        extra = median(
            a - b for a, b in zip(times[f"{precision} photo"], times[f"{precision} predictor"], strict=True)
        )
        print(f"{precision}: preprocessing and judging a 256 px JPEG add {extra:.2f} ms")
    for name, ratio in ratios.items():
        print(f"{name:40s} {ratio:6.3f}")
    missed = [
        f"{precision} {name}"
        for precision, wanted in TARGETS.items()
        for name, least in (("predictor over torch", wanted), ("predictor of bare", OF_BARE))
        if ratios[f"{precision} {name}"] < least
    ]
    print("targets met" if not missed else f"targets missed: {', '.join(missed)}", file=sys.stderr)


if __name__ == "__main__":
    main()
