"""An ONNX graph of ours -> a TensorFlow module that gives the same answers.

Enters: a graph as ``export_graph`` and ``dequantised`` give it. Leaves: a ``tf.Module`` whose ``answer``
takes the same squares and gives the same outputs under the same names. It does not know torch, nor what
becomes of the module. It knows the operators that our networks have and refuses others by name.

A value is a NumPy array where it is known beforehand (weights, shapes), in ONNX's layout. Otherwise it is a
tensor, and one of rank 4 is held as [n, height, width, channels], because TensorFlow and TFLite convolve in
no other layout on a processor. What an operator does is defined in https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from leafsight.errors import ExportError, require
from leafsight.export.tensorflow_operators import OPERATORS, Attributes, Value, plain, weights_of

WITH_WEIGHTS = ("Conv", "Gemm")


def tensorflow_module(graph: bytes) -> Any:
    """Build the module; nothing is run.

    Args:
        graph: one input uint8 [n, side, side, 3], any named outputs.

    Returns:
        A ``tf.Module``. ``answer`` is a ``tf.function`` from the input to a dict of the outputs, in the
        layouts of the graph. Weights are variables: training can go on from them.

    Raises:
        ExportError: an operator, or a use of one, that is not translated.
        MissingExtraError: no TensorFlow or no onnx.
    """
    tf, onnx = require("tensorflow", "formats"), require("onnx", "formats")
    model = onnx.load_from_string(graph)
    unknown = sorted({node.op_type for node in model.graph.node} - set(OPERATORS))
    if unknown:
        raise ExportError(
            f"TensorFlow: {', '.join(unknown)} cannot be translated",
            hint="choose another format, such as openvino",
        )
    (door,) = model.graph.input
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    attributes = {
        node.output[0]: {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        for node in model.graph.node
    }
    module = tf.Module(name="leafsight")
    weights: dict[str, list[Any]] = {}
    for node in model.graph.node:
        if node.op_type in WITH_WEIGHTS:
            with _refusals(node):
                arranged = weights_of(node, attributes[node.output[0]], constants)
            weights[node.output[0]] = [tf.Variable(weight) for weight in arranged]
    module.weights = list(weights.values())

    def answer(image: Any) -> dict[str, Any]:
        held: dict[str, Value] = {**constants, door.name: image}
        for node in model.graph.node:
            name = node.output[0]
            held[name] = _value(tf, node, {**attributes[name], "weights": weights.get(name)}, held, door.name)
        return {one.name: tf.identity(plain(tf, held[one.name])) for one in model.graph.output}

    side_px = door.type.tensor_type.shape.dim[1].dim_value
    signature = tf.TensorSpec([None, side_px, side_px, 3], tf.uint8, name=door.name)
    # AutoGraph would rewrite our Python, which has no branches on tensors, and change our errors.
    module.answer = tf.function(answer, input_signature=[signature], autograph=False)
    return module


def _value(tf: Any, node: Any, attributes: Attributes, held: Mapping[str, Value], door: str) -> Value:
    """What a node gives; ``held`` maps names of the graph to the values so far."""
    with _refusals(node):
        if list(node.input) != [door]:
            inputs = [held[name] if name else None for name in node.input]
            return OPERATORS[node.op_type](tf, inputs, attributes)
        # The graph begins with the transposition that our layout takes back.
        if node.op_type != "Transpose" or list(attributes["perm"]) != [0, 3, 1, 2]:
            raise NotImplementedError("as the first operator")
        return held[door]


@contextmanager
def _refusals(node: Any) -> Iterator[None]:
    """Name the node that is not translated."""
    try:
        yield
    except NotImplementedError as error:
        raise ExportError(
            f"TensorFlow: {node.op_type} {error} cannot be translated ({node.name})",
            hint="choose another format, such as openvino",
        ) from error
