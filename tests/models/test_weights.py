from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from leafsight.errors import StorageError, TrainingError
from leafsight.models import (
    ModelOptions,
    Network,
    build_network,
    encode_weights,
    load_network,
    load_pretrained,
    load_weights,
    save_weights,
)

SMALL = ModelOptions(name="simple_cnn", width=0.25)


def equal(one: Network, other: Network, *, part: str = "") -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(mine[name], theirs[name]) for name in mine if name.startswith(part))


def test_save_and_load_are_exact(tmp_path: Path) -> None:
    network = build_network(SMALL, 3, mean=(1, 2, 3)).to(memory_format=torch.channels_last)
    save_weights(network, tmp_path / "w.safetensors", {"epoch": "4"})
    other = build_network(SMALL, 3)
    assert load_weights(other, tmp_path / "w.safetensors") == {"epoch": "4"}
    assert equal(network, other)


def test_network_is_built_from_its_file(tmp_path: Path) -> None:
    options = ModelOptions(width=0.35, head=(8,), padding="symmetric")
    network = build_network(options, 7, mean=(1, 2, 3), std=(4, 5, 6))
    save_weights(network, tmp_path / "w.safetensors", {"note": "x"})
    other, metadata = load_network(tmp_path / "w.safetensors")
    assert (other.options, other.n_classes, metadata) == (options, 7, {"note": "x"})
    assert equal(network, other)


def test_network_of_a_strange_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(StorageError, match="does not say which network"):
        load_network(tmp_path / "w.safetensors")


def test_load_weights_refuses_another_network(tmp_path: Path) -> None:
    save_weights(build_network(SMALL, 3), tmp_path / "w.safetensors")
    with pytest.raises(TrainingError, match=r"head\.1\.weight"):
        load_weights(build_network(SMALL, 4), tmp_path / "w.safetensors")


def test_other_number_of_classes_drops_only_the_head(tmp_path: Path) -> None:
    source = build_network(SMALL, 3, mean=(1, 2, 3))
    save_weights(source, tmp_path / "w.safetensors")
    network = build_network(SMALL, 4)
    head = network.classifier.weight.clone()
    report = load_pretrained(network, tmp_path / "w.safetensors")
    assert report.dropped_head
    assert (report.missing, report.unexpected) == ((), ())
    assert equal(source, network, part="features.")
    assert torch.equal(network.classifier.weight, head)
    assert network.mean.flatten().tolist() == [127.5] * 3


def test_same_number_of_classes_keeps_the_head(tmp_path: Path) -> None:
    source = build_network(SMALL, 3)
    save_weights(source, tmp_path / "w.safetensors")
    network = build_network(SMALL, 3)
    report = load_pretrained(network, tmp_path / "w.safetensors")
    assert not report.dropped_head
    assert equal(source, network)


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    source = build_network(SMALL, 3)
    halves = {n: t.half() if t.is_floating_point() else t for n, t in source.state_dict().items()}
    save_file(halves, tmp_path / "w.safetensors")
    network = build_network(SMALL, 3)
    load_pretrained(network, tmp_path / "w.safetensors")
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert torch.allclose(network.classifier.weight, source.classifier.weight, atol=1e-4)


def test_torchvision_resnet_names_fit(tmp_path: Path) -> None:
    source = build_network(ModelOptions(name="resnet18"), 10)
    renamed = {
        name.removeprefix("features.").replace("head.1.", "fc."): value
        for name, value in source.state_dict().items()
        if name not in ("mean", "std") and not name.endswith("num_batches_tracked")
    }
    save_file(renamed, tmp_path / "resnet18.safetensors")
    network = build_network(ModelOptions(name="resnet18"), 10)
    report = load_pretrained(network, tmp_path / "resnet18.safetensors")
    assert (report.missing, report.unexpected, len(report.loaded)) == ((), (), len(renamed))
    assert equal(source, network)


def test_wrong_shapes_are_named_and_nothing_changes(tmp_path: Path) -> None:
    save_weights(build_network(ModelOptions(width=0.5), 3), tmp_path / "w.safetensors")
    network = build_network(ModelOptions(width=0.75), 3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(
        TrainingError, match=r"features\.0\.0\.weight is \(16, 3, 3, 3\), wanted \(24, 3, 3, 3\)"
    ):
        load_pretrained(network, tmp_path / "w.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_missing_and_unexpected_are_reported(tmp_path: Path) -> None:
    source = build_network(SMALL, 3)
    tensors = source.state_dict() | {"features.9.extra": torch.zeros(1)}
    del tensors["features.2.0.weight"]
    save_file(tensors, tmp_path / "w.safetensors")
    network = build_network(SMALL, 3)
    with pytest.raises(TrainingError, match=r"lacks 1 tensors of simple_cnn: features\.2\.0\.weight"):
        load_pretrained(network, tmp_path / "w.safetensors")
    report = load_pretrained(network, tmp_path / "w.safetensors", allow_partial=True)
    assert report.missing == ("features.2.0.weight",)
    assert report.unexpected == ("features.9.extra",)


def test_another_architecture_is_refused_even_partially(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "w.safetensors")
    with pytest.raises(TrainingError, match="lacks 20 tensors") as caught:
        load_pretrained(build_network(SMALL, 3), tmp_path / "w.safetensors", allow_partial=True)
    assert "same architecture" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"not safetensors at all",
        b"\xff" * 64,
        (8).to_bytes(8, "little") + b"{}}{{}}{",
        b"\x80\x04.",
    ],
)
def test_files_that_are_not_safetensors_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(StorageError, match="not a safetensors file"):
        load_pretrained(build_network(SMALL, 3), tmp_path / "w.pt")


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    data = encode_weights(build_network(SMALL, 3))
    (tmp_path / "w.safetensors").write_bytes(data[:-100])
    with pytest.raises(StorageError, match="not a safetensors file"):
        load_network(tmp_path / "w.safetensors")


def test_large_and_absent_files_are_refused(tmp_path: Path) -> None:
    save_weights(build_network(SMALL, 3), tmp_path / "w.safetensors")
    with pytest.raises(StorageError, match="more than the limit of 1000"):
        load_pretrained(build_network(SMALL, 3), tmp_path / "w.safetensors", max_bytes=1000)
    with pytest.raises(StorageError, match=r"gone\.safetensors"):
        load_pretrained(build_network(SMALL, 3), tmp_path / "gone.safetensors")


def test_backbone_of_a_bundle(tmp_path: Path) -> None:
    source = build_network(SMALL, 3)
    data = encode_weights(source)
    with zipfile.ZipFile(tmp_path / "model.leafsight", "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("weights.safetensors", data)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "weights.safetensors").write_bytes(data)
    for path in (tmp_path / "model.leafsight", tmp_path / "folder"):
        network = build_network(SMALL, 5)
        assert load_pretrained(network, path).dropped_head
        assert equal(source, network, part="features.")


def test_bundle_without_or_with_too_large_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.leafsight"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "{}")
    with pytest.raises(StorageError, match=r"carries no weights\.safetensors"):
        load_pretrained(build_network(SMALL, 3), path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.safetensors", b"\0" * 1_000_000)
    with pytest.raises(StorageError, match="1000000 bytes"):
        load_pretrained(build_network(SMALL, 3), path, max_bytes=100_000)


def test_metadata_says_what_the_network_is(tmp_path: Path) -> None:
    save_weights(build_network(SMALL, 3), tmp_path / "w.safetensors")
    raw = (tmp_path / "w.safetensors").read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    said = json.loads(header["__metadata__"]["leafsight.network"])
    assert (said["options"]["name"], said["n_classes"], said["mean"]) == ("simple_cnn", 3, [127.5] * 3)


def test_shared_weights_load_without_rest(shared_weights: Path) -> None:
    network = build_network(ModelOptions(), 1000)
    report = load_pretrained(network, shared_weights)
    assert (len(report.loaded), report.missing, report.unexpected, report.dropped_head) == (
        262,
        (),
        (),
        False,
    )
    file = load_file(shared_weights)
    assert torch.equal(network.features[18][0].weight, file["features.18.0.weight"].float())
    assert load_pretrained(build_network(ModelOptions(), 49), shared_weights).dropped_head
