"""How a search on a cluster stands, in words: which trial is where, how many are finished, the best so far.

Enters: trials that begin, go on, end or are lost. Leaves: one task of a ``Progress`` after the other, each
until the next trial ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ray.exceptions import LocalRayletDiedError, NodeDiedError, OutOfMemoryError, WorkerCrashedError

from leafsight.cluster.trial_desk import Sign
from leafsight.experiments import Attempt, TrialJob
from leafsight.progress import Progress

SHOWN = 3
MOST_SAID = 200


@dataclass
class Standing:
    """What is known of the search, and shown in ``progress``."""

    progress: Progress
    finished: int = 0
    wanted: int = 0
    best: float | None = None
    metric: str = ""
    is_old: bool = True

    def begin(self, job: TrialJob) -> None:
        """The search knows better: other processes may have finished trials."""
        self.finished, self.wanted, self.best = job.finished, job.wanted, job.best
        self.metric, self.is_old = job.metric.replace("_", " "), True

    def show(self) -> None:
        """Begin another task if something was finished, or something else was shown meanwhile."""
        if not self.is_old:
            return
        best = "" if self.best is None else f", best {self.metric} {self.best:.3f}"
        self.progress.start(f"{self.finished} of {self.wanted} trials finished{best}", self.wanted)
        self.progress.advance(self.finished)
        self.is_old = False

    def tell(self, signs: Mapping[int, Sign]) -> None:
        """Which trial is on which machine, and how far."""
        told = [f"trial {run + 1} at {sign.place}: {sign.text}" for run, sign in sorted(signs.items())]
        more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        self.progress.advance(0, "; ".join(told[:SHOWN]) + more)

    def end(self, run: int, attempt: Attempt) -> None:
        """A trial is over."""
        value, self.is_old = attempt.value, True
        self.finished += 1
        if value is not None:
            self.best = value if self.best is None else max(self.best, value)
        said = "ended early" if value is None else f"{self.metric} {value:.3f}"
        self.progress.finish(f"trial {run + 1}: {said}")

    def lose(self, run: int, sign: Sign | None, said: str) -> None:
        """A worker was lost; its trial is not."""
        at = f" at {sign.place}" if sign else ""
        self.progress.finish(
            f"the worker{at} with trial {run + 1} was lost ({said}); the trial is given back"
        )
        self.is_old = True


def lost_in_words(error: BaseException | str) -> str:
    """Why a worker is gone, in few words."""
    if isinstance(error, str):
        return error
    if isinstance(error, OutOfMemoryError):
        return "its machine ran out of memory"
    if isinstance(error, NodeDiedError | LocalRayletDiedError):
        return "its machine is gone"
    if isinstance(error, WorkerCrashedError):
        return "its process died"
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:MOST_SAID]
