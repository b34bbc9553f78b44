"""Trials of a search on the workers of a cluster, many at once.

Enters: trials, one by one, from a search that stays where the command runs, with its study. Leaves: what each
came to. A worker that is lost gives its trial back; every trial asks the command whether it is hopeless, so
that each is measured by all. Nothing here waits for a worker without watching whether it lives.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from leafsight.cluster.board import ANSWER_S
from leafsight.cluster.connection import Cluster
from leafsight.cluster.machines import Needs, check_machines
from leafsight.cluster.start_weights import packed
from leafsight.cluster.trial_desk import News, Sign, new_desk
from leafsight.cluster.trial_work import task_of, work_on
from leafsight.cluster.tuning_words import Standing, lost_in_words
from leafsight.errors import ClusterError, LeafsightError
from leafsight.experiments import Attempt, EndedTrial, Judge, TrialJob
from leafsight.progress import Progress, Silent
from leafsight.training import StopRequest, TrainingStoppedError, stop_requests

NEEDS = (("torch", "train"), ("pyarrow", "train"), ("safetensors", "train"), ("optuna", "tune"))
LOOK_S, END_S = 1.0, 30.0
GO_ON = "the same command goes on with what was finished"


@dataclass
class UnderWay:
    """A trial that a worker has, or will have."""

    job: TrialJob
    result: Any
    heard_s: float
    sign: Sign | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a worker has said that it has the trial."""
        return self.sign is not None


@contextlib.contextmanager
def trials_on(
    cluster: Cluster, folder: Path, work: Path, *, progress: Progress | None = None
) -> Iterator[ClusterTrials]:
    """A runner of trials for ``run_search``; at the end of the block no worker is at work for it.

    Args:
        cluster: that this process is in.
        folder: of the study.
        work: where ``prepare_data`` puts index and pixels.
        progress: told which trial is where, and what they come to.

    Raises:
        ClusterError: no room, or machines that do not fit.
        StorageError: a folder cannot be written.
    """
    progress = progress or Silent()
    cluster.require_room()
    machines = check_machines(Needs(modules=NEEDS, shared=(folder, work)))
    progress.start(f"trials on {_counted(cluster.workers, 'worker')} of {_counted(len(machines), 'machine')}")
    progress.finish()
    with contextlib.ExitStack() as stack:
        trials = ClusterTrials(cluster, new_desk(), stack, progress)
        stack.callback(trials.close)
        yield trials


class ClusterTrials:
    """A ``TrialRunner`` that hands each trial to a worker; see ``trials_on``.

    Args:
        cluster: that this process is in.
        desk: of ``new_desk``.
        stack: left when no more trials are run.
        progress: told which trial is where.
    """

    def __init__(self, cluster: Cluster, desk: Any, stack: contextlib.ExitStack, progress: Progress) -> None:
        self._cluster, self._desk, self._stack = cluster, desk, stack
        self._standing = Standing(progress)
        self._slots = cluster.workers
        self._trials: dict[int, UnderWay] = {}
        self._stop: StopRequest | None = None
        self._start: Any = None
        self._news: Any = None
        self._left_s = time.monotonic()
        self._losses = 0

    @property
    def slots(self) -> int:
        """See ``TrialRunner``: one a worker, fewer while the cluster has no room for all."""
        return self._slots

    def begin(self, job: TrialJob) -> None:
        """See ``TrialRunner``.

        Raises:
            StorageError: the weights to start from cannot be read.
        """
        if self._stop is None:
            # Not before: while photographs are prepared Ctrl-C ends the command at once, as it always did.
            self._stop = self._stack.enter_context(stop_requests())
            self._start = ray.put(packed(job.pretrained))
        options = self._cluster.options
        worker = ray.remote(max_retries=0, scheduling_strategy="SPREAD")(work_on)
        result = worker.options(
            name=f"leafsight trial {job.run + 1}",
            num_cpus=options.cpus_per_worker,
            num_gpus=options.gpus_per_worker,
        ).remote(task_of(job, options), self._start, self._desk)
        self._trials[job.run] = UnderWay(job, result, time.monotonic())
        self._standing.begin(job)

    def wait(self, judge: Judge) -> list[EndedTrial]:
        """See ``TrialRunner``."""
        now_s = time.monotonic()
        for trial in self._trials.values():  # what was said while nobody listened is still at the desk
            trial.heard_s = min(now_s, trial.heard_s + now_s - self._left_s)
        self._standing.show()
        self._news = self._news or self._desk.take.remote(LOOK_S)
        results = {trial.result: run for run, trial in self._trials.items()}
        ray.wait([self._news, *results], num_returns=1, timeout=ANSWER_S)
        if ray.wait([self._news], timeout=0)[0]:
            self._hear(judge)
        over, _ = ray.wait(list(results), num_returns=len(results), timeout=0)
        if self._stop is not None and self._stop.signal_name:
            raise self._stopped(self._stop.signal_name)
        ended = [self._ended(results[result]) for result in over] or self._overdue()
        self._left_s = time.monotonic()
        return ended

    def close(self) -> None:
        """See ``TrialRunner``; another signal while it waits for workers, and it waits no longer."""
        try:
            if self._trials:
                self._let_stop()
        finally:
            _end_now([trial.result for trial in self._trials.values()])
            self._trials.clear()

    def _let_stop(self) -> None:
        """Ask every worker to save and stop, and wait for it."""
        name = self._stop.signal_name if self._stop is not None else ""
        self._desk.stop.remote(name or "its command")
        waiting = [trial.result for trial in self._trials.values() if trial.has_begun]
        end_s = time.monotonic() + self._cluster.options.silence_s
        while waiting and time.monotonic() < end_s:
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=LOOK_S)

    def _stopped(self, signal_name: str) -> TrainingStoppedError:
        count, folder = len(self._trials), next(iter(self._trials.values())).job.folder.parent
        self.close()
        return TrainingStoppedError(
            f"stopped by {signal_name}; what {count} trials under way have reached is saved in {folder}",
            hint="run the same command again to go on from there",
        )

    def _hear(self, judge: Judge) -> None:
        """Answer what was asked, and remember who lives.

        Raises:
            ClusterError: the desk is gone.
        """
        reference, self._news = self._news, None
        try:
            news: News = ray.get(reference, timeout=ANSWER_S)
        except RayError as error:
            raise ClusterError(
                f"the cluster does not answer any more: {type(error).__name__}", hint=GO_ON
            ) from error
        now_s = time.monotonic()
        for run, sign in news.said.items():
            if run in self._trials:
                self._trials[run].heard_s, self._trials[run].sign = now_s, sign
        for question in news.questions:
            known = question.run in self._trials
            hopeless = judge(question.run, question.epoch, question.value) if known else True
            self._desk.answer.remote(question, hopeless)
        self._standing.tell({run: trial.sign for run, trial in self._trials.items() if trial.sign})

    def _ended(self, run: int) -> EndedTrial:
        try:
            found = ray.get(self._trials[run].result, timeout=ANSWER_S)
        except RayTaskError as error:
            if not isinstance(error.cause, RayError):
                del self._trials[run]
                return EndedTrial(run, error=error, died=True)  # a bug of ours, as it came
            return self._lost(run, error.cause)
        except RayError as error:
            return self._lost(run, error)
        del self._trials[run]
        if isinstance(found, Attempt):
            self._losses, self._slots = 0, self._cluster.workers
            self._standing.end(run, found)
            return EndedTrial(run, found)
        return EndedTrial(run, error=found, died=not isinstance(found, TrainingStoppedError))

    def _lost(self, run: int, error: BaseException | str) -> EndedTrial:
        """A worker was lost with its trial; too many of them since a trial came to its end are an error."""
        said = lost_in_words(error)
        trial = self._trials.pop(run)
        self._losses += 1
        self._standing.lose(run, trial.sign, said)
        if self._losses <= self._cluster.options.max_failures:
            return EndedTrial(run, died=True)
        fault: LeafsightError = ClusterError(
            f"{self._losses} workers were lost before a trial came to its end, the last with "
            f"trial {run + 1}: {said}",
            hint=GO_ON,
        )
        return EndedTrial(run, error=fault, died=True)

    def _overdue(self) -> list[EndedTrial]:
        """Trials whose worker is silent, or that no worker has taken for too long."""
        options, now_s = self._cluster.options, time.monotonic()
        ended = []
        for run, trial in list(self._trials.items()):
            waited_s = now_s - trial.heard_s
            if trial.sign and waited_s > options.silence_s:
                _end_now([trial.result])
                ended.append(self._lost(run, f"silent for {waited_s:.0f} s"))
            elif not trial.has_begun and waited_s > options.start_s:
                _end_now([trial.result])
                ended.append(self._not_begun(run))
        return ended

    def _not_begun(self, run: int) -> EndedTrial:
        """There is no room: fewer trials at once, until one ends; none at all is an error."""
        del self._trials[run]
        self._slots = sum(trial.has_begun for trial in self._trials.values())
        if self._slots:
            return EndedTrial(run)
        self._slots = 1
        return EndedTrial(
            run,
            error=ClusterError(
                f"no worker began within {self._cluster.options.start_s:.0f} s",
                hint=f"is the cluster busy with other work? {GO_ON}",
            ),
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _end_now(results: list[Any]) -> None:
    """End what has not ended, and see it end; Ray kills who does not hear after five seconds (2.60)."""
    left = ray.wait(results, num_returns=len(results), timeout=0)[1] if results else []
    for result in left:
        ray.cancel(result, force=True)
    if left:
        ray.wait(left, num_returns=len(left), timeout=END_S)
