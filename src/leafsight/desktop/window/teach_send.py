"""The first step of Teach: photographs are given, and what was found in them is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.finding import name_patterns
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.outbox import Sending
from leafsight.desktop.session.sending import Sender
from leafsight.desktop.session.teach_words import found_in, sentence
from leafsight.desktop.session.wording import class_name, in_bytes, number
from leafsight.desktop.window.controls import button, card, words
from leafsight.desktop.window.pages import Around
from leafsight.errors import LeafsightError

CLASSES_SHOWN = 12


class SendStep(QWidget):
    """Buttons to give photographs, and a card for each thing that was given."""

    troubled = Signal(object)
    go_on = Signal()
    """A person wants to look through what was sent."""

    def __init__(self, sender: Sender, around: Around) -> None:
        super().__init__()
        self._sender, self._around = sender, around
        self._cards: dict[int, _Card] = {}
        self.label = QLineEdit()
        self.label.setPlaceholderText(tr("Class of single photographs, such as Tomato___Early_blight"))
        self.label.setAccessibleName(tr("Class of single photographs"))
        self.invitation = self._invitation()
        self._list = QVBoxLayout()
        self._list.setSpacing(10)
        self._list.addStretch()
        inside = QWidget()
        inside.setLayout(self._list)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setAccessibleName(tr("What was given"))
        self.next = button(tr("&Look through them"), self.go_on.emit, "primary")
        below = QHBoxLayout()
        below.addStretch()
        below.addWidget(self.next)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.invitation)
        whole.addWidget(scroll, 1)
        whole.addLayout(below)

    def _invitation(self) -> QFrame:
        made, inside = card(tr("Drop folders of labelled photographs here"))
        self.said = words("quiet")
        inside.addWidget(self.said)
        line = QHBoxLayout()
        line.addWidget(button(tr("Choose a &folder"), self.choose_folder, "primary"))
        line.addWidget(button(tr("Choose photographs or &archives"), self.choose_files))
        line.addWidget(self.label, 1)
        inside.addLayout(line)
        return made

    def choose_folder(self) -> None:
        """Let a person choose a folder of class folders."""
        name = QFileDialog.getExistingDirectory(self, tr("Folder of labelled photographs"))
        self.give([Path(name)] if name else [])

    def choose_files(self) -> None:
        """Let a person choose photographs of one class, or archives."""
        patterns = f"{name_patterns()} *.zip *.tar *.tgz *.tar.gz"
        kinds = tr("Photographs and archives ({patterns})", patterns=patterns)
        names, _ = QFileDialog.getOpenFileNames(self, tr("Photographs or archives"), "", kinds)
        self.give([Path(name) for name in names])

    def give(self, places: Sequence[Path]) -> None:
        """Send these."""
        if not places:
            return
        try:
            self._sender.give(places, self.label.text())
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))
            return
        self.troubled.emit(None)

    def say(self) -> None:
        """Show how things are."""
        here = self._around.reach.is_here
        kept = (
            tr("They are copied into the store of this computer")
            if here
            else tr("They are sent to the server")
        )
        self.said.setText(
            tr(
                "A folder is a class. {kept}, without what the camera wrote into them, such as the place;"
                " they are checked, and nothing is learned before you have looked through them.",
                kept=kept,
            )
        )
        sendings = self._sender.sendings
        there = {one.number for one in sendings}
        for gone in [one for one in self._cards if one not in there]:
            card = self._cards.pop(gone)
            self._list.removeWidget(card)
            card.deleteLater()
        for place, one in enumerate(sendings):
            if one.number not in self._cards:
                self._cards[one.number] = _Card(self._sender, one.number)
                self._list.insertWidget(place, self._cards[one.number])
            self._cards[one.number].show_sending(one)
        self.next.setVisible(any(one.results for one in sendings))


class _Card(QFrame):
    """One thing that was given."""

    def __init__(self, sender: Sender, number: int) -> None:
        super().__init__()
        self.setObjectName("card")
        self._sender, self._number = sender, number
        self._name, self._state, self._result = words("heading"), words("quiet"), words()
        self._trouble = words("warn")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._again = button(tr("Try again"), sender.try_again)
        self._drop = button("", lambda: sender.drop(number))
        line = QHBoxLayout()
        line.addWidget(self._name, 1)
        line.addWidget(self._state)
        line.addWidget(self._again)
        line.addWidget(self._drop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 10, 16, 10)
        whole.addLayout(line)
        for one in (self._bar, self._result, self._trouble):
            whole.addWidget(one)
        self._state.setWordWrap(False)
        self._state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_sending(self, one: Sending) -> None:
        """As it is now."""
        self._name.setText(one.name)
        self._state.setText(stage_words(one))
        self._bar.setVisible(one.is_under_way)
        self._bar.setRange(0, 1000 if one.total_bytes else 0)
        self._bar.setValue(round(1000 * one.done_bytes / one.total_bytes) if one.total_bytes else 0)
        self._bar.setAccessibleName(f"{one.name}: {stage_words(one)}")
        self._result.setText("\n".join(_found(result) for result in one.results))
        self._result.setVisible(bool(one.results))
        trouble = (
            "" if one.trouble is None else f"{sentence(one.trouble.message)} {sentence(one.trouble.hint)}"
        )
        if one.trouble is not None and one.is_under_way:
            trouble = f"{trouble.strip()} {tr('It is tried again by itself.')}"
        self._trouble.setText(trouble.strip())
        self._trouble.setVisible(bool(trouble))
        self._again.setVisible(one.stage == "failed")
        self._drop.setText(tr("Do not send it") if one.stage != "done" else tr("Take out of the list"))
        self._drop.setAccessibleName(f"{self._drop.text()}: {one.name}")


def stage_words(one: Sending) -> str:
    """How far a sending is."""
    part = tr(" (part {part} of {parts})", part=one.part + 1, parts=one.parts) if one.parts > 1 else ""
    if one.stage == "packing":
        return tr("Being packed{part}", part=part)
    if one.stage == "sending":
        if not one.total_bytes:
            return tr("Being sent{part}", part=part)
        return tr(
            "{done} of {total} sent{part}",
            done=in_bytes(one.done_bytes), total=in_bytes(one.total_bytes), part=part,
        )  # fmt: skip
    if one.stage == "looking":
        if one.total_bytes:
            return tr("Being looked into: {done} of {total}", done=one.done_bytes, total=one.total_bytes)
        return tr("Being looked into{part}", part=part)
    return tr("Looked into") if one.stage == "done" else tr("Not sent")


def _found(upload: dict[str, object]) -> str:
    """What was found in an archive: in sentences, with its classes and what cannot be used."""
    job = upload.get("job")
    assert isinstance(job, dict)
    result, error = job.get("result"), job.get("error")
    if not result:
        error = error or {}
        said = f"{sentence(error.get('message'))} {sentence(error.get('hint'))}".strip()
        return f"{said or tr('It could not be looked into.')} {tr('What was sent is kept.')}"
    lines = [found_in(result)]
    if not result.get("refused"):
        counts = list(result["class_counts"].items())
        if len(counts) > 1:
            shown = [f"{class_name(name)} {number(many)}" for name, many in counts[:CLASSES_SHOWN]]
            more = len(counts) - len(shown)
            lines.append(" \u00b7 ".join([*shown, *([tr("and {more} more", more=more)] if more > 0 else [])]))
        lines += [f"{one['photograph']}: {one['fault']}" for one in result["faulty"][:CLASSES_SHOWN]]
        lines += [
            tr("The same pixels: {names}", names="  =  ".join(one))
            for one in result["twice"]["examples"][:CLASSES_SHOWN]
        ]
        lines += [sentence(note) for note in result["notes"]]
    return "\n".join(lines)
