"""The page Teach: photographs are given, looked through, and a model learns from them; three steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QStackedWidget, QToolButton, QVBoxLayout

from leafsight.desktop.session import Errands, Trouble
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.learner import Learner
from leafsight.desktop.session.sending import Sender
from leafsight.desktop.window.controls import words
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.teach_look import LookStep
from leafsight.desktop.window.teach_model import ModelStep
from leafsight.desktop.window.teach_send import SendStep
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.waking import Waker

TICK_MS = 250
OUTBOX = "outbox"


class TeachPage(Page):
    """Shows a sender and a learner, of this computer or of a server: the same screens."""

    def __init__(self, around: Around) -> None:
        super().__init__()
        self._around = around
        self._waker = Waker(self)
        self._errands = Errands(self._waker.wake)
        self.learner = Learner(around.reach, self._errands, self._say)
        self.outgoing = Sender(
            around.reach, self._errands, around.options.state_dir / OUTBOX, self._on_sendings
        )
        self._server = around.reach.server
        self._told: Trouble | None = None
        self._closed = False
        self._looked_into = 0
        self.send = SendStep(self.outgoing, around)
        self.look = LookStep(self.learner, around.tokens())
        self.model = ModelStep(self.learner, around)
        for step in (self.send, self.look, self.model):
            # What was mended in a step does not bring a server back that is away.
            step.troubled.connect(lambda found: self.troubled.emit(found or self.learner.trouble))
        self.send.go_on.connect(lambda: self.step(1))
        self.look.go_on.connect(lambda: self.step(2))
        self._lay_out()
        self._waker.woken.connect(self._errands.settle)
        self._ticking = QTimer(self)
        self._ticking.setInterval(TICK_MS)
        self._ticking.timeout.connect(self._tick)
        self._ticking.start()
        self._on_sendings()
        self._say()

    def _lay_out(self) -> None:
        steps = QHBoxLayout()
        self.buttons: list[QToolButton] = []
        group = QButtonGroup(self)
        for number, text in enumerate(
            (tr("1  &Give photographs"), tr("2  Loo&k through them"), tr("3  Teac&h the model"))
        ):
            button = QToolButton()
            button.setObjectName("tab")
            button.setText(text)
            button.setAccessibleName(text.replace("&", ""))
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, number=number: self.step(number))
            group.addButton(button)
            self.buttons.append(button)
            steps.addWidget(button)
        steps.addStretch()
        self.where = QLabel()
        self.where.setObjectName("quiet")
        steps.addWidget(self.where)
        self.refused = words("caution")
        self.stack = QStackedWidget()
        for step in (self.send, self.look, self.model):
            self.stack.addWidget(step)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 12)
        whole.setSpacing(12)
        whole.addLayout(steps)
        whole.addWidget(self.refused)
        whole.addWidget(self.stack, 1)
        self.step(0)

    def step(self, number: int) -> None:
        """Show one of the three steps."""
        self.buttons[number].setChecked(True)
        self.stack.setCurrentIndex(number)
        self.learner.look_soon()

    def came_to_front(self) -> None:
        """Another server may have been chosen meanwhile."""
        server = self._around.reach.server
        if server != self._server:
            self._server = server
            self.learner.forget()
            self._on_sendings()
        self.where.setText(
            tr("On this computer") if server.is_here else tr("On {address}", address=server.address)
        )
        self.learner.look_soon()
        self._tick()

    def open_places(self, places: Sequence[Path]) -> None:
        """Folders and photographs were dropped: give them to be learned from."""
        self.step(0)
        self.send.give(places)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        for step in (self.look, self.model):
            step.wear(tokens)

    def try_again(self) -> None:
        """After trouble."""
        self._told = None
        self.learner.trouble = None
        self.learner.look_soon()
        self.outgoing.try_again()

    def unfinished(self) -> str:
        """What is on its way, and what learns on this computer."""
        said = []
        if self.outgoing.is_under_way:
            said.append(tr("Photographs are on their way to be learned from; that goes on the next time."))
        if self.learner.training is not None and self._around.reach.is_here:
            said.append(tr("The model is learning; that goes on the next time this page is opened."))
        return "\n".join(said)

    def leave(self) -> None:
        """End what asks."""
        self._closed = True
        self._ticking.stop()
        self._errands.close()
        self.outgoing.close()

    def _tick(self) -> None:
        if self._closed:
            return
        self.outgoing.tick()
        if self.isVisible() or self.learner.training is not None or self.learner.is_settling:
            self.learner.tick()

    def _on_sendings(self) -> None:
        looked_into = sum(len(one.results) for one in self.outgoing.sendings)
        if looked_into != self._looked_into:
            self._looked_into = looked_into
            self.learner.look_soon()
        self.send.say()

    def _say(self) -> None:
        here = self._around.reach.is_here  # where the shelf says it at once; a server takes it up in a moment
        models = self.learner.models
        serving = next((one.id for one in models if ("serving" in one.aliases if here else one.serving)), "")
        if serving:
            self._around.serves(serving)
        if self.learner.trouble != self._told:
            self._told = self.learner.trouble
            self.troubled.emit(self._told)
        refused = self.learner.refused
        self.refused.setText("" if refused is None else f"{refused.message} {refused.hint}")
        self.refused.setVisible(refused is not None)
        self.look.say()
        self.model.say()
        self.send.say()
