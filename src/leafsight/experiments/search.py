"""A search over recipes: what to train next, until there are enough trials or enough time has gone.

Enters: a recipe with a table ``[search]``, a way to its photographs, a folder. Leaves: trials, and files that
are written anew after each of them (``search_results``). Trials are judged on validation; no photograph of
the calibration or test split is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
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
from leafsight.experiments.search_runner import EndedTrial, RunsHere, TrialJob, TrialRunner
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
)

WAIT_S = 1.0
WAITING = "waiting for another process of this search"
Prepare = Callable[[Recipe], PreparedData]


def run_search(
    request: SearchRequest,
    prepare: Prepare,
    folder: Path,
    *,
    runner: TrialRunner | None = None,
    progress: Progress | None = None,
) -> SearchOutcome:
    """Search, or join or go on with the search in ``folder``.

    Args:
        request: what and how long.
        prepare: from a recipe to its photographs; what is done is not done again.
        folder: of the study; processes on one machine share it.
        runner: who runs the trials; None for this process.
        progress: told of every epoch.

    Returns:
        the finished trials, one of them complete.

    Raises:
        ConfigError: the recipe or its space is wrong.
        TrainingError: another search lies there, or no trial came to its end.
        TrainingStoppedError: a signal came; the same command goes on.
        ClusterError: as the runner's.
        StateError: the database of the study cannot be used.
    """
    file, progress = request.file(), progress or Silent()
    options = search_options(file)
    runner = runner or RunsHere(run_trial, progress)
    with database_errors_translated():
        study = SharedStudy(folder, storage_url(folder, request.storage), folder.name, options)
        try:
            search = _Search(request, file, options, study, prepare, runner, progress)
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
    runner: TrialRunner
    progress: Progress
    space: Space = field(default_factory=dict)
    tests: list[RangeTest] = field(default_factory=list)
    prepared: dict[str, PreparedData] = field(default_factory=dict)
    running: dict[int, tuple[optuna.Trial, ExitStack]] = field(default_factory=dict)

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
        try:
            self.keep_running(end_s)
        except BaseException:
            try:
                self.runner.close()  # before anybody else may take these trials up
            finally:
                for run in list(self.running):
                    self.give_back(run, died=False)
            raise
        self.runner.close()

    def keep_running(self, end_s: float) -> None:
        """Give the runner what it has room for, and remember what comes back."""
        waits = False
        while self.running or self.may_begin(end_s):
            while len(self.running) < self.runner.slots and self.may_begin(end_s) and self.begin():
                pass
            if self.running:
                waits = False
                for ended in self.runner.wait(self.is_hopeless):
                    self.end(ended)
            elif waits:
                time.sleep(WAIT_S)
            elif self.may_begin(end_s):
                self.progress.start(f"waiting for {self.study.running()} trials of other processes")
                waits = True
        if waits:
            self.progress.finish()

    def may_begin(self, end_s: float) -> bool:
        """Whether more trials are wanted, and there is time for them."""
        return time.monotonic() < end_s and self.study.finished() < self.wanted

    def begin(self) -> bool:
        """Claim a trial and hand it to the runner; False where none is left."""
        trial = self.study.claim(self.wanted)
        if trial is None:
            return False
        run, beats = int(trial.user_attrs[RUN]), ExitStack()
        self.running[run] = trial, beats
        beats.enter_context(self.study.beating(trial))
        try:
            recipe = self.recipe_of(trial)
        except ConfigError as error:  # values that are right one by one and not together
            self.end(EndedTrial(run, Attempt(None, {}, 0, error.message.replace("\n", " "))))
            return True
        try:
            self.runner.begin(self.job(run, recipe))
        except Exception:
            self.give_back(run, died=True)
            raise
        return True

    def recipe_of(self, trial: optuna.Trial) -> Recipe:
        """The recipe by the values that the sampler has chosen."""
        changes = suggest(trial, self.space, trial.user_attrs.get(LEFT_OUT, ()))
        return self.file.recipe({} if trial.user_attrs.get(AS_IT_STANDS) else changes)

    def job(self, run: int, recipe: Recipe) -> TrialJob:
        """What a runner has to know of a trial."""
        with self.alone():
            prepared = self.photographs(recipe)
        return TrialJob(
            run=run,
            recipe=recipe,
            prepared=prepared,
            folder=trial_folder(self.study.folder, run),
            metric=self.options.metric,
            finished=self.study.finished(),
            wanted=self.wanted,
            best=self.study.best(),
            pretrained=self.request.pretrained,
            device=self.request.device,
        )

    def is_hopeless(self, run: int, epoch: int, value: float) -> bool:
        """Remember what a trial reached; whether the others were better by then."""
        trial, _ = self.running[run]
        try:
            trial.report(value, epoch)
        except optuna.exceptions.UpdateFinishedTrialError:
            return True  # this process was silent for too long, and another one has the trial now
        # The others are measured by the recipe as it stands.
        return bool(trial.should_prune()) and not trial.user_attrs.get(AS_IT_STANDS)

    def end(self, ended: EndedTrial) -> None:
        """Remember what a trial came to, or give it back.

        Raises:
            BaseException: what the trial ended with.
        """
        attempt, run = ended.attempt, ended.run
        if attempt is None:
            self.give_back(run, died=ended.died)
            if ended.error is not None:
                raise ended.error
            return
        trial, beats = self.running.pop(run)
        beats.close()
        facts = {"valid": attempt.valid, "epochs": attempt.epochs, "note": attempt.note}
        if self.study.finish(trial, attempt.value, facts):
            remove_checkpoints(trial_folder(self.study.folder, run))
        write_results(self.outcome(), self.request, self.study.folder)

    def give_back(self, run: int, *, died: bool) -> None:
        """Somebody else may go on with a trial."""
        trial, beats = self.running.pop(run)
        beats.close()
        self.study.give_back(trial, died=died)

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
