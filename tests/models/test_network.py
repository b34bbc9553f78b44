from __future__ import annotations

import pytest
import torch

from leafsight.errors import ConfigError
from leafsight.models import ModelOptions, Network, build_network, count_parameters

SMALL = ModelOptions(name="simple_cnn", width=0.25)


@pytest.mark.parametrize(
    "options",
    [
        SMALL,
        ModelOptions(width=0.35),
        ModelOptions(name="resnet18"),
        ModelOptions(name="resnet50", head=(32,)),
    ],
    ids=lambda options: options.name,
)
def test_shapes_of_all_outputs(options: ModelOptions, pixels: torch.Tensor) -> None:
    network = build_network(options, 5).eval()
    with torch.inference_mode():
        outputs = network.outputs(pixels[:2])
        assert outputs.logits.shape == (2, 5)
        assert outputs.embedding.shape == (2, network.embedding_size)
        assert outputs.feature_map.shape[:2] == (2, network.embedding_size)
        assert torch.allclose(outputs.feature_map.mean(dim=(2, 3)), outputs.embedding)
        assert torch.equal(network(pixels[:2]), outputs.logits)
        assert torch.equal(network.embed(pixels[:2]), outputs.embedding)
        assert torch.equal(network.head(outputs.embedding), outputs.logits)


def test_network_normalises_by_itself(pixels: torch.Tensor) -> None:
    one = build_network(SMALL, 3, mean=(10, 20, 30), std=(2, 4, 8)).eval()
    other = build_network(SMALL, 3, mean=(0, 0, 0), std=(1, 1, 1)).eval()
    other.load_state_dict(
        {k: v for k, v in one.state_dict().items() if k not in ("mean", "std")}, strict=False
    )
    by_hand = (pixels - torch.tensor([10.0, 20, 30]).reshape(3, 1, 1)) / torch.tensor([2.0, 4, 8]).reshape(
        3, 1, 1
    )
    with torch.inference_mode():
        assert torch.allclose(one(pixels), other(by_hand), atol=1e-6)
        assert not torch.allclose(one(pixels), other(pixels), atol=1e-2)


def test_class_activation_map_is_exact_for_a_single_dense_layer(pixels: torch.Tensor) -> None:
    network = build_network(SMALL, 3).eval()
    assert network.has_exact_activation_map
    with torch.inference_mode():
        outputs = network.outputs(pixels)
        maps = torch.einsum("ndhw,cd->nchw", outputs.feature_map, network.classifier.weight)
        assert torch.allclose(maps.mean(dim=(2, 3)) + network.classifier.bias, outputs.logits, atol=1e-5)
    assert not build_network(SMALL.model_copy(update={"head": (8,)}), 3).has_exact_activation_map


def test_deeper_head_has_its_layers_and_dropout() -> None:
    network = build_network(SMALL.model_copy(update={"head": (16, 8), "dropout": 0.4}), 3)
    kinds = [type(part).__name__ for part in network.head]
    assert kinds == ["Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert [p.out_features for p in network.head if isinstance(p, torch.nn.Linear)] == [16, 8, 3]
    assert {p.p for p in network.head if isinstance(p, torch.nn.Dropout)} == {0.4}
    assert (network.n_classes, network.embedding_size) == (3, 64)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("simple_cnn", 4, "0", "3"),
        ("mobilenet_v2", 19, "0", "18"),
        ("resnet18", 9, "stem", "layer4.1"),
        ("resnet34", 17, "stem", "layer4.2"),
        ("resnet50", 17, "stem", "layer4.2"),
    ],
)
def test_blocks_cover_the_features_once(name: str, count: int, first: str, last: str) -> None:
    network = build_network(ModelOptions(name=name), 2)
    blocks = network.blocks()
    assert (len(blocks), blocks[0][0], blocks[-1][0]) == (count, first, last)
    in_blocks = sum(count_parameters(module) for _, modules in blocks for module in modules)
    assert in_blocks == count_parameters(network.features)


def learning(network: Network) -> set[str]:
    return {name for name, value in network.named_parameters() if value.requires_grad}


def test_freeze_head_only_and_everything() -> None:
    network = build_network(SMALL, 3)
    network.freeze(keep_last=0)
    assert learning(network) == {"head.1.weight", "head.1.bias"}
    network.freeze(keep_last=None)
    assert learning(network) == {name for name, _ in network.named_parameters()}
    network.freeze(keep_last=1)
    assert {name.split(".")[1] for name in learning(network) if name.startswith("features")} == {"3"}


@pytest.mark.parametrize("keep_last", [-1, 5])
def test_freeze_refuses_blocks_that_are_not_there(keep_last: int) -> None:
    with pytest.raises(ConfigError, match="of 4 blocks"):
        build_network(SMALL, 3).freeze(keep_last=keep_last)


def test_frozen_batch_statistics_stand_still(pixels: torch.Tensor) -> None:
    network = build_network(SMALL, 3).train()
    network.freeze(keep_last=1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    network(pixels)
    changed = {n for n, v in network.state_dict().items() if not torch.equal(v, before[n])}
    assert changed == {f"features.3.1.{n}" for n in ("running_mean", "running_var", "num_batches_tracked")}
    network.freeze(keep_last=None)
    assert all(module.training for module in network.modules())


def test_freeze_keeps_eval_mode() -> None:
    network = build_network(SMALL, 3).eval()
    network.freeze(keep_last=2)
    assert not any(module.training for module in network.modules())


def test_parameters_are_split_between_features_and_head() -> None:
    network = build_network(SMALL, 3)
    whole = {id(p) for p in network.parameters()}
    features = {id(p) for p in network.feature_parameters()}
    head = {id(p) for p in network.head_parameters()}
    assert features | head == whole
    assert not features & head


def test_channels_last_gives_the_same_answers(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(width=0.35), 4).eval()
    with torch.inference_mode():
        plain = network.outputs(pixels)
        network.to(memory_format=torch.channels_last)
        other = network.outputs(pixels.contiguous(memory_format=torch.channels_last))
    assert other.feature_map.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(plain.logits, other.logits, atol=1e-4)


def test_one_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least two classes, got 1"):
        build_network(SMALL, 1)


def test_same_seed_same_weights() -> None:
    networks = []
    for _ in range(2):
        torch.manual_seed(5)
        networks.append(build_network(SMALL, 3).state_dict())
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])
