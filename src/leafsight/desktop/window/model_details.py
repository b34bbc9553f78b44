"""All that is known of the model that is chosen, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from textwrap import fill
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.model_comparison import class_differences, comparison, same_test
from leafsight.desktop.session.model_words import (
    FEW_PHOTOGRAPHS,
    MEASURES,
    ClassResult,
    Tested,
    by_class,
    can_name,
    doubts,
    lineage,
    measured,
    mix_ups,
    model_name,
    provenance,
    tested_on,
)
from leafsight.desktop.session.wording import Measured, number, with_interval
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.model_card import CardView
from leafsight.desktop.window.tables import Cell, Table
from leafsight.desktop.window.theme import Tokens

if TYPE_CHECKING:
    from leafsight.client import ModelDescription, ModelEntry
    from leafsight.desktop.session.shelf_calls import Described

NUMBERS, CLASSES, COMPARED, CARD, FACTS = range(5)
SPACE_PX = 10
TITLE_CHARACTERS = 16


class DetailsPane(QWidget):
    """One model, against the one in service."""

    use_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._draw: dict[int, Callable[[], None]] = {}
        self._name, self._what, self.why_not = words("verdict"), words("quiet"), words("quiet")
        self._caution = words("caution")
        self.use = button(tr("U&se this model"), self.use_wanted.emit, "primary")
        self.compare = button(tr("&Compare with the one in service"), self._compare)
        self.export = button(tr("E&xport"), self.export_wanted.emit)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.currentChanged.connect(lambda _: self._show_front())
        self._said_numbers, self._numbers_caution = words(), words("caution")
        self.numbers = Table(tr("What was measured"), tokens, fits=True)
        self.classes = Table(tr("Class by class"), tokens, is_sorted=True)
        self._mix_ups = words()
        self.compared = Table(tr("Compared with the model in service"), tokens, fits=True)
        self._compared_said, self._compared_caution = words(), words("caution")
        self._compared_classes = words()
        self.card = CardView(tokens)
        self._facts = QFormLayout()
        self._arrange()

    def _arrange(self) -> None:
        line = QHBoxLayout()
        for one in (self.use, self.compare, self.export):
            line.addWidget(one)
        line.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 0, 0)
        whole.setSpacing(SPACE_PX)
        for label in (self._name, self._what, self._caution):
            whole.addWidget(label)
        whole.addLayout(line)
        whole.addWidget(self.why_not)
        whole.addWidget(self.tabs, 1)
        interval = tr("In brackets: where the figure lies with 95 % certainty, as far as chance goes.")
        self.tabs.addTab(
            _scrolled(self._said_numbers, self._numbers_caution, self.numbers, words("quiet", interval)),
            tr("&Numbers"),
        )
        found = tr(
            "By first guess, on photographs like those of training; found: of those that show it. "
            "Few: under {number} photographs, so little is known. A click on a column sorts by it.",
            number=FEW_PHOTOGRAPHS,
        )
        self.tabs.addTab(_filled(words("quiet", found), self.classes, self._mix_ups), tr("C&lass by class"))
        compared = (self._compared_said, self._compared_caution, self.compared)
        conditions = words("heading", tr("Conditions"))
        self.tabs.addTab(_scrolled(*compared, conditions, self._compared_classes), tr("Side &by side"))
        self.tabs.addTab(self.card, tr("C&ard"))
        self._facts.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        facts = QWidget()
        facts.setLayout(self._facts)
        self.tabs.addTab(_scrolled(facts), tr("Made &from"))

    def wear(self, tokens: Tokens) -> None:
        """Other colours hold."""
        for table in (self.numbers, self.classes, self.compared):
            table.rows.wear(tokens)
            table.fit()
        self.card.wear(tokens)

    def show_model(
        self, entry: ModelEntry, described: Described | None, base: Described | None, failed: str
    ) -> None:
        """Show this one.

        Args:
            entry: of the list.
            described: all of it; None while it is fetched.
            base: the model in service; None where it is this one, none, or not there yet.
            failed: why there is no description; empty while it may still come.
        """
        shown = (entry, described, base, failed)
        if shown == self._shown:
            return
        self._shown = shown
        self._name.setText(entry.name)
        state = tr("In service") if entry.serving else tr("Not in service")
        self._what.setText(f"{entry.id[:16]} \u00b7 {state}")
        self._caution.setText(_caution(entry, described, failed))
        self._caution.setVisible(bool(self._caution.text()))
        self.tabs.setVisible(described is not None)
        self._draw = {}
        if described is None:
            return
        self.tabs.setTabVisible(COMPARED, not entry.serving and base is not None)
        self._draw = {
            NUMBERS: lambda: self._show_numbers(described.model),
            CLASSES: lambda: self._show_classes(described.model),
            CARD: lambda: self.card.show_card(described.model.card),
            FACTS: lambda: self._show_facts(entry, described),
        }
        if base is not None:
            self._draw[COMPARED] = lambda: self._show_compared(base.model, described.model)
        self._show_front()

    def _show_front(self) -> None:
        """A table, or a card, takes a moment to lay out, so it is done when somebody goes there."""
        draw = self._draw.pop(self.tabs.currentIndex(), None)
        if draw is not None:
            draw()

    def _compare(self) -> None:
        self.tabs.setCurrentIndex(COMPARED)
        self.compared.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_numbers(self, model: ModelDescription) -> None:
        self._said_numbers.setText(can_name(model))
        self._numbers_caution.setText(doubts(model))
        self._numbers_caution.setVisible(bool(doubts(model)))
        groups = sorted(tested_on(model), key=_place)
        columns = [tr("Measure"), *(fill(one.title, TITLE_CHARACTERS) for one in groups)]
        rows = [[Cell(tr("Photographs")), *(Cell(number(one.photos)) for one in groups)]]
        for one in MEASURES:
            title = f"{tr(one.title)}\n({one.name})" if one.name else tr(one.title)
            found = [with_interval(measured(group, one.key), one.kind) for group in groups]
            rows.append([Cell(title), *(Cell(_on_two_lines(said)) for said in found)])
        self.numbers.show_rows(columns, rows)
        self.numbers.setVisible(bool(groups))

    def _show_classes(self, model: ModelDescription) -> None:
        columns = [tr("Class"), tr("Photographs"), tr("Found"), tr("Right when guessed")]
        self.classes.show_rows(columns, [_class_row(one) for one in by_class(model)])
        self.classes.sortByColumn(2, Qt.SortOrder.AscendingOrder)
        mixed = mix_ups(model)
        title = tr("Most frequent mix-ups")
        self._mix_ups.setText("\n".join([f"{title}:", *(one.said() for one in mixed)]) if mixed else "")
        self._mix_ups.setVisible(bool(mixed))

    def _show_compared(self, base: ModelDescription, other: ModelDescription) -> None:
        names = [model_name(base), model_name(other)]
        self._compared_said.setText(
            tr("{other} is held against {base}, which is in service.", other=names[1], base=names[0])
        )
        said, is_same = same_test(base, other)
        self._compared_caution.setText(said)
        self._compared_caution.setObjectName("quiet" if is_same else "caution")
        self._compared_caution.style().polish(self._compared_caution)
        rows = []
        for one in comparison(base, other):
            if one.is_heading:
                rows.append([Cell(one.title, tone="heading")])
                continue
            difference = one.difference
            tone = "quiet" if difference is None or difference.good is None else "bad"
            if difference is not None and difference.good:
                tone = "good"
            told = Cell("" if difference is None else difference.words, tone=tone)
            rows.append(
                [Cell(one.title), Cell(_on_two_lines(one.base)), Cell(_on_two_lines(one.other)), told]
            )
        columns = [name.replace(" (", "\n(") for name in names]
        self.compared.show_rows([tr("Compared"), *columns, tr("Difference")], rows)
        self._compared_classes.setText("\n".join(class_differences(base, other)))

    def _show_facts(self, entry: ModelEntry, described: Described) -> None:
        while self._facts.rowCount():
            self._facts.removeRow(0)
        # Of what was fetched once only the contents stay as they are.
        now = {"aliases": entry.aliases, "note": entry.note}
        model = described.model.model_copy(update=now)
        facts = lineage(model)
        if described.gate is not None:
            held = tr("held") if described.gate.passed else tr("did not hold")
            facts.append((tr("Gate"), f"{held}. {translated(described.gate.said)}".strip()))
        for name, fact in [*facts, *provenance(model)]:
            title = QLabel(name)
            title.setObjectName("quiet")
            self._facts.addRow(title, words("", fact))


def _caution(entry: ModelEntry, described: Described | None, failed: str) -> str:
    said = []
    if entry.damaged:
        said.append(tr("The file of this model is gone or changed. leafsight models check says more."))
    if described is None:
        said.append(failed or tr("Reading the model"))
    elif described.gate is not None and not described.gate.passed:
        said.append(tr("Its gate did not hold: {said}", said=translated(described.gate.said)))
    return "\n".join(said)


def _place(one: Tested) -> int:
    """At home in all, then elsewhere, then the parts of home: what says most stands first."""
    return 1 if one.abroad else 0 if one.name == "all" else 2


def _on_two_lines(said: str) -> str:
    """A figure above its interval: twice as many groups fit beside each other."""
    return said.replace(" (", "\n(", 1)


def _class_row(one: ClassResult) -> list[Cell]:
    photos = number(one.photos)
    return [
        Cell(one.name),
        Cell(
            tr("{number} (few)", number=photos) if one.is_few else photos,
            inf if one.photos is None else one.photos,
        ),
        Cell(with_interval(one.found), _worth(one.found)),
        Cell(with_interval(one.right), _worth(one.right)),
    ]


def _worth(found: Measured | None) -> float:
    """Not measured is neither good nor bad, and stands behind both."""
    return inf if found is None else found.value


def _filled(*widgets: QWidget) -> QWidget:
    """Beneath each other; a table takes what is left."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, SPACE_PX, 0, 0)
    for one in widgets:
        column.addWidget(one, 1 if isinstance(one, Table) else 0)
    return whole


def _scrolled(*widgets: QWidget) -> QScrollArea:
    """Beneath each other; all of it scrolls."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, SPACE_PX, SPACE_PX, 0)
    column.setSpacing(SPACE_PX)
    for one in widgets:
        column.addWidget(one)
    column.addStretch()
    area.setWidget(inside)
    return area
