"""Morphology inside a network survives the export: the same pixels, the same answers, in fp32 and INT8."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from tests.export.conftest import SIDE_PX, drawn, trained
from torch import Tensor, nn

from leafsight.export import ExportOptions, export_graph, export_network, spec_of
from leafsight.images import ELEMENT_SHAPES, MORPHOLOGY_OPERATIONS, Preprocessing, apply_morphology
from leafsight.inference import OnnxNetwork
from leafsight.models import ModelOptions, MorphologyOptions, Network


class Through(nn.Module):
    """Features that are the pixels themselves."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 1.0


@pytest.mark.parametrize("side_px", [16, 31])
@pytest.mark.parametrize("shape", ELEMENT_SHAPES)
@pytest.mark.parametrize("operation", MORPHOLOGY_OPERATIONS)
def test_the_graph_gives_the_very_pixels_of_images(operation: str, shape: str, side_px: int) -> None:
    pictures = np.random.default_rng(side_px).integers(0, 256, (3, side_px, side_px, 3), dtype=np.uint8)
    for size_px in (3, 7, 31):
        options = ModelOptions(
            morphology=MorphologyOptions(operation=operation, size_px=size_px, shape=shape)
        )
        head = nn.Sequential(nn.Dropout(0), nn.Linear(3, 2))
        network = Network(options, Through(), head, mean=(0, 0, 0), std=(1, 1, 1))
        spec = spec_of(network, side_px)
        found = OnnxNetwork(export_graph(network, spec), spec).run(pictures, with_feature_map=True)
        assert found.feature_map is not None
        for picture, channels in zip(pictures, found.feature_map, strict=True):
            wanted = apply_morphology(picture, operation, size_px=size_px, shape=shape)
            assert (channels.transpose(1, 2, 0) == wanted).all()


@pytest.fixture(scope="module")
def opened_network(squares: np.ndarray, labels: np.ndarray) -> Network:
    table = MorphologyOptions(operation="opening", size_px=5, shape="disc")
    return trained(ModelOptions(name="simple_cnn", width=0.5, dropout=0, morphology=table), squares, labels)


@pytest.mark.parametrize("mirrored", [False, True])
def test_parity_is_proved_and_int8_goes_through_its_gate(
    opened_network: Network, squares: np.ndarray, labels: np.ndarray, mirrored: bool
) -> None:
    judged = drawn(30, seed=2)
    exported = export_network(
        opened_network,
        Preprocessing(side_px=SIDE_PX),
        training_images=squares,
        judged_images=judged,
        judged_labels=labels[:30],
        options=ExportOptions(
            proof_photos=16, calibration_photos=16, timed_rounds=3, max_accuracy_loss=0.2, min_speedup=0.01,
            mirrored=mirrored,
        ),
    )  # fmt: skip
    assert exported.proof.passed
    assert exported.proof.photos == 16
    assert exported.decision.precision == "int8"
    (candidate, *_) = exported.decision.candidates
    assert candidate.accuracy_fp32 > 0.6
    assert candidate.top1_agreement > 0.8


def test_int8_leaves_the_pixels_in_fp32(opened_network: Network, squares: np.ndarray) -> None:
    from leafsight.export.quantising import Scheme, quantise

    spec = spec_of(opened_network, SIDE_PX)
    graph = export_graph(opened_network, spec)
    int8 = onnx.load_from_string(
        quantise(graph, squares[:8], input_name=spec.input.name, scheme=Scheme(plain_convolutions=1))
    ).graph
    made_by = {output: node for node in int8.node for output in node.output}
    first = next(node for node in int8.node if node.op_type == "Conv")
    waiting, before = [first.input[0]], Counter[str]()
    while waiting:
        node = made_by.get(waiting.pop())
        if node is not None:
            before[node.op_type] += 1
            waiting += list(node.input)
    assert before["MaxPool"] > 0
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(before)


def test_the_graph_of_a_network_without_it_is_plain(sturdy: Network) -> None:
    model = onnx.load_from_string(export_graph(sturdy, spec_of(sturdy, SIDE_PX)))
    assert [node.op_type for node in model.graph.node][:5] == ["Transpose", "Cast", "Sub", "Div", "Conv"]


def test_training_and_graph_see_the_same(opened_network: Network, squares: np.ndarray) -> None:
    """Two ways to take a maximum: shifts in torch, one node in the graph."""
    spec = spec_of(opened_network, SIDE_PX)
    found = OnnxNetwork(export_graph(opened_network, spec), spec).run(squares[:6]).logits
    with torch.inference_mode():
        wanted = opened_network(torch.from_numpy(squares[:6]).permute(0, 3, 1, 2).float()).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max(), rtol=0)
