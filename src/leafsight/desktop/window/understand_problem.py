"""One finding on the right: what it says, what to do, and every case as a tile."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelection, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QListView, QVBoxLayout, QWidget

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import tr, translated, trn
from leafsight.desktop.session.understanding import (
    Problem,
    Seen,
    Study,
    classes_in_words,
    hint_in_words,
    weight_in_words,
)
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.pictures import SmallPictures
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.understand_entries import weight_colour
from leafsight.desktop.window.understand_tiles import TilePainter, Tiles

SPACING_PX = 6
AT_ONCE = 2000
"""Tiles that are laid out before the window has its turn again."""


class ProblemPane(QWidget):
    """Shows a finding.

    Args:
        pictures: read the small pictures.
        tokens: colours.
    """

    troubled = Signal(object)
    wants_large = Signal(int)
    """The row of a case that somebody wants to see large."""
    wants_diagnosis = Signal(list)

    def __init__(self, pictures: SmallPictures, tokens: Tokens) -> None:
        super().__init__()
        self._tokens, self._weight = tokens, ""
        self._weight_words, self._sentence = words(), words("sentence")
        self._hint, self._classes = words("quiet"), words("quiet")
        self.tiles = Tiles(pictures, self)
        self.gallery = QListView()
        self._painter = TilePainter(tokens, self.gallery)
        self._make_gallery()
        self._folder = button(tr("&Open in folder"), self.open_folder)
        self._large = button(tr("Show lar&ge"), self._show_large)
        self._diagnose = button("", lambda: self.wants_diagnosis.emit(self._to_diagnose()))
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(0, 0, 0, 0)
        for one in (self._large, self._folder, self._diagnose):
            line.addWidget(one)
        line.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 0, 0, 0)
        whole.setSpacing(8)
        for label in (self._weight_words, self._sentence, self._hint, self._classes):
            whole.addWidget(label)
        whole.addWidget(self._line)
        whole.addWidget(self.gallery, 1)
        self._rest = QWidget()
        whole.addWidget(self._rest, 1)

    def _make_gallery(self) -> None:
        self.gallery.setModel(self.tiles)
        self.gallery.setItemDelegate(self._painter)
        # Wrapped rows of one list: the mode for icons lays out every single tile of thousands.
        self.gallery.setFlow(QListView.Flow.LeftToRight)
        self.gallery.setWrapping(True)
        self.gallery.setResizeMode(QListView.ResizeMode.Adjust)
        self.gallery.setLayoutMode(QListView.LayoutMode.Batched)
        self.gallery.setBatchSize(AT_ONCE)
        self.gallery.setUniformItemSizes(True)
        self.gallery.setMouseTracking(True)
        self.gallery.setSpacing(SPACING_PX)
        self.gallery.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.gallery.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.gallery.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.gallery.setAccessibleName(tr("Photographs that this is about"))
        self.gallery.activated.connect(lambda index: self.wants_large.emit(index.row()))
        self.gallery.selectionModel().selectionChanged.connect(self._on_selection)

    def show_problem(self, study: Study, problem: Problem) -> None:
        """Show this finding."""
        self._weight = problem.weight
        self._weight_words.setText(weight_in_words(problem.weight))
        self._sentence.setText(translated(problem.sentence))
        self._hint.setText(hint_in_words(problem))
        self._classes.setText(classes_in_words(problem))
        for label in (self._hint, self._classes):
            label.setVisible(bool(label.text()))
        self.tiles.show(study, problem)
        self.gallery.scrollToTop()
        for one in (self.gallery, self._line):
            one.setVisible(bool(problem.cases))
        self._rest.setVisible(not problem.cases)
        if problem.cases:
            self.gallery.setCurrentIndex(self.tiles.index(0))
            self.gallery.clearSelection()
        self.wear(self._tokens)
        self._on_selection(QItemSelection(), QItemSelection())

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = self._painter.tokens = tokens
        self._weight_words.setStyleSheet(f"color: {weight_colour(self._weight, tokens)}; font-weight: 650;")
        self.gallery.doItemsLayout()  # text may be larger, too
        self.gallery.viewport().update()

    def open_folder(self) -> None:
        """Show the folder of the photograph that was chosen last, in the program of the desktop."""
        seen = self.tiles.seen(self.gallery.currentIndex().row())
        if seen:
            trouble = opened(seen[0].path.parent)
            if trouble is not None:
                self.troubled.emit(trouble)

    def _show_large(self) -> None:
        self.wants_large.emit(self.gallery.currentIndex().row())

    def _chosen(self) -> list[int]:
        return sorted(index.row() for index in self.gallery.selectedIndexes())

    def _to_diagnose(self) -> list[Path]:
        rows = self._chosen() or range(self.tiles.rowCount())
        seen: list[Seen] = [one for row in rows for one in self.tiles.seen(row)]
        return list(dict.fromkeys(one.path for one in seen))

    def _on_selection(self, now: QItemSelection, before: QItemSelection) -> None:
        chosen = len(self.gallery.selectionModel().selectedIndexes())
        if chosen:
            self._diagnose.setText(trn("Diag&nose the chosen one", "Diag&nose the {number} chosen", chosen))
        else:
            self._diagnose.setText(tr("Diag&nose all"))


def opened(folder: Path) -> Trouble | None:
    """Show a folder in the program of the desktop; why not, where that fails."""
    if not folder.is_dir():
        return Trouble(tr("{folder} is not there", folder=folder), tr("bring it back, or look again"))
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        return Trouble(tr("no program opens {folder}", folder=folder), tr("open it in your file manager"))
    return None
