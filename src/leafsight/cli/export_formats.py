"""``leafsight export --format``: a run or a model file in the formats of other runtimes, each proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import cores, decode_limits, print_json, progress, settings_for, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex
    from leafsight.export import FormatExport, FormatSource, PackagingOptions, ProofPhotographs
    from leafsight.images import Preprocessing

BUILTIN = Path("builtin")
LIKE_FILES = (".onnx", ".tflite", ".pt", ".pt2", ".xml", ".leafsight")


def is_model_file(path: Path) -> bool:
    """Whether the argument means a bundle, not a run."""
    named_so = path == BUILTIN or path.suffix == ".leafsight"
    return named_so or path.is_file() or (path / "manifest.json").exists()


def export_in_formats(
    path: Path,
    names: Sequence[str],
    out: Path | None,
    photos: Path | None,
    *,
    values: Mapping[str, Any],
    quiet: bool,
    as_json: bool,
) -> None:
    """Make the formats and tell what the proofs say.

    Args:
        path: a run, a bundle, or the word ``builtin``.
        names: of the formats.
        out: the folder for them.
        photos: a collection to prove them on.
        values: options of packaging as plain values.
        quiet: no talk.
        as_json: the result as JSON.

    Raises:
        UsageError: ``out`` is a file, or an option that only a run can have.
    """
    from leafsight.errors import require, validated

    bundled = is_model_file(path)
    require("onnx" if bundled else "torch", "train")
    if out is not None and (out.is_file() or out.suffix in LIKE_FILES):
        raise UsageError(
            f"--out {out}: with --format this is a folder", hint="files are named by their format"
        )
    from leafsight.export import PackagingOptions, export_formats, require_formats

    require_formats(names, from_network=not bundled)
    options = validated(PackagingOptions, values, "export")
    if bundled:
        _refuse_what_is_for_runs(options)
    source, photographs = (_of_bundle if bundled else _of_run)(path, photos, options, quiet)
    stem = bundle_path(path).stem if bundled else "model"
    made = export_formats(
        source,
        names,
        photographs,
        out or (Path(f"{stem}-formats") if bundled else path / "formats"),
        stem=stem,
        tolerance=options.export.tolerance,
        progress=progress(quiet),
    )
    told = []
    # One at a time: what was made before one that fails is told, too.
    for one in made:
        _warn(one, quiet)
        if not as_json:
            click.echo(_line(one))
        told.append(one)
    if as_json:
        print_json({"photographs": photographs.origin, "formats": [one.to_dict() for one in told]})
    _tell_once(told, photographs, quiet)


def index_of_run(run_folder: Path) -> PhotoIndex:
    """The index that a run was trained from.

    Raises:
        UsageError: there is none.
    """
    from leafsight.dataset import PhotoIndex

    index_path = run_folder / "index.parquet"
    if not index_path.exists():
        raise UsageError(f"{run_folder} has no index.parquet", hint="it is written by leafsight train")
    return PhotoIndex.load(index_path)


def _of_bundle(
    path: Path, photos: Path | None, options: PackagingOptions, quiet: bool
) -> tuple[FormatSource, ProofPhotographs]:
    from leafsight.bundle import open_bundle
    from leafsight.export import drawn_photographs, source_of_bundle

    source = source_of_bundle(open_bundle(bundle_path(path)))
    if photos is None:
        return source, drawn_photographs(source.preprocessing, options.export.proof_photos)
    return source, _photographs(photos, source.preprocessing, options, quiet)


def _of_run(
    path: Path, photos: Path | None, options: PackagingOptions, quiet: bool
) -> tuple[FormatSource, ProofPhotographs]:
    from leafsight.export import serving_contract, some_photographs, source_of_run
    from leafsight.training import load_run

    run = load_run(path)
    contract = serving_contract(run, options)
    if photos is None:
        photographs = some_photographs(
            index_of_run(path).where(split="valid"),
            contract,
            options.export.proof_photos,
            origin="validation split of the run",
            limits=decode_limits(),
            workers=settings_for().threads or cores(),
            progress=progress(quiet),
        )
    else:
        photographs = _photographs(photos, contract, options, quiet)
    source = source_of_run(
        run.network,
        run.classes,
        contract,
        photographs.squares,
        name=options.name or run.recipe.recipe.name,
        tolerance=options.export.tolerance,
        mirrored=options.export.mirrored,
        origin={"recipe_fingerprint": run.recipe.fingerprint()},
    )
    return source, photographs


def _photographs(
    place: Path, contract: Preprocessing, options: PackagingOptions, quiet: bool
) -> ProofPhotographs:
    from leafsight.cli.collections import read_index
    from leafsight.export import some_photographs

    return some_photographs(
        read_index((place,), None, quiet=quiet).usable(),
        contract,
        options.export.proof_photos,
        origin=place.name,
        limits=decode_limits(),
        workers=settings_for().threads or cores(),
        progress=progress(quiet),
    )


def bundle_path(path: Path) -> Path:
    """The file that the argument means: itself, or the model that ships."""
    from leafsight.bundle import builtin_bundle_path

    return builtin_bundle_path() if path == BUILTIN else path


def _refuse_what_is_for_runs(options: PackagingOptions) -> None:
    given = {"side_px": options.side_px is not None, "export.mirrored": options.export.mirrored}
    for key in (key for key, was_given in given.items() if was_given):
        raise UsageError(
            f"--set {key}: a model file has its graph already", hint="name the folder of the run"
        )


def _line(made: FormatExport) -> str:
    proof = made.proof
    same = round(proof.top1_agreement * proof.photos)
    return (
        f"{made.path}: {made.size_bytes / 1e6:.1f} MB, {made.runtime}: logits differ by at most "
        f"{proof.max_abs_diff:.1e}, same first class on {same} of {proof.photos}"
    )


def _warn(made: FormatExport, quiet: bool) -> None:
    """What a user of the file has to know, and what the libraries said."""
    if made.as_usual is not None:
        usual = made.as_usual
        talk(
            f"warning: {made.path.name}: {made.how} (logits then differ by up to {usual.max_abs_diff:.1e}, "
            f"same first class on {round(usual.top1_agreement * usual.photos)} of {usual.photos})",
            quiet,
        )
    for note in made.notes:
        talk(f"{made.format} says: {note}", quiet)


def _tell_once(made: Sequence[FormatExport], photographs: ProofPhotographs, quiet: bool) -> None:
    """On what they were compared, and what an INT8 model became."""
    talk(f"compared on {len(photographs.squares)} photographs ({photographs.origin})", quiet)
    served = [one.against_served for one in made if one.against_served is not None]
    if served:
        worst, same = max(one.max_abs_diff for one in served), min(one.top1_agreement for one in served)
        talk(
            "note: all but onnx hold the 8-bit weights and calculate in fp32. Against the model as it serves "
            f"(INT8) logits differ by up to {worst:.1e}, same first class on "
            f"{round(same * served[0].photos)} of {served[0].photos}",
            quiet,
        )
