"""What can be tested of the translation without TensorFlow; see ``test_formats_program`` for the rest."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from leafsight.export.tensorflow_operators import OPERATORS, weights_of

NO_TENSORFLOW = None


def conv(*inputs: str) -> onnx.NodeProto:
    return onnx.helper.make_node("Conv", list(inputs), ["y"])


def test_kernels_are_turned_to_height_width_in_out() -> None:
    kernel = np.arange(2 * 3 * 5 * 7, dtype=np.float32).reshape(2, 3, 5, 7)
    bias = np.ones(2, np.float32)
    whole, same_bias = weights_of(conv("x", "k", "b"), {}, {"k": kernel, "b": bias})
    assert whole.shape == (5, 7, 3, 2)
    assert whole[4, 6, 2, 1] == kernel[1, 2, 4, 6]
    assert same_bias is bias
    # By channel: 3 channels, 2 outputs of each; output 2 * c + m of ONNX is output m of channel c.
    kernel = np.arange(6 * 1 * 5 * 7, dtype=np.float32).reshape(6, 1, 5, 7)
    (by_channel,) = weights_of(conv("x", "k"), {"group": 3}, {"k": kernel})
    assert by_channel.shape == (5, 7, 3, 2)
    assert by_channel[4, 6, 1, 0] == kernel[2, 0, 4, 6]


def test_weights_that_are_not_translated() -> None:
    with pytest.raises(NotImplementedError, match="computed"):
        weights_of(conv("x", "k"), {}, {})
    with pytest.raises(NotImplementedError, match="groups of several channels"):
        weights_of(conv("x", "k"), {"group": 2}, {"k": np.zeros((4, 2, 3, 3), np.float32)})


def test_shapes_are_calculated_beforehand() -> None:
    """A tensor [n, 8, 9, channels] as it is held has ONNX's shape [n, channels, 8, 9]."""

    class Held:
        shape = (None, 8, 9, 5)

    shape = OPERATORS["Shape"](NO_TENSORFLOW, [Held()], {})
    assert shape.tolist() == [-1, 5, 8, 9]
    second = OPERATORS["Gather"](NO_TENSORFLOW, [shape, np.int64(1)], {"axis": 0})
    listed = OPERATORS["Unsqueeze"](NO_TENSORFLOW, [second, np.array([0])], {})
    joined = OPERATORS["Concat"](NO_TENSORFLOW, [np.array([2]), listed], {"axis": 0})
    assert joined.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "why"),
    [
        ("Gemm", [], {"transA": 1}, "transA"),
        ("MaxPool", [], {"ceil_mode": 1, "kernel_shape": [2, 2]}, "ceil_mode"),
        ("ReduceMean", [np.zeros(1)], {}, "without axes"),
        ("Cast", [object()], {"to": 7}, "float32"),
        ("Clip", [object(), object()], {}, "bounds"),
        ("Shape", [object()], {"start": 1}, "some axes"),
        ("Slice", [object(), *(np.array([one]) for one in (0, 2, 1, 1))], {}, "turn an axis round"),
        ("Reshape", [object(), np.array([0, -1])], {}, "computed shape"),
    ],
)
def test_other_uses_are_refused(
    name: str, inputs: list[object], attributes: dict[str, object], why: str
) -> None:
    with pytest.raises(NotImplementedError, match=why):
        OPERATORS[name](NO_TENSORFLOW, inputs, attributes)
