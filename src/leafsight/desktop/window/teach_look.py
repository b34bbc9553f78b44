"""The second step of Teach: what waits is looked through, class by class, and accepted or not."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelectionModel, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session.language import named, tr
from leafsight.desktop.session.learner import FILTERS, Learner
from leafsight.desktop.session.teach_answers import is_doubtful, remarks
from leafsight.desktop.session.teach_words import decided, model_says, state_words
from leafsight.desktop.session.wording import number
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.thumbnails import ROLE, Tile, Tiles, tile_view

FILTER_WORDS = {
    "waiting": "Waiting", "doubtful": "With remarks", "accepted": "Accepted", "rejected": "Rejected",
}  # fmt: skip
DONE_WORDS = {
    "accepted": "accepted", "rejected": "rejected", "waiting": "put back among those that wait",
    "undone": "as before",
}  # fmt: skip


class LookStep(QWidget):
    """Classes on the left, their photographs on the right, what can be done with them below."""

    troubled = Signal(object)
    go_on = Signal()

    def __init__(self, learner: Learner, tokens: Tokens) -> None:
        super().__init__()
        self._learner = learner
        self.tiles = Tiles(learner.photograph, self.devicePixelRatioF())
        self.grid, self._painter = tile_view(self.tiles, tokens, tr("Photographs"))
        self.classes = QListWidget()
        self.classes.setAccessibleName(tr("Classes"))
        self.classes.currentRowChanged.connect(lambda _: self._on_class())
        self.shown = QComboBox()
        self.shown.setAccessibleName(tr("Which photographs"))
        for name in FILTERS:
            self.shown.addItem(tr(FILTER_WORDS[name]), name)
        self.shown.activated.connect(lambda _: self._ask())
        self.said, self.about, self.empty = words("quiet"), words("quiet"), words("quiet")
        self.unknown = words("warn")
        self.declare = button(tr("Declare it as a &new class"), self._declare)
        self.buttons = {
            "accept": button(tr("Accept (A)"), lambda: self.decide("accepted"), "primary"),
            "label": button(tr("Another class (L)"), self.relabel),
            "reject": button(tr("Reject (R)"), lambda: self.decide("rejected")),
            "wait": button(tr("Put back (W)"), lambda: self.decide("waiting")),
            "undo": button(tr("Undo (Ctrl+Z)"), learner.undo),
            "clean": button(tr("Accept everything &without doubts"), learner.accept_clean),
        }
        self.next = button(tr("Teach the mode&l"), self.go_on.emit, "primary")
        self._classes_shown: list[tuple[Any, ...]] = []
        self._lay_out()
        for keys, do in (
            ("A", lambda: self.decide("accepted")),
            ("L", self.relabel),
            ("R", lambda: self.decide("rejected")),
            ("W", lambda: self.decide("waiting")),
        ):
            QShortcut(QKeySequence(keys), self.grid, do)
        QShortcut(QKeySequence.StandardKey.Undo, self, learner.undo)
        self.grid.selectionModel().selectionChanged.connect(lambda *_: self._on_chosen())

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.shown)
        column.addWidget(self.classes, 1)
        right = QWidget()
        inside = QVBoxLayout(right)
        inside.setContentsMargins(12, 0, 0, 0)
        banner = QHBoxLayout()
        banner.addWidget(self.unknown, 1)
        banner.addWidget(self.declare)
        inside.addLayout(banner)
        inside.addWidget(self.empty)
        inside.addWidget(self.grid, 1)
        inside.addWidget(self.about)
        deeds = QHBoxLayout()
        for name in ("accept", "label", "reject", "wait", "undo"):
            deeds.addWidget(self.buttons[name])
        deeds.addStretch()
        inside.addLayout(deeds)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([280, 820])
        split.setChildrenCollapsible(False)
        below = QHBoxLayout()
        below.addWidget(self.said, 1)
        below.addWidget(self.buttons["clean"])
        below.addWidget(self.next)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split, 1)
        whole.addLayout(below)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._painter.tokens = tokens
        self.grid.viewport().update()

    def say(self) -> None:
        """Show how things are."""
        self._say_classes()
        learner = self._learner
        keep = {self.tiles.tile(index).key for index in self.grid.selectedIndexes()}
        of_one_class = learner.label is not None
        self.tiles.show([_tile(one, of_one_class=of_one_class) for one in learner.contributions])
        self._choose(keep)
        label = self._label_row()
        known = label is None or label["known"] or label["declared"]
        self.unknown.setVisible(not known)
        self.declare.setVisible(not known)
        if label is not None and not known:
            self.unknown.setText(
                tr(
                    "The model does not know {name}. None of it is learned before it is declared as a class.",
                    name=named(label["display"]),
                )
            )
        self.empty.setVisible(not learner.contributions)
        self.empty.setText(self._nothing())
        if learner.said is not None:
            self.said.setText(decided(learner.said, tr(DONE_WORDS[learner.said["state"]])))
        self._on_chosen()

    def _nothing(self) -> str:
        if self._learner.refused is not None:
            return ""  # said above the steps
        if self._learner.summary is None:
            return tr("The photographs are asked for.")
        if not any(self._learner.summary["states"].values()):
            return tr("Nothing was given to learn from yet. Give photographs in the first step.")
        return tr("None of these.")

    def _say_classes(self) -> None:
        summary, shown = self._learner.summary, self.shown.currentData()
        state = "waiting" if shown == "doubtful" else shown
        rows = [] if summary is None else [one for one in summary["labels"] if one[state]]
        total = sum(one[state] for one in rows)
        wanted: list[tuple[Any, ...]] = [(None, tr("All classes  {total}", total=f"{total:,}"))]
        for one in rows:
            new = "" if one["known"] else tr("  \u00b7 declared") if one["declared"] else tr("  \u00b7 new")
            wanted.append((one["label"], f"{named(one['display'])}  {number(one[state])}{new}"))
        if wanted == self._classes_shown:
            return
        self._classes_shown = wanted
        current = self._learner.label
        self.classes.blockSignals(True)
        self.classes.clear()
        for place, (label, text) in enumerate(wanted):
            item = QListWidgetItem(text)
            item.setData(ROLE, label)
            self.classes.addItem(item)
            if label == current:
                self.classes.setCurrentRow(place)
        self.classes.blockSignals(False)
        if self.classes.currentRow() < 0:  # of the class that was shown nothing is left here
            self.classes.setCurrentRow(0)
            self._on_class()

    def _on_class(self) -> None:
        item = self.classes.currentItem()
        if item is not None and item.data(ROLE) != self._learner.label:
            self._ask()

    def _ask(self) -> None:
        item = self.classes.currentItem()
        self._learner.show(self.shown.currentData(), None if item is None else item.data(ROLE))
        self.say()

    def _label_row(self) -> dict[str, Any] | None:
        summary = self._learner.summary
        if summary is None or self._learner.label is None:
            return None
        return next((one for one in summary["labels"] if one["label"] == self._learner.label), None)

    @property
    def chosen(self) -> list[dict[str, Any]]:
        """The contributions that are selected."""
        rows = self._learner.contributions
        return [rows[index.row()] for index in self.grid.selectedIndexes() if index.row() < len(rows)]

    def decide(self, state: str, label: str | None = None) -> None:
        """Accept, reject or put back what is selected."""
        chosen = self.chosen
        if chosen and not self._learner.is_deciding:
            self._learner.decide(chosen, state, label)

    def relabel(self) -> None:
        """Accept what is selected as another class."""
        if not self.chosen:
            return
        summary = self._learner.summary or {"labels": []}
        names = sorted({one["label"] for one in summary["labels"]} | set(self._known_classes()))
        label, sure = QInputDialog.getItem(
            self, tr("Another class"), tr("What do these photographs show?"), names, 0, True
        )
        if sure and label.strip():
            self.decide("accepted", label.strip())

    def _known_classes(self) -> list[str]:
        return [str(one["class_name"]) for one in self._learner.labels]

    def _declare(self) -> None:
        if self._learner.label is not None:
            self._learner.declare(self._learner.label)

    def _choose(self, keys: set[str]) -> None:
        model = self.grid.selectionModel()
        for row in range(self.tiles.rowCount()):
            index = self.tiles.index(row)
            if self.tiles.tile(index).key in keys and not model.isSelected(index):
                model.select(index, QItemSelectionModel.SelectionFlag.Select)

    def _on_chosen(self) -> None:
        chosen, shown = self.chosen, self.shown.currentData()
        for name, offered in (
            ("accept", shown != "accepted"), ("label", True), ("reject", shown != "rejected"),
            ("wait", shown in ("accepted", "rejected")),
        ):  # fmt: skip
            self.buttons[name].setVisible(offered)
            self.buttons[name].setEnabled(bool(chosen) and not self._learner.is_deciding)
        self.buttons["undo"].setEnabled(self._learner.can_undo and not self._learner.is_deciding)
        if len(chosen) == 1:
            self.about.setText(_spoken(chosen[0]))
        else:
            self.about.setText(
                tr("{number} chosen. Ctrl+A chooses all that are shown.", number=f"{len(chosen):,}")
            )


def _tile(one: dict[str, Any], *, of_one_class: bool) -> Tile:
    """With its own name where all are of one class, else with the class."""
    name = str(one["name"] or "").rpartition("/")[2]
    refused = any(found["kind"] == "test_duplicate" for found in one["findings"])
    mark = "bad" if refused else "warn" if is_doubtful(one) else ""
    said = remarks(one)
    first, second = (name, "") if of_one_class else (named(one["display"]), name)
    return Tile(one["id"], f"{first}\n{said[0] if said else second}", _spoken(one), mark)


def _spoken(one: dict[str, Any]) -> str:
    said = one.get("said")
    agree = said is not None and said["verdict"] == "diagnosis" and said["display"] == one["display"]
    parts = [str(one["name"]), named(one["display"]), model_says(said, agree=agree), *remarks(one)]
    return "; ".join([*parts, state_words(one["state"])])
