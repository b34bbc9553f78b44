"""A bundle small enough for tests, with a network whose answers can be worked out by hand.

The network looks at mean colours: a red picture is class 0, a green one 1, a blue one 2, a grey one 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.bundle import BundleContents, Label, NetworkSpec, write_bundle
from leafsight.evaluation import Calibration, Familiarity
from leafsight.images import Preprocessing, normalise

SIDE, PATCH, WIDTH = 16, 4, 5
LABELS = (
    Label("Apple___Apple_scab", "apple/scab", "apple", "scab", "Apple: scab"),
    Label("Apple___healthy", "apple/healthy", "apple", "healthy", "Apple: healthy"),
    Label("Tomato___Early_blight", "tomato/early_blight", "tomato", "early_blight", "Tomato: early blight"),
    Label("Background_without_leaves", "not_a_leaf", None, "not_a_leaf", "Not a leaf", is_leaf=False),
)
CLASSES = tuple(label.class_name for label in LABELS)


def tiny_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Convolution [d, 3, 4, 4] and [d], dense layer [classes, d] and [classes]; a little noise everywhere."""
    rng = np.random.default_rng(seed)
    colours = np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2], [0, 0, 0], [0, 0, 0]], np.float64)
    conv = np.repeat(np.repeat(colours[:, :, None, None], PATCH, 2), PATCH, 3) / PATCH**2
    dense = np.zeros((len(CLASSES), WIDTH))
    dense[[0, 1, 2, 3], [0, 1, 2, 3]] = 4.0
    return {
        "conv_w": (conv + rng.normal(0, 0.002, conv.shape)).astype(np.float32),
        "conv_b": np.array([0, 0, 0, 0.5, 0.1], np.float32),
        "dense_w": (dense + rng.normal(0, 0.05, dense.shape)).astype(np.float32),
        "dense_b": rng.normal(0, 0.05, len(CLASSES)).astype(np.float32),
    }


def tiny_onnx(weights: dict[str, np.ndarray] | None = None, side: int = SIDE) -> bytes:
    """uint8 [n, side, side, 3] -> logits, embedding, feature map: cast, normalise, conv, pool, dense."""
    from onnx import TensorProto, helper, numpy_helper

    values = dict(weights or tiny_weights())
    values["mean"] = values["std"] = np.full((1, 1, 1, 1), 127.5, np.float32)
    cells = side // PATCH
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["chw"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["chw", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "conv_w", "conv_b"], ["conv"], strides=[PATCH, PATCH]),
        helper.make_node("Relu", ["conv"], ["feature_map"]),
        helper.make_node("GlobalAveragePool", ["feature_map"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "dense_w", "dense_b"], ["logits"], transB=1),
    ]
    doors = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side, side, 3]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(values["dense_b"])]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", WIDTH]),
        helper.make_tensor_value_info("feature_map", TensorProto.FLOAT, ["n", WIDTH, cells, cells]),
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "tiny", doors[:1], doors[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data


def tiny_numpy(
    squares: np.ndarray, weights: dict[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same network in NumPy: logits [n, c], embedding [n, d], feature map [n, d, h, w]."""
    w = weights or tiny_weights()
    x = normalise(squares, Preprocessing(side_px=squares.shape[1])).astype(np.float64)
    n, _, side, _ = x.shape
    cells = side // PATCH
    patches = x.reshape(n, 3, cells, PATCH, cells, PATCH)
    feature_map = np.einsum("nchiwj,dcij->ndhw", patches, w["conv_w"]) + w["conv_b"][None, :, None, None]
    feature_map = np.maximum(feature_map, 0)
    embedding = feature_map.mean(axis=(2, 3))
    return embedding @ w["dense_w"].T + w["dense_b"], embedding, feature_map


def tiny_calibration(**changes: Any) -> Calibration:
    """A calibration for ``CLASSES``, chosen by hand."""
    values: dict[str, Any] = {
        "classes": CLASSES,
        "temperature": 0.8,
        "alpha": 0.1,
        "cuts": np.full(len(CLASSES), 0.9),
        "cut_within_crop": 0.9,
        "answer_threshold": 0.6,
        "answer_threshold_within_crop": 0.6,
        "target_accuracy": 0.95,
        "target_reached": True,
        "target_reached_within_crop": True,
        "not_leaf": np.array([not label.is_leaf for label in LABELS]),
        "not_leaf_threshold": 0.5,
        "far_factor": 3.0,
        "familiarity": Familiarity(
            mean=np.zeros(WIDTH, np.float32),
            directions=np.eye(WIDTH, 2, dtype=np.float32),
            whitening=np.eye(2, dtype=np.float32),
            prototypes=np.array([[3, 0], [0, 3], [0, 0]], np.float32),
            residual_scale=10.0,
            unit=3.0,
        ),
        "photos": 100,
    }
    return Calibration(**(values | changes))


def tiny_contents(
    *,
    labels: Sequence[Label] = LABELS,
    calibration: Calibration | None = None,
    preprocessing: Preprocessing | None = None,
    min_sharpness: float = 0.0,
    **changes: Any,
) -> BundleContents:
    """Everything that goes into a tiny bundle; ``changes`` replace fields of ``BundleContents``."""
    weights, fitted = tiny_weights(), calibration or tiny_calibration()
    cells = SIDE // PATCH
    values: dict[str, Any] = {
        "name": "tiny",
        "labels": labels,
        "preprocessing": (preprocessing or Preprocessing(side_px=SIDE)).to_dict(),
        "network": tiny_onnx(weights),
        "network_spec": NetworkSpec.standard(
            side_px=SIDE, n_classes=len(labels), width=WIDTH, map_hw=(cells, cells)
        ),
        "calibration": {**fitted.to_dict(), "min_sharpness": min_sharpness},
        "calibration_arrays": fitted.to_parts(),
        "cam_weight": weights["dense_w"],
        "cam_bias": weights["dense_b"],
        "metrics": {"accuracy": 1.0},
        "provenance": {"seed": 0},
        "recipe": 'title = "tiny"\n',
        "card": "# tiny\n\nFor tests only.\n",
    }
    return BundleContents(**(values | changes))


def write_tiny_bundle(path: Path, **changes: Any) -> Path:
    """A tiny bundle at ``path``; see ``tiny_contents``."""
    write_bundle(path, tiny_contents(**changes))
    return path


def coloured(colour: Sequence[int], side: int = 64, seed: int = 0) -> np.ndarray:
    """A picture uint8 [side, side, 3] of one colour with noise, so that it is sharp."""
    noise = np.random.default_rng(seed).integers(-20, 21, (side, side, 1))
    return np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)


RED, GREEN, BLUE, GREY = (200, 50, 50), (50, 200, 50), (50, 50, 200), (100, 100, 100)
