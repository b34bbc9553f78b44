"""Networks: pixels in; logits, embedding and last feature map out; and the weights they start from.

Enters: ``ModelOptions``, a number of classes, float pixels [n, 3, h, w] of 0..255. Leaves: a ``Network`` and
its weights as safetensors. It does not know where photographs come from, how a network is trained, or what
its classes mean. ``ModelOptions`` comes without torch; the rest loads torch when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.errors import require
from leafsight.models.options import ARCHITECTURES, ModelOptions, MorphologyOptions

if TYPE_CHECKING:
    from leafsight.models.convolution import count_parameters
    from leafsight.models.download import fetch_weights
    from leafsight.models.dropout import Dropout
    from leafsight.models.folding import folded_copy
    from leafsight.models.network import MEAN, STD, Network, Outputs, build_network
    from leafsight.models.pretrained import resolve_pretrained
    from leafsight.models.statistics import remeasure_batch_statistics
    from leafsight.models.weights import (
        BUNDLE_PART,
        LoadReport,
        encode_weights,
        load_network,
        load_pretrained,
        load_weights,
        save_weights,
    )

_HOME = {
    "BUNDLE_PART": "weights",
    "MEAN": "network",
    "STD": "network",
    "Dropout": "dropout",
    "LoadReport": "weights",
    "Network": "network",
    "Outputs": "network",
    "build_network": "network",
    "count_parameters": "convolution",
    "encode_weights": "weights",
    "fetch_weights": "download",
    "folded_copy": "folding",
    "load_network": "weights",
    "load_pretrained": "weights",
    "load_weights": "weights",
    "remeasure_batch_statistics": "statistics",
    "resolve_pretrained": "pretrained",
    "save_weights": "weights",
}

__all__ = [
    "ARCHITECTURES",
    "BUNDLE_PART",
    "MEAN",
    "STD",
    "Dropout",
    "LoadReport",
    "ModelOptions",
    "MorphologyOptions",
    "Network",
    "Outputs",
    "build_network",
    "count_parameters",
    "encode_weights",
    "fetch_weights",
    "folded_copy",
    "load_network",
    "load_pretrained",
    "load_weights",
    "remeasure_batch_statistics",
    "resolve_pretrained",
    "save_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOME[name] != "download":
        require("torch", "train")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
