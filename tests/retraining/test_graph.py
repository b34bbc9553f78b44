"""The graph with another head: proved with ONNX Runtime, and refused where there is no such head."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.fakes.tiny_bundle import SIDE, WIDTH, tiny_numpy, tiny_onnx, tiny_weights

from leafsight.bundle import NetworkSpec
from leafsight.errors import TrainingError
from leafsight.inference import OnnxNetwork
from leafsight.retraining.graph import drawn_squares, prove_head, with_head
from leafsight.retraining.head import Head

SPEC = NetworkSpec.standard(side_px=SIDE, n_classes=4, width=WIDTH, map_hw=(4, 4))


def other_head(classes: int = 6) -> Head:
    rng = np.random.default_rng(5)
    return Head(
        rng.normal(size=(classes, WIDTH)).astype(np.float32), rng.normal(size=classes).astype(np.float32)
    )


def test_the_graph_says_what_the_head_says() -> None:
    head = other_head()
    changed, spec = with_head(tiny_onnx(), SPEC, head)
    assert spec.logits.shape == (None, 6)
    network = OnnxNetwork(changed, spec)
    squares = drawn_squares(spec, 3)
    _, embedding, _ = tiny_numpy(squares)
    np.testing.assert_allclose(
        network.run(squares).logits, embedding @ head.weight.T + head.bias, rtol=1e-4, atol=1e-4
    )
    proof = prove_head(OnnxNetwork(tiny_onnx(), SPEC), network, head)
    assert proof.passed
    assert proof.max_abs_diff_embedding == 0.0


def test_only_the_head_differs() -> None:
    before, after = (
        onnx.load_from_string(one) for one in (tiny_onnx(), with_head(tiny_onnx(), SPEC, other_head())[0])
    )
    assert before.graph.node == after.graph.node
    changed = [
        old.name
        for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True)
        if old.SerializeToString() != new.SerializeToString()
    ]
    assert changed == ["dense_w", "dense_b"]
    assert with_head(tiny_onnx(), SPEC, other_head())[0] == after.SerializeToString(deterministic=True)


def test_a_wrong_head_does_not_pass_the_proof() -> None:
    head = other_head()
    changed, spec = with_head(tiny_onnx(), SPEC, head)
    lying = Head(head.weight + np.float32(0.5), head.bias)
    assert not prove_head(OnnxNetwork(tiny_onnx(), SPEC), OnnxNetwork(changed, spec), lying).passed
    weights = tiny_weights()
    weights["conv_b"] = weights["conv_b"] + np.float32(1)
    other = OnnxNetwork(tiny_onnx(weights), SPEC)
    assert not prove_head(other, OnnxNetwork(changed, spec), head).passed


@pytest.mark.parametrize("change", ["relu", "transposed", "shared", "not onnx", "width"])
def test_another_end_is_refused(change: str) -> None:
    model = onnx.load_from_string(tiny_onnx())
    head = other_head()
    if change == "relu":
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(onnx.helper.make_node("Relu", ["before"], ["logits"]))
    elif change == "transposed":
        del model.graph.node[-1].attribute[:]
    elif change == "shared":
        model.graph.node.append(onnx.helper.make_node("Relu", ["dense_w"], ["elsewhere"]))
    elif change == "width":
        head = Head(np.zeros((6, WIDTH + 1), np.float32), np.zeros(6, np.float32))
    graph = b"no graph at all" if change == "not onnx" else model.SerializeToString()
    with pytest.raises(TrainingError):
        with_head(graph, SPEC, head)
