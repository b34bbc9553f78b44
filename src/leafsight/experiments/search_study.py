"""One study that several processes share: which trial is next, who is still alive, what all have agreed on.

Enters: a folder, the address of a database, the wish for so many trials. Leaves: trials, one for one process
each. A process that dies gives its trial back: it beats in the database, and when it has not for a minute,
the next one who asks takes the trial up. It does not know what a trial does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from leafsight.errors import ConflictError
from leafsight.experiments.search_storage import open_storage, without_optunas_warnings
from leafsight.storage import holding, os_errors_translated
from leafsight.training import SearchOptions

LOCK_FILE = "lock"
BEAT_S, SILENCE_S = 10, 60
"""A trial's process says that it is alive so often; after so long a silence its trial is taken from it."""
LOCK_WAIT_S = 0.2
WAITS_IN_SILENCE = 10
STARTUP_TRIALS = 5
MOST_DEATHS = 3
"""A trial whose process died so often is not taken up again: it may be what kills them."""
RUN, BEGUN, DEATHS, AS_IT_STANDS, LEFT_OUT = "run", "begun", "deaths", "as_it_stands", "left_out"
KEPT = (RUN, AS_IT_STANDS, LEFT_OUT)
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class SharedStudy:
    """A study in a database, and the folder in which its trials run.

    Args:
        folder: made if absent.
        url: of ``storage_url``.
        name: of the study in that database.
        options: of the search; its seed and warm-up.

    Raises:
        StorageError: the folder cannot be written.
    """

    def __init__(self, folder: Path, url: str, name: str, options: SearchOptions) -> None:
        self.folder = folder
        self._seed = options.seed
        with os_errors_translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with without_optunas_warnings(), self.alone():
            self._storage = open_storage(
                url, BEAT_S, SILENCE_S, lambda trial: self._lay_down(trial, died=True)
            )
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=name,
                direction="maximize",
                load_if_exists=True,
                # Median stopping rule (Golovin et al. 2017, Google Vizier). Not Hyperband: it divides the
                # trials among its brackets, and a search on photographs has too few of them for that.
                pruner=optuna.pruners.MedianPruner(
                    n_startup_trials=STARTUP_TRIALS, n_warmup_steps=options.warmup_epochs
                ),
            )

    def close(self) -> None:
        """Let the database go."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    @contextmanager
    def alone(self, tell: Callable[[], None] | None = None) -> Iterator[None]:
        """No other process of this folder is inside such a block; waits for its turn.

        Args:
            tell: called once if somebody has been waited for for a while.
        """
        path, waits = self.folder / LOCK_FILE, 0
        busy = ConflictError("another process of this search is at work here")
        with os_errors_translated(path):
            file = path.open("ab")
        with file, ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(holding(file.fileno(), busy))
                    break
                except ConflictError:
                    waits += 1
                    if tell is not None and waits == WAITS_IN_SILENCE:
                        tell()
                    time.sleep(LOCK_WAIT_S)
            yield

    def agreed(self, name: str, make: Callable[[], Any]) -> Any:
        """What the processes of the study agreed on; made by the first one. Call it inside ``alone``."""
        known = self._study.user_attrs
        if name not in known:
            self._study.set_user_attr(name, make())
        return self._study.user_attrs[name]

    def lay_down_first(self, params: Mapping[str, Any], left_out: list[str]) -> None:
        """The first trial of a new study is the recipe as it stands. Call it inside ``alone``."""
        if not self.trials():
            self._study.enqueue_trial(dict(params), user_attrs={AS_IT_STANDS: True, LEFT_OUT: left_out})

    def trials(self) -> list[FrozenTrial]:
        """Every trial, in order."""
        return self._study.get_trials(deepcopy=False)

    def finished(self) -> int:
        """How many trials came to an end, pruned ones included; those that failed are not counted."""
        return sum(trial.state in FINISHED for trial in self.trials())

    def running(self) -> int:
        """How many trials are being run, by whomever."""
        return sum(trial.state == TrialState.RUNNING for trial in self.trials())

    def best(self) -> float | None:
        """The highest value of a trial that came to its end, if one did."""
        ends = [trial.value for trial in self.trials() if trial.state == TrialState.COMPLETE]
        return max((value for value in ends if value is not None), default=None)

    def claim(self, wanted: int) -> optuna.Trial | None:
        """A trial for this process alone; None when enough are finished or under way.

        Args:
            wanted: number of finished trials that the study shall have.
        """
        with self.alone(), without_optunas_warnings():
            self._bury_the_dead()
            if self.finished() + self.running() >= wanted:
                return None
            # A sampler of one seed would begin every process, and every resumption, with the same draws.
            drawn = np.random.SeedSequence([self._seed, len(self.trials())]).generate_state(1)
            self._study.sampler = optuna.samplers.TPESampler(seed=int(drawn[0]), constant_liar=True)
            trial = self._study.ask()
            self._storage.record_heartbeat(trial._trial_id)
            trial.set_user_attr(BEGUN, True)
            if RUN not in trial.user_attrs:
                trial.set_user_attr(RUN, trial.number)
        return trial

    def _bury_the_dead(self) -> None:
        """Trials of processes that are silent fail and are laid down again."""
        optuna.storages.fail_stale_trials(self._study)
        latest = datetime.now() - timedelta(seconds=SILENCE_S)  # Optuna's times have no zone
        for trial in self.trials():
            # Killed between the first line of a trial and its first beat: Optuna would wait for ever.
            born_dead = trial.state == TrialState.RUNNING and BEGUN not in trial.user_attrs
            if born_dead and trial.datetime_start is not None and trial.datetime_start < latest:
                self._study.tell(trial.number, state=TrialState.FAIL)
                self._lay_down(trial, died=True)

    def _lay_down(self, trial: FrozenTrial, *, died: bool) -> None:
        """Put a failed trial where the next process that asks finds it, with its values and its folder."""
        deaths = int(trial.user_attrs.get(DEATHS, 0)) + died
        if deaths >= MOST_DEATHS:
            return
        kept = {name: trial.user_attrs[name] for name in KEPT if name in trial.user_attrs}
        params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        self._study.enqueue_trial(params, user_attrs={RUN: trial.number, **kept, DEATHS: deaths})

    @contextmanager
    def beating(self, trial: optuna.Trial) -> Iterator[None]:
        """While the block runs, the database hears that this trial is alive."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_S):
                with suppress(Exception):  # a beat that is lost is no reason to lose the trial
                    self._storage.record_heartbeat(trial._trial_id)

        thread = threading.Thread(target=beat, name="trial heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def finish(self, trial: optuna.Trial, value: float | None, facts: Mapping[str, Any]) -> bool:
        """The trial is over.

        Args:
            trial: of ``claim``.
            value: what it reached, larger is better; None if it was ended early, which counts as finished and
                as one of the worse.
            facts: plain values that are remembered with it.

        Returns:
            False if it was taken from this process meanwhile (a computer that slept): it is not ours to end.
        """
        with self.alone():
            if self._state(trial) != TrialState.RUNNING:
                return False
            for name, fact in facts.items():
                trial.set_user_attr(name, fact)
            self._study.tell(trial, value, state=TrialState.PRUNED if value is None else None)
        return True

    def give_back(self, trial: optuna.Trial, *, died: bool) -> None:
        """The trial is not finished here: the next process that asks goes on with it."""
        with self.alone():
            if self._state(trial) == TrialState.RUNNING:
                self._study.tell(trial, state=TrialState.FAIL)
                self._lay_down(self.trials()[trial.number], died=died)

    def _state(self, trial: optuna.Trial) -> TrialState:
        return self.trials()[trial.number].state

    def importance(self, quantile: float) -> dict[str, float]:
        """How much each key decides whether a trial is among the best, summing to 1 (``search_outcome``)."""
        with without_optunas_warnings():
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
            return dict(optuna.importance.get_param_importances(self._study, evaluator=evaluator))
