"""Grey-level morphology against others, interleaved in one run, after checking that all give the same pixels.

    python benchmarks/morphology.py [--side 224] [--rounds 41] [--json]

Pillow is always asked; OpenCV, SciPy and torch where they are installed (the first two are no dependencies of
leafsight: ``pip install opencv-python-headless scipy`` into a throw-away environment). A drawn leaf. In every
round each method does each job once, so that a noisy machine disturbs all of them alike. Times are processor
time of one thread, the median over the rounds; a ratio is the other's time divided by ours, the median over
the rounds, too.

The second table is the layer of a network on 16 photographs against the same made of ``max_pool2d``. The
third is what the layer adds to the exported MobileNetV2 (fp32, one photograph).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: everything here is about one core

import argparse
import importlib
import json
import platform
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from leafsight.dataset import draw_leaf
from leafsight.images import apply_morphology, element_boxes, structuring_element

JOBS = (
    ("erosion", 3, "square"),
    ("erosion", 5, "square"),
    ("erosion", 15, "square"),
    ("erosion", 31, "square"),
    ("opening", 3, "square"),
    ("opening", 5, "cross"),
    ("opening", 5, "disc"),
    ("opening", 15, "disc"),
    ("opening", 31, "disc"),
    ("black_top_hat", 5, "square"),
    ("gradient", 3, "square"),
)
LAYERS = (("opening", 3, "square"), ("opening", 5, "square"), ("opening", 5, "disc"), ("opening", 31, "disc"))
BATCH = 16
CV_NAMES = {
    "erosion": "MORPH_ERODE",
    "opening": "MORPH_OPEN",
    "black_top_hat": "MORPH_BLACKHAT",
    "gradient": "MORPH_GRADIENT",
}
# Pillow sorts a window of any size for every pixel: half a second at 15 px.
LARGEST_FOR_PILLOW = 5

Job = tuple[str, int, str]
Method = Callable[[], Any]


def installed(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def with_pillow(picture: np.ndarray, job: Job) -> Method | None:
    operation, size_px, shape = job
    if shape != "square" or size_px > LARGEST_FOR_PILLOW or operation not in ("erosion", "opening"):
        return None
    image, low, high = (
        Image.fromarray(picture),
        ImageFilter.MinFilter(size_px),
        ImageFilter.MaxFilter(size_px),
    )
    if operation == "erosion":
        return lambda: np.asarray(image.filter(low))
    return lambda: np.asarray(image.filter(low).filter(high))


def with_opencv(picture: np.ndarray, job: Job) -> Method | None:
    cv2 = installed("cv2")
    if cv2 is None:
        return None
    cv2.setNumThreads(1)
    element = structuring_element(job[1], job[2]).astype(np.uint8)
    code = getattr(cv2, CV_NAMES[job[0]])
    return lambda: cv2.morphologyEx(picture, code, element)


def with_scipy(picture: np.ndarray, job: Job) -> Method | None:
    ndimage = installed("scipy.ndimage")
    if ndimage is None:
        return None
    operation, size_px, shape = job
    element = structuring_element(size_px, shape)[:, :, None]
    words = {"size": (size_px, size_px, 1)} if shape == "square" else {"footprint": element}
    name = {"black_top_hat": "black_tophat", "gradient": "morphological_gradient"}.get(
        operation, f"grey_{operation}"
    )
    return lambda: getattr(ndimage, name)(picture, **words)


RIVALS = {"Pillow": with_pillow, "OpenCV": with_opencv, "SciPy": with_scipy}


def measured(methods: dict[str, Method], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each method in every round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for turn in range(rounds + 1):
        for name, method in methods.items():
            begun = time.process_time()
            method()
            if turn:
                times[name].append(1e3 * (time.process_time() - begun))
    return times


def row(job: Job, methods: dict[str, Method], rounds: int) -> dict[str, Any]:
    first = np.asarray(methods["leafsight"]())
    same = {name: bool((np.asarray(method()) == first).all()) for name, method in methods.items()}
    times = measured(methods, rounds)
    ours = times.pop("leafsight")
    return {
        "job": " ".join(map(str, job)),
        "leafsight_ms": statistics.median(ours),
        "ratios": {
            name: statistics.median(a / b for a, b in zip(others, ours, strict=True))
            for name, others in times.items()
        },
        "same_pixels": all(same.values()),
    }


def pictures_rows(side_px: int, rounds: int) -> list[dict[str, Any]]:
    picture = draw_leaf("Roundleaf", "Leaf_spot", seed=9_000_004, side_px=side_px)
    rows = []
    for job in JOBS:
        methods: dict[str, Method] = {
            "leafsight": lambda job=job: apply_morphology(picture, job[0], size_px=job[1], shape=job[2])
        }
        methods |= {
            name: method for name, make in RIVALS.items() if (method := make(picture, job)) is not None
        }
        rows.append(row(job, methods, rounds))
    return rows


def layer_rows(side_px: int, rounds: int) -> list[dict[str, Any]]:
    torch = installed("torch")
    if torch is None:
        return []
    from leafsight.models import MorphologyOptions
    from leafsight.models.morphology import Morphology

    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (BATCH, 3, side_px, side_px)).float()

    def pooled(x: Any, boxes: tuple[tuple[int, int], ...]) -> Any:
        found = None
        for half in boxes:
            sides = [2 * one + 1 for one in half]
            part = torch.nn.functional.max_pool2d(x, sides, stride=1, padding=half)
            found = part if found is None else torch.maximum(found, part)
        return found

    rows = []
    for job in LAYERS:
        layer = Morphology(MorphologyOptions(operation=job[0], size_px=job[1], shape=job[2]))
        boxes = element_boxes(job[1], job[2])
        methods = {
            "leafsight": lambda layer=layer: layer(pixels),
            "max_pool2d": lambda boxes=boxes: pooled(-pooled(-pixels, boxes), boxes),
        }
        rows.append(row(job, methods, rounds))
    return rows


def graph_rows(side_px: int, rounds: int) -> list[dict[str, Any]]:
    if installed("torch") is None:
        return []
    from leafsight.export import export_graph, spec_of
    from leafsight.inference import OnnxNetwork
    from leafsight.models import ModelOptions, MorphologyOptions, build_network

    picture = draw_leaf("Roundleaf", "Leaf_spot", seed=9_000_004, side_px=side_px)[None]
    methods: dict[str, Method] = {}
    for job in (("none", 3, "square"), *LAYERS):
        table = MorphologyOptions(operation=job[0], size_px=job[1], shape=job[2])
        network = build_network(ModelOptions(morphology=table), 38)
        spec = spec_of(network, side_px)
        runner = OnnxNetwork(export_graph(network, spec), spec)
        methods[" ".join(map(str, job))] = lambda runner=runner: runner.run(picture)
    times = measured(methods, rounds)
    plain = times["none 3 square"]
    return [
        {
            "job": name,
            "ms": statistics.median(own),
            "added_ms": statistics.median(a - b for a, b in zip(own, plain, strict=True)),
        }
        for name, own in times.items()
    ]


def shown(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    for one in rows:
        ratios = ", ".join(f"{name} {ratio:.1f} x" for name, ratio in one["ratios"].items())
        same = "same" if one["same_pixels"] else "OTHER PIXELS"
        print(f"{one['job']:24} {one['leafsight_ms']:8.3f} ms   {ratios or 'nobody to ask':44} {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    pictures = pictures_rows(words.side, words.rounds)
    layers = layer_rows(words.side, max(3, words.rounds // 8))
    graphs = graph_rows(words.side, words.rounds)
    if words.json:
        told = {"machine": platform.processor(), "pictures": pictures, "layers": layers, "graphs": graphs}
        print(json.dumps(told, indent=1))
        return
    shown(f"one photograph of {words.side} px; other's time divided by ours", pictures)
    shown(f"the layer on {BATCH} photographs; other's time divided by ours", layers)
    print("\nMobileNetV2 as a graph, one photograph; what the layer adds")
    for one in graphs:
        print(f"{one['job']:24} {one['ms']:8.2f} ms   {one['added_ms']:+.2f} ms")


if __name__ == "__main__":
    main()
