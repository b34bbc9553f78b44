"""What a server may learn from, and how it learns: contributions, decisions, trainings, promotions.

Enters: wishes of a person, answers of a server. Leaves: what is to be shown, the last good state of it. It
sends no photographs; see ``sending``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, TypeVar

from leafsight.desktop.session.errands import Errands
from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.reaching import Reach
from leafsight.desktop.session.teach_answers import (
    contributions_of,
    decision_of,
    is_doubtful,
    labels_of,
    not_taught_here,
    outcome_of,
    retrainings_of,
    summary_of,
)
from leafsight.errors import LeafsightError

Plain = dict[str, Any]
Result = TypeVar("Result")
PAGE = 200
MOST_SHOWN = 5_000
MOST_IDS = 200
"""Of one request."""
LOOK_EVERY_S, LOOK_IDLE_S, LOOK_REFUSED_S = 0.7, 10.0, 60.0
SETTLE_S = 60.0
"""A server answers with a promoted model some seconds later; one whose operator named a file never does."""
UNDER_WAY = ("queued", "running")
FILTERS = ("waiting", "doubtful", "accepted", "rejected")
SERVING = "serving"


class Learner:
    """Used by one thread; asks on errands.

    Args:
        reach: the server.
        errands: to ask on.
        changed: called by ``Errands.settle`` when something here is not what it was.

    Attributes:
        summary: counts of contributions by state and class; None until the server was asked.
        shown: which contributions are listed, one of ``FILTERS``.
        label: of which class; None for all.
        contributions: that are listed.
        retrainings: newest first, with ``trigger`` and ``paths`` as the server says them.
        training: the job that runs or waits; None when there is none.
        measured: what was measured during it: name -> [(share of the step, value)].
        outcome: the last training that ended, in full; None when there was none.
        models: that the server keeps.
        labels: classes that the model in service knows, as its description has them.
        said: what came of the last decision, in the server's words: changed, skipped, new state.
        trouble: why the server does not answer; None when it does.
        refused: why a server that answers cannot be taught from here; None where it can.
    """

    def __init__(self, reach: Reach, errands: Errands, changed: Callable[[], None]) -> None:
        self._reach, self._errands, self._changed = reach, errands, changed
        self.summary: Plain | None = None
        self.shown = "waiting"
        self.label: str | None = None
        self.contributions: list[Plain] = []
        self.retrainings: Plain | None = None
        self.training: Plain | None = None
        self.measured: dict[str, list[tuple[float, float]]] = {}
        self.outcome: Plain | None = None
        self.models: list[Any] = []
        self.labels: list[Plain] = []
        self._labels_of = ""
        self.said: Plain | None = None
        self.trouble: Trouble | None = None
        self.refused: Trouble | None = None
        self.dismissed: set[str] = set()
        self._away: Trouble | None = None
        self._asking = self._paused = False
        self._listing = 0
        self._look_at = 0.0
        self._switched_at: float | None = None
        self._undo: list[tuple[str, str, str]] = []
        self._deciding = 0

    @property
    def is_deciding(self) -> bool:
        """Whether a decision is on its way."""
        return self._deciding > 0

    @property
    def is_paused(self) -> bool:
        """Whether the service of this computer is stopped for now."""
        return self._paused

    @property
    def is_settling(self) -> bool:
        """Whether another model was put in service, and nobody has seen it answer yet."""
        return self._switched_at is not None and monotonic() - self._switched_at < SETTLE_S

    @property
    def can_undo(self) -> bool:
        """Whether the last decision can be taken back."""
        return bool(self._undo)

    def forget(self) -> None:
        """Another server is asked from now on."""
        self._listing += 1
        self.summary = self.retrainings = self.training = self.outcome = self.said = self.trouble = None
        self.refused = None
        self.contributions, self.models, self.measured, self._undo = [], [], {}, []
        self.look_soon()

    def look_soon(self) -> None:
        """Ask the server at the next tick."""
        self._look_at = 0.0

    def tick(self) -> None:
        """Ask how things are, when it is time; called now and then by the owner."""
        if self._asking or self._paused or monotonic() < self._look_at:
            return
        self._asking, asked_at = True, monotonic()
        self._errands.do(self._asked, lambda found: self._on_state(asked_at, found), self._on_away)

    def show(self, shown: str, label: str | None) -> None:
        """List these contributions."""
        self.shown, self.label = shown, label
        self.contributions = []
        self.list_again()

    def list_again(self) -> None:
        """Ask for the contributions that are listed."""
        self._listing += 1
        number, shown, label = self._listing, self.shown, self.label
        self._errands.do(
            lambda: self._listed(number, shown, label), lambda rows: self._on_listed(number, rows), self._told
        )

    def decide(self, chosen: Sequence[Plain], state: str, label: str | None = None) -> None:
        """Accept, reject, or put back; with a label, as that class."""
        before = [(one["id"], one["state"], one["label"]) for one in chosen]
        ids = [one["id"] for one in chosen]
        self._begin_deciding(lambda: self._decided(ids, state, label), state, before)

    def accept_clean(self) -> None:
        """Accept everything against which nothing speaks; what that is, the server knows."""
        label = self.label
        wish = {"all": "clean", "state": "accepted", **({"label": label} if label else {})}
        before = [
            (one["id"], one["state"], one["label"])
            for one in self.contributions
            if one["state"] == "waiting" and not is_doubtful(one)
        ]
        self._begin_deciding(
            lambda: decision_of(self._reach.client().learning.decide(wish)), "accepted", before
        )

    def undo(self) -> None:
        """Take the last decision back."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, state, label in self._undo:
            groups.setdefault((state, label), []).append(name)
        self._undo = []

        def back() -> Plain:
            told: Plain = {"changed": 0, "skipped": []}
            for (state, label), ids in groups.items():
                came = self._decided(ids, state, label)
                told = {
                    "changed": told["changed"] + came["changed"],
                    "skipped": [*told["skipped"], *came["skipped"]],
                }
            return told

        self._begin_deciding(back, "undone", [])

    def declare(self, label: str, note: str = "") -> None:
        """Let a class be learned that the model does not know."""
        self._do(lambda: self._reach.client().learning.declare(label, note), self._on_declared)

    def teach(self, path: str, reason: str) -> None:
        """Train the next model."""
        self._do(lambda: self._reach.client().learning.retrain(path, reason), lambda _: self._on_begun())

    def cancel(self) -> None:
        """End the training; what was accepted stays accepted."""
        if self.training is not None:
            name = self.training["id"]
            self._do(lambda: self._reach.client().learning.cancel(name), lambda _: self.look_soon())

    def pause(self) -> None:
        """Stop the service of this computer; a training is put back as it is."""
        self._paused = True
        self._errands.do(self._reach.here.pause)

    def go_on(self) -> None:
        """Let the service of this computer go on, and the training with it."""

        def on() -> None:
            self._paused = False
            self.look_soon()

        self._errands.do(self._reach.here.go_on, lambda _: on())

    def promote(self, model: str, reason: str, *, override: bool) -> None:
        """Let a model serve."""
        self._do(
            lambda: self._reach.client().learning.promote(
                model, alias=SERVING, reason=reason, override=override
            ),
            lambda _: self._on_switched(),
        )

    def roll_back(self, over: str, reason: str) -> None:
        """Put the former model back in the place of ``over``."""
        self._do(
            lambda: self._reach.client().learning.roll_back(alias=SERVING, steps=1, reason=reason, over=over),
            lambda _: self._on_switched(),
        )

    def _on_switched(self) -> None:
        self._switched_at = monotonic()
        self.look_soon()

    def dismiss(self) -> None:
        """Leave the last outcome as it is: its model stays among the models and does not serve."""
        if self.outcome is not None:
            self.dismissed.add(self.outcome["id"])
            self._changed()

    def photograph(self, name: str, made: Callable[[bytes], Result], done: Callable[[Result], None]) -> None:
        """A small picture of a contribution; nothing comes where there is none.

        Args:
            name: of the contribution.
            made: what is made of the file, while it is fetched.
            done: called with it by ``Errands.settle``.
        """
        self._errands.do(lambda: made(self._reach.client().learning.photograph(name)), done)

    def report(self, name: str, done: Callable[[bytes], None]) -> None:
        """The page of a gate."""
        self._do(lambda: self._reach.client().learning.gate_report(name), done)

    def _do(self, call: Callable[[], Any], done: Callable[[Any], None]) -> None:
        def did(result: Any) -> None:
            done(result)
            self._changed()

        self._errands.do(call, did, self._told)

    def _told(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self._changed()

    def _asked(self) -> Plain:
        try:
            return self._all_asked()
        except LeafsightError as error:
            if (refused := not_taught_here(error)) is None:
                raise
            return {"refused": refused}

    def _all_asked(self) -> Plain:
        client = self._reach.client()
        learning = client.learning
        found: Plain = {
            "summary": summary_of(learning.contributions_summary()),
            "retrainings": retrainings_of(learning.retrainings(limit=20)),
            "models": client.models(),
        }
        serving = next((one.id for one in found["models"] if one.serving), "")
        if serving and serving != self._labels_of:
            found["labels"] = (serving, labels_of(client.model(serving).labels))
        rows = found["retrainings"]["retrainings"]
        ended = next((one for one in rows if one["state"] in ("done", "failed")), None)
        if ended is not None and (self.outcome is None or self.outcome["id"] != ended["id"]):
            found["outcome"] = outcome_of(learning.retraining(ended["id"]))
        return found

    def _on_state(self, asked_at: float, found: Plain) -> None:
        self._asking = False
        # What was told of a wish that the server refused stays until the next one.
        self.trouble = None if self.trouble in (None, self._away) else self.trouble
        self._away = None
        self.refused = found.get("refused")
        if self.refused is not None:
            self._look_at = monotonic() + LOOK_REFUSED_S
            self._changed()
            return
        changed = self.summary != found["summary"]
        self.summary, self.retrainings, self.models = found["summary"], found["retrainings"], found["models"]
        self.outcome = found.get("outcome", self.outcome)
        self._labels_of, self.labels = found.get("labels", (self._labels_of, self.labels))
        rows = found["retrainings"]["retrainings"]
        running = next((one for one in reversed(rows) if one["state"] in UNDER_WAY), None)
        if running is None or self.training is None or running["id"] != self.training["id"]:
            self.measured = {}
        self.training = running
        if running is not None:
            self._measure(running)
        answers = any(one.serving and SERVING in one.aliases for one in self.models)
        if answers and self._switched_at is not None and asked_at > self._switched_at:
            self._switched_at = None
        often = running is not None or self.is_settling
        self._look_at = monotonic() + (LOOK_EVERY_S if often else LOOK_IDLE_S)
        if changed:
            self.list_again()
        self._changed()

    def _on_away(self, trouble: Trouble) -> None:
        self._asking = False
        if self._paused:  # it was asked just then
            return
        self._look_at = monotonic() + LOOK_IDLE_S / 2
        self.trouble = self._away = trouble
        self._changed()

    def _measure(self, running: Plain) -> None:
        progress = running.get("progress") or {}
        at = progress.get("share")
        for name, value in (progress.get("metrics") or {}).items():
            if not isinstance(value, int | float) or isinstance(value, bool):
                continue
            line = self.measured.setdefault(name, [])
            place = float(at) if isinstance(at, int | float) else float(len(line))
            if not line or line[-1] != (place, float(value)):
                line.append((place, float(value)))

    def _on_begun(self) -> None:
        self.trouble = None
        self.measured = {}
        self.look_soon()

    def _on_declared(self, _: Any) -> None:
        self.trouble = None
        self.look_soon()
        self.list_again()

    def _listed(self, number: int, shown: str, label: str | None) -> list[Plain]:
        state = "waiting" if shown == "doubtful" else shown
        wanted = {"state": state, "label": label, "finding": "any" if shown == "doubtful" else None}
        rows: list[Plain] = []
        after: str | None = None
        while number == self._listing and len(rows) < MOST_SHOWN:
            page = self._reach.client().learning.contributions(wanted, after=after, limit=PAGE)
            found, after = contributions_of(page)
            rows.extend(found)
            if after is None or not found:  # a server may lead on for ever
                break
        return rows

    def _on_listed(self, number: int, rows: list[Plain]) -> None:
        if number == self._listing:
            self.contributions = rows
            self._changed()

    def _begin_deciding(
        self, call: Callable[[], Plain], state: str, before: list[tuple[str, str, str]]
    ) -> None:
        self._deciding += 1

        def done(came: Plain) -> None:
            self._deciding -= 1
            self.trouble = None
            self.said = {**came, "state": state}
            left = {one["id"] for one in came["skipped"]}
            self._undo = [one for one in before if one[0] not in left]
            self.look_soon()
            self.list_again()
            self._changed()

        def failed(trouble: Trouble) -> None:
            self._deciding -= 1
            self._told(trouble)

        self._errands.do(call, done, failed)
        self._changed()

    def _decided(self, ids: Sequence[str], state: str, label: str | None) -> Plain:
        learning = self._reach.client().learning
        changed, skipped = 0, list[Plain]()
        for some in _in_parts(ids, MOST_IDS):
            wish = {"ids": list(some), "state": state, **({"label": label} if label else {})}
            came = decision_of(learning.decide(wish))
            changed += int(came["changed"])
            skipped.extend(came["skipped"])
        return {"changed": changed, "skipped": skipped}


def _in_parts(values: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    return (values[at : at + most] for at in range(0, len(values), most))
