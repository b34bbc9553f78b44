"""The folder of a run: what is in it, whose it is, and whether it may be gone on with.

``recipe.toml`` (as resolved), ``run.json`` (what, where and when), ``events.jsonl``, ``curves.png``,
``checkpoint/last.safetensors`` (all that is needed to go on), ``checkpoint/best.safetensors`` (weights).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leafsight import __version__
from leafsight.errors import TrainingError
from leafsight.storage import os_errors_translated, read_json, write_json, write_text
from leafsight.training.data import TrainingData
from leafsight.training.machine import Machine
from leafsight.training.recipe import Recipe
from leafsight.training.recipe_files import recipe_as_toml
from leafsight.training.starting import start_in_words

DIFFERENCES_SHOWN = 8
FORMAT_VERSION = 1
Start = Mapping[str, str] | None
"""Of ``describe_start``: the file that a run starts from; None for random weights."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names of the files of a run."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def record(self) -> Path:
        """What, where and when, as JSON."""
        return self.path / "run.json"

    @property
    def events(self) -> Path:
        """The diary."""
        return self.path / "events.jsonl"

    @property
    def curves(self) -> Path:
        """The picture of the run."""
        return self.path / "curves.png"

    @property
    def last(self) -> Path:
        """The state to go on from."""
        return self.path / "checkpoint" / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "checkpoint" / "best.safetensors"

    @property
    def pieces(self) -> Path:
        """Into how many pieces a member of a team that ran out of memory wants its batches cut."""
        return self.path / "checkpoint" / "pieces.json"

    def clear(self) -> None:
        """Remove what earlier runs left; files that are not ours stay."""
        with os_errors_translated(self.path):
            for file in (self.recipe, self.record, self.events, self.curves):
                file.unlink(missing_ok=True)
            if self.last.parent.is_dir():
                shutil.rmtree(self.last.parent)


def open_run_folder(
    path: Path,
    recipe: Recipe,
    data: TrainingData,
    *,
    resume: bool,
    force: bool,
    start: Start = None,
) -> RunFolder:
    """Take a folder for a run of ``recipe`` on ``data``.

    Args:
        path: made if absent.
        recipe: of this run.
        data: of this run.
        resume: go on with an interrupted run that lies there.
        force: throw away whatever run lies there.
        start: the weights that it starts from, of ``describe_start``.

    Raises:
        TrainingError: another run lies there (how it differs is told); or one of ours and ``resume`` is off.
        StorageError: the folder cannot be written.
    """
    folder = RunFolder(path)
    if force:
        folder.clear()
    if folder.record.exists():
        _refuse_another(read_json(folder.record), recipe, data, start, path)
        if not resume and folder.last.exists():
            raise TrainingError(
                f"{path} holds an earlier run", hint="go on with --resume, or start anew with --force"
            )
    with os_errors_translated(path):
        path.mkdir(parents=True, exist_ok=True)
    write_text(folder.recipe, recipe_as_toml(recipe))
    return folder


def pieces_wanted(folder: RunFolder) -> int:
    """What a member of a team left in ``folder.pieces`` when it ran out of memory; 1 without."""
    return int(read_json(folder.pieces).get("pieces", 1)) if folder.pieces.exists() else 1


def new_record(
    recipe: Recipe, data: TrainingData, machine: Machine, start: Start = None, *, workers: int = 1
) -> dict[str, Any]:
    """What ``run.json`` says while the run goes on; ``workers`` train it together."""
    return {
        "format_version": FORMAT_VERSION,
        "versions": {
            "leafsight": __version__,
            "torch": machine.torch,
            "python": machine.python,
            "numpy": np.__version__,
        },
        "status": "running",
        "recipe": recipe.recipe.name,
        "recipe_fingerprint": recipe.fingerprint(),
        "decisive": recipe.decisive_values(),
        "seed": recipe.seed,
        "start": dict(start) if start else None,
        "data": data.summary(),
        "machine": machine.to_dict(),
        "workers": workers,
    }


def write_record(folder: RunFolder, record: Mapping[str, Any], **changes: Any) -> None:
    """Write ``run.json`` with some values changed."""
    write_json(folder.record, {**record, **changes})


def run_differences(record: Mapping[str, Any], recipe: Recipe, start: Start = None) -> list[str]:
    """How a run that was recorded differs from one of ``recipe`` from ``start``, its photographs aside.

    Args:
        record: of ``run.json``. One that says nothing of its start, as before 0.1, is taken at any.
        recipe: of the other run.
        start: of the other run, of ``describe_start``.

    Returns:
        A sentence for every difference; none for the same run.
    """
    found = list(_differences(record.get("decisive", {}), recipe.decisive_values(), ""))
    if "start" in record:
        kept = record["start"] or {}
        if kept.get("sha256") != (start or {}).get("sha256"):
            found.append(f"it started from {start_in_words(kept)}, now {start_in_words(start)}")
    return found


def _refuse_another(
    record: Mapping[str, Any], recipe: Recipe, data: TrainingData, start: Start, path: Path
) -> None:
    differences = run_differences(record, recipe, start)
    old, new = record.get("data", {}), data.summary()
    told_apart = _differences({**old, "fingerprint": ""}, {**new, "fingerprint": ""}, "")
    differences += [f"photographs: {difference}" for difference in told_apart]
    if not differences and old.get("fingerprint") != new["fingerprint"]:
        differences = ["other photographs, labels or split (the fingerprints differ)"]
    if differences:
        more = len(differences) - DIFFERENCES_SHOWN
        told = "; ".join(differences[:DIFFERENCES_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        raise TrainingError(
            f"{path} holds a run that differs from this one: {told}",
            hint="choose another folder with --out, or start anew with --force",
        )


def _differences(old: Any, new: Any, where: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(*pair, f"{where}.{position}")
    elif old != new:
        yield f"{where} was {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
