"""``leafsight export --pickle``: a model file as a pickled classifier for scikit-learn, with its warning."""

from __future__ import annotations

from pathlib import Path

import click

from leafsight.cli.export_formats import bundle_path, is_model_file
from leafsight.cli.terminal import print_json
from leafsight.errors import UsageError

MODEL_FILE = "model.leafsight"
WARNING = (
    "warning: a pickle runs code when it is opened. Open only your own, and give people the model file "
    "instead: leafsight.estimator.LeafClassifier.from_bundle takes it. leafsight opens no pickle."
)


def export_as_pickle(path: Path, file: Path, *, as_json: bool) -> None:
    """Write the pickle and its warning, on stderr too, whatever else is kept quiet.

    Args:
        path: a run with its model file, a model file, or the word ``builtin``.
        file: where the pickle goes.
        as_json: the result as JSON.

    Raises:
        UsageError: the run has no model file, or ``file`` is the model itself.
        MissingExtraError: scikit-learn is not installed.
        BundleError, StorageError: as ``write_pickle``.
    """
    from leafsight.estimator import write_pickle

    of_run = not is_model_file(path)
    model = path / MODEL_FILE if of_run else bundle_path(path)
    if of_run and not model.exists():
        raise UsageError(
            f"{path} has no {MODEL_FILE}, and a pickle is made of one", hint=f"leafsight export {path}"
        )
    click.echo(WARNING, err=True)
    written, beside = write_pickle(model, file)
    if as_json:
        print_json(
            {"pickle": str(written), "warning": str(beside), "model": str(model), "bytes": _size(written)}
        )
        return
    click.echo(f"{written}: {_size(written) / 1e6:.1f} MB, the warning is in {beside}")


def _size(path: Path) -> int:
    return path.stat().st_size
