from __future__ import annotations

import logging

import numpy as np
import onnx
import pytest
from tests.export.conftest import SIDE_PX

from leafsight.bundle import NetworkSpec
from leafsight.errors import ExportError
from leafsight.export import Scheme, export_graph, quantise, spec_of
from leafsight.inference import OnnxNetwork
from leafsight.models import Network


@pytest.fixture(scope="module")
def spec(sturdy: Network) -> NetworkSpec:
    return spec_of(sturdy, SIDE_PX)


@pytest.fixture(scope="module")
def graph(sturdy: Network, spec: NetworkSpec) -> bytes:
    return export_graph(sturdy, spec)


@pytest.fixture(scope="module")
def int8(graph: bytes, spec: NetworkSpec, squares: np.ndarray) -> bytes:
    whole = Scheme(plain_convolutions=0)
    return quantise(graph, squares[:24], input_name=spec.input.name, scheme=whole)


def test_same_doors_smaller_and_close(
    graph: bytes, int8: bytes, spec: NetworkSpec, squares: np.ndarray, labels: np.ndarray
) -> None:
    plain, small = OnnxNetwork(graph, spec)(squares), OnnxNetwork(int8, spec)(squares)
    assert len(int8) < 0.6 * len(graph)
    assert np.corrcoef(plain.logits.ravel(), small.logits.ravel())[0, 1] > 0.95
    assert (plain.logits.argmax(1) == labels).mean() == 1.0
    assert (small.logits.argmax(1) == labels).mean() > 0.9


def types_of_weights(graph: bytes) -> list[int]:
    """Type of the weights of each convolution, in order."""
    model = onnx.load_from_string(graph)
    constants = {constant.name: constant.data_type for constant in model.graph.initializer}
    sources = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"
    }
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return [constants[sources.get(node.input[1], node.input[1])] for node in convolutions]


def test_all_convolutions_are_int8_and_the_head_is_not(int8: bytes) -> None:
    assert set(types_of_weights(int8)) == {onnx.TensorProto.INT8}
    model = onnx.load_from_string(int8)
    gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
    weight = next(constant for constant in model.graph.initializer if constant.name == gemm.input[1])
    assert weight.data_type == onnx.TensorProto.FLOAT


def test_first_convolutions_can_stay(graph: bytes, spec: NetworkSpec, squares: np.ndarray) -> None:
    found = quantise(graph, squares[:8], input_name=spec.input.name, scheme=Scheme(plain_convolutions=3))
    kinds = types_of_weights(found)
    assert kinds[:3] == [onnx.TensorProto.FLOAT] * 3
    assert set(kinds[3:]) == {onnx.TensorProto.INT8}


def largest_weight(graph: bytes) -> int:
    constants = onnx.load_from_string(graph).graph.initializer
    arrays = [onnx.numpy_helper.to_array(c) for c in constants if c.data_type == onnx.TensorProto.INT8]
    return max(int(np.abs(array.astype(int)).max()) for array in arrays if array.ndim == 4)


def test_reduced_range_is_seven_bits(
    graph: bytes, int8: bytes, spec: NetworkSpec, squares: np.ndarray
) -> None:
    seven = quantise(graph, squares[:8], input_name=spec.input.name, scheme=Scheme(reduce_range=True))
    assert (largest_weight(int8), largest_weight(seven)) == (127, 64)


def test_quiet_and_logging_is_put_back(
    graph: bytes, spec: NetworkSpec, squares: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers, level = list(logging.root.handlers), logging.root.manager.disable
    quantise(graph, squares[:2], input_name=spec.input.name, scheme=Scheme())
    assert capfd.readouterr() == ("", "")
    assert (logging.root.handlers, logging.root.manager.disable) == (handlers, level)


def test_faults_are_ours(graph: bytes, squares: np.ndarray) -> None:
    with pytest.raises(ExportError, match="needs photographs"):
        quantise(graph, squares[:0], input_name="image", scheme=Scheme())
    with pytest.raises(ExportError, match="quantiser failed"):
        quantise(graph, squares[:1], input_name="nothing", scheme=Scheme())


def test_schemes_speak() -> None:
    assert str(Scheme()) == "8-bit weights, convolutions in fp32: 1"
    assert str(Scheme(reduce_range=True)) == "7-bit weights, convolutions in fp32: 1"
    assert str(Scheme(plain_convolutions=3)) == "8-bit weights, convolutions in fp32: 3"
