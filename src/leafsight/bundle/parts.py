"""Which files a bundle may hold, under which names, and how large each may be."""

from __future__ import annotations

import re

from leafsight.bundle.memory import MEMORY_PARTS

MANIFEST = "manifest.json"
NETWORK = "network.onnx"
CAM_WEIGHT = "cam_weight.npy"
CAM_BIAS = "cam_bias.npy"
WEIGHTS = "weights.safetensors"
METRICS = "metrics.json"
PROVENANCE = "provenance.json"
RECIPE = "recipe.toml"
CARD = "card.md"

REQUIRED = (NETWORK, METRICS, PROVENANCE, RECIPE, CARD)
OPTIONAL = (CAM_WEIGHT, CAM_BIAS, WEIGHTS, *MEMORY_PARTS)
CALIBRATION_ARRAY = re.compile(r"calibration/[a-z][a-z0-9_]{0,63}\.npy")

MIB = 1024 * 1024
MAX_MANIFEST_BYTES = 4 * MIB
"""A thousand classes with long display texts take 0.3 MiB."""
MAX_NETWORK_BYTES = 1024 * MIB
"""Half of protobuf's limit for one message; a plain zip archive then always stays under its own 2 GiB."""
MAX_OTHER_BYTES = 64 * MIB
MAX_PARTS = 64


def calibration_part(name: str) -> str:
    """The part that holds the calibration array called ``name``."""
    return f"calibration/{name}.npy"


def is_known(part: str) -> bool:
    """Whether a bundle of this format version may hold a part of this name."""
    return part in REQUIRED or part in OPTIONAL or CALIBRATION_ARRAY.fullmatch(part) is not None


def max_size_bytes(part: str) -> int:
    """The size over which a part is refused unread."""
    if part == MANIFEST:
        return MAX_MANIFEST_BYTES
    return MAX_NETWORK_BYTES if part in (NETWORK, WEIGHTS) else MAX_OTHER_BYTES
