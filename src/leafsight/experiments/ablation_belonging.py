"""Whether the runs that lie in the folder of an ablation belong to it.

A table of runs of two recipes, two starts or two sets of photographs compares nothing. Enters: a plan and its
folder. Leaves: nothing, or an error that names what differs. It trains nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from leafsight.dataset import PhotoIndex
from leafsight.errors import ConfigError, TrainingError
from leafsight.experiments.ablation_plan import AblationPlan, PlannedRun, data_key
from leafsight.storage import read_json
from leafsight.training import Recipe, RunFolder, describe_start, run_differences

INDEX_FILE = "index.parquet"
DIFFERENCES_SHOWN = 3
Starting = Callable[[Recipe], Path | None]
Indexing = Callable[[Recipe], PhotoIndex]


def has_finished(path: Path) -> bool:
    """A run of an ablation is finished when its index, which is written last, lies beside it."""
    return (path / INDEX_FILE).exists() and RunFolder(path).record.exists()


def refuse_other_runs(plan: AblationPlan, folder: Path, starting: Starting, indexing: Indexing) -> None:
    """Look at every run that was begun or finished in the folder of an ablation.

    Args:
        plan: of the ablation.
        folder: of the ablation.
        starting: recipe -> file of weights to start from, or ``None``.
        indexing: recipe -> its photographs as they are now, split.

    Raises:
        TrainingError: naming the first run of another recipe, of other weights or photographs, and how
            it differs.
        ConfigError: a run is not finished, and nobody says where its weights are.
    """
    splits: dict[str, str] = {}
    for run in plan.runs:
        path = folder / run.place
        if not RunFolder(path).record.exists():
            continue
        record = read_json(RunFolder(path).record)
        told = run_differences(record, run.recipe, _start(run, path, record, starting))
        if not told and has_finished(path):
            key = data_key(run.recipe)
            if key not in splits:
                splits[key] = indexing(run.recipe).split_fingerprint()
            if PhotoIndex.load(path / INDEX_FILE).split_fingerprint() != splits[key]:
                told = ["it has other photographs, labels or another split"]
        if told:
            raise TrainingError(
                f"{path} holds a run that differs from the one wanted: {'; '.join(told[:DIFFERENCES_SHOWN])}",
                hint="choose another folder with --out, or remove that one",
            )


def _start(
    run: PlannedRun, path: Path, record: Mapping[str, object], starting: Starting
) -> Mapping[str, str] | None:
    """What the run would start from; where nobody says where those weights are, what it did start from."""
    try:
        return describe_start(starting(run.recipe))
    except ConfigError:
        if not has_finished(path):
            raise
        kept = record.get("start")
        return kept if isinstance(kept, dict) else None
