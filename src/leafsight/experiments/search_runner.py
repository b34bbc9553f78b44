"""Who runs the trials of a search: this process, one after the other, or somebody who has more room.

Enters: trials that were chosen. Leaves: what became of each. A runner does not know how values are chosen,
nor what the study remembers; it asks whether a trial is hopeless, and is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from leafsight.experiments.search_trial import Attempt
from leafsight.progress import Progress
from leafsight.training import PreparedData, Recipe, TrainingStoppedError

Judge = Callable[[int, int, float], bool]
"""Told of a trial's run, of an epoch (from 1) and its metric on validation; True ends the trial."""


@dataclass(frozen=True, slots=True)
class TrialJob:
    """One trial as its runner gets it.

    Attributes:
        run: which one; people count from 1.
        recipe: with the changes of the trial.
        prepared: the photographs.
        folder: of this trial.
        metric: ``accuracy`` or ``macro_f1``, on validation.
        finished: how many trials are finished already.
        wanted: how many shall be.
        best: value of the best of them, None as long as none is complete.
        pretrained: as in ``train``.
        device: as in ``train``.
    """

    run: int
    recipe: Recipe
    prepared: PreparedData
    folder: Path
    metric: str
    finished: int
    wanted: int
    best: float | None
    pretrained: Path | None
    device: str

    @property
    def label(self) -> str:
        """For people."""
        return f"trial {self.run + 1}, {self.finished} of {self.wanted} finished"


@dataclass(frozen=True, slots=True)
class EndedTrial:
    """What became of a trial: an attempt, an error that ends the search, or neither: somebody else may try.

    Attributes:
        run: which one.
        attempt: what it came to.
        error: why the search cannot go on.
        died: whether whoever ran it was lost with it.
    """

    run: int
    attempt: Attempt | None = None
    error: BaseException | None = None
    died: bool = False


@runtime_checkable
class TrialRunner(Protocol):
    """Runs trials; all calls come from one thread."""

    @property
    def slots(self) -> int:
        """How many trials may be under way at once."""

    def begin(self, job: TrialJob) -> None:
        """Take a trial; there is a slot for it."""

    def wait(self, judge: Judge) -> list[EndedTrial]:
        """Let trials go on for a while; gives those that ended, maybe none.

        Raises:
            TrainingStoppedError: a signal came, and every trial under way is saved.
            LeafsightError: no trial can go on.
        """

    def close(self) -> None:
        """No trial is under way afterwards; what was reached is saved as far as it can be."""


class RunsHere:
    """A ``TrialRunner`` in this process.

    Args:
        run_trial: of ``search_trial``.
        progress: told of every epoch.
    """

    slots = 1

    def __init__(self, run_trial: Callable[..., Attempt], progress: Progress) -> None:
        self._run_trial = run_trial
        self._progress = progress
        self._jobs: list[TrialJob] = []

    def begin(self, job: TrialJob) -> None:
        """See ``TrialRunner``; it runs in ``wait``."""
        self._jobs.append(job)

    def wait(self, judge: Judge) -> list[EndedTrial]:
        """See ``TrialRunner``; comes back when the trial is over."""
        return [self._run(self._jobs.pop(), judge)]

    def close(self) -> None:
        """See ``TrialRunner``; nothing goes on behind the caller's back."""

    def _run(self, job: TrialJob, judge: Judge) -> EndedTrial:
        try:
            attempt = self._run_trial(
                job.recipe,
                job.prepared.data,
                job.folder,
                job.metric,
                is_hopeless=lambda epoch, value: judge(job.run, epoch, value),
                label=job.label,
                pretrained=job.pretrained,
                device=job.device,
                progress=self._progress,
            )
        except Exception as error:  # whatever it is, the trial is given back before it is raised
            return EndedTrial(job.run, error=error, died=not isinstance(error, TrainingStoppedError))
        return EndedTrial(job.run, attempt)
