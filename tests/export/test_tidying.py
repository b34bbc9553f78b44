from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from leafsight.export.tidying import tidy


def graph_with_pad(
    pads: list[int], value: float = 0.0, mode: str = "constant", *, pad_is_read_twice: bool = False
) -> bytes:
    nodes = [
        helper.make_node("Pad", ["x", "pads", "value"], ["padded"], mode=mode),
        helper.make_node(
            "Conv", ["padded", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 0, 0, 0], strides=[2, 2]
        ),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2, "h", "w"])]
    if pad_is_read_twice:
        outputs.append(helper.make_tensor_value_info("padded", TensorProto.FLOAT, ["n", 1, "h1", "w1"]))
    constants = [
        numpy_helper.from_array(np.array(pads, dtype=np.int64), "pads"),
        numpy_helper.from_array(np.array(value, dtype=np.float32), "value"),
        numpy_helper.from_array(np.random.default_rng(0).normal(size=(2, 1, 3, 3)).astype(np.float32), "w"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 6, 6])]
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    data: bytes = model.SerializeToString()
    return data


def outcome(graph: bytes) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(2, 1, 6, 6)).astype(np.float32)
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(["y"], {"x": x})[0]
    return found


def operators(graph: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(graph).graph.node]


@pytest.mark.parametrize("pads", [[0, 0, 0, 0, 0, 0, 1, 1], [0, 0, 2, 1, 0, 0, 0, 3]])
def test_padding_moves_into_the_convolution(pads: list[int]) -> None:
    before = graph_with_pad(pads)
    after = tidy(before)
    assert operators(after) == ["Conv"]
    np.testing.assert_allclose(outcome(after), outcome(before), atol=1e-6)
    assert {c.name for c in onnx.load_from_string(after).graph.initializer} == {"w"}


@pytest.mark.parametrize(
    "graph",
    [
        graph_with_pad([0, 0, 0, 0, 0, 0, 1, 1], value=2.0),
        graph_with_pad([0, 0, 1, 1, 0, 0, 1, 1], mode="reflect"),
        graph_with_pad([1, 0, 0, 0, 0, 0, 0, 0]),
        graph_with_pad([0, 0, 0, 0, 0, 0, 1, 1], pad_is_read_twice=True),
    ],
    ids=["not zero", "reflect", "over photographs", "read twice"],
)
def test_other_paddings_stay(graph: bytes) -> None:
    after = tidy(graph)
    assert operators(after) == ["Pad", "Conv"]
    np.testing.assert_allclose(outcome(after), outcome(graph), atol=1e-6)
