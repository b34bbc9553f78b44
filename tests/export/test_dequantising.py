from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.export.conftest import SIDE_PX

from leafsight.bundle import NetworkSpec
from leafsight.errors import ExportError
from leafsight.export import Scheme, export_graph, quantise, spec_of
from leafsight.export.dequantising import dequantised
from leafsight.inference import OnnxNetwork
from leafsight.models import Network


@pytest.fixture(scope="module")
def spec(sturdy: Network) -> NetworkSpec:
    return spec_of(sturdy, SIDE_PX)


@pytest.fixture(scope="module")
def graph(sturdy: Network, spec: NetworkSpec) -> bytes:
    return export_graph(sturdy, spec)


@pytest.fixture(scope="module")
def int8(graph: bytes, squares: np.ndarray) -> bytes:
    return quantise(graph, squares[:24], input_name="image", scheme=Scheme(plain_convolutions=0))


def operators(graph: bytes) -> set[str]:
    return {node.op_type for node in onnx.load_from_string(graph).graph.node}


def test_a_graph_without_quantisation_is_left_alone(graph: bytes) -> None:
    assert dequantised(graph) is graph


def test_what_comes_back_is_fp32_and_says_what_the_int8_graph_says(
    graph: bytes, int8: bytes, spec: NetworkSpec, squares: np.ndarray
) -> None:
    plain = dequantised(int8)
    assert not {"QuantizeLinear", "DequantizeLinear"} & operators(plain)
    assert {one.data_type for one in onnx.load_from_string(plain).graph.initializer} <= {1, 7}
    fp32, small, again = (OnnxNetwork(one, spec)(squares).logits for one in (graph, int8, plain))
    # Weights keep their 8 bits, so it is the INT8 graph that it is near to, not the first one.
    assert 0 < np.abs(again - small).mean() < 0.5 * np.abs(fp32 - small).mean()
    assert (again.argmax(1) == small.argmax(1)).all()


def small_graph(*nodes: onnx.NodeProto, **constants: np.ndarray) -> bytes:
    doors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in ("image", "logits")
    ]
    made = helper.make_graph(
        list(nodes), "g", doors[:1], doors[1:], [numpy_helper.from_array(v, k) for k, v in constants.items()]
    )
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()


def test_the_range_of_the_8_bits_stays_as_a_limit() -> None:
    """The quantiser drops a ReLU6 whose range the 8 bits have; without limits it would be lost."""
    quantised = small_graph(
        helper.make_node("QuantizeLinear", ["image", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["logits"]),
        scale=np.float32(6 / 255),
        zero=np.array(-128, np.int8),
    )
    model = onnx.load_from_string(dequantised(quantised))
    assert [node.op_type for node in model.graph.node] == ["Clip"]
    low, high = (numpy_helper.to_array(one) for one in model.graph.initializer)
    assert (float(low), float(high)) == (0.0, pytest.approx(6.0))


def test_weights_by_channel_get_the_scale_of_their_channel() -> None:
    quantised = small_graph(
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["w"], axis=0),
        helper.make_node("MatMul", ["image", "w"], ["logits"]),
        q=np.array([[1, 2], [3, 4]], np.int8),
        scale=np.array([0.5, 2], np.float32),
        zero=np.array([0, 1], np.int8),
    )
    model = onnx.load_from_string(dequantised(quantised))
    weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}["w"]
    assert weights.tolist() == [[0.5, 1.0], [4.0, 6.0]]


def test_what_our_quantiser_does_not_make_is_refused() -> None:
    quantised = small_graph(
        helper.make_node("Cast", ["image"], ["q"], to=TensorProto.INT8),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["logits"]),
        scale=np.float32(1),
        zero=np.array(0, np.int8),
    )
    with pytest.raises(ExportError, match="8-bit values that the graph itself computes"):
        dequantised(quantised)
