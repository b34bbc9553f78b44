"""What a caller hands over to be written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from leafsight import __version__
from leafsight.bundle import parts
from leafsight.bundle.arrays import to_npy
from leafsight.bundle.memory import Memory
from leafsight.bundle.records import Label, NetworkSpec
from leafsight.errors import BundleError
from leafsight.storage import canonical_json

ARRAY_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything that goes into a bundle.

    Attributes:
        name: what people call the model.
        labels: the classes in the order of the logits.
        preprocessing: ``Preprocessing.to_dict()`` of room ``images``.
        network: the ONNX file.
        network_spec: names and shapes of its input and outputs.
        calibration: plain values of room ``evaluation``; no NaN.
        calibration_arrays: its arrays by name (lower case, digits, ``_``); float64 stays, else float32.
        cam_weight: weights ``[classes, d]`` of a dense head straight after average pooling; None when
            the head is another one, and then there are no exact heatmaps.
        cam_bias: biases ``[classes]`` of that head.
        weights: the torch weights as safetensors, to go on training from.
        metrics: the evaluation as plain values.
        provenance: data fingerprint, seed, versions, whatever the caller knows; times too, which
            then make two otherwise equal bundles differ.
        recipe: the TOML text it was trained from.
        card: the model card, Markdown.
        created_by: program and version.
        memory: what it remembers of the photographs that it was made from; None for nothing.
    """

    name: str
    labels: Sequence[Label]
    preprocessing: Mapping[str, Any]
    network: bytes
    network_spec: NetworkSpec
    calibration: Mapping[str, Any] = field(default_factory=dict)
    calibration_arrays: Mapping[str, ArrayLike] = field(default_factory=dict)
    cam_weight: ArrayLike | None = None
    cam_bias: ArrayLike | None = None
    weights: bytes | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    card: str = ""
    created_by: str = f"leafsight {__version__}"
    memory: Memory | None = None

    def part_bytes(self) -> dict[str, bytes]:
        """Every part but the manifest, by name, sorted.

        Raises:
            BundleError: an array has a name that cannot be a file, values that JSON cannot say, or a memory
                whose rows do not fit together.
        """
        found: dict[str, bytes] = {
            parts.NETWORK: self.network,
            parts.METRICS: _json(self.metrics, "metrics"),
            parts.PROVENANCE: _json(self.provenance, "provenance"),
            parts.RECIPE: self.recipe.encode(),
            parts.CARD: self.card.encode(),
        }
        if self.weights is not None:
            found[parts.WEIGHTS] = self.weights
        if self.cam_weight is not None:
            found[parts.CAM_WEIGHT] = to_npy(np.asarray(self.cam_weight, np.float32))
        if self.cam_bias is not None:
            found[parts.CAM_BIAS] = to_npy(np.asarray(self.cam_bias, np.float32))
        for name, values in self.calibration_arrays.items():
            if not ARRAY_NAME.fullmatch(name):
                raise BundleError(f"calibration array {name!r}: a name is lower-case letters, digits and _")
            found[parts.calibration_part(name)] = to_npy(values)
        if self.memory is not None:
            found.update(self.memory.to_parts())
        return dict(sorted(found.items()))


def _json(values: Mapping[str, Any], what: str) -> bytes:
    try:
        return (canonical_json(dict(values), indent=1) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise BundleError(f"{what} cannot be written as JSON: {error}") from error
