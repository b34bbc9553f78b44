"""One trial of a search as a worker of a cluster runs it.

Enters: a trial, and the desk of the command that began it. Leaves: what the trial came to, and its folder on
storage that every machine sees. It does not know the study.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from leafsight.cluster.board import ANSWER_S, TELL_S
from leafsight.cluster.options import ClusterOptions
from leafsight.cluster.start_weights import Packed, unpacked
from leafsight.cluster.trial_desk import Sign
from leafsight.errors import LeafsightError
from leafsight.experiments import Attempt, TrialJob, run_trial
from leafsight.progress import Silent
from leafsight.training import Recipe, StopRequest, open_prepared

LOOK_S = 10.0


@dataclass(frozen=True, slots=True)
class TrialTask:
    """What a worker is given.

    Attributes:
        run: which trial.
        recipe: with the changes of the trial, and the number of threads.
        work: of the prepared photographs, absolute.
        folder: of this trial, absolute.
        metric: on validation.
        device: as in ``train``.
    """

    run: int
    recipe: Recipe
    work: Path
    folder: Path
    metric: str
    device: str


def task_of(job: TrialJob, options: ClusterOptions) -> TrialTask:
    """A trial as a worker is given it; its photographs stay on the disk."""
    by_hand = "cuda" if options.gpus_per_worker else "cpu"
    return TrialTask(
        run=job.run,
        recipe=job.recipe.model_copy(update={"threads": job.recipe.threads or options.cpus_per_worker}),
        work=job.prepared.index_path.parent.absolute(),
        folder=job.folder.absolute(),
        metric=job.metric,
        device=by_hand if job.device == "auto" else job.device,
    )


@dataclass
class Voice:
    """A ``Progress`` that only remembers how far the trial is: somebody else tells it."""

    text: str = "opens its photographs"
    label: str = ""
    total: int = 0
    done: int = 0

    def start(self, label: str, total: int | None = None) -> None:
        """See ``Progress``."""
        self.label, self.total, self.done = label, total or 0, 0
        self.text = label

    def advance(self, steps: int = 1, note: str = "") -> None:
        """See ``Progress``."""
        self.done += steps
        self.text = f"{self.label}, {self.done / self.total:.0%}" if self.total else self.label

    def finish(self, note: str = "") -> None:
        """See ``Progress``."""
        self.text = self.label


@dataclass
class Line:
    """From a worker to the desk: a sign of life twice a second, and what is heard in return."""

    desk: Any
    run: int
    voice: Voice = field(default_factory=Voice)
    stop: StopRequest = field(default_factory=StopRequest)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While the block runs a thread tells and hears: validation may take minutes and says nothing."""
        over, place = threading.Event(), str(ray.util.get_node_ip_address())

        def talk() -> None:
            while True:
                answer = self.desk.tell.remote(self.run, Sign(place, self.voice.text))
                with contextlib.suppress(RayError, TimeoutError):
                    self.stop.signal_name = self.stop.signal_name or str(heard(answer, ANSWER_S))
                if over.wait(TELL_S):
                    return

        thread = threading.Thread(target=talk, name="sign of life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(timeout=ANSWER_S)

    def is_hopeless(self, epoch: int, value: float) -> bool:
        """Ask the command, which knows all trials; without it there is nobody to go on for.

        Raises:
            RayError: the desk is gone.
        """
        answer = self.desk.judge.remote(self.run, epoch, value)
        while True:
            with contextlib.suppress(TimeoutError):
                return bool(heard(answer, LOOK_S))
            # The command prepares other photographs; if it dies, Ray ends this process.


def heard(answer: Any, limit_s: float) -> Any:
    """What comes back from the desk. Ray's own ``get`` would lend our processor to another trial meanwhile.

    Raises:
        TimeoutError: it takes longer.
        RayError: the desk is gone.
    """
    return answer.future().result(timeout=limit_s)


def work_on(task: TrialTask, start: Packed | None, desk: Any) -> Attempt | LeafsightError:
    """Runs on a worker.

    Args:
        task: what to do.
        start: the weights to start from.
        desk: of ``new_desk``.

    Returns:
        what the trial came to, or what it ended with.
    """
    line = Line(desk, task.run)
    try:
        with line.held(), unpacked(start) as pretrained:
            return run_trial(
                task.recipe,
                open_prepared(task.recipe, task.work),
                task.folder,
                task.metric,
                is_hopeless=line.is_hopeless,
                label="",
                pretrained=pretrained,
                device=task.device,
                progress=Silent(),
                steps=line.voice,
                stop=line.stop,
            )
    except LeafsightError as error:
        return error
