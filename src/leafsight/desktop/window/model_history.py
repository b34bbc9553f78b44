"""Who served when, why and by whom, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.model_words import KINDS
from leafsight.desktop.session.wording import plain, when
from leafsight.desktop.window.controls import button, words

NameOf = Callable[[str], str]


class HistoryPane(QWidget):
    """The changes of what serves, newest first."""

    back_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[str] = []
        self.now, self.why_not = words(), words("quiet")
        self.back = button(tr("&Put the former back"), self.back_wanted.emit)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Changes of what serves, newest first"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(words("heading", tr("In service, and before")))
        for one in (self.now, self.back, self.why_not):
            column.addWidget(one)
        column.addWidget(self.list, 1)
        column.addStretch()

    def show_changes(
        self, changes: Sequence[Mapping[str, Any]] | None, name_of: NameOf, now: str, why_not: str
    ) -> None:
        """Show these.

        Args:
            changes: newest first; None where they may not be seen.
            name_of: a model in a sentence, by its id.
            now: the sentence about what serves.
            why_not: why nothing can be switched; empty where it can.
        """
        self.now.setText(now)
        self.why_not.setText(why_not)
        self.why_not.setVisible(bool(why_not))
        lines = [change_in_words(one, name_of) for one in changes or ()]
        self.list.setVisible(bool(lines))
        if lines == self._shown:
            return
        self._shown = lines
        row = self.list.currentRow()
        self.list.clear()
        for line in lines:
            item = QListWidgetItem(line)
            item.setToolTip("")
            self.list.addItem(item)
        self.list.setCurrentRow(row)


def change_in_words(change: Mapping[str, Any], name_of: NameOf) -> str:
    """One change: when, what instead of what, by whom, and why."""
    kind = str(change.get("kind", ""))
    done = tr(KINDS[kind]) if kind in KINDS else plain(kind)
    first = f"{when(change.get('created_at'))}: {done} {name_of(str(change.get('model', '')))}"
    former, by, reason = change.get("former"), change.get("by"), change.get("reason")
    second = []
    if former:
        second.append(tr("instead of {name}", name=name_of(str(former))))
    if by:
        second.append(tr("by {name}", name=translated(str(by))))
    lines = [first, ", ".join(second), tr("Why: {reason}", reason=translated(str(reason))) if reason else ""]
    return "\n".join(line for line in lines if line)
