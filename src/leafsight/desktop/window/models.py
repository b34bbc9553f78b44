"""The page "Models": which are kept, which serves, what is known of each; switched, imported, exported.

The same for this computer and for a server elsewhere. It decides nothing: see ``Shelf``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListView,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.shelf import Shelf
from leafsight.desktop.session.shelving import SUFFIX
from leafsight.desktop.session.wording import when
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.model_details import DetailsPane
from leafsight.desktop.window.model_history import HistoryPane
from leafsight.desktop.window.model_list import ModelPainter, ModelRows, line_of
from leafsight.desktop.window.models_look import models_sheet
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.switching import SwitchDialog, ask_put_back, ask_use
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.waking import Waker

if TYPE_CHECKING:
    from leafsight.client import ModelEntry

MOST_FIGURES = 12
"""Models of the list whose figures are fetched unasked; of others, when somebody chooses them."""
LEFT_PX, RIGHT_PX = 380, 800


class ModelsPage(Page):
    """Models, and what can be done with them."""

    def __init__(self, around: Around, shelf: Callable[..., Shelf] = Shelf) -> None:
        super().__init__()
        self._around = around
        tokens = around.tokens()
        waker = Waker(self)
        self.shelf = shelf(around.reach, waker.wake)
        waker.woken.connect(self._on_news)
        self._chosen: str | None = None
        self._told: Trouble | None = None
        self._scale = 0.0
        self.rows = ModelRows()
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setAccessibleName(tr("Models"))
        self.list.setUniformItemSizes(True)
        self._painter = ModelPainter(tokens, self.list)
        self.list.setItemDelegate(self._painter)
        self.list.selectionModel().currentChanged.connect(self._on_chosen)
        self.details = DetailsPane(tokens)
        self.details.use_wanted.connect(self.use)
        self.details.export_wanted.connect(self.export)
        self.history = HistoryPane()
        self.history.back_wanted.connect(self.put_back)
        self.import_button = button(tr("Imp&ort"), self.choose_import)
        self._where, self._beside, self.status = words("heading"), words("quiet"), words("quiet")
        self._waiting = words("quiet")
        self.stack = QStackedWidget()
        self._arrange()
        QShortcut(QKeySequence.StandardKey.Open, self, self.choose_import)
        self.wear(tokens)
        self._show()

    def _arrange(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        top.addWidget(self._where, 1)
        top.addWidget(self.import_button)
        column.addLayout(top)
        column.addWidget(self._beside)
        column.addWidget(self.list, 3)
        column.addWidget(self.history)
        self._column = column
        self._split = split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(self.details)
        split.setStretchFactor(1, 1)
        empty = QWidget()
        middle = QVBoxLayout(empty)
        middle.addStretch()
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        middle.addWidget(self._waiting)
        middle.addStretch()
        self.stack.addWidget(empty)
        self.stack.addWidget(split)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 8, 16, 12)
        whole.addWidget(self.stack, 1)
        whole.addWidget(self.status)

    def sheet(self, tokens: Tokens) -> str:
        """For tables and tabs."""
        return models_sheet(tokens)

    def wear(self, tokens: Tokens) -> None:
        """Other colours, or another size of text, hold."""
        self._painter.tokens = tokens
        scale = self._around.preferences().text_scale
        if scale != self._scale:
            self._scale = scale
            self._split.setSizes([round(LEFT_PX * (0.6 + 0.4 * scale)), RIGHT_PX])
        self.list.doItemsLayout()
        self.list.viewport().update()
        self.details.wear(tokens)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Somebody looks."""
        super().showEvent(event)
        self.shelf.look_on(True)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Nobody looks any more."""
        super().hideEvent(event)
        self.shelf.look_on(False)

    def try_again(self) -> None:
        """What failed, once more."""
        self.shelf.try_again()
        self._show()

    def open_places(self, places: Sequence[Path]) -> None:
        """Model files were dropped on the window."""
        self.shelf.import_files(places)
        self._show()

    def unfinished(self) -> str:
        """What is under way, and what closing does to it."""
        under_way = self.shelf.under_way
        return under_way and tr("{said} Closing may end it; nothing is left half done.", said=under_way)

    def leave(self) -> None:
        """Ask no more."""
        self.shelf.close()

    def choose_import(self) -> None:
        """Let a person choose model files."""
        if not self.import_button.isEnabled():
            return
        names, _ = QFileDialog.getOpenFileNames(
            self, tr("Import models"), "", tr("Models (*{suffix});;All files (*)", suffix=SUFFIX)
        )
        self.open_places([Path(name) for name in names])

    def export(self) -> None:
        """Let a person choose a place for a copy of the model that is chosen."""
        entry = self.shelf.entry(self._chosen or "")
        if entry is None:
            return
        suggested = f"{_file_name(entry.name)}-{entry.id[:8]}{SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(
            self, tr("Export the model"), suggested, tr("Models (*{suffix})", suffix=SUFFIX)
        )
        if not name:
            return
        target = Path(name)
        if target.suffix != SUFFIX:  # about this name the dialog did not ask
            target = target.with_name(target.name + SUFFIX)
            if target.exists() and not self._may_replace(target):
                return
        self.shelf.export(entry.id, target)
        self._show()

    def _may_replace(self, target: Path) -> bool:
        said = tr("{path} exists. Replace it?", path=target)
        return QMessageBox.question(self, "leafsight", said) == QMessageBox.StandardButton.Yes

    def use(self) -> None:
        """Ask whether the model that is chosen shall serve."""
        if self.shelf.entry(self._chosen or "") is not None:
            self._open(ask_use(self, self.shelf, self._chosen or ""))

    def put_back(self) -> None:
        """Ask whether the model before shall serve again."""
        if self.shelf.former is not None and self.shelf.pointed_to is not None:
            self._open(ask_put_back(self, self.shelf, self.shelf.former, self.shelf.pointed_to))

    def _open(self, dialog: SwitchDialog) -> None:
        dialog.sent.connect(self._show)
        dialog.late.connect(self.troubled)
        dialog.open()

    def choose(self, model_id: str) -> None:
        """Show this model."""
        row = self.rows.row_of(model_id)
        if row is not None:
            self.list.setCurrentIndex(self.rows.index(row))

    def _on_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        chosen = self.rows.id_at(current)
        if chosen is not None and chosen != self._chosen:
            self._chosen = chosen
            self._show()

    def _on_news(self) -> None:
        self.shelf.settle()
        answers = self.shelf.in_service
        # On this computer the shelf says it at once; a server takes it up in a moment.
        serves = self.shelf.pointed_to if self._around.reach.is_here else answers and answers.id
        if serves:
            self._around.serves(serves)
        self._show()

    def _show(self) -> None:
        """All of it as it is now; what did not change is not drawn anew."""
        shelf = self.shelf
        if shelf.trouble != self._told:
            self._told = shelf.trouble
            self.troubled.emit(shelf.trouble)
        here = tr("Models of this computer")
        self._where.setText(here if shelf.is_here else tr("Models of {address}", address=shelf.address))
        self.status.setText(shelf.said or shelf.under_way)
        self.status.setVisible(bool(self.status.text()))
        self.import_button.setEnabled(shelf.is_here)
        self.import_button.setToolTip(
            "" if shelf.is_here else tr("A server elsewhere takes no model files from here.")
        )
        self._waiting.setText(_waiting(shelf))
        self.stack.setCurrentIndex(1 if shelf.models else 0)
        if shelf.models:
            self._show_list(shelf.models)
            self._show_chosen()
            self._show_history()

    def _show_list(self, models: Sequence[ModelEntry]) -> None:
        fetched = [
            self.shelf.describe(one.id) if at < MOST_FIGURES and not one.damaged else self.shelf.known(one.id)
            for at, one in enumerate(models)
        ]
        self.rows.show([line_of(one, found) for one, found in zip(models, fetched, strict=True)])
        if self.shelf.imported is not None and self.rows.row_of(self.shelf.imported) is not None:
            self._chosen, self.shelf.imported = self.shelf.imported, None
        if self.rows.row_of(self._chosen) is None:
            serving = self.shelf.in_service
            self._chosen = serving.id if serving is not None else models[0].id
        if self.rows.id_at(self.list.currentIndex()) != self._chosen:
            self.choose(self._chosen or "")
        self._beside.setVisible(self.shelf.in_service is None)
        self._beside.setText(
            tr("The model in service is a file that the operator named; it is not among these.")
        )

    def _show_chosen(self) -> None:
        shelf = self.shelf
        entry, serving = shelf.entry(self._chosen or ""), shelf.in_service
        if entry is None:
            return
        described = shelf.describe(entry.id)
        other = serving is not None and serving.id != entry.id
        base = shelf.describe(serving.id) if serving is not None and other else None
        failed = shelf.why_not_described(entry.id)
        self.details.show_model(entry, described, base, failed.in_words() if failed else "")
        may_switch = shelf.changes is not None and not shelf.under_way
        self.details.use.setEnabled(may_switch and entry.id != shelf.pointed_to and not entry.damaged)
        self.details.compare.setEnabled(base is not None and described is not None)
        self.details.export.setEnabled(not shelf.why_no_export and not entry.damaged)
        self.details.export.setToolTip(shelf.why_no_export)
        self.details.why_not.setText(shelf.why_no_export)
        self.details.why_not.setVisible(bool(shelf.why_no_export))

    def _show_history(self) -> None:
        shelf, serving = self.shelf, self.shelf.pointed_to
        now = tr("{name} serves; nothing was promoted yet.", name=shelf.name_of(serving)) if serving else ""
        if shelf.changes and serving:
            since = when(shelf.changes[0].get("created_at"))
            now = tr("{name} serves since {when}.", name=shelf.name_of(serving), when=since)
        elif shelf.changes is None and serving:
            now = tr("{name} serves.", name=shelf.name_of(serving))
        why_not = shelf.why_not_switch
        self.history.show_changes(shelf.changes, shelf.name_of, now, why_not.in_words(" ") if why_not else "")
        self._column.setStretchFactor(self.history, 2 if shelf.changes else 0)
        former = shelf.former
        self.history.back.setEnabled(former is not None and not shelf.under_way)
        self.history.back.setToolTip(shelf.name_of(former) if former else "")


def _waiting(shelf: Shelf) -> str:
    if shelf.models is not None:
        return tr("There is no model here yet. One comes from the page Teach, or from a file: Import.")
    if shelf.trouble is not None:
        return tr("The models are shown here as soon as they can be asked for.")
    if shelf.is_here:
        return tr("The service of this computer is being started, then its models are shown here.")
    return tr("Asking {address} for its models", address=shelf.address)


def _file_name(name: str) -> str:
    kept = "".join(one if one.isalnum() or one in "-_. " else "-" for one in name).strip(" .")
    return kept or "model"
