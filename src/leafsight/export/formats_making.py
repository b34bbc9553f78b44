"""A model in other formats, each proved before it is kept.

Enters: a ``FormatSource``, photographs, names of formats. Leaves: for each format a file or folder and,
beside it, a JSON with the proof and all that its user must know. It does not know how a format is made.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from leafsight.errors import ExportError, MissingExtraError
from leafsight.evaluation import Scores
from leafsight.export.agreement import ParityProof, compared
from leafsight.export.formats import (
    EXACT_DIFFERENCE,
    FORMATS,
    ROUNDED_DIFFERENCE,
    ROUNDED_MIN_TOP1,
    ModelFormat,
)
from leafsight.export.formats_apart import converted_apart
from leafsight.export.formats_converted import Converted
from leafsight.export.formats_photographs import ProofPhotographs
from leafsight.export.formats_record import FormatExport, files_of, record_of
from leafsight.export.formats_source import FormatSource
from leafsight.inference import OnnxNetwork
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated, write_bytes, write_json


def require_formats(names: Sequence[str], *, from_network: bool) -> tuple[ModelFormat, ...]:
    """The formats by name, before any work is done.

    Args:
        names: keys of ``FORMATS``; a name that comes twice counts once.
        from_network: torch's network is at hand.

    Raises:
        ExportError: a format needs torch's network and there is none.
        MissingExtraError: a library is not installed.
    """
    wanted = tuple(FORMATS[name] for name in dict.fromkeys(names))
    for one in wanted:
        if one.made_from == "network" and not from_network:
            raise ExportError(
                f"{one.name} is made from the training run, and a model file holds only the graph",
                hint="name the folder of the run",
            )
        for library in one.libraries:
            if find_spec(library) is None:
                raise MissingExtraError(library, one.extra)
    return wanted


def export_formats(
    source: FormatSource,
    names: Sequence[str],
    photographs: ProofPhotographs,
    folder: Path,
    *,
    stem: str = "model",
    tolerance: float = 1e-3,
    progress: Progress | None = None,
) -> Iterator[FormatExport]:
    """Make, prove and keep each format in turn; the first that fails ends it, those before it stay.

    Args:
        source: what they are made from.
        names: keys of ``FORMATS``.
        photographs: of the proof.
        folder: where they go; what lies there under the same name is replaced.
        stem: the first part of their names.
        tolerance: largest difference of a logit for formats with fp32 weights; less where logits are small.
        progress: told of every format.

    Raises:
        ExportError: a converter failed, or its model does not give the same answers.
        MissingExtraError: a library is not installed.
        StorageError: the folder cannot be written.
    """
    progress = progress or Silent()
    wanted = require_formats(names, from_network=source.network is not None)
    for one in wanted:
        progress.start(f"making {one.name}", 1)
        with os_errors_translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
            chosen = _as_served(source) if one.name == "onnx" else source
            made = _export(one, chosen, photographs, folder, stem, tolerance)
        progress.advance()
        progress.finish(f"largest difference of a logit {made.proof.max_abs_diff:.1e}")
        yield made


def _export(
    wanted: ModelFormat,
    source: FormatSource,
    photographs: ProofPhotographs,
    folder: Path,
    stem: str,
    tolerance: float,
) -> FormatExport:
    reference = OnnxNetwork(source.graph, source.spec)(photographs.squares)
    # On the same disk, so that what was proved moves into place at once.
    with tempfile.TemporaryDirectory(prefix=".formats-", dir=folder) as staging:
        converted = _converted(wanted, source, photographs, Path(staging), stem + wanted.suffix)
        spread = float(reference.logits.std())
        allowed = ROUNDED_DIFFERENCE * spread if wanted.rounded else min(tolerance, EXACT_DIFFERENCE * spread)
        proof = compared(reference, converted.scores, tolerance=allowed)
        _require_same(wanted, converted.runtime, proof)
        path = folder / converted.path.name
        made = FormatExport(
            format=wanted.name,
            path=path,
            proof_path=path.with_name(f"{path.name}.json"),
            proof=proof,
            runtime=converted.runtime,
            size_bytes=sum(file.stat().st_size for file in files_of(converted.path)),
            as_usual=_compared(reference, converted.as_usual, allowed),
            against_served=_against_served(source, photographs, converted.scores, allowed),
            how=converted.how,
            notes=converted.notes,
        )
        record = record_of(made, converted, source, photographs, reference)
        _place(converted.path, path)
    write_json(made.proof_path, record)
    return made


def _converted(
    wanted: ModelFormat, source: FormatSource, photographs: ProofPhotographs, staging: Path, file: str
) -> Converted:
    if source.network is not None and wanted.made_from == "network":
        # Here, because formats of a bundle need no torch.
        from leafsight.export.formats_torch import converted_by_torch

        return converted_by_torch(
            wanted.name, source.network, photographs.squares, staging / file, mirrored=source.mirrored
        )
    if wanted.name != "onnx":
        return converted_apart(wanted, source, photographs.squares, staging, file)
    path = staging / file
    write_bytes(path, source.graph)
    if source.network is None:
        scores = OnnxNetwork(path.read_bytes(), source.spec)(photographs.squares)
        return Converted(path, scores, f"ONNX Runtime {version('onnxruntime')}", {})
    from leafsight.export.parity import torch_scores

    # The graph is what everything else is compared with, so it is compared with what it was made from.
    scores = torch_scores(source.network, photographs.squares, mirrored=source.mirrored)
    versions = {"torch": version("torch")}
    return Converted(path, scores, f"torch {versions['torch']}", versions)


def _as_served(source: FormatSource) -> FormatSource:
    """The same source with the graph that the bundle serves, INT8 where it is."""
    if source.served is None:
        return source
    graph, spec = source.served
    return replace(source, graph=graph, spec=spec, weights="int8", served=None)


def _require_same(wanted: ModelFormat, runtime: str, proof: ParityProof) -> None:
    same = proof.top1_agreement >= ROUNDED_MIN_TOP1 or not wanted.rounded
    if proof.passed and same:
        return
    least = f" (wanted: {ROUNDED_MIN_TOP1:.0%})" if wanted.rounded else ""
    raise ExportError(
        f"{wanted.name}: {runtime} and ONNX Runtime differ by up to {proof.max_abs_diff:.2e} in a logit "
        f"(allowed: {proof.tolerance:.0e}), same first class on {proof.top1_agreement:.0%}{least}; it "
        "was not written",
        hint="choose a format with fp32 weights" if wanted.rounded else "please report it with the recipe",
    )


def _compared(reference: Scores, found: Scores | None, tolerance: float) -> ParityProof | None:
    return None if found is None else compared(reference, found, tolerance=tolerance)


def _against_served(
    source: FormatSource, photographs: ProofPhotographs, found: Scores, tolerance: float
) -> ParityProof | None:
    if source.served is None:
        return None
    return compared(OnnxNetwork(*source.served)(photographs.squares), found, tolerance=tolerance)


def _place(made: Path, path: Path) -> None:
    """Move a file or folder to where it belongs; what was there goes with the staging folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.move(path, made.parent / "replaced")
    made.replace(path)
