"""What a finished run answers to the photographs of one split, kept beside the run so that it is asked once.

Enters: a run, the index that it was split by, a folder for prepared pixels. Leaves: logits with labels,
groups and names of the photographs. The photographs are prepared by the contract of serving, not by the cache
of training.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from leafsight.dataset import PhotoIndex, PixelCache
from leafsight.errors import StorageError, TrainingError
from leafsight.evaluation import Evaluation, EvaluationOptions, Scores, collect_scores, evaluate
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.inference import make_views, mean_over_views
from leafsight.progress import Progress
from leafsight.storage import canonical_json, os_errors_translated, replacing
from leafsight.training import TrainedRun, network_scorer

EXAM_FOLDER = "exam"


@dataclass(frozen=True, slots=True)
class RunScores:
    """Answers of one run, one row a photograph, in the order of the index.

    Attributes:
        classes: in the order of the logits.
        logits: float32[n, c].
        labels: int64[n], positions in ``classes``.
        photos: what each photograph is called, ``source/path``; the same photograph has the same name in
            every run.
        groups: which photographs are not independent (``None`` stands alone), or empty.
        sources: collection of each.
        key: of run, split, views and photographs; scores with another key are asked for anew.
    """

    classes: tuple[str, ...]
    logits: Float32[np.ndarray, "n c"]
    labels: Int64[np.ndarray, " n"]
    photos: tuple[str, ...]
    groups: tuple[str | None, ...]
    sources: tuple[str, ...]
    key: str

    def correct(self) -> np.ndarray:
        """bool[n]: whether the likeliest class is the label."""
        return np.asarray(self.logits.argmax(axis=1) == self.labels)

    @classmethod
    def of_answers(
        cls,
        shown: PhotoIndex,
        classes: Sequence[str],
        scores: Scores,
        *,
        groups: Sequence[str | None] = (),
        key: str = "",
    ) -> RunScores:
        """What was answered about the photographs of an index, in its order."""
        places = zip(shown.column("source"), shown.column("path"), strict=True)
        return cls(
            classes=tuple(classes),
            logits=scores.logits.astype(np.float32),
            labels=shown.labels_for(classes),
            photos=tuple(f"{source}/{place}" for source, place in places),
            groups=tuple(groups) if any(groups) else (),
            sources=tuple(shown.column("source")),
            key=key,
        )

    def evaluation(self, options: EvaluationOptions | None = None) -> Evaluation:
        """Judged as everything is, without calibration."""
        return evaluate(
            Scores(self.logits),
            self.labels,
            self.classes,
            groups=self.groups or None,
            domains=self.sources,
            options=options,
        )

    def save(self, path: Path) -> None:
        """Write ``.npz``, whole or not at all.

        Raises:
            StorageError: the file cannot be written.
        """
        texts = {
            "classes": self.classes,
            "photos": self.photos,
            "groups": self.groups,
            "sources": self.sources,
            "key": self.key,
        }
        words = np.frombuffer(canonical_json(texts).encode(), np.uint8)
        with replacing(path) as file:
            np.savez_compressed(file, logits=self.logits, labels=self.labels, texts=words)


def load_run_scores(path: Path) -> RunScores:
    """Read what ``save`` wrote.

    Raises:
        StorageError: missing, damaged, or no such file.
    """
    with os_errors_translated(path):
        try:
            # Opened here: NumPy leaves a file open that turns out to be no archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                texts = json.loads(arrays["texts"].tobytes())
                logits, labels = arrays["logits"], arrays["labels"]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise StorageError(f"{path} holds no scores: {error}", hint="remove it") from error
    lists = {name: tuple(texts[name]) for name in ("classes", "photos", "groups", "sources")}
    return RunScores(logits=logits, labels=labels, key=texts["key"], **lists)


def judge_run(
    run: TrainedRun,
    index: PhotoIndex,
    folder: Path,
    *,
    split: str = "test",
    views: int = 1,
    device: str = "auto",
    limits: DecodeLimits | None = None,
    max_cache_bytes: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> RunScores:
    """Ask a run about a split, or read what it answered before.

    Args:
        run: finished.
        index: with splits, and the class names of the run.
        folder: prepared pixels are kept here; runs with the same contract share them.
        split: which photographs.
        views: averaged views of each photograph, 1 to 8 (``inference.make_views``).
        device: as in ``train``.
        limits: of the decoder.
        max_cache_bytes: of the prepared pixels; ``None`` for no limit.
        workers: threads that decode.
        progress: told of photographs.

    Raises:
        DatasetError: the split is empty, or its pixels are over the limit.
        TrainingError: the index has classes that the run does not know.
    """
    part = index.where(split=split)
    contract = run.recipe.preprocessing.contract()
    key = _key(run, part, views)
    path = run.folder.path / f"scores-{split}{f'-views-{views}' if views > 1 else ''}.npz"
    if path.exists() and (kept := _readable(path)) is not None and kept.key == key:
        return kept
    cache = PixelCache.build(
        part,
        folder,
        contract,
        max_bytes=max_cache_bytes,
        limits=limits,
        workers=workers,
        progress=progress,
    )
    shown = part.rows(cache.row_ids)
    if (shown.labels_for(run.classes) < 0).any():
        strange = sorted(set(shown.classes) - set(run.classes))
        raise TrainingError(f"{run.folder.path} does not know the classes {', '.join(strange)}")
    scores = collect_scores(
        _viewed(network_scorer(run.network, device), views, contract), cache.images, progress=progress
    )
    found = RunScores.of_answers(shown, run.classes, scores, groups=shown.column("group"), key=key)
    found.save(path)
    return found


def _readable(path: Path) -> RunScores | None:
    """Scores that were cut off or written by another version are asked for again."""
    try:
        return load_run_scores(path)
    except StorageError:
        return None


def _viewed(
    ask: Callable[[np.ndarray], Scores], views: int, contract: Preprocessing
) -> Callable[[np.ndarray], Scores]:
    def averaged(squares: np.ndarray) -> Scores:
        return Scores(mean_over_views(ask(make_views(squares, views, contract)).logits, views))

    return averaged


def _key(run: TrainedRun, part: PhotoIndex, views: int) -> str:
    recipe = run.record["recipe_fingerprint"]
    weights = hashlib.sha256(run.folder.best.read_bytes()).hexdigest()
    words = canonical_json([recipe, weights, part.fingerprint(), part.column("group"), views])
    return hashlib.sha256(words.encode()).hexdigest()
