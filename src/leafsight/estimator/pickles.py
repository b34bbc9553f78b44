"""A model file as the pickle of a classifier, for programs that take nothing else.

Enters: a model file. Leaves: a ``.pkl``, and beside it a text that says why the model file is the better one.
leafsight writes pickles and opens none: what a pickle holds runs when it is opened.
"""

from __future__ import annotations

import pickle
import platform
from pathlib import Path

import numpy as np
import sklearn

from leafsight import __version__
from leafsight.errors import UsageError
from leafsight.estimator.classifier import LeafClassifier
from leafsight.storage import write_bytes, write_text

PROTOCOL = 5
"""Since Python 3.8; fixed, so that a newer Python does not write what an older one cannot read."""

README = """\
{name}: a leaf classifier as a Python pickle

WARNING: a pickle runs code when it is opened. Open only pickles that you made yourself, or that come from
somebody whom you would let run a program on your machine.

The safer file is the model file that this was made from ({model}): it is verified when it is
opened, and nothing in it can run. Every tool of leafsight takes it, and so does scikit-learn:

    from leafsight.estimator import LeafClassifier
    classifier = LeafClassifier.from_bundle("{model}")

leafsight itself never opens a pickle. To open this one, with leafsight and scikit-learn installed:

    import pickle
    with open("{name}", "rb") as file:
        classifier = pickle.load(file)
    classes = classifier.predict(["leaf.jpg"])

The model inside   {content_hash}
                   {classes} classes
Written by         leafsight {leafsight}, scikit-learn {sklearn}, numpy {numpy}, Python {python}

It holds parameters, class names and the model file, no object of another library. Other versions of
leafsight may still refuse it; the model file is the one that stays readable.
"""


def write_pickle(model: str | Path, file: str | Path) -> tuple[Path, Path]:
    """Write the ``LeafClassifier`` of a model file as a pickle, and ``FILE.README.txt`` with the warning.

    The warning is written first: there is never a pickle without it.

    Args:
        model: a ``.leafsight`` file or folder.
        file: where the pickle goes.

    Returns:
        The pickle, and the text beside it.

    Raises:
        BundleError: the model cannot be used.
        UsageError: ``file`` is the model itself.
        StorageError: a file cannot be written.
    """
    model, file = Path(model), Path(file)
    if file.resolve() == model.resolve():
        raise UsageError(f"{file} is the model itself", hint="give the pickle a name of its own")
    classifier = LeafClassifier.from_bundle(model)
    told = README.format(
        name=file.name,
        model=model.name,
        content_hash=classifier.content_hash,
        leafsight=__version__,
        sklearn=sklearn.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
        classes=len(classifier.classes_),
    )
    beside = file.with_name(f"{file.name}.README.txt")
    write_text(beside, told)
    write_bytes(file, pickle.dumps(classifier, protocol=PROTOCOL))
    return file, beside
