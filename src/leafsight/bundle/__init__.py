"""The artefact: one file that holds a network and everything needed to use and to judge it.

Enters: the parts of a trained model as bytes, plain values and arrays. Leaves: a ``NAME.leafsight``
file (or folder) and, opened again, the same parts with every checksum verified. It does not know how a
network is run, nor what the calibration means.
"""

from leafsight.bundle.builtin import builtin_bundle_path
from leafsight.bundle.companion import companion_of, write_companion
from leafsight.bundle.contents import BundleContents
from leafsight.bundle.labelling import labels_for
from leafsight.bundle.manifest import FORMAT_VERSION, Manifest
from leafsight.bundle.memory import MAX_MEMORY_ROWS, MEMORY_SPLITS, Memory
from leafsight.bundle.reading import Bundle, open_bundle
from leafsight.bundle.records import Label, NetworkSpec, Part, TensorSpec
from leafsight.bundle.writing import write_bundle

__all__ = [
    "Bundle",
    "BundleContents",
    "FORMAT_VERSION",
    "Label",
    "MAX_MEMORY_ROWS",
    "MEMORY_SPLITS",
    "Manifest",
    "Memory",
    "NetworkSpec",
    "Part",
    "TensorSpec",
    "builtin_bundle_path",
    "companion_of",
    "labels_for",
    "open_bundle",
    "write_bundle",
    "write_companion",
]
