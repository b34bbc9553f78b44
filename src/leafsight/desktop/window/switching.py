"""Another model in the place of the one that serves, and the way back: a window that names both."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.shelf import Refused, Shelf
from leafsight.desktop.window.controls import button, words

MOST_REASON = 500
WIDTH_PX = 480
Send = Callable[[str, bool, Callable[[], None], Refused], None]
"""Gets the reason, whether a gate is overruled, and whom to tell that it was done, or why not."""


class SwitchDialog(QDialog):
    """Asks once, stays open until the server answered, and closes when it did what was asked.

    Args:
        parent: the page.
        title: as a question.
        said: sentences that name both models, and what comes of it.
        verb: on the button.
        send: asks the server.
        gate: why the gate of the model did not hold; empty where it held, or where nobody knows.
    """

    sent = Signal()
    """The server is asked now."""
    late = Signal(object)
    """A ``Trouble`` that came when a person had closed the window already."""

    def __init__(
        self, parent: QWidget, title: str, said: tuple[str, ...], verb: str, send: Send, gate: str = ""
    ) -> None:
        super().__init__(parent)
        self._send, self._override = send, False
        self.setWindowTitle(title)
        self._asked = False
        self.finished.connect(lambda _: None if self._asked else self.deleteLater())
        self.setMinimumWidth(WIDTH_PX)
        self.reason = QLineEdit()
        self.reason.setMaxLength(MOST_REASON)
        self._why = QLabel(tr("&Why (kept in the history, may stay empty)"))
        self._why.setBuddy(self.reason)
        self.trouble = words("caution")
        self.trouble.hide()
        self.go = button(verb, self._on_go, "primary")
        self.go.setDefault(True)
        self.leave = button(tr("&Leave it as it is"), self.reject)
        self.leave.setAutoDefault(False)
        self.reason.textChanged.connect(lambda _: self._enable())
        whole = QVBoxLayout(self)
        whole.setSpacing(12)
        heading = words("verdict", title)
        for one in (heading, *(words("" if not at else "quiet", line) for at, line in enumerate(said))):
            whole.addWidget(one)
        whole.addWidget(self._why)
        whole.addWidget(self.reason)
        whole.addWidget(self.trouble)
        line = QHBoxLayout()
        line.addStretch()
        line.addWidget(self.leave)
        line.addWidget(self.go)
        whole.addLayout(line)
        if gate:
            self._needs_reason(tr("Its gate did not hold: {said}", said=translated(gate)))
        self.reason.setFocus()

    def _needs_reason(self, said: str) -> None:
        self._override = True
        self._why.setText(tr("&Why, although the gate did not hold"))
        self.go.setText(tr("Use it all the &same"))
        ask = tr("To use it all the same wants a reason, which is kept in the history.")
        self._tell(f"{said}\n{ask}")
        self._enable()
        self.reason.setFocus()

    def _tell(self, said: str) -> None:
        self.trouble.setText(said)
        self.trouble.show()

    def _enable(self) -> None:
        self.go.setEnabled(not self._override or bool(self.reason.text().strip()))

    def _on_go(self) -> None:
        self.go.setEnabled(False)
        self._tell(tr("Asking the server"))
        self._asked = True
        self._send(self.reason.text().strip(), self._override, self._on_done, self._on_refused)
        self.sent.emit()

    def _on_done(self) -> None:
        self._asked = False
        if self.isVisible():
            self.accept()
        else:
            self.deleteLater()

    def _on_refused(self, trouble: Trouble, is_gate: bool) -> None:
        self._asked = False
        if not self.isVisible():
            self.late.emit(trouble)
            self.deleteLater()
            return
        self._enable()
        if is_gate and not self._override:
            self._needs_reason(f"{translated(trouble.message)}.")
        else:
            self._tell(trouble.in_words())


def ask_use(parent: QWidget, shelf: Shelf, model_id: str) -> SwitchDialog:
    """Asks whether a model shall serve; where its gate did not hold, it says so and wants a reason."""
    described = shelf.describe(model_id)
    gate = None if described is None else described.gate
    failed = "" if gate is None or gate.passed else gate.said or tr("see its report")
    serving = shelf.pointed_to
    said = tr(
        "{new} will answer instead of {old}.",
        new=shelf.name_of(model_id),
        old=shelf.name_of(serving) if serving else tr("the model in service"),
    )
    caution = tr(
        "The former can be put back at any time. The new model is watched, and the former put back by "
        "itself when a limit is crossed."
    )

    def send(reason: str, override: bool, done: Callable[[], None], refused: Refused) -> None:
        shelf.promote(model_id, reason, override=override, done=done, refused=refused)

    return SwitchDialog(parent, tr("Use this model?"), (said, caution), tr("U&se it"), send, failed)


def ask_put_back(parent: QWidget, shelf: Shelf, former: str, serving: str) -> SwitchDialog:
    """Asks whether the model before shall serve again."""
    said = tr(
        "{former} will answer again instead of {serving}.",
        former=shelf.name_of(former),
        serving=shelf.name_of(serving),
    )
    caution = tr("Nothing is deleted: the newer model stays and can be put in service again.")

    def send(reason: str, override: bool, done: Callable[[], None], refused: Refused) -> None:
        shelf.roll_back(reason, done=done, refused=lambda trouble, _: refused(trouble, False))

    return SwitchDialog(parent, tr("Put the former back?"), (said, caution), tr("&Put it back"), send)
