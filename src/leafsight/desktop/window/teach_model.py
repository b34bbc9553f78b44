"""The third step of Teach: the model learns, is held against the one that serves, and is promoted or not."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session.language import tr
from leafsight.desktop.session.learner import Learner
from leafsight.desktop.session.teach_words import PARTS, outcome_words, sentence, step_words, time_left
from leafsight.desktop.session.wording import count
from leafsight.desktop.window.controls import button, card, scrolled, words
from leafsight.desktop.window.curves import Curves
from leafsight.desktop.window.pages import Around
from leafsight.desktop.window.teach_outcome import OutcomeCard
from leafsight.desktop.window.theme import Tokens

WAYS = ("quick", "full")
PATH_WORDS = {"quick": "Quick", "full": "Full"}
WAY_WORDS = {
    "quick": "Quick: a new last layer, seconds to minutes",
    "full": "Full: the network itself, hours",
}


class ModelStep(QWidget):
    """What is there to learn, the training that runs, and what came of the last one."""

    troubled = Signal(object)

    def __init__(self, learner: Learner, around: Around) -> None:
        super().__init__()
        self._learner, self._around = learner, around
        self.ask = self._asking()
        self.running = self._training(around.tokens())
        self.outcome = OutcomeCard(learner, around)
        self.outcome.troubled.connect(self.troubled)
        self.past = words("quiet")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(self.ask, self.running, self.outcome, self.past))

    def _asking(self) -> QFrame:
        made, inside = card()
        self.ready = words("heading")
        self.why_not = words("warn")
        line = QHBoxLayout()
        self.way = QComboBox()
        self.way.setAccessibleName(tr("How it learns"))
        for name in WAYS:
            self.way.addItem(tr(WAY_WORDS[name]), name)
        self.way.activated.connect(lambda _: self.say())
        self.reason = QLineEdit()
        self.reason.setMaxLength(500)
        self.reason.setPlaceholderText(tr("Why (kept with the model, may stay empty)"))
        self.reason.setAccessibleName(tr("Why"))
        self.teach = button(tr("Teach the mode&l"), self._teach, "primary")
        for one in (self.way, self.reason, self.teach):
            line.addWidget(one, 1 if one is self.reason else 0)
        inside.addWidget(self.ready)
        inside.addLayout(line)
        inside.addWidget(self.why_not)
        return made

    def _training(self, tokens: Tokens) -> QFrame:
        made, inside = card()
        self.now, self.left = words("heading"), words("quiet")
        self.steps = words("quiet")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.curves = Curves(tokens)
        self.pause = button(tr("P&ause"), self._pause)
        self.stop = button(tr("&Stop"), self._learner.cancel)
        line = QHBoxLayout()
        line.addWidget(self.now, 1)
        for one in (self.left, self.pause, self.stop):
            line.addWidget(one)
        inside.addLayout(line)
        for part in (self.bar, self.steps, self.curves):
            inside.addWidget(part)
        return made

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self.curves.wear(tokens)
        self.outcome.wear(tokens)

    def say(self) -> None:
        """Show how things are."""
        learner = self._learner
        running = learner.training
        self.running.setVisible(running is not None)
        self.ask.setVisible(running is None)
        self._say_ready(running is not None)
        if running is not None:
            self._say_running(running)
        self.outcome.say()
        rows = (learner.retrainings or {}).get("retrainings", [])
        lines = [
            f"{tr(PATH_WORDS.get(one['path'], one['path']))}: {outcome_words(one)}"
            + (f", {one['reason']}" if one.get("reason") else "")
            for one in rows[:8]
        ]
        self.past.setText("\n".join([tr("Trainings so far"), *lines]) if lines else "")
        self.past.setVisible(bool(lines))

    def _say_ready(self, runs: bool) -> None:
        found = self._learner.retrainings
        summary = self._learner.summary
        if found is None or summary is None:
            refused = self._learner.refused is not None  # said above the steps
            self.ready.setText("" if refused else tr("The store is asked what there is to learn."))
            self.teach.setEnabled(False)
            self.why_not.setVisible(False)
            return
        new = found["trigger"]["accepted_since"]
        accepted = summary["states"]["accepted"]
        if new:
            many = count(
                new,
                "photograph is accepted and not learned yet",
                "photographs are accepted and not learned yet",
            )
            self.ready.setText(f"{many}.")
        elif accepted and new is None:
            self.ready.setText(f"{count(accepted, 'photograph is accepted', 'photographs are accepted')}.")
        elif accepted:
            self.ready.setText(tr("Everything that is accepted was learned already."))
        else:
            self.ready.setText(tr("Nothing is accepted yet: look through what was given first."))
        why_not = found["paths"].get(self.way.currentData(), {}).get("why_not", "")
        self.why_not.setText(sentence(why_not))
        self.why_not.setVisible(bool(why_not))
        self.teach.setEnabled(bool(accepted) and not runs and not why_not)

    def _say_running(self, running: dict[str, Any]) -> None:
        paused = self._learner.is_paused
        self.pause.setText(tr("Go o&n") if paused else tr("P&ause"))
        self.now.setText(tr("Paused. The model in service is as it was.") if paused else step_words(running))
        self.left.setText("" if paused else time_left(running))
        progress = running.get("progress") or {}
        names = [name for name, _ in PARTS]
        part = progress.get("part")
        at = names.index(part) if part in names else -1 if part else 0  # a step of another version
        share = progress.get("share")
        within = float(share) if isinstance(share, int | float) else 0.5
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * (max(at, 0) + within) / len(names)))
        self.bar.setAccessibleName(step_words(running))
        self.steps.setText(
            "   ".join(
                ("\u2713 " if place < at else "\u25cf " if place == at else "\u25cb ") + tr(title)
                for place, (_, title) in enumerate(PARTS)
            )
        )
        self.curves.show_measured(self._learner.measured)
        self.pause.setVisible(self._around.reach.is_here)
        self.stop.setVisible(not paused)

    def _teach(self) -> None:
        self._learner.teach(self.way.currentData(), self.reason.text().strip())
        self.teach.setEnabled(False)

    def _pause(self) -> None:
        """Stop the service of this computer, or let it go on; a training goes on from its last step."""
        (self._learner.go_on if self._learner.is_paused else self._learner.pause)()
        self.say()
