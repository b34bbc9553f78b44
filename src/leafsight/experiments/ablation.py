"""The runs of an ablation: each trained once, judged, and pooled into a table.

Enters: a plan, photographs, a folder. Leaves: the folders of the runs and an ``AblationResult``. Whatever is
finished is not done again; several processes may work on one folder, and no run is trained by two of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from leafsight.dataset import PhotoIndex
from leafsight.errors import NonFiniteLossError, StorageError
from leafsight.experiments.ablation_belonging import INDEX_FILE, Starting, has_finished, refuse_other_runs
from leafsight.experiments.ablation_plan import AblationPlan, Cell, PlannedRun, data_key
from leafsight.experiments.ablation_results import VALID, AblationResult, CellResult, pool_results
from leafsight.experiments.run_scores import EXAM_FOLDER, judge_run
from leafsight.images import DecodeLimits
from leafsight.progress import Progress, Silent
from leafsight.storage import holding, os_errors_translated, read_json, write_json
from leafsight.training import (
    PreparedData,
    Recipe,
    TrainedRun,
    average_runs,
    index_and_split,
    load_run,
    prepare_data,
    train,
)

COUNTS_FILE = "train-counts.json"
POLL_S = 2.0
Told = Callable[[str], None]


def run_ablation(
    plan: AblationPlan,
    sources: Sequence[Path],
    folder: Path,
    *,
    starting: Starting,
    split: str = "test",
    device: str = "auto",
    limits: DecodeLimits | None = None,
    max_cache_bytes: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    tell: Told = lambda _: None,
    on_result: Callable[[AblationResult], None] = lambda _: None,
) -> AblationResult:
    """Train and judge every run of the plan that is not finished.

    Args:
        plan: from ``plan_ablation``.
        sources: photographs, or one index with splits.
        folder: of the ablation.
        starting: recipe -> file of weights to start from, or ``None``.
        split: the photographs that the table is about; ``valid`` is judged as well.
        device: as in ``train``.
        limits: of the decoder.
        max_cache_bytes: as in ``prepare_data``.
        workers: threads that decode.
        progress: told of every batch.
        tell: given a line before every run.
        on_result: given the table as it stands: at the start, if runs are finished already, and after every
            run.

    Returns:
        The table. A run whose loss was not finite is told in its row and leaves the others alone.

    Raises:
        TrainingStoppedError: SIGINT or SIGTERM; the same call goes on.
        TrainingError: the folder holds runs of another recipe, of other weights or of other photographs.
        DatasetError: the photographs cannot be used.
    """
    bench = _Bench(
        plan, sources, folder, starting, split, device, limits, max_cache_bytes, workers, progress or Silent()
    )
    bench.refuse_others()
    todo = [*plan.runs]
    # A call of other variants or seeds, or another process, may have finished runs that no table shows yet.
    if 0 < bench.unfinished() < len(todo):
        on_result(bench.table())
    while todo:
        left: list[PlannedRun] = []
        for run in todo:
            if bench.is_done(run):
                continue
            tell(f"{run.place} ({len(plan.runs) - bench.unfinished() + 1} of {len(plan.runs)})")
            try:
                bench.train(run)
            except _BusyError:
                left.append(run)
                continue
            on_result(bench.table())
        if left:
            tell(f"waiting for {len(left)} runs that another process trains")
            time.sleep(POLL_S)
        todo = left
    result = bench.table(whole=True)
    on_result(result)
    return result


@dataclass
class _Bench:
    """Where the runs lie and what is known of them."""

    plan: AblationPlan
    sources: Sequence[Path]
    folder: Path
    starting: Starting
    split: str
    device: str
    limits: DecodeLimits | None
    max_cache_bytes: int | None
    workers: int
    progress: Progress
    failures: dict[Path, str] = field(default_factory=dict)
    _indices: dict[str, PhotoIndex] = field(default_factory=dict)
    _prepared: dict[str, PreparedData] = field(default_factory=dict)
    _cells: dict[tuple[Path, int], CellResult] = field(default_factory=dict)

    def is_done(self, run: PlannedRun) -> bool:
        """Whether nothing is left to do for a run."""
        return run.place in self.failures or has_finished(self.folder / run.place)

    def unfinished(self) -> int:
        """Runs still to be trained."""
        return sum(not self.is_done(run) for run in self.plan.runs)

    def refuse_others(self) -> None:
        """Only runs of these recipes, weights and photographs may stand in one table (``TrainingError``)."""
        refuse_other_runs(self.plan, self.folder, self.starting, self._index)

    def _index(self, recipe: Recipe) -> PhotoIndex:
        key = data_key(recipe)
        if key not in self._indices:
            folder = self.folder / "data" / key
            with _waiting_for(folder):
                self._indices[key] = index_and_split(
                    recipe, self.sources, folder, limits=self.limits, progress=self.progress
                )
        return self._indices[key]

    def train(self, run: PlannedRun) -> None:
        """Train one run, unless another process is at it.

        Raises:
            _BusyError: another process is.
        """
        path = self.folder / run.place
        with _only_here(path):
            prepared = self.prepared(run.recipe)
            try:
                train(
                    run.recipe,
                    prepared.data,
                    path,
                    device=self.device,
                    pretrained=self.starting(run.recipe),
                    progress=self.progress,
                )
            except NonFiniteLossError as error:
                self.failures[run.place] = error.message
                return
            labels = prepared.data.labels[prepared.data.train_rows]
            counts = np.bincount(labels, minlength=len(prepared.data.classes))
            write_json(path / COUNTS_FILE, counts.tolist())
            prepared.index.save(path / INDEX_FILE)

    def prepared(self, recipe: Recipe) -> PreparedData:
        """The photographs of a recipe; variants that index and split alike share them."""
        key = data_key(recipe)
        table, pixels = recipe.data, recipe.preprocessing.model_dump_json()
        sides = (recipe.data.cache_side_px, recipe.largest_side_px, pixels)
        whole = f"{key} {sides} {table.train_fraction} {table.long_tail} {recipe.backgrounds.probability > 0}"
        if whole not in self._prepared:
            folder = self.folder / "data" / key
            index = self._index(recipe)
            with _waiting_for(folder):
                self._prepared = {  # one at a time: maps of large caches are not held open for nothing
                    whole: prepare_data(
                        recipe,
                        self.sources,
                        folder,
                        limits=self.limits,
                        max_cache_bytes=self.max_cache_bytes,
                        workers=self.workers,
                        progress=self.progress,
                        index=index,
                    )
                }
        return self._prepared[whole]

    def table(self, *, whole: bool = False) -> AblationResult:
        """What is known so far; ``whole`` also makes the means that are not there yet."""
        cells: dict[str, list[CellResult]] = {}
        for row in self.plan.rows:
            found = [self.cell(cell, make=whole) for cell in row.cells]
            cells[row.variant.name] = [one for one in found if one is not None]
        return pool_results(self.plan, cells, self.split, self._failures_by_row())

    def cell(self, cell: Cell, *, make: bool) -> CellResult | None:
        """The judged run of a cell; ``None`` while one of its runs is missing."""
        key = (cell.place, cell.views)
        if key not in self._cells:
            if not all(has_finished(self.folder / run.place) for run in cell.runs):
                return None
            if len(cell.runs) > 1 and not has_finished(self.folder / cell.place):
                if not make:
                    return None
                self._average(cell)
            self._cells[key] = self._judged(cell)
        return self._cells[key]

    def _average(self, cell: Cell) -> None:
        path = self.folder / cell.place
        with _waiting_for(path):
            if has_finished(path):
                return
            prepared = self.prepared(cell.runs[0].recipe)
            members = [self.folder / run.place for run in cell.runs]
            average_runs(
                members, prepared.data, path, greedy=True, device=self.device, progress=self.progress
            )
            prepared.index.save(path / INDEX_FILE)

    def _judged(self, cell: Cell) -> CellResult:
        path = self.folder / cell.place
        run: TrainedRun = load_run(path)
        index = PhotoIndex.load(path / INDEX_FILE)
        folder = self.folder / EXAM_FOLDER
        with _waiting_for(folder):
            scores = {
                split: judge_run(
                    run,
                    index,
                    folder,
                    split=split,
                    views=cell.views,
                    device=self.device,
                    limits=self.limits,
                    max_cache_bytes=self.max_cache_bytes,
                    workers=self.workers,
                )
                for split in dict.fromkeys((VALID, self.split))
            }
        return CellResult(
            seed=cell.seed,
            place=cell.place,
            scores=scores,
            duration_s=float(run.record.get("duration_s") or 0.0),
            machine=dict(run.record.get("machine", {})),
            train_counts=tuple(read_json(self.folder / cell.runs[0].place / COUNTS_FILE)),
        )

    def _failures_by_row(self) -> dict[str, str]:
        return {
            row.variant.name: self.failures[run.place]
            for row in self.plan.rows
            for cell in row.cells
            for run in cell.runs
            if run.place in self.failures
        }


class _BusyError(StorageError):
    """Another process works on the folder."""


@contextmanager
def _only_here(path: Path) -> Iterator[None]:
    """Hold the folder of a run.

    Raises:
        _BusyError: another process holds it.
    """
    with os_errors_translated(path):
        path.mkdir(parents=True, exist_ok=True)
        file = (path / ".lock").open("ab")
    with file, holding(file.fileno(), _BusyError(f"another process works on {path}")):
        yield


@contextmanager
def _waiting_for(path: Path) -> Iterator[None]:
    """Hold a folder as soon as nobody else does."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(_only_here(path))
                break
            except _BusyError:
                time.sleep(POLL_S)
        yield
