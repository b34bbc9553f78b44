"""timm is not installed here: a small stand-in shows what the adapter asks of it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from leafsight.errors import ConfigError, MissingExtraError
from leafsight.models import ModelOptions, build_network, load_pretrained


class FakeConvNet(nn.Module):
    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.BatchNorm2d(4))
        self.blocks = nn.Conv2d(4, 6, 3, 4)

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(self.stem(x))


class FakeTransformer(FakeConvNet):
    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward_features(x).flatten(2).transpose(1, 2)


@pytest.fixture
def _timm(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("timm")

    def create_model(name: str, *, pretrained: bool, num_classes: int) -> nn.Module:
        assert (pretrained, num_classes) == (False, 0)
        if name not in ("convnet", "transformer"):
            raise RuntimeError(f"Unknown model ({name})")
        return FakeConvNet() if name == "convnet" else FakeTransformer()

    fake.create_model = create_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "timm", fake)


@pytest.mark.usefixtures("_timm")
def test_becomes_a_network_with_blocks(pixels: torch.Tensor) -> None:
    network = build_network(ModelOptions(name="timm:convnet"), 3).train()
    assert network.outputs(pixels).logits.shape == (8, 3)
    assert network.embedding_size == 6
    assert [name for name, _ in network.blocks()] == ["stem", "blocks"]
    network.freeze(keep_last=1)
    learning = {name for name, value in network.named_parameters() if value.requires_grad}
    assert {name.split(".")[2] for name in learning if name.startswith("features")} == {"blocks"}


@pytest.mark.usefixtures("_timm")
def test_takes_weights_with_timms_names(tmp_path: Path) -> None:
    source = FakeConvNet()
    save_file(source.state_dict() | {"fc.weight": torch.zeros(9, 6)}, tmp_path / "w.safetensors")
    network = build_network(ModelOptions(name="timm:convnet"), 3)
    report = load_pretrained(network, tmp_path / "w.safetensors")
    assert torch.equal(dict(network.named_parameters())["features.model.blocks.weight"], source.blocks.weight)
    assert report.unexpected == ("features.model.fc.weight",)


@pytest.mark.usefixtures("_timm")
def test_networks_without_a_map_and_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"features of shape \(1, 196, 6\)"):
        build_network(ModelOptions(name="timm:transformer"), 3)
    with pytest.raises(ConfigError, match="Unknown model"):
        build_network(ModelOptions(name="timm:nothing"), 3)


def test_without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match="timm"):
        build_network(ModelOptions(name="timm:convnet"), 3)
