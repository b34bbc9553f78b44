"""A study on the screen: what it comes to and the list on the left, what is chosen there on the right."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QListView, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr, translated, trn
from leafsight.desktop.session.understanding import InsightPicture, Study, second_line, verdict
from leafsight.desktop.window.controls import words
from leafsight.desktop.window.large import LargeView, Shown
from leafsight.desktop.window.pictures import SmallPictures, WholePictures
from leafsight.desktop.window.rows import Index
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.understand_classes import ClassesPane, LimitsPane
from leafsight.desktop.window.understand_entries import ENTRY, Entries, Entry, EntryPainter, entries_of
from leafsight.desktop.window.understand_insight import InsightPane
from leafsight.desktop.window.understand_problem import ProblemPane
from leafsight.desktop.window.understand_tiles import READ_PX
from leafsight.images import DecodeLimits

LARGE_PX = 1600


class ResultView(QWidget):
    """Shows a study.

    Args:
        limits: of the decoder.
        scale: of the screen.
        tokens: colours.
    """

    troubled = Signal(object)
    wants_diagnosis = Signal(list)

    def __init__(self, limits: DecodeLimits, scale: float, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens
        self._study: Study | None = None
        self._row = 0
        self._small = SmallPictures(limits, scale, side_px=READ_PX)
        self._whole = WholePictures(limits, LARGE_PX)
        self._large: LargeView | None = None
        self.verdict, self.second, self.numbers = words("verdict"), words(), words("quiet")
        self.entries, self.list = Entries(self), QListView()
        self._painter = EntryPainter(tokens, self.list)
        self.problem = ProblemPane(self._small, tokens)
        self.insight = InsightPane(self._whole, tokens)
        self.classes, self.limits = ClassesPane(tokens), LimitsPane()
        self.problem.troubled.connect(self.troubled)
        self.problem.wants_diagnosis.connect(self.wants_diagnosis)
        self.problem.wants_large.connect(self._show_case)
        self.insight.wants_large.connect(self._show_insight)
        self._lay_out()

    def _lay_out(self) -> None:
        self.list.setModel(self.entries)
        self.list.setItemDelegate(self._painter)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(tr("What was found"))
        self.list.selectionModel().currentChanged.connect(self._on_current)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for one in (self.verdict, self.second, self.numbers):
            column.addWidget(one)
        column.addSpacing(4)
        column.addWidget(self.list, 1)
        self.panes = QStackedWidget()
        self._by_kind = {
            "problem": self.problem, "pictures": self.insight, "classes": self.classes, "limits": self.limits,
        }  # fmt: skip
        for pane in self._by_kind.values():
            self.panes.addWidget(pane)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(self.panes)
        split.setSizes([360, 760])
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)

    def show_study(self, study: Study) -> None:
        """Show this one; what was open is open again where it is still there."""
        before = self.list.currentIndex().data(ENTRY)
        self._study = study
        self.verdict.setText(verdict(study))
        self.second.setText(second_line(study))
        total = trn("{number} photograph", "{number} photographs", study.total)
        usable = tr("{number} usable", number=f"{study.usable:,}")
        classes = trn("{number} class", "{number} classes", len(study.class_counts))
        self.numbers.setText(" · ".join((total, usable, classes)))
        for pane in (self.insight, self.classes, self.limits):
            pane.show_study(study)
        entries = entries_of(study)
        self.entries.show(entries)
        row = next((row for row, one in enumerate(entries) if _is_same(one, before)), 0)
        self.list.setCurrentIndex(self.entries.index(row))
        self.wear(self._tokens)

    def wear(self, tokens: Tokens) -> None:
        """Other colours, and perhaps larger text."""
        self._tokens = self._painter.tokens = tokens
        study = self._study
        colour = tokens.bad if study is not None and study.to_mend else tokens.ink
        self.verdict.setStyleSheet(f"color: {colour};")
        self.list.doItemsLayout()
        for pane in (self.problem, self.insight, self.classes):
            pane.wear(tokens)

    def close_pictures(self) -> None:
        """End what reads pictures."""
        self._small.close()
        self._whole.close()

    def _on_current(self, now: Index, before: Index) -> None:
        entry, study = now.data(ENTRY), self._study
        if not isinstance(entry, Entry) or study is None:
            return
        self.panes.setCurrentWidget(self._by_kind[entry.kind])
        if entry.problem is not None:
            self.problem.show_problem(study, entry.problem)

    def _show_insight(self, one: InsightPicture) -> None:
        if one.path is not None:
            self._view().show_pictures(
                translated(one.title),
                [Shown(one.path, translated(one.question))],
                translated(one.answer),
                has_others=False,
            )

    def _show_case(self, row: int) -> None:
        seen = self.problem.tiles.seen(row)
        if not seen:
            return
        self._row = row
        count = self.problem.tiles.rowCount()
        title = tr("{number} of {of}", number=f"{row + 1:,}", of=f"{count:,}")
        shown = [Shown(one.path, one.name, one.small) for one in seen]
        self._view().show_pictures(title, shown, self.problem.tiles.words(row), has_others=count > 1)

    def _show_other(self, step: int) -> None:
        row = self._row + step
        if 0 <= row < self.problem.tiles.rowCount():
            self.problem.gallery.setCurrentIndex(self.problem.tiles.index(row))
            self._show_case(row)

    def _view(self) -> LargeView:
        if self._large is None:
            self._large = LargeView(self._whole, self)
            self._large.wants_other.connect(self._show_other)
        self._large.open()
        return self._large


def _is_same(one: Entry, other: object) -> bool:
    if not isinstance(other, Entry) or one.kind != other.kind:
        return False
    kinds = [None if entry.problem is None else entry.problem.kind for entry in (one, other)]
    return kinds[0] == kinds[1]
