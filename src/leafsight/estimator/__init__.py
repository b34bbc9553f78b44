"""A classifier for programs that live in scikit-learn: fit, predict, and a model file behind both.

Enters: photographs and class names, or a model file. Leaves: an estimator whose answers are those of the
model file that it carries. It does not know how a network is trained (``training``), exported (``export``)
or run (``inference``): it calls them. scikit-learn is named in this room only, and loaded when needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.errors import require

if TYPE_CHECKING:
    from leafsight.estimator.classifier import LeafClassifier
    from leafsight.estimator.photographs import InputError
    from leafsight.estimator.pickles import write_pickle

_HOME = {
    "InputError": "photographs",
    "LeafClassifier": "classifier",
    "write_pickle": "pickles",
}

__all__ = [
    "InputError",
    "LeafClassifier",
    "write_pickle",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("sklearn", "sklearn")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
