"""What can be compared: finished runs and model files, opened and ready to be asked about photographs.

Enters: paths. Leaves: one ``Subject`` a path, which answers with ``RunScores``, so that a network in torch
and a graph in a bundle are judged by the same code. It does not know which photographs are fair to ask about.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leafsight.bundle import Bundle, builtin_bundle_path, open_bundle
from leafsight.dataset import PhotoIndex, PixelCache
from leafsight.errors import ConfigError, EvaluationError, UsageError
from leafsight.evaluation import collect_scores
from leafsight.experiments.run_scores import RunScores, judge_run
from leafsight.images import DecodeLimits
from leafsight.inference import BundlePredictor
from leafsight.progress import Progress
from leafsight.training import RecipeFile, load_run, start_in_words

BUILTIN = "builtin"
BUNDLE_SUFFIX = ".leafsight"
INDEX_FILE = "index.parquet"


@dataclass(frozen=True, slots=True)
class Asking:
    """How every subject is asked.

    Attributes:
        folder: prepared pixels are kept here; subjects with the same contract share them.
        split: which photographs of an index.
        views: averaged views of each photograph, 1 to 8.
        device: of torch, as in ``train``.
        limits: of the decoder.
        max_cache_bytes: of the prepared pixels; ``None`` for no limit.
        workers: threads that decode and that run a bundle.
        progress: told of photographs.
    """

    folder: Path
    split: str = "test"
    views: int = 1
    device: str = "auto"
    limits: DecodeLimits | None = None
    max_cache_bytes: int | None = None
    workers: int = 2
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A run or a model file.

    Attributes:
        name: short, and another one for every subject of a comparison.
        path: where it lies.
        kind: "run" or "model file".
        classes: in the order of its logits.
        index: that it was trained by, where that is known.
        split_fingerprint: of that index, where only this is known.
        learned_more: whether it learned from photographs that stand in no index (``leafsight retrain``).
        facts: recipe, seed, duration and so on, as plain values.
        decisive: values of its recipe that decide the weights; empty where not known.
        history: one record an epoch; empty for a model file.
        judge: asks it about a split of an index.
    """

    name: str
    path: Path
    kind: str
    classes: tuple[str, ...]
    index: PhotoIndex | None
    judge: Callable[[PhotoIndex, Asking], RunScores]
    split_fingerprint: str = ""
    learned_more: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    decisive: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()


def open_subjects(paths: Sequence[Path]) -> tuple[Subject, ...]:
    """Open runs (folders) and model files (``.leafsight``, or ``builtin``).

    Raises:
        UsageError: fewer than two, or one is named twice.
        EvaluationError: they do not know the same classes.
        TrainingError, BundleError, StorageError: one cannot be opened.
    """
    if len(paths) < 2:
        raise UsageError("a comparison needs two runs or more", hint="leafsight compare RUN RUN")
    subjects = tuple(
        _open_bundle(name, path) if _is_bundle(path) else _open_run(name, path)
        for name, path in zip(short_names(paths), paths, strict=True)
    )
    first = subjects[0]
    for other in subjects[1:]:
        if set(other.classes) != set(first.classes):
            strange = sorted(set(other.classes) ^ set(first.classes))
            raise EvaluationError(
                f"{first.name} and {other.name} do not know the same classes: {', '.join(strange[:6])}"
                + (f" and {len(strange) - 6} more" if len(strange) > 6 else ""),
                hint="only models of the same classes can be compared photograph by photograph",
            )
    return subjects


def short_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The shortest endings of the paths that tell them apart.

    Raises:
        UsageError: one path is named twice.
    """
    parts = [path.absolute().resolve().parts for path in paths]
    for length in range(1, max(len(one) for one in parts) + 1):
        names = tuple("/".join(one[-length:]) for one in parts)
        if len(set(names)) == len(names):
            return names
    twice = next(path for path, one in zip(paths, parts, strict=True) if parts.count(one) > 1)
    raise UsageError(f"{twice} is named twice", hint="a run does not differ from itself")


def _is_bundle(path: Path) -> bool:
    return str(path) == BUILTIN or path.suffix == BUNDLE_SUFFIX or (path / "manifest.json").exists()


def _open_run(name: str, path: Path) -> Subject:
    run = load_run(path)
    place = path / INDEX_FILE

    def judge(index: PhotoIndex, how: Asking) -> RunScores:
        return judge_run(
            run,
            index,
            how.folder,
            split=how.split,
            views=how.views,
            device=how.device,
            limits=how.limits,
            max_cache_bytes=how.max_cache_bytes,
            workers=how.workers,
            progress=how.progress,
        )

    return Subject(
        name=name,
        path=path,
        kind="run",
        classes=run.classes,
        index=PhotoIndex.load(place) if place.exists() else None,
        judge=judge,
        facts=_facts(run.record, run.best, str(run.record.get("recipe", ""))),
        # Read anew, not from run.json: keys that later versions added are then filled in for all alike.
        decisive=run.recipe.decisive_values(),
        history=run.history,
    )


def _open_bundle(name: str, path: Path) -> Subject:
    bundle = open_bundle(builtin_bundle_path() if str(path) == BUILTIN else path)
    provenance = bundle.provenance
    return Subject(
        name=name,
        path=path,
        kind="model file",
        classes=bundle.classes,
        index=_index_beside(path, str(provenance.get("split_fingerprint", ""))),
        judge=lambda index, how: _ask_bundle(bundle, index, how),
        split_fingerprint=str(provenance.get("split_fingerprint", "")),
        learned_more=bool(provenance.get("lineage")),
        facts=_facts(
            provenance.get("run", {}), provenance.get("best_epoch", {}), str(provenance.get("recipe", ""))
        ),
        decisive=_decisive(bundle),
    )


def _index_beside(path: Path, split_fingerprint: str) -> PhotoIndex | None:
    """The index of the run whose folder the model file still lies in."""
    place = path.parent / INDEX_FILE
    if not split_fingerprint or not place.exists():
        return None
    index = PhotoIndex.load(place)
    return index if index.split_fingerprint() == split_fingerprint else None


def _decisive(bundle: Bundle) -> dict[str, Any]:
    """Values of the recipe in a bundle; none where another version of leafsight wrote keys that are gone."""
    try:
        return RecipeFile(str(bundle.path), tomllib.loads(bundle.recipe)).recipe().decisive_values()
    except (tomllib.TOMLDecodeError, ConfigError):
        return {}


def _facts(record: Mapping[str, Any], best: Mapping[str, Any], recipe: str) -> dict[str, Any]:
    machine = record.get("machine", {})
    epoch = best.get("epoch")
    known = {
        "recipe": recipe,
        "seed": record.get("seed"),
        "start": start_in_words(record["start"]) if "start" in record else None,
        "duration_s": record.get("duration_s"),
        "best_epoch": None if epoch is None else int(epoch) + 1,  # people count from 1
        "photographs": record.get("data", {}).get("photos"),
        "device": machine.get("device"),
        "leafsight": record.get("versions", {}).get("leafsight"),
        "torch": record.get("versions", {}).get("torch"),
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _ask_bundle(bundle: Bundle, index: PhotoIndex, how: Asking) -> RunScores:
    predictor = BundlePredictor(bundle, threads=how.workers, test_time_views=how.views)
    part = index.where(split=how.split)
    cache = PixelCache.build(
        part,
        how.folder,
        predictor.preprocessing,
        max_bytes=how.max_cache_bytes,
        limits=how.limits,
        workers=how.workers,
        progress=how.progress,
    )
    shown = part.rows(cache.row_ids)
    scores = collect_scores(predictor.scores, cache.images, progress=how.progress)
    return RunScores.of_answers(shown, bundle.classes, scores)
