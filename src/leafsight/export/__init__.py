"""A trained network -> the artefact, with a proof that both give the same answers; and other formats.

Enters: a ``Network``, its preprocessing and classes, prepared photographs, a ``Calibration``; for other
formats a run or a bundle. Leaves: a bundle whose graph was compared with torch, and whose precision was
decided by measurement; plain safetensors; files of other runtimes with their proofs beside them. It does not
know where the photographs come from, nor how calibration and metrics were found. Torch is loaded when
something is first asked for that needs it; the formats that begin with a graph do without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.export.formats import FORMATS, ModelFormat

if TYPE_CHECKING:
    from leafsight.export.agreement import ParityProof
    from leafsight.export.bundling import export_safetensors, write_model
    from leafsight.export.exporting import ExportedNetwork, export_network
    from leafsight.export.formats_making import export_formats, require_formats
    from leafsight.export.formats_photographs import ProofPhotographs, drawn_photographs, some_photographs
    from leafsight.export.formats_record import FormatExport
    from leafsight.export.formats_source import FormatSource, source_of_bundle, source_of_run
    from leafsight.export.options import ExportOptions
    from leafsight.export.packaging import Package, PackagingOptions, package_run, serving_contract
    from leafsight.export.parity import prove_parity
    from leafsight.export.precision import Candidate, PrecisionDecision
    from leafsight.export.quantising import Scheme, quantise
    from leafsight.export.remembering_again import with_memory
    from leafsight.export.tracing import export_graph, spec_of

_HOME = {
    "Candidate": "precision",
    "ExportOptions": "options",
    "ExportedNetwork": "exporting",
    "FormatExport": "formats_record",
    "FormatSource": "formats_source",
    "Package": "packaging",
    "PackagingOptions": "packaging",
    "ParityProof": "agreement",
    "PrecisionDecision": "precision",
    "ProofPhotographs": "formats_photographs",
    "Scheme": "quantising",
    "drawn_photographs": "formats_photographs",
    "export_formats": "formats_making",
    "export_graph": "tracing",
    "export_network": "exporting",
    "export_safetensors": "bundling",
    "package_run": "packaging",
    "prove_parity": "parity",
    "quantise": "quantising",
    "require_formats": "formats_making",
    "serving_contract": "packaging",
    "some_photographs": "formats_photographs",
    "source_of_bundle": "formats_source",
    "source_of_run": "formats_source",
    "spec_of": "tracing",
    "with_memory": "remembering_again",
    "write_model": "bundling",
}

__all__ = [
    "Candidate",
    "ExportOptions",
    "ExportedNetwork",
    "FORMATS",
    "FormatExport",
    "FormatSource",
    "ModelFormat",
    "Package",
    "PackagingOptions",
    "ParityProof",
    "PrecisionDecision",
    "ProofPhotographs",
    "Scheme",
    "drawn_photographs",
    "export_formats",
    "export_graph",
    "export_network",
    "export_safetensors",
    "package_run",
    "prove_parity",
    "quantise",
    "require_formats",
    "serving_contract",
    "some_photographs",
    "source_of_bundle",
    "source_of_run",
    "spec_of",
    "with_memory",
    "write_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
