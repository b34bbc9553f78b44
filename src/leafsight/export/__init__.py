"""A trained network -> the artefact, with a proof that both give the same answers.

Enters: a ``Network``, its preprocessing and classes, prepared photographs, a ``Calibration``. Leaves: a
bundle whose graph was compared with torch, and whose precision was decided by measurement; or plain
safetensors.
It does not know where the photographs come from, nor how calibration and metrics were found.
"""

from leafsight.export.bundling import export_safetensors, write_model
from leafsight.export.exporting import ExportedNetwork, export_network
from leafsight.export.options import ExportOptions
from leafsight.export.packaging import Package, PackagingOptions, package_run
from leafsight.export.parity import ParityProof, prove_parity
from leafsight.export.precision import Candidate, PrecisionDecision
from leafsight.export.quantising import Scheme, quantise
from leafsight.export.remembering_again import with_memory
from leafsight.export.tracing import export_graph, spec_of

__all__ = [
    "Candidate",
    "ExportOptions",
    "ExportedNetwork",
    "Package",
    "PackagingOptions",
    "ParityProof",
    "PrecisionDecision",
    "Scheme",
    "export_graph",
    "export_network",
    "export_safetensors",
    "package_run",
    "prove_parity",
    "quantise",
    "spec_of",
    "with_memory",
    "write_model",
]
