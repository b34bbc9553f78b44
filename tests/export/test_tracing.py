from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from tests.export.conftest import SIDE_PX, trained
from torch import nn

from leafsight.errors import ExportError
from leafsight.export import export_graph, spec_of
from leafsight.inference import OnnxNetwork
from leafsight.models import ModelOptions, Network, build_network


def torch_outputs(network: Network, squares: np.ndarray) -> tuple[np.ndarray, ...]:
    with torch.no_grad():
        outputs = network.eval().outputs(torch.from_numpy(squares).permute(0, 3, 1, 2).float())
    return outputs.logits.numpy(), outputs.embedding.numpy(), outputs.feature_map.numpy()


@pytest.mark.parametrize(
    "options",
    [
        ModelOptions(width=0.35),
        ModelOptions(width=0.35, padding="symmetric"),
        ModelOptions(name="simple_cnn", width=0.25, head=(16,)),
        ModelOptions(name="resnet18"),
    ],
    ids=["same", "symmetric", "simple", "resnet"],
)
def test_graph_gives_what_torch_gives(options: ModelOptions, squares: np.ndarray, labels: np.ndarray) -> None:
    network = trained(options, squares[:12], labels[:12])
    spec = spec_of(network, SIDE_PX)
    graph = OnnxNetwork(export_graph(network, spec), spec)  # checks names, shapes and types too
    for count in (1, 5):
        found = graph.run(squares[:count], with_feature_map=True)
        assert found.feature_map is not None
        wanted = torch_outputs(network, squares[:count])
        for one, other in zip((found.logits, found.embedding, found.feature_map), wanted, strict=True):
            # Random weights amplify rounding; a wrong padding or scaling would be off by the size itself.
            np.testing.assert_allclose(one, other, atol=1e-3 * max(1.0, np.abs(other).max()), rtol=0)


def test_mirrored_graph_is_the_mean_of_both_looks(network: Network, squares: np.ndarray) -> None:
    spec = spec_of(network, SIDE_PX)
    graph = OnnxNetwork(export_graph(network, spec, mirrored=True), spec)
    for count in (1, 3):
        some = squares[:count]
        found = graph.run(some, with_feature_map=True)
        assert found.feature_map is not None
        _, _, straight = torch_outputs(network, some)
        _, _, turned = torch_outputs(network, np.ascontiguousarray(some[:, :, ::-1]))
        feature_map = (straight + turned[..., ::-1]) / 2
        assert np.abs(straight - feature_map).max() > 1e-3  # the two looks differ
        atol = 1e-3 * np.abs(feature_map).max()
        np.testing.assert_allclose(found.feature_map, feature_map, atol=atol, rtol=0)
        np.testing.assert_allclose(found.embedding, feature_map.mean((2, 3)), atol=atol, rtol=0)
        weight, bias = (one.detach().numpy() for one in (network.classifier.weight, network.classifier.bias))
        logits = feature_map.mean((2, 3)) @ weight.T + bias
        np.testing.assert_allclose(found.logits, logits, atol=1e-3 * np.abs(logits).max(), rtol=0)


def test_odd_side_and_own_scaling_per_channel(squares: np.ndarray) -> None:
    torch.manual_seed(1)
    network = build_network(ModelOptions(width=0.35), 3, mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))
    nn.init.normal_(network.classifier.weight, std=20.0)
    small = np.ascontiguousarray(squares[:3, :37, :37])
    spec = spec_of(network, 37)
    found = OnnxNetwork(export_graph(network, spec), spec).run(small)
    wanted = torch_outputs(network, small)[0]
    assert wanted.std() > 1e-6
    np.testing.assert_allclose(found.logits, wanted, atol=1e-4 * np.abs(wanted).max())


def test_graph_is_plain(network: Network) -> None:
    model = onnx.load_from_string(export_graph(network, spec_of(network, SIDE_PX)))
    operators = {node.op_type for node in model.graph.node}
    assert operators == {"Transpose", "Cast", "Sub", "Div", "Conv", "Clip", "Add", "ReduceMean", "Gemm"}
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    uneven = [
        list(attribute.ints)
        for node in model.graph.node
        for attribute in node.attribute
        if node.op_type == "Conv" and attribute.name == "pads" and len(set(attribute.ints)) > 1
    ]
    # 48, 24, 12 and 6 px are halved unevenly; the last 3 px to 2 evenly.
    assert uneven == [[0, 0, 1, 1]] * 4


def test_export_leaves_the_network_as_it_was_and_is_quiet(
    network: Network, capfd: pytest.CaptureFixture[str]
) -> None:
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_graph(network, spec_of(network, SIDE_PX))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert capfd.readouterr().out == ""
    network.eval()


def test_same_network_gives_the_same_bytes(network: Network) -> None:
    spec = spec_of(network, SIDE_PX)
    assert export_graph(network, spec) == export_graph(network, spec)


def test_spec_says_the_shapes(network: Network) -> None:
    spec = spec_of(network, SIDE_PX, precision="int8")
    assert spec.input.shape == (None, SIDE_PX, SIDE_PX, 3)
    assert (spec.logits.shape, spec.embedding.shape) == ((None, 3), (None, 1280))
    assert (spec.feature_map.shape, spec.precision) == ((None, 1280, 2, 2), "int8")


class Strange(nn.Module):
    """Nothing that ONNX can say."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvals(x[..., :8, :8]).real.reshape(x.shape[0], 3, 2, 4)


def test_what_onnx_cannot_say_is_an_error() -> None:
    options = ModelOptions(name="simple_cnn", width=0.25)
    head = nn.Sequential(nn.Dropout(0), nn.Linear(3, 2))
    network = Network(options, Strange(), head)
    with pytest.raises(ExportError, match="cannot be expressed in ONNX"):
        export_graph(network, spec_of(network, 16))
