"""A search over recipes: what to train next, until there are enough trials or enough time has gone.

Enters: a recipe with a table ``[search]``, a way to its photographs, a folder. Leaves: trials, and files that
are written anew after each of them (``search_results``). Trials are judged on validation; no photograph of
the calibration or test split is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import optuna

from leafsight.errors import ConfigError, TrainingError
from leafsight.experiments.search_outcome import (
    SearchOutcome,
    finished_rows,
    importance_of,
    trial_folder,
)
from leafsight.experiments.search_range import RangeTest, narrowed_space, run_range_tests
from leafsight.experiments.search_request import SearchRequest, identity, refuse_another
from leafsight.experiments.search_results import write_results
from leafsight.experiments.search_space import Space, own_params, own_value, search_options, suggest
from leafsight.experiments.search_storage import database_errors_translated, storage_url
from leafsight.experiments.search_study import (
    AS_IT_STANDS,
    LEFT_OUT,
    RUN,
    SharedStudy,
)
from leafsight.experiments.search_trial import Attempt, remove_checkpoints, run_trial
from leafsight.progress import Progress, Silent
from leafsight.storage import canonical_json
from leafsight.training import (
    PreparedData,
    Recipe,
    RecipeFile,
    SearchOptions,
    TrainingStoppedError,
)

WAIT_S = 1.0
WAITING = "waiting for another process of this search"
Prepare = Callable[[Recipe], PreparedData]


def run_search(
    request: SearchRequest, prepare: Prepare, folder: Path, *, progress: Progress | None = None
) -> SearchOutcome:
    """Search, or join or go on with the search in ``folder``.

    Args:
        request: what and how long.
        prepare: from a recipe to its photographs; what is done is not done again.
        folder: of the study; processes on one machine share it.
        progress: told of every epoch.

    Returns:
        the finished trials, one of them complete.

    Raises:
        ConfigError: the recipe or its space is wrong.
        TrainingError: another search lies there, or no trial came to its end.
        TrainingStoppedError: a signal came; the same command goes on.
        StateError: the database of the study cannot be used.
    """
    file = request.file()
    options = search_options(file)
    with database_errors_translated():
        study = SharedStudy(folder, storage_url(folder, request.storage), folder.name, options)
        try:
            search = _Search(request, file, options, study, prepare, progress or Silent())
            search.set_up()
            search.run_trials()
            outcome = search.outcome()
        finally:
            study.close()
    write_results(outcome, request, folder)
    if outcome.best is None:
        raise TrainingError(
            f"none of {len(outcome.trials)} trials came to its end, so there is no best recipe",
            hint=f"{folder / 'trials.csv'} says why; more time or another space may help",
        )
    return outcome


@dataclass
class _Search:
    """A search while it runs; ``set_up`` comes first."""

    request: SearchRequest
    file: RecipeFile
    options: SearchOptions
    study: SharedStudy
    prepare: Prepare
    progress: Progress
    space: Space = field(default_factory=dict)
    tests: list[RangeTest] = field(default_factory=list)
    prepared: dict[str, PreparedData] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recipe = self.file.recipe()
        self.wanted = self.request.trials or self.options.trials

    def set_up(self) -> None:
        """Photographs, range tests and the first trial: done by one process, agreed on by all."""
        study = self.study
        with self.alone():
            data = self.photographs(self.recipe).data
            mine = identity(self.recipe, data, self.request.pretrained)
            refuse_another(study.agreed("search", lambda: mine), mine, study.folder)
            tests = study.agreed("range_tests", lambda: [one.to_dict() for one in self.test_ranges()])
            self.tests = [RangeTest.from_dict(one) for one in tests]
            self.space = narrowed_space(self.options.space, self.tests)
            own = own_params(self.recipe, self.space)
            study.lay_down_first(own, [key for key in self.space if key not in own])

    def alone(self) -> AbstractContextManager[None]:
        """One process at a time; the others say that they wait."""
        return self.study.alone(lambda: self.progress.start(WAITING))

    def photographs(self, recipe: Recipe) -> PreparedData:
        """Prepared once for every way to prepare them: a space may hold keys of ``preprocessing``."""
        tables = [recipe.preprocessing, recipe.backgrounds, recipe.data]
        key = canonical_json([recipe.largest_side_px, *(table.model_dump(mode="json") for table in tables)])
        if key not in self.prepared:
            self.prepared[key] = self.prepare(recipe)
        return self.prepared[key]

    def test_ranges(self) -> list[RangeTest]:
        """The range tests, if they are wanted."""
        request = self.request
        if not request.range_test:
            return []
        data = self.photographs(self.recipe).data
        return run_range_tests(
            self.recipe, self.options.space, data,
            pretrained=request.pretrained, device=request.device, progress=self.progress,
        )  # fmt: skip

    def run_trials(self) -> None:
        """Until enough trials are finished, by whomever, or the time is over."""
        minutes = self.request.timeout_min
        end_s = time.monotonic() + minutes * 60 if minutes else float("inf")
        waits = False
        while self.study.finished() < self.wanted and time.monotonic() < end_s:
            trial = self.study.claim(self.wanted)
            if trial is not None:
                self.run(trial)
                write_results(self.outcome(), self.request, self.study.folder)
            elif not waits:
                self.progress.start(f"waiting for {self.study.running()} trials of other processes")
            else:
                time.sleep(WAIT_S)
            waits = trial is None
        if waits:
            self.progress.finish()

    def run(self, trial: optuna.Trial) -> None:
        """One trial, whatever becomes of it."""
        run = int(trial.user_attrs[RUN])
        folder = trial_folder(self.study.folder, run)
        try:
            with self.study.beating(trial):
                attempt = self.attempt(trial, run, folder)
        except (TrainingStoppedError, KeyboardInterrupt):
            self.study.give_back(trial, died=False)
            raise
        except optuna.exceptions.UpdateFinishedTrialError:
            return  # this process was silent for too long, and another one has the trial now
        except BaseException:
            self.study.give_back(trial, died=True)
            raise
        facts = {"valid": attempt.valid, "epochs": attempt.epochs, "note": attempt.note}
        if self.study.finish(trial, attempt.value, facts):
            remove_checkpoints(folder)

    def attempt(self, trial: optuna.Trial, run: int, folder: Path) -> Attempt:
        """Train by the values that the sampler has chosen."""
        stands = bool(trial.user_attrs.get(AS_IT_STANDS))

        def is_hopeless(epoch: int, value: float) -> bool:
            trial.report(value, epoch)
            return trial.should_prune() and not stands  # the others are measured by it

        changes = suggest(trial, self.space, trial.user_attrs.get(LEFT_OUT, ()))
        try:
            recipe = self.file.recipe({} if stands else changes)
        except ConfigError as error:  # values that are right one by one and not together
            return Attempt(None, {}, 0, error.message.replace("\n", " "))
        with self.alone():
            data = self.photographs(recipe).data
        return run_trial(
            recipe,
            data,
            folder,
            self.options.metric,
            is_hopeless=is_hopeless,
            label=f"trial {run + 1}, {self.study.finished()} of {self.wanted} finished",
            pretrained=self.request.pretrained,
            device=self.request.device,
            progress=self.progress,
        )

    def outcome(self) -> SearchOutcome:
        """The search at this moment."""
        rows = finished_rows(self.study.trials(), self.space)
        groups = validation_groups(self.photographs(self.recipe))
        own = {key: own_value(self.recipe, key) for key in self.space}
        return SearchOutcome(
            name=self.recipe.recipe.name,
            metric=self.options.metric,
            wanted=self.wanted,
            trials=rows,
            own={key: value for key, value in own.items() if value is not None},
            space=self.space,
            tests=tuple(self.tests),
            importance=importance_of(self.study, [row for row in rows if row.complete]),
            photographs=len(groups),
            groups=len(set(groups)),
            fraction=self.recipe.data.train_fraction,
        )


def validation_groups(prepared: PreparedData) -> list[str]:
    """The group of every photograph that validates; one without a group is a group of its own."""
    kept = prepared.index.rows(prepared.cache.row_ids)
    groups = kept.column("group")
    return [groups[row] or f"photograph {row}" for row in prepared.data.valid_rows.tolist()]
