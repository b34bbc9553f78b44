"""A finished training run -> a judged, calibrated model file with a report.

Enters: a run, the index it was trained from and a folder for caches. Leaves: one bundle and one report. Every
number in them is of the exported graph, asked through the same preprocessing as serving, on photographs that
neither trained nor calibrated it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from leafsight.bundle import companion_of, labels_for, write_companion
from leafsight.dataset import PhotoIndex, PixelCache, coverage_sentence, split_summary
from leafsight.errors import ExportError
from leafsight.evaluation import (
    Calibration,
    CalibrationOptions,
    Evaluation,
    Scores,
    collect_scores,
    evaluate,
    fit_calibration,
)
from leafsight.export.bundling import write_model
from leafsight.export.card import model_card
from leafsight.export.exporting import ExportedNetwork, export_network
from leafsight.export.options import ExportOptions
from leafsight.export.remembering import Remembering, spread_over_classes, worse_copies
from leafsight.export.stress import stressed_copies
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.progress import Progress, Silent
from leafsight.training import TrainedRun, recipe_as_toml

Ask = Callable[[np.ndarray], Scores]
CALIBRATION, TEST, TRAIN, VALID = "calibration", "test", "train", "valid"


class PackagingOptions(BaseModel):
    """How a run becomes a model file.

    Attributes:
        name: what people will call the model; the recipe's name when empty.
        side_px: side of the squares when serving; the recipe's when ``None``. Random crops make objects look
            larger in training than in whole photographs, so a somewhat larger side often serves better
            (Touvron 2019, arXiv 1906.06423).
        export: see ``ExportOptions``.
        calibration: see ``CalibrationOptions``; crops and not-a-leaf classes come from the class names.
        stress_copies: changed copies of each calibration photograph on which the threshold of "cannot tell"
            must hold as well; 0 trusts photographs like the training photographs.
        stress_rounds: how many times each copy is changed; 2 is harder than what training showed.
        familiar_photos: training photographs (a spread sample) that say what is familiar.
        card_notes: Markdown put first in the model card: the limits that only the maker knows.
        memory_photos: training photographs of which the bundle remembers the features, besides the locked
            test and the calibration photographs: for learning more later without the photographs, for the
            gate and for drift. 0 remembers nothing.
        memory_beside: write the memory to a file of its own beside the bundle, which then stays small.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    side_px: int | None = Field(default=None, ge=8, le=4096)
    export: ExportOptions = ExportOptions()
    calibration: CalibrationOptions = CalibrationOptions()
    stress_copies: int = Field(default=2, ge=0, le=20)
    stress_rounds: int = Field(default=1, ge=1, le=4)
    familiar_photos: int = Field(default=4000, ge=1)
    card_notes: str = ""
    memory_photos: int = Field(default=3000, ge=0, le=30_000)
    memory_beside: bool = False


@dataclass(frozen=True)
class Package:
    """What was made.

    Attributes:
        path: the bundle.
        exported: graph, proof of parity, decision on precision.
        calibration: fitted on the calibration split.
        evaluation: of the test split.
        abroad: the same of whole collections from elsewhere, by name.
        test_rows: rows of the index in the order of the evaluation.
        test_images: prepared test photographs in that order.
    """

    path: Path
    exported: ExportedNetwork
    calibration: Calibration
    evaluation: Evaluation
    abroad: Mapping[str, Evaluation]
    test_rows: np.ndarray
    test_images: np.ndarray


@dataclass(frozen=True)
class _Exam:
    """Prepared photographs by split; arrays stay on disk until asked for."""

    cache: PixelCache
    index: PhotoIndex
    labels: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        return self.cache.positions(self.index.row_ids(split=split))

    def images(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.cache.images[rows])


def package_run(
    run: TrainedRun,
    index: PhotoIndex,
    path: Path,
    *,
    cache_folder: Path,
    abroad: Mapping[str, PhotoIndex] | None = None,
    options: PackagingOptions | None = None,
    limits: DecodeLimits | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> Package:
    """Export, prove, calibrate, judge and write.

    Args:
        run: finished.
        index: with the splits ``train``, ``valid``, ``calibration`` and ``test`` that the run was made with.
        path: of the bundle.
        cache_folder: prepared photographs are kept here.
        abroad: collections from elsewhere by name, their classes under the run's names; judged whole, for the
            card and the metrics, and used for nothing else.
        options: see ``PackagingOptions``.
        limits: of the decoder.
        workers: threads that decode and that run the graph.
        progress: told of every step.

    Raises:
        ExportError: a split is missing, or the graph does not give torch's answers.
        BundleError, StorageError: the file cannot be written.
    """
    options, progress = options or PackagingOptions(), progress or Silent()
    contract = serving_contract(run, options)
    reading = partial(
        _prepared,
        run,
        folder=cache_folder,
        contract=contract,
        limits=limits,
        workers=workers,
        progress=progress,
    )
    exam = reading(_with_all_splits(index))
    train, valid = exam.rows(TRAIN), exam.rows(VALID)
    exported = export_network(
        run.network,
        contract,
        training_images=exam.images(_spread(train, 512)),
        judged_images=exam.images(valid),
        judged_labels=exam.labels[valid],
        options=options.export,
        progress=progress,
    )
    graph = exported.open(threads=workers)
    held = Remembering(exported.graph, exam.index.rows(exam.cache.row_ids), exam.labels, len(run.classes))
    calibration = _calibrated(run, exam, graph, options, progress, held)
    test = exam.rows(TEST)
    images = exam.images(test)
    scores = collect_scores(graph, images, progress=progress)
    evaluation = judge(scores, exam, test, calibration)
    held.add(TEST, test, scores)
    elsewhere = {
        place: _judged_abroad(graph, reading(photographs), calibration, progress)
        for place, photographs in (abroad or {}).items()
    }
    memory = held.memory() if options.memory_photos else None
    manifest = write_model(
        path,
        exported,
        run.network,
        run.classes,
        name=options.name or run.recipe.recipe.name,
        calibration=calibration,
        metrics=_metrics(evaluation, elsewhere),
        provenance=_provenance(run, index),
        recipe=recipe_as_toml(run.recipe),
        card=model_card(
            run,
            evaluation,
            exported,
            abroad=elsewhere,
            notes=options.card_notes,
            name=options.name,
            data=coverage_sentence(index.split_record),
        ),
        include_weights=options.export.include_weights,
        memory=None if options.memory_beside else memory,
    )
    if memory is not None and options.memory_beside:
        write_companion(companion_of(path), manifest.content_hash, memory.to_parts())
    return Package(path, exported, calibration, evaluation, elsewhere, cache_rows(exam, test), images)


def _metrics(evaluation: Evaluation, abroad: Mapping[str, Evaluation]) -> dict[str, Any]:
    return {"test": evaluation.to_dict(), "abroad": {place: one.to_dict() for place, one in abroad.items()}}


def cache_rows(exam: _Exam, positions: np.ndarray) -> np.ndarray:
    """Rows of the index of some pictures of the cache."""
    return np.asarray(exam.cache.row_ids[positions])


def crops_of(classes: Sequence[str]) -> dict[str, str]:
    """Class name -> crop key, for the classes that have one."""
    return {label.class_name: label.crop for label in labels_for(classes) if label.crop is not None}


def judge(scores: Scores, exam: _Exam, rows: np.ndarray, calibration: Calibration) -> Evaluation:
    """The honest evaluation of one split: grouped, by source, with and without the crop given."""
    kept = exam.index.rows(cache_rows(exam, rows))
    return evaluate(
        scores,
        exam.labels[rows],
        calibration.classes,
        calibration,
        groups=kept.column("group"),
        domains=kept.column("source"),
        known_crops=crops_of(calibration.classes),
    )


def _judged_abroad(predict: Ask, exam: _Exam, calibration: Calibration, progress: Progress) -> Evaluation:
    everything = np.arange(len(exam.cache), dtype=np.int64)
    return judge(
        collect_scores(predict, exam.images(everything), progress=progress), exam, everything, calibration
    )


def serving_contract(run: TrainedRun, options: PackagingOptions) -> Preprocessing:
    """How squares are made when serving: as in training, but for the side that was asked for."""
    contract = run.recipe.preprocessing.contract()
    if options.side_px is None:
        return contract
    return Preprocessing.from_dict({**contract.to_dict(), "side_px": options.side_px})


def _with_all_splits(index: PhotoIndex) -> PhotoIndex:
    missing = [split for split in (TRAIN, VALID, CALIBRATION, TEST) if not len(index.row_ids(split=split))]
    if missing:
        raise ExportError(
            f"the index has no photographs in split {' and '.join(missing)}",
            hint="split again with train, valid, calibration and test",
        )
    return index


def _prepared(
    run: TrainedRun,
    index: PhotoIndex,
    *,
    folder: Path,
    contract: Preprocessing,
    limits: DecodeLimits | None,
    workers: int,
    progress: Progress,
) -> _Exam:
    # Prepared from the files by the serving contract itself, not cut down from the training cache.
    cache = PixelCache.build(index, folder, contract, limits=limits, workers=workers, progress=progress)
    return _Exam(cache, index, index.rows(cache.row_ids).labels_for(run.classes))


def _calibrated(
    run: TrainedRun,
    exam: _Exam,
    predict: Ask,
    options: PackagingOptions,
    progress: Progress,
    held: Remembering,
) -> Calibration:
    rows = exam.rows(CALIBRATION)
    images, labels = exam.images(rows), exam.labels[rows]
    home = collect_scores(predict, images, progress=progress)
    familiar = _spread(exam.rows(TRAIN), options.familiar_photos)
    trained = collect_scores(predict, exam.cache.images, progress=progress, rows=familiar)
    not_leaf = tuple(label.class_name for label in labels_for(run.classes) if not label.is_leaf)
    chosen = options.calibration.model_copy(
        update={"not_leaf_classes": not_leaf, "crops": crops_of(run.classes)}
    )
    stressed = _stressed(run, images, labels, predict, not_leaf, options, progress)
    if options.memory_photos:
        _remember(held, exam, rows, home, stressed, predict, options, progress)
    return fit_calibration(
        home.logits,
        labels,
        home.embedding,
        trained.embedding,
        exam.labels[familiar],
        run.classes,
        chosen,
        stressed=stressed,
    )


def _remember(
    held: Remembering,
    exam: _Exam,
    rows: np.ndarray,
    home: Scores,
    stressed: tuple[Scores, np.ndarray] | None,
    predict: Ask,
    options: PackagingOptions,
    progress: Progress,
) -> None:
    """Calibration photographs, as they are and made worse, and a sample of the training photographs."""
    held.add(CALIBRATION, rows, home)
    if stressed is not None:
        held.add("stressed", *worse_copies(stressed[0], rows, options.stress_copies, options.memory_photos))
    sample = spread_over_classes(exam.rows(TRAIN), exam.labels, options.memory_photos)
    held.add(TRAIN, sample, collect_scores(predict, exam.cache.images, progress=progress, rows=sample))


def _stressed(
    run: TrainedRun,
    images: np.ndarray,
    labels: np.ndarray,
    predict: Ask,
    not_leaf: Sequence[str],
    options: PackagingOptions,
    progress: Progress,
) -> tuple[Scores, np.ndarray] | None:
    if not options.stress_copies:
        return None
    numbers = tuple(run.classes.index(name) for name in not_leaf)
    copies = stressed_copies(
        images,
        labels,
        not_a_leaf=numbers,
        copies=options.stress_copies,
        side_px=images.shape[1],
        rounds=options.stress_rounds,
    )
    return collect_scores(predict, copies, progress=progress), np.tile(labels, options.stress_copies)


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """At most ``count`` rows, evenly spread over all of them."""
    if len(rows) <= count:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)])


def _provenance(run: TrainedRun, index: PhotoIndex) -> Mapping[str, Any]:
    kept = ("seed", "start", "versions", "machine", "duration_s", "data", "averaged")
    summary = split_summary(index)
    return {
        "recipe": run.recipe.recipe.name,
        "recipe_fingerprint": run.recipe.fingerprint(),
        "data_fingerprint": index.fingerprint(),
        "split_fingerprint": index.split_fingerprint(),
        "sources": list(index.sources),
        "photographs": summary.splits,
        "groups_known": round(summary.covered, 4),
        "run": {key: run.record[key] for key in kept if key in run.record},
        "best_epoch": run.best,
    }
