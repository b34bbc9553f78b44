"""From photographs and class names to a model file, by the way of ``leafsight train``.

Enters: photographs, classes, groups, a recipe. Leaves: the bytes of a bundle and the history of the run. It
does not know labels that are no text, nor what scikit-learn expects of a classifier.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight import __version__
from leafsight.errors import ConflictError, DatasetError
from leafsight.estimator.listing import PICTURES, Line, lines_of, refuse_faults, write_list
from leafsight.estimator.ordering import SPLITS, Order
from leafsight.estimator.photographs import InputError, Item
from leafsight.images import DecodeLimits
from leafsight.storage import canonical_json, holding, os_errors_translated, read_json

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex
    from leafsight.training import TrainedRun

MODEL_FILE = "model.leafsight"
DECODING_THREADS = 2


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit leaves: a bundle as one file, and one record an epoch."""

    bundle: bytes
    history: tuple[dict[str, Any], ...]


def fit_bundle(items: Sequence[Item], names: Sequence[str], groups: Sequence[str], order: Order) -> Fitted:
    """Index, split, train, export, calibrate, judge.

    With ``order.work_dir`` a fit that was killed goes on where it was, and one that is finished is read back:
    the same photographs, classes, groups and recipe lead to the same folder.

    Args:
        items: the photographs.
        names: class of each.
        groups: group of each, or empty texts.
        order: how.

    Raises:
        InputError: photographs that cannot be used, or too few for four splits.
        ConflictError: another process fits the same at this moment.
        TrainingError, ExportError, StorageError: as ``train`` and ``package_run``.
        KeyboardInterrupt: somebody asked to stop; with ``work_dir`` everything is kept.
    """
    with _root(order.work_dir) as root:
        lines = lines_of(items, names, groups, root / PICTURES, DecodeLimits())
        folder = root / f"fit-{_key(lines, order)}"
        with _alone_in(folder):
            model = folder / MODEL_FILE
            if not model.exists():
                _make(lines, folder, order)
            with os_errors_translated(model):
                bundle = model.read_bytes()
            return Fitted(bundle, tuple(read_json(folder / "run.json")["history"]))


@contextmanager
def _root(work_dir: Path | None) -> Iterator[Path]:
    if work_dir is not None:
        yield work_dir
        return
    with tempfile.TemporaryDirectory(prefix="leafsight-fit-") as folder:
        yield Path(folder)


def _key(lines: Sequence[Line], order: Order) -> str:
    """Names the fit: other photographs, classes, groups, recipe or weights give another; their order none."""
    about = sorted([line.place, line.stamp, line.class_name, line.group] for line in lines)
    decided = [__version__, order.recipe.fingerprint(), order.pretrained or "", about]
    return hashlib.sha256(canonical_json(decided).encode()).hexdigest()[:16]


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    busy = ConflictError(
        f"another process fits the same photographs in {folder}", hint="wait for it, or use another work_dir"
    )
    with os_errors_translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    with lock, holding(lock.fileno(), busy):
        yield


def _make(lines: Sequence[Line], folder: Path, order: Order) -> None:
    from leafsight.export import ExportOptions, PackagingOptions, package_run

    listing, paths = write_list(lines, folder)
    run, index = _trained(listing, paths, {line.class_name for line in lines}, folder, order)
    package_run(
        run,
        index,
        folder / MODEL_FILE,
        cache_folder=folder / "exam",
        # Whether INT8 pays is measured in milliseconds, which come out otherwise on a busy machine: of two
        # equal fits one could answer in INT8 and the other not.
        options=PackagingOptions(export=ExportOptions(precision="fp32")),
        workers=order.threads or DECODING_THREADS,
        progress=order.progress,
    )


def _trained(
    listing: Path, paths: Sequence[str], classes: set[str], folder: Path, order: Order
) -> tuple[TrainedRun, PhotoIndex]:
    from leafsight.training import (
        TrainingStoppedError,
        index_and_split,
        prepare_data,
        starting_weights,
        train,
    )

    recipe, data = order.recipe, folder / "data"
    try:
        index = index_and_split(recipe, [listing], data, progress=order.progress)
        refuse_faults(index, paths)
        _require_classes(index, classes)
        _require_splits(index)
        prepared = prepare_data(
            recipe, [listing], data, workers=order.threads or DECODING_THREADS, progress=order.progress
        )
    except DatasetError as error:
        raise InputError(error.message, hint=error.hint) from error
    try:
        run = train(
            recipe,
            prepared.data,
            folder,
            device=order.device,
            pretrained=starting_weights(
                order.pretrained, recipe, folder.parent / "weights", progress=order.progress
            ),
            progress=order.progress,
        )
    except TrainingStoppedError as error:
        # As an error of ours a search over parameters would take it for a bad parameter, and try the next.
        raise KeyboardInterrupt(error.message) from error
    return run, prepared.index


def _require_classes(index: PhotoIndex, classes: set[str]) -> None:
    if set(index.classes) != classes:
        raise InputError(
            f"the recipe makes the classes {', '.join(index.classes)} of {', '.join(sorted(classes))}",
            hint="leave data.classes and data.label_by out, and give the classes wanted as y",
        )


def _require_splits(index: PhotoIndex) -> None:
    counts = index.split_counts()
    missing = [split for split in SPLITS if not counts.get(split)]
    if missing:
        raise InputError(
            f"{len(index)} photographs are too few: none is left for {' and '.join(missing)}",
            hint="training, validation, calibration and test need at least one group of photographs each",
        )
