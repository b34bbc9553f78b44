"""The order of the steps, and what is remembered of each: the durable workflow of one retraining.

Enters: a workplace. Leaves: the result of the job, the same whether it was killed on the way or not. Each
step is done once as far as its record goes; a kill between the work and the record does it again, so each is
so made that this changes nothing. It does not know what the steps do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dbos import DBOS

from leafsight.errors import ConflictError, LeafsightError, TrainingError
from leafsight.retraining import engine, steps
from leafsight.retraining.failing import StepFailedError
from leafsight.retraining.patience import patiently
from leafsight.retraining.publish import CHANGED, promote, publish
from leafsight.retraining.workplace import GATE, GATE_PAGE, SNAPSHOT, SUMMARY, Workplace

MOST_CHAMPIONS = 5
"""So often the gate is judged again because another model was promoted meanwhile."""
NO_MEMORY = TrainingError(
    "retraining needs more memory than it may have", hint="give it more, or accept fewer photographs at once"
).as_dict()
_AT_WORK: dict[str, Workplace] = {}
"""The one retraining of this process, by its job: what DBOS keeps of a workflow is its id alone."""


def run(place: Workplace, system_database_url: str, forgotten: Sequence[str] = ()) -> dict[str, Any]:
    """Begin a retraining, or go on with it, until it ends.

    Args:
        place: of this job.
        system_database_url: where the steps that ended are written.
        forgotten: jobs whose rows nobody needs any more.

    Returns:
        The result of the job.

    Raises:
        StepFailedError: it failed, now or in an earlier life.
        StateError: somebody else wrote into its rows.
    """
    _AT_WORK[place.order.job] = place
    try:
        with engine.running(system_database_url, place.order.job):
            engine.forget(forgotten)
            return engine.result_of(retraining, place.order.job)
    finally:
        del _AT_WORK[place.order.job]


@DBOS.workflow(name="retraining", max_recovery_attempts=None)
def retraining(job: str) -> dict[str, Any]:
    """Snapshot, train, evaluate, gate, publish, promote, watch."""
    done = _Steps(_AT_WORK[job])
    place = done.place
    frozen = done.step("snapshot", lambda: steps.take_snapshot(place))
    built = done.step("train", lambda: steps.build(place, frozen))
    done.step("evaluate", lambda: steps.evaluate(place, built))
    gate = done.step("gate", lambda: steps.judge(place, frozen, built, frozen["parent"]))
    done.step("publish", lambda: publish(place, frozen, built, gate))
    promoted = done.step("promote", lambda: promote(place, built, gate))
    for _ in range(MOST_CHAMPIONS):
        if promoted["why"] != CHANGED:
            break
        gate = done.step("gate", _judging_again(place, frozen, built, promoted["champion"]))
        promoted = done.step("promote", _promoting_again(place, built, gate))
    if promoted["why"] == CHANGED:
        raise StepFailedError(
            ConflictError(
                f"other models were promoted {MOST_CHAMPIONS} times while this one was judged",
                hint="begin another retraining",
            ).as_dict()
        )
    done.step("watch", lambda: steps.begin_watch(place, built, promoted), told="promote")
    return _result(place, frozen, built, gate, promoted)


class _Steps:
    """Counts the steps that ended, and tells each that begins."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self._ended = 0

    def step(self, name: str, do: Callable[[], dict[str, Any]], told: str = "") -> dict[str, Any]:
        def work() -> dict[str, Any]:
            self.place.telling.part(told or name, self._ended)
            try:
                return patiently(do)
            except LeafsightError as error:
                raise StepFailedError(error.as_dict()) from error
            except MemoryError as error:
                raise StepFailedError(NO_MEMORY) from error

        found = engine.step(name, work)
        self._ended += 1
        return found


def _judging_again(
    place: Workplace, frozen: dict[str, Any], built: dict[str, Any], champion: str
) -> Callable[[], dict[str, Any]]:
    return lambda: steps.judge(place, frozen, built, champion)


def _promoting_again(
    place: Workplace, built: dict[str, Any], gate: dict[str, Any]
) -> Callable[[], dict[str, Any]]:
    return lambda: promote(place, built, gate)


def _result(
    place: Workplace,
    frozen: dict[str, Any],
    built: dict[str, Any],
    gate: dict[str, Any],
    promoted: dict[str, Any],
) -> dict[str, Any]:
    return {
        "path": place.order.path,
        "snapshot": frozen["snapshot"],
        "parent": frozen["parent"],
        "candidate": built["candidate"],
        "classes_added": frozen["classes_added"],
        "photographs": frozen["photographs"],
        "left_out": frozen["left_out"],
        "gate": {name: gate[name] for name in ("passed", "said", "checks", "champion", "hash")},
        "promoted": promoted["promoted"],
        "change": promoted["change"],
        "why_not": promoted["why"],
        "files": [GATE, GATE_PAGE, SNAPSHOT, SUMMARY],
    }
