"""What was made, and what its user must know: the record that stands beside a file of another format.

Enters: a converted model, its proof and its source. Leaves: plain values. It does not know how it is made.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from leafsight.evaluation import Scores
from leafsight.export.agreement import ParityProof
from leafsight.export.formats_converted import Converted
from leafsight.export.formats_photographs import ProofPhotographs
from leafsight.export.formats_source import FormatSource
from leafsight.storage import file_sha256

NOT_INSIDE = (
    "The file gives logits. Cutting and resizing (preprocessing), the calibration, 'cannot tell' and advice "
    "are in the model file of leafsight, not in here."
)


@dataclass(frozen=True)
class FormatExport:
    """One format that was made.

    Attributes:
        format: its name.
        path: file or folder.
        proof_path: the JSON beside it.
        proof: against the fp32 graph in ONNX Runtime.
        runtime: what ran it, in words.
        as_usual: the same proof with the runtime's own settings, where these calculate with fewer bits.
        against_served: against the INT8 graph of the bundle, where it has one.
        size_bytes: of all files.
        how: what to open it with, in words; empty where nothing is to be set.
        notes: what the libraries said that people should hear.
    """

    format: str
    path: Path
    proof_path: Path
    proof: ParityProof
    runtime: str
    size_bytes: int
    as_usual: ParityProof | None = None
    against_served: ParityProof | None = None
    how: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "format": self.format,
            "path": str(self.path),
            "proof_path": str(self.proof_path),
            "proof": self.proof.to_dict(),
            "runtime": self.runtime,
            "bytes": self.size_bytes,
            "as_usual": _told(self.as_usual),
            "against_served": _told(self.against_served),
            "how": self.how,
            "notes": list(self.notes),
        }


def record_of(
    made: FormatExport,
    converted: Converted,
    source: FormatSource,
    photographs: ProofPhotographs,
    reference: Scores,
) -> Mapping[str, Any]:
    """What stands beside the file, as plain values; ``converted`` still lies where it was made."""
    base = converted.path.parent
    return {
        "format": made.format,
        "model": source.name,
        "files": {
            file.relative_to(base).as_posix(): {"bytes": file.stat().st_size, "sha256": file_sha256(file)}
            for file in files_of(converted.path)
        },
        "proof": made.proof.to_dict()
        | {
            "photographs": photographs.origin,
            "reference": f"ONNX Runtime {version('onnxruntime')}, {source.spec.precision} graph",
            "runtime": made.runtime,
            "logit_spread": float(reference.logits.std()),
        },
        "open_with": made.how,
        "as_usual": _told(made.as_usual),
        "against_served_int8": _told(made.against_served),
        "weights": source.weights,
        "mirrored": source.mirrored,
        "input": source.spec.input.to_dict() | {"layout": "n, height, width, RGB as 0..255; scaled inside"},
        "outputs": {
            role: getattr(source.spec, role).to_dict() for role in ("logits", "embedding", "feature_map")
        },
        "preprocessing": source.preprocessing.to_dict(),
        "classes": list(source.classes),
        "source": dict(source.origin or {}),
        "not_inside": NOT_INSIDE,
        "notes": list(made.notes),
        "versions": {
            **converted.versions,
            "leafsight": version("leafsight"),
            "numpy": version("numpy"),
            "onnxruntime": version("onnxruntime"),
            "python": platform.python_version(),
        },
    }


def files_of(path: Path) -> list[Path]:
    """The file itself, or all files of a folder."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _told(proof: ParityProof | None) -> dict[str, Any] | None:
    """Only the measures: nothing was asked of these."""
    if proof is None:
        return None
    return {key: value for key, value in proof.to_dict().items() if key not in ("tolerance", "passed")}
