from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.export.conftest import SIDE_PX

from leafsight.errors import ExportError
from leafsight.export import ParityProof, export_graph, prove_parity, spec_of
from leafsight.inference import OnnxNetwork
from leafsight.models import Network


def test_true_export_passes_and_keeps_the_mode(network: Network, squares: np.ndarray) -> None:
    spec = spec_of(network, SIDE_PX)
    graph = OnnxNetwork(export_graph(network, spec), spec)
    network.train()
    proof = prove_parity(network, graph, squares[:20], tolerance=1e-3)
    assert network.training
    network.eval()
    assert proof.passed
    assert (proof.photos, proof.top1_agreement, proof.tolerance) == (20, 1.0, 1e-3)
    assert 0 < proof.mean_abs_diff <= proof.max_abs_diff < 1e-3
    assert proof.to_dict()["passed"] is True


def test_mirrored_graph_passes_only_as_such(network: Network, squares: np.ndarray) -> None:
    spec = spec_of(network, SIDE_PX)
    graph = OnnxNetwork(export_graph(network, spec, mirrored=True), spec)
    assert prove_parity(network, graph, squares[:9], tolerance=1e-3, mirrored=True).passed
    assert not prove_parity(network, graph, squares[:9], tolerance=1e-3).passed


def test_another_network_fails(network: Network, squares: np.ndarray) -> None:
    spec = spec_of(network, SIDE_PX)
    graph = OnnxNetwork(export_graph(network, spec), spec)
    before = network.classifier.bias.detach().clone()
    try:
        with torch.no_grad():
            network.classifier.bias[1] += 0.25
        proof = prove_parity(network, graph, squares[:6], tolerance=1e-3)
    finally:
        with torch.no_grad():
            network.classifier.bias.copy_(before)
    assert not proof.passed
    assert proof.max_abs_diff == pytest.approx(0.25, abs=1e-3)
    assert proof.mean_abs_diff == pytest.approx(0.25 / 3, abs=1e-3)


def test_nan_never_passes() -> None:
    assert not ParityProof(1, float("nan"), 0.0, 0.0, 1.0, 1e-3).passed


def test_no_photographs_prove_nothing(network: Network, squares: np.ndarray) -> None:
    spec = spec_of(network, SIDE_PX)
    with pytest.raises(ExportError, match="without photographs"):
        prove_parity(network, OnnxNetwork(export_graph(network, spec), spec), squares[:0], tolerance=1e-3)
