from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.fakes.tiny_bundle import tiny_calibration

from leafsight.bundle import labels_for, open_bundle
from leafsight.errors import ConfigError
from leafsight.evaluation import Scores, fit_calibration
from leafsight.export import (
    ExportedNetwork,
    ExportOptions,
    export_network,
    export_safetensors,
    write_model,
)
from leafsight.images import Preprocessing
from leafsight.inference import BundlePredictor
from leafsight.models import Network, build_network, load_network, load_pretrained

CLASSES = ["Tomato___Early_blight", "Tomato___healthy", "Background_without_leaves"]


@pytest.fixture(scope="module")
def exported(network: Network, preprocessing: Preprocessing, squares: np.ndarray) -> ExportedNetwork:
    return export_network(
        network,
        preprocessing,
        training_images=squares,
        judged_images=squares,
        judged_labels=np.arange(60) % 3,
        options=ExportOptions(precision="fp32", proof_photos=4),
    )


def test_labels_come_from_the_taxonomy() -> None:
    blight, healthy, nothing, own = labels_for([*CLASSES, "Dragonfruit___Odd_spots"])
    assert (blight.key, blight.crop, blight.condition) == ("tomato/early_blight", "tomato", "early_blight")
    assert (healthy.crop, healthy.condition, healthy.is_leaf) == ("tomato", "healthy", True)
    assert (nothing.crop, nothing.condition, nothing.is_leaf) == (None, None, False)
    assert (own.class_name, own.crop) == ("Dragonfruit___Odd_spots", "dragonfruit")
    assert own.is_leaf


def test_bundle_diagnoses_as_torch_does(
    tmp_path: Path, network: Network, exported: ExportedNetwork, squares: np.ndarray
) -> None:
    scores: Scores = exported.open()(squares)
    truth = np.arange(60) % 3
    calibration = fit_calibration(scores.logits, truth, scores.embedding, scores.embedding, truth, CLASSES)
    path = tmp_path / "m.leafsight"
    manifest = write_model(
        path, exported, network, CLASSES, name="tiny", calibration=calibration, metrics={"accuracy": 1.0},
        provenance={"seed": 3}, recipe="seed = 3\n", card="# tiny\n",
    )  # fmt: skip
    bundle = open_bundle(path)
    assert bundle.content_hash == manifest.content_hash
    assert (bundle.classes, bundle.metrics, bundle.recipe) == (
        tuple(CLASSES),
        {"accuracy": 1.0},
        "seed = 3\n",
    )
    assert bundle.provenance["seed"] == 3
    assert bundle.provenance["export"]["parity"]["passed"] is True
    assert set(bundle.provenance["export"]["versions"]) >= {"torch", "onnx", "onnxruntime", "leafsight"}
    found = BundlePredictor(bundle).scores(squares[:5])
    with torch.no_grad():
        wanted = network(torch.from_numpy(squares[:5]).permute(0, 3, 1, 2).float()).numpy()
    np.testing.assert_allclose(found.logits, wanted, atol=1e-3)
    assert len(BundlePredictor(bundle).predict(list(squares[:3]), heatmap=True)) == 3


def test_activation_map_is_exact(
    tmp_path: Path, network: Network, exported: ExportedNetwork, squares: np.ndarray
) -> None:
    path = tmp_path / "m.leafsight"
    write_model(path, exported, network, CLASSES, name="tiny")
    head = open_bundle(path).cam_head()
    assert head is not None
    outputs = exported.open().run(squares[:4], with_feature_map=True)
    maps = np.einsum("ndhw,cd->nchw", outputs.feature_map, head[0])
    np.testing.assert_allclose(maps.mean(axis=(2, 3)) + head[1], outputs.logits, atol=1e-4)


def test_deeper_head_has_no_activation_map(
    tmp_path: Path, network: Network, preprocessing: Preprocessing, squares: np.ndarray
) -> None:
    deep = build_network(network.options.model_copy(update={"head": (8,)}), 3)
    exported = export_network(
        deep, preprocessing, training_images=squares[:4], judged_images=squares[:4],
        judged_labels=np.zeros(4, dtype=np.int64), options=ExportOptions(precision="fp32", proof_photos=4),
    )  # fmt: skip
    write_model(tmp_path / "m.leafsight", exported, deep, CLASSES, name="deep")
    assert open_bundle(tmp_path / "m.leafsight").cam_head() is None


@pytest.mark.parametrize("as_folder", [False, True])
def test_weights_travel_when_asked(
    tmp_path: Path, network: Network, exported: ExportedNetwork, as_folder: bool
) -> None:
    path = tmp_path / "m.leafsight"
    write_model(path, exported, network, CLASSES, name="t", include_weights=True, as_folder=as_folder)
    assert open_bundle(path).weights() is not None
    again, metadata = load_network(path)
    for name, value in again.state_dict().items():  # half precision keeps 11 bits
        torch.testing.assert_close(value, network.state_dict()[name], rtol=2**-10, atol=1e-6)
    assert "Tomato___Early_blight" in metadata["leafsight.classes"]
    assert load_pretrained(build_network(network.options, 7), path).dropped_head


def test_weights_stay_at_home_otherwise(tmp_path: Path, network: Network, exported: ExportedNetwork) -> None:
    write_model(tmp_path / "m.leafsight", exported, network, CLASSES, name="t")
    assert open_bundle(tmp_path / "m.leafsight").weights() is None


def test_plain_weights(tmp_path: Path, network: Network, preprocessing: Preprocessing) -> None:
    export_safetensors(tmp_path / "w.safetensors", network, CLASSES, preprocessing)
    again, metadata = load_network(tmp_path / "w.safetensors")
    assert torch.equal(again.classifier.weight, network.classifier.weight)
    assert '"side_px":48' in metadata["leafsight.preprocessing"]


def test_wrong_classes_are_refused(
    tmp_path: Path, network: Network, exported: ExportedNetwork, preprocessing: Preprocessing
) -> None:
    path = tmp_path / "m.leafsight"
    with pytest.raises(ConfigError, match="2 class names for a network of 3"):
        write_model(path, exported, network, CLASSES[:2], name="t")
    with pytest.raises(ConfigError, match="2 class names for a network of 3"):
        export_safetensors(path, network, CLASSES[:2], preprocessing)
    with pytest.raises(ConfigError, match="another list of classes"):
        write_model(path, exported, network, CLASSES, name="t", calibration=tiny_calibration())
    assert not path.exists()


@pytest.mark.slow
def test_shared_backbone_on_real_photographs(tmp_path: Path, real_squares: np.ndarray) -> None:
    from leafsight.models import ModelOptions

    shared = Path(__file__).resolve().parents[3] / "shared" / "weights"
    weights = shared / "mobilenetv2_100_imagenet_fp16.safetensors"
    if not weights.is_file():
        pytest.skip("needs ../shared/weights, which are not in the repository")
    network = build_network(ModelOptions(), 1000)
    load_pretrained(network, weights)
    found = export_network(
        network, Preprocessing(), training_images=real_squares, judged_images=real_squares,
        judged_labels=np.zeros(12, dtype=np.int64), options=ExportOptions(precision="fp32"),
    )  # fmt: skip
    assert found.proof.top1_agreement == 1.0
    assert found.proof.max_abs_diff < 1e-3
