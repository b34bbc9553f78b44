from __future__ import annotations

import json

import numpy as np
import pytest
from tests.export.conftest import SIDE_PX, drawn

from leafsight.errors import ConfigError, ExportError
from leafsight.export import ExportedNetwork, ExportOptions, export_network
from leafsight.images import Preprocessing
from leafsight.models import Network

QUICK = ExportOptions(proof_photos=8, calibration_photos=16, timed_rounds=3)


@pytest.fixture(scope="module")
def exported(
    sturdy: Network, preprocessing: Preprocessing, squares: np.ndarray, labels: np.ndarray
) -> ExportedNetwork:
    return export_network(
        sturdy,
        preprocessing,
        training_images=squares,
        judged_images=drawn(30, seed=2),
        judged_labels=labels[:30],
        options=QUICK.model_copy(update={"max_accuracy_loss": 0.2, "min_speedup": 0.01}),
    )


def test_proof_decision_and_graph_belong_together(exported: ExportedNetwork) -> None:
    assert exported.proof.passed
    assert exported.proof.photos == 8
    assert exported.decision.precision == exported.spec.precision == "int8"
    assert exported.decision.photos == 30
    json.dumps(exported.to_dict(), allow_nan=False)
    said = exported.open()(drawn(30, seed=2)).logits.argmax(1)
    assert (said == np.arange(30) % 3).mean() == pytest.approx(exported.decision.candidates[-1].accuracy_int8)


def test_fp32_without_judged_photographs(
    network: Network, preprocessing: Preprocessing, squares: np.ndarray
) -> None:
    found = export_network(
        network,
        preprocessing,
        training_images=squares[:4],
        judged_images=squares[:0],
        judged_labels=np.zeros(0, dtype=np.int64),
        options=QUICK,
    )
    assert (found.decision.precision, found.proof.photos) == ("fp32", 4)


def export(network: Network, preprocessing: Preprocessing, images: np.ndarray, **options: object) -> object:
    return export_network(
        network,
        preprocessing,
        training_images=images,
        judged_images=images,
        judged_labels=np.zeros(len(images), dtype=np.int64),
        options=QUICK.model_copy(update=options),
    )


def test_difference_above_the_tolerance_stops(
    network: Network, preprocessing: Preprocessing, squares: np.ndarray
) -> None:
    with pytest.raises(ExportError, match="differ by up to"):
        export(network, preprocessing, squares[:4], tolerance=1e-12)


def test_foreign_preprocessing_is_refused(network: Network, squares: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"preprocessing\.mean is .* the network's own is"):
        export(network, Preprocessing(side_px=SIDE_PX, mean=(1.0, 2.0, 3.0)), squares[:4])
    with pytest.raises(ConfigError, match=r"training photographs are uint8 \(48, 48, 3\)"):
        export(network, Preprocessing(side_px=64), squares[:4])


def test_labels_and_photographs_are_counted(
    network: Network, preprocessing: Preprocessing, squares: np.ndarray
) -> None:
    with pytest.raises(ConfigError, match="4 judged photographs but 3 labels"):
        export_network(
            network,
            preprocessing,
            training_images=squares[:4],
            judged_images=squares[:4],
            judged_labels=np.zeros(3, dtype=np.int64),
        )
    with pytest.raises(ExportError, match="needs photographs"):
        export(network, preprocessing, squares[:0])
