"""Network, graph, classes, calibration and what is known about them -> one bundle, or plain weights."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.bundle import BundleContents, Manifest, Memory, labels_for, write_bundle
from leafsight.errors import ConfigError
from leafsight.evaluation import Calibration
from leafsight.export.exporting import ExportedNetwork
from leafsight.images import Preprocessing
from leafsight.models import Network, encode_weights, save_weights
from leafsight.storage import canonical_json

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")


def write_model(
    path: Path,
    exported: ExportedNetwork,
    network: Network,
    classes: Sequence[str],
    *,
    name: str,
    calibration: Calibration | None = None,
    metrics: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    recipe: str = "",
    card: str = "",
    include_weights: bool = False,
    as_folder: bool = False,
    memory: Memory | None = None,
) -> Manifest:
    """Write the bundle.

    The head of a network with a single dense layer goes in as ``cam_weight`` and ``cam_bias``: with it
    serving draws exact class activation maps without torch. A deeper head has none, and the part is absent.

    Args:
        path: ``NAME.leafsight``, or a folder.
        exported: from ``export_network`` of the same network.
        network: for its head, and its weights if wanted.
        classes: names in the order of the logits.
        name: what people will call the model.
        calibration: fitted on the scores of ``exported.open()``; serving refuses a bundle without one.
        metrics: the evaluation as plain values.
        provenance: what the caller knows (data fingerprint, recipe, seed); proof, decision and versions of
            the libraries are added under ``export``.
        recipe: the TOML text.
        card: the model card, Markdown.
        include_weights: add ``weights.safetensors``, in half precision.
        as_folder: a folder instead of one file.
        memory: what the model remembers of its photographs.

    Raises:
        ConfigError: the number of classes is not the network's, or the calibration is for others.
        BundleError: the parts do not fit together.
        DiskFullError, PermissionDeniedError, StorageError: the file cannot be written.
    """
    if len(classes) != network.n_classes:
        raise ConfigError(f"{len(classes)} class names for a network of {network.n_classes} classes")
    if calibration is not None and tuple(calibration.classes) != tuple(classes):
        raise ConfigError("the calibration was fitted for another list of classes")
    weight, bias = _dense_head(network)
    contents = BundleContents(
        name=name,
        labels=labels_for(classes),
        preprocessing=exported.preprocessing.to_dict(),
        network=exported.graph,
        network_spec=exported.spec,
        calibration={} if calibration is None else calibration.to_dict(),
        calibration_arrays={} if calibration is None else calibration.to_parts(),
        cam_weight=weight,
        cam_bias=bias,
        weights=encode_weights(network, _described(classes, exported.preprocessing), half=True)
        if include_weights
        else None,
        metrics=metrics or {},
        provenance={**(provenance or {}), "export": exported.to_dict() | {"versions": versions()}},
        recipe=recipe,
        card=card,
        memory=memory,
    )
    return write_bundle(path, contents, as_folder=as_folder)


def export_safetensors(
    path: Path, network: Network, classes: Sequence[str], preprocessing: Preprocessing
) -> None:
    """Write the torch weights alone; class names and preprocessing stand in the metadata.

    ``leafsight.models.load_network`` builds the network from the file again.

    Raises:
        ConfigError: the number of classes is not the network's.
        DiskFullError, PermissionDeniedError, StorageError: the file cannot be written.
    """
    if len(classes) != network.n_classes:
        raise ConfigError(f"{len(classes)} class names for a network of {network.n_classes} classes")
    save_weights(network, path, _described(classes, preprocessing))


def _described(classes: Sequence[str], preprocessing: Preprocessing) -> dict[str, str]:
    return {
        "leafsight.classes": canonical_json(list(classes)),
        "leafsight.preprocessing": canonical_json(preprocessing.to_dict()),
    }


def _dense_head(network: Network) -> tuple[np.ndarray | None, np.ndarray | None]:
    if not network.has_exact_activation_map:
        return None, None
    weight, bias = network.classifier.weight, network.classifier.bias
    return weight.detach().cpu().float().numpy(), bias.detach().cpu().float().numpy()


def versions() -> dict[str, str]:
    """Versions of what took part in the export."""
    return {library: version(library) for library in LIBRARIES} | {
        "leafsight": version("leafsight"),
        "python": platform.python_version(),
    }
