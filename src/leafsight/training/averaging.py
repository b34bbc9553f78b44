"""The mean of the weights of several finished runs: one network, as quick as each, often better than all.

Runs that began from the same trained weights end in the same valley, and the middle of a valley is flatter
and lies nearer to what other photographs ask for (Izmailov et al. 2018, arXiv:1803.05407; Wortsman et al.
2022, "Model soups", arXiv:2203.05482). Runs from different random weights end in different valleys: their
mean is worthless, and the numbers that are told here show it. Enters: run folders. Leaves: a run folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leafsight.errors import TrainingError
from leafsight.models import Network, build_network, save_weights
from leafsight.progress import Progress, Silent
from leafsight.storage import canonical_json, write_text
from leafsight.training.data import TrainingData
from leafsight.training.machine import Machine, prepared_machine
from leafsight.training.memory import PieceCounter
from leafsight.training.recipe import Recipe
from leafsight.training.recipe_files import recipe_as_toml
from leafsight.training.run_folder import RunFolder, new_record, write_record
from leafsight.training.stages import PhotoWork, Setting
from leafsight.training.trained_run import TrainedRun, load_run
from leafsight.training.validation import Judgement, judge_valid

Weights = dict[str, Tensor]


def average_runs(
    paths: Sequence[Path],
    data: TrainingData,
    out_dir: Path,
    *,
    greedy: bool = False,
    force: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> TrainedRun:
    """Write the mean of the best weights of several runs as a finished run of its own.

    Args:
        paths: folders of at least two finished runs of one architecture on one list of classes.
        data: the photographs that they were trained on; ``valid`` judges each of them and the mean.
        out_dir: folder of the new run. Recipe and preprocessing are those of the first run.
        greedy: begin with the best run and take in a next one only where the mean does not become worse on
            ``valid`` (Wortsman et al. 2022, recipe 1). Otherwise all are taken.
        force: throw an earlier run in ``out_dir`` away.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        progress: told of every judgement.

    Raises:
        TrainingError: fewer than two runs, an unfinished one, runs or photographs that do not belong
            together, or ``out_dir`` holds a run.
        StorageError: a file is missing, damaged, or cannot be written.
    """
    progress = progress or Silent()
    runs = [load_run(path) for path in paths]
    _require_that_they_fit(runs, paths, data)
    require_room(paths, out_dir, force=force)
    folder = RunFolder(out_dir)
    if force:
        folder.clear()
    recipe = runs[0].recipe
    with prepared_machine(device, recipe.threads, recipe.precision) as (chosen, machine):
        judging = _Judging(recipe, data, chosen, machine.precision)
        progress.start("judging on the validation photographs", len(runs) + 1)
        alone = []
        for run in runs:
            alone.append(judging(run.network.state_dict()))
            progress.advance(1)
        kept = _greedy_choice(runs, alone, judging) if greedy else list(range(len(runs)))
        mean = mean_weights([runs[number].network.state_dict() for number in kept])
        together = judging(mean)
        progress.advance(1)
        progress.finish(f"the mean of {len(kept)}: macro F1 {together.macro_f1:.4f}")
        _write(folder, runs, alone, kept, mean, together, data, machine)
    return load_run(out_dir)


def require_room(paths: Sequence[Path], out_dir: Path, *, force: bool = False) -> None:
    """Refuse a folder that the mean cannot be written to; quick, so it can be asked before long work.

    Raises:
        TrainingError: ``out_dir`` is one of the runs, or holds another run and ``force`` is off.
    """
    if out_dir.resolve() in {path.resolve() for path in paths}:
        raise TrainingError(f"{out_dir} is one of the runs that are averaged", hint="choose another --out")
    if RunFolder(out_dir).record.exists() and not force:
        raise TrainingError(f"{out_dir} holds an earlier run", hint="choose another --out, or --force")


def mean_weights(states: Sequence[Weights]) -> Weights:
    """The mean of every floating tensor, summed in float64; counters are those of the first.

    Batch statistics are averaged like weights: the runs saw the same photographs.
    """
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(first.dtype)
        if first.is_floating_point()
        else first.clone()
        for name, first in states[0].items()
    }


class _Judging:
    """Weights -> what they reach on the validation photographs."""

    def __init__(self, recipe: Recipe, data: TrainingData, device: torch.device, precision: str) -> None:
        table = recipe.preprocessing
        network: Network = build_network(recipe.model, len(data.classes), mean=table.mean, std=table.std)
        self._network = network.to(device)
        memory = PieceCounter(1, lambda before, after: None)
        self._setting = Setting(self._network, data, recipe, device, precision, memory)

    def __call__(self, weights: Weights) -> Judgement:
        self._network.load_state_dict(weights)
        return judge_valid(PhotoWork(self._setting, 0).valid_logits(), self._setting.data)


def _greedy_choice(runs: Sequence[TrainedRun], alone: Sequence[Judgement], judging: _Judging) -> list[int]:
    metric = runs[0].recipe.early_stopping.metric
    order = sorted(range(len(runs)), key=lambda number: -alone[number].score(metric))
    kept, best = order[:1], alone[order[0]].score(metric)
    for number in order[1:]:
        tried = [*kept, number]
        score = judging(mean_weights([runs[one].network.state_dict() for one in tried])).score(metric)
        if score >= best:
            kept, best = tried, score
    return sorted(kept)


def _require_that_they_fit(runs: Sequence[TrainedRun], paths: Sequence[Path], data: TrainingData) -> None:
    if len(runs) < 2:
        raise TrainingError(f"{len(runs)} run cannot be averaged", hint="name two or more")
    first = runs[0]
    for run, path in zip(runs, paths, strict=True):
        faults = []
        if run.classes != data.classes:
            faults.append("the classes")
        if _architecture(run) != _architecture(first):
            faults.append("the network")
        table, own = first.recipe.preprocessing, run.recipe.preprocessing
        if (own.mean, own.std) != (table.mean, table.std):
            faults.append("the scaling of pixels")
        if faults:
            raise TrainingError(
                f"{path} cannot be averaged with {paths[0]}: {' and '.join(faults)} differ",
                hint="average runs of one recipe that began from the same trained weights",
            )


def _architecture(run: TrainedRun) -> dict[str, Any]:
    return run.recipe.model.model_dump(mode="json", exclude={"pretrained", "pretrained_sha256", "dropout"})


def _write(
    folder: RunFolder,
    runs: Sequence[TrainedRun],
    alone: Sequence[Judgement],
    kept: Sequence[int],
    mean: Weights,
    together: Judgement,
    data: TrainingData,
    machine: Machine,
) -> None:
    """The weights first and the record last: a folder without a record holds no run."""
    recipe = runs[0].recipe
    network = runs[0].network
    network.load_state_dict(mean)
    best = {
        "stage": len(recipe.stages) - 1,
        "stage_name": f"mean of {len(kept)} runs",
        "epoch": 0,
        "valid": together.to_dict(),
        "is_best": True,
    }
    texts = {"classes": canonical_json(list(data.classes)), "epoch": canonical_json(best)}
    save_weights(network, folder.best, texts)
    write_text(folder.recipe, recipe_as_toml(recipe))
    parts = [
        {
            "folder": run.folder.path.name,
            "seed": run.recipe.seed,
            "recipe_fingerprint": run.recipe.fingerprint(),
            "valid": alone[number].to_dict(),
            "kept": number in kept,
        }
        for number, run in enumerate(runs)
    ]
    record = new_record(recipe, data, machine)
    del record["start"]
    write_record(
        folder,
        {**record, **_common_start(runs)},
        status="finished",
        duration_s=sum(float(run.record.get("duration_s", 0.0)) for run in runs),
        best=best,
        history=[],
        averaged=parts,
    )


def _common_start(runs: Sequence[TrainedRun]) -> dict[str, Any]:
    """What all runs started from, if they say so and it is the same."""
    starts = [run.record.get("start", "unknown") for run in runs]
    return {"start": starts[0]} if starts[0] != "unknown" and all(s == starts[0] for s in starts) else {}
