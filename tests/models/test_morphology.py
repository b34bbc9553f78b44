from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from leafsight.errors import ConfigError, validated
from leafsight.images import ELEMENT_SHAPES, MORPHOLOGY_OPERATIONS, apply_morphology
from leafsight.models import (
    ModelOptions,
    MorphologyOptions,
    Network,
    build_network,
    folded_copy,
    load_network,
    load_pretrained,
    save_weights,
)
from leafsight.models.morphology import Morphology, morphology_layer

OPENED = ModelOptions(name="simple_cnn", width=0.25, morphology=MorphologyOptions(operation="opening"))
PLAIN = OPENED.model_copy(update={"morphology": MorphologyOptions()})


def pixels_of(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def through_layer(picture: np.ndarray, operation: str, size_px: int, shape: str) -> np.ndarray:
    layer = Morphology(MorphologyOptions(operation=operation, size_px=size_px, shape=shape))
    found = layer(pixels_of(picture))[0].permute(1, 2, 0).numpy()
    assert found.dtype == np.float32
    return found


@pytest.mark.parametrize("sides", [(33, 33), (20, 37), (41, 8), (5, 3)])
@pytest.mark.parametrize("shape", ELEMENT_SHAPES)
@pytest.mark.parametrize("operation", MORPHOLOGY_OPERATIONS)
def test_the_layer_gives_the_very_numbers_of_images(
    operation: str, shape: str, sides: tuple[int, int]
) -> None:
    picture = np.random.default_rng(sum(sides)).integers(0, 256, (*sides, 3), dtype=np.uint8)
    for size_px in range(3, 33, 2):
        wanted = apply_morphology(picture, operation, size_px=size_px, shape=shape)
        found = through_layer(picture, operation, size_px, shape)
        assert (found.astype(np.uint8) == wanted).all()
        assert (found == wanted).all()  # whole numbers in the range of a byte before the cast, too


@settings(deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))),
    st.sampled_from(MORPHOLOGY_OPERATIONS),
    st.sampled_from((3, 5, 7, 31)),
    st.sampled_from(ELEMENT_SHAPES),
)
def test_for_any_picture(picture: np.ndarray, operation: str, size_px: int, shape: str) -> None:
    wanted = apply_morphology(picture, operation, size_px=size_px, shape=shape)
    assert (through_layer(picture, operation, size_px, shape) == wanted).all()


def test_photographs_of_a_batch_and_memory_formats_do_not_matter() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 3), dtype=np.uint8)
    batch = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()  # channels last in memory
    layer = Morphology(MorphologyOptions(operation="closing", size_px=5, shape="disc"))
    before = batch.clone()
    together = layer(batch)
    assert torch.equal(together, layer(batch.contiguous()))
    assert torch.equal(batch, before)
    for row, picture in enumerate(pictures):
        assert torch.equal(together[row], layer(pixels_of(picture))[0])


def test_none_is_no_layer() -> None:
    assert isinstance(morphology_layer(MorphologyOptions()), torch.nn.Identity)
    assert isinstance(build_network(PLAIN, 3).morphology, torch.nn.Identity)
    assert "opening, square 3 px" in repr(build_network(OPENED, 3))


def twins(n_classes: int = 3) -> tuple[Network, Network]:
    """A network with an opening inside and one without, with the same weights."""
    with_opening, without = build_network(OPENED, n_classes).eval(), build_network(PLAIN, n_classes).eval()
    without.load_state_dict(with_opening.state_dict())  # so the layer adds no tensors
    return with_opening, without


@torch.inference_mode()
def test_the_network_sees_the_changed_pixels_and_nothing_else_changes() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    with_opening, without = twins()
    given, opened = pixels_of(picture), pixels_of(apply_morphology(picture, "opening"))
    one, other = with_opening.outputs(given), without.outputs(opened)
    assert torch.equal(one.logits, other.logits)
    assert torch.equal(one.feature_map, other.feature_map)
    assert torch.equal(with_opening.embed(given), other.embedding)
    assert not torch.equal(one.logits, without(given))
    assert with_opening.has_exact_activation_map


def test_gradients_pass_through_the_layer() -> None:
    network = build_network(OPENED, 3)
    pixels = (torch.rand(2, 3, 32, 32) * 255).requires_grad_()
    network(pixels).square().sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().sum()) > 0


def test_folding_keeps_the_layer(pixels: torch.Tensor) -> None:
    network = build_network(OPENED, 3).eval()
    folded = folded_copy(network, pixels[:2])
    assert not any(isinstance(one, torch.nn.BatchNorm2d) for one in folded.modules())
    with torch.inference_mode():
        torch.testing.assert_close(folded.embed(pixels), network.embed(pixels), rtol=0, atol=1e-4)
        assert not torch.allclose(folded.embed(pixels), twins()[1].embed(pixels), atol=1e-4)


def test_a_file_keeps_the_layer(tmp_path: Path, pixels: torch.Tensor) -> None:
    network = build_network(OPENED, 3).eval()
    save_weights(network, tmp_path / "w.safetensors")
    other, _ = load_network(tmp_path / "w.safetensors")
    assert other.options == OPENED
    with torch.inference_mode():
        assert torch.equal(other.eval()(pixels), network(pixels))


def stored_options(path: Path) -> dict[str, object]:
    with safe_open(path, "pt") as file:
        options: dict[str, object] = json.loads(file.metadata()["leafsight.network"])["options"]
    return options


def test_files_without_the_key_load_and_unchanged_networks_still_write_such_files(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(build_network(PLAIN, 3), path)
    assert "morphology" not in stored_options(path)  # as every file of an earlier version
    assert load_network(path)[0].options == PLAIN
    save_weights(build_network(OPENED, 3), path)
    assert stored_options(path)["morphology"] == {"operation": "opening", "size_px": 3, "shape": "square"}


def test_pretrained_weights_fit_as_before(tmp_path: Path) -> None:
    without = build_network(PLAIN, 3)
    save_weights(without, tmp_path / "plain.safetensors")
    network = build_network(OPENED, 3)
    report = load_pretrained(network, tmp_path / "plain.safetensors")
    assert (report.missing, report.unexpected) == ((), ())
    assert network.options == OPENED
    # Under torchvision's names, too.
    ours = load_file(tmp_path / "plain.safetensors")
    theirs = {name.replace("head.1", "fc").removeprefix("features."): one for name, one in ours.items()}
    save_file(theirs, tmp_path / "theirs.safetensors")
    assert load_pretrained(network, tmp_path / "theirs.safetensors").missing == ()


@pytest.mark.parametrize(
    "values",
    [
        {"operation": "melting"},
        {"operation": "opening", "size_px": 4},
        {"operation": "opening", "size_px": 1},
        {"operation": "opening", "size_px": 33},
        {"operation": "opening", "shape": "star"},
        {"operation": "opening", "keep": "blend"},
    ],
)
def test_wrong_values_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelOptions.model_validate({"morphology": values})


def test_faults_name_the_key() -> None:
    wrong = {"morphology": {"operation": "openning", "size_px": 4}}
    with pytest.raises(ConfigError) as caught:
        validated(ModelOptions, wrong, "recipe.toml")
    assert {fault.key for fault in caught.value.faults} == {"morphology.operation", "morphology.size_px"}
