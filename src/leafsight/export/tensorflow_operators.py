"""The operators of our ONNX graphs in TensorFlow's words, one function each.

Enters: TensorFlow itself, the inputs and attributes of a node. Leaves: its output. ``NotImplementedError``
says which use of an operator is not translated. It does not know graphs. Layouts: see ``tensorflow_graph``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Value = Any
"""A NumPy array, or a tensor of TensorFlow."""
Attributes = Mapping[str, Any]
Operator = Callable[[Any, Sequence[Value], Attributes], Value]

HELD_AXIS = (0, 3, 1, 2)
"""Where ONNX's axes n, channels, height, width lie in a tensor of rank 4; also the transposition back."""
TO_HELD = (0, 2, 3, 1)
FREE = -1
"""The number of photographs, in a shape."""


def plain(tf: Any, value: Value) -> Value:
    """A value in ONNX's layout."""
    return value if _is_known(value) or len(value.shape) != 4 else tf.transpose(value, HELD_AXIS)


def _held(tf: Any, value: Value) -> Value:
    """A tensor of ONNX's layout as it is held."""
    return value if len(value.shape) != 4 else tf.transpose(value, TO_HELD)


def _is_known(value: Value) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def weights_of(node: Any, attributes: Attributes, constants: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Kernel and bias of a ``Conv`` or ``Gemm`` as TensorFlow wants them.

    Returns:
        float32 [height, width, in, out] of a convolution, [height, width, channels, outputs of each] of one
        by channel, [in, out] of a dense layer; and the bias where there is one.

    Raises:
        NotImplementedError: weights that are no constants, or groups of several channels.
    """
    if any(name not in constants for name in node.input[1:]):
        raise NotImplementedError("with weights that are computed")
    kernel, *bias = (constants[name] for name in node.input[1:])
    if node.op_type == "Gemm":
        return [kernel.T if attributes.get("transB", 0) else kernel, *bias]
    outputs, inputs, height, width = kernel.shape
    groups = attributes.get("group", 1)
    if groups == 1:
        return [kernel.transpose(2, 3, 1, 0), *bias]
    if inputs != 1:
        raise NotImplementedError("of groups of several channels")
    return [kernel.reshape(groups, outputs // groups, height, width).transpose(2, 3, 0, 1), *bias]


def _conv(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    kernel, *bias = attributes["weights"]
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    by_channel = attributes.get("group", 1) != 1
    if by_channel and len(set(strides)) != 1:
        raise NotImplementedError("by channel with two strides")
    x, padding = _padded(tf, inputs[0], attributes, kernel.shape[:2], 0.0)
    if by_channel:
        x = tf.nn.depthwise_conv2d(x, kernel, [1, *strides, 1], padding, dilations=dilations)
    else:
        x = tf.nn.conv2d(x, kernel, strides, padding, dilations=dilations)
    return tf.nn.bias_add(x, bias[0]) if bias else x


def _max_pool(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    if attributes.get("ceil_mode", 0) or set(attributes.get("dilations", [1])) != {1}:
        raise NotImplementedError("with ceil_mode or dilations")
    kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    x, padding = _padded(tf, inputs[0], attributes, kernel, float(np.finfo(np.float32).min))
    return tf.nn.max_pool2d(x, kernel, strides, padding)


def _padded(
    tf: Any, x: Value, attributes: Attributes, kernel: Sequence[int], value: float
) -> tuple[Value, str]:
    """The input and the kind of padding with which TensorFlow gives what ONNX's ``pads`` give."""
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise NotImplementedError("with auto_pad")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if not any((top, left, bottom, right)):
        return x, "VALID"
    steps = zip(
        x.shape[1:3],
        kernel,
        attributes.get("strides", [1, 1]),
        attributes.get("dilations", [1, 1]),
        strict=True,
    )
    if [(top, bottom), (left, right)] == [_same(*step) for step in steps]:
        return x, "SAME"
    return tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]], constant_values=value), "VALID"


def _same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """What TensorFlow's "SAME" adds before and after an axis (https://www.tensorflow.org/api_docs/python/tf/nn)."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def _gemm(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    if attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
        raise NotImplementedError("with transA, alpha or beta")
    kernel, *bias = attributes["weights"]
    x = tf.linalg.matmul(inputs[0], kernel)
    return tf.nn.bias_add(x, bias[0]) if bias else x


def _clip(tf: Any, inputs: Sequence[Value], _: Attributes) -> Value:
    x, low, high = (*inputs, None, None)[:3]
    if not all(bound is None or _is_known(bound) for bound in (low, high)):
        raise NotImplementedError("with bounds that are computed")
    # TFLite fuses these two into the convolution before.
    if low is not None and high is not None and (float(low), float(high)) == (0.0, 6.0):
        return tf.nn.relu6(x)
    if low is not None:
        x = tf.nn.relu(x) if float(low) == 0 else tf.maximum(x, low)
    return x if high is None else tf.minimum(x, high)


def _elementwise(name: str) -> Operator:
    def apply(tf: Any, inputs: Sequence[Value], _: Attributes) -> Value:
        if len(inputs) != 2:
            raise NotImplementedError("of any number but two")
        rank = max(len(value.shape) for value in inputs)
        left, right = (_spread(value, rank) for value in inputs)
        return getattr(tf.math, name)(left, right)

    return apply


def _spread(value: Value, rank: int) -> Value:
    """A value that may meet one of the given rank: ONNX counts axes from the last, in its own layout."""
    if _is_known(value):
        if value.ndim and rank == 4:
            value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(TO_HELD)
        return value
    if len(value.shape) not in (0, rank):
        raise NotImplementedError("of tensors of several ranks")
    return value


def _reduce_mean(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    x, keeps = inputs[0], bool(attributes.get("keepdims", 1))
    axes = attributes.get("axes") or (inputs[1].tolist() if len(inputs) > 1 else None)
    if not axes:
        raise NotImplementedError("without axes")
    rank = len(x.shape)
    axes = sorted(axis % rank for axis in axes)
    if rank == 4 and (axes == [2, 3] or keeps):
        return tf.reduce_mean(x, [HELD_AXIS[axis] for axis in axes], keepdims=keeps)
    return _held(tf, tf.reduce_mean(plain(tf, x), axes, keepdims=keeps))


def _concat(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    axis = attributes["axis"]
    if all(_is_known(value) for value in inputs):
        return np.concatenate(inputs, axis)
    rank = len(inputs[0].shape)
    return tf.concat(inputs, HELD_AXIS[axis] if rank == 4 else axis)


def _slice(tf: Any, inputs: Sequence[Value], _: Attributes) -> Value:
    """Only whole axes turned round, which is how torch writes a mirror image."""
    x, starts, ends, axes, steps = (*inputs, None)[:5]
    turned = _is_known(steps) and (steps == -1).all() and (starts == -1).all() and (ends < -(2**31)).all()
    if not turned or _is_known(x):
        raise NotImplementedError("that does more than turn an axis round")
    rank = len(x.shape)
    return tf.reverse(x, [HELD_AXIS[axis] if rank == 4 else axis for axis in axes.tolist()])


def _shape(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    if attributes.get("start", 0) or "end" in attributes:
        raise NotImplementedError("of some axes")
    sizes = list(inputs[0].shape)
    sizes = [sizes[axis] for axis in HELD_AXIS] if len(sizes) == 4 else sizes
    return np.array([FREE if size is None else size for size in sizes], np.int64)


def _gather(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    x, at = inputs
    if not _is_known(at):
        raise NotImplementedError("at computed positions")
    if _is_known(x):
        return np.take(x, at, attributes.get("axis", 0))
    return _held(tf, tf.gather(plain(tf, x), at, axis=attributes.get("axis", 0)))


def _unsqueeze(tf: Any, inputs: Sequence[Value], _: Attributes) -> Value:
    x, axes = inputs
    if _is_known(x):
        return np.expand_dims(x, tuple(axes.tolist()))
    (axis,) = axes.tolist()
    return _held(tf, tf.expand_dims(plain(tf, x), axis))


def _reshape(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    x, shape = inputs
    if not _is_known(shape) or (shape == 0).any() or (shape == FREE).sum() > 1:
        raise NotImplementedError("to a computed shape")
    return _held(tf, tf.reshape(plain(tf, x), shape))


def _cast(tf: Any, inputs: Sequence[Value], attributes: Attributes) -> Value:
    if attributes["to"] != 1 or _is_known(inputs[0]):  # TensorProto.FLOAT
        raise NotImplementedError("to anything but float32")
    return tf.cast(inputs[0], tf.float32)


OPERATORS: Mapping[str, Operator] = {
    "Add": _elementwise("add"),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _elementwise("divide"),
    "Gather": _gather,
    "Gemm": _gemm,
    "Max": _elementwise("maximum"),
    "MaxPool": _max_pool,
    "Min": _elementwise("minimum"),
    "Neg": lambda tf, inputs, _: tf.math.negative(inputs[0]),
    "ReduceMean": _reduce_mean,
    "Relu": lambda tf, inputs, _: tf.nn.relu(inputs[0]),
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Sub": _elementwise("subtract"),
    "Transpose": lambda tf, inputs, attributes: _held(
        tf, tf.transpose(plain(tf, inputs[0]), attributes["perm"])
    ),
    "Unsqueeze": _unsqueeze,
}
