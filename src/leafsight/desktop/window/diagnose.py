"""The page where photographs are diagnosed: the list on the left, the chosen one on the right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import Model, News, Photograph, Trouble, count
from leafsight.desktop.session.language import named, tr, trn
from leafsight.desktop.session.wording import upper
from leafsight.desktop.window.answer import AnswerPane
from leafsight.desktop.window.controls import button, choice
from leafsight.desktop.window.diagnose_tools import DiagnoseTools
from leafsight.desktop.window.filters import Filters
from leafsight.desktop.window.invitation import Invitation
from leafsight.desktop.window.keys import Keys
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.photograph_list import PhotographList
from leafsight.desktop.window.pictures import LargePicture, SmallPictures
from leafsight.desktop.window.row_painter import RowPainter
from leafsight.desktop.window.rows import Index, Rows
from leafsight.desktop.window.saying import Saying
from leafsight.desktop.window.theme import Tokens
from leafsight.images import DecodeLimits

REORDER_MS = 400
"""While answers come, the list is sorted and filtered anew at most that often."""
EVERY_CROP = "Any crop"
AGAIN_S = (2.0, 5.0, 15.0, 60.0)
"""Before a server that is away is asked again."""
NOBODY_KNOWS = Trouble("", "")
"""It was asked again: whatever comes now is told, also the same once more, or that it is over."""
KEYS_KEY = "F1"


class DiagnosePage(Page):
    """Shows a session."""

    def __init__(self, around: Around) -> None:
        super().__init__()
        limits = around.options.limits or DecodeLimits()
        self._session = session = around.session
        self._told_trouble: Trouble | None = None
        self._around, self._pauses_s = around, iter(AGAIN_S)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._ask_again)
        self._small = SmallPictures(limits, self.devicePixelRatioF())
        self._large = LargePicture(limits)
        self._large.ready.connect(self._show_large)
        self.rows = Rows(session, self._small)
        self.list = PhotographList(self.rows)
        self._painter = RowPainter(around.tokens(), self.list)
        self.list.setItemDelegate(self._painter)
        self.pane = AnswerPane(around.preferences().heatmap_percent)
        self.pane.strength_chosen.connect(lambda value: around.prefer(heatmap_percent=value))
        self.filters = Filters()
        self.crop = choice(tr("Crop of all photographs"))
        self.tools = DiagnoseTools(session, self.crop, self.rows, around.options)
        self.tools.troubled.connect(self.troubled)
        self._known: Model | None = None
        self.saying = Saying(session, self.list, self)
        self.keys = Keys(self)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(REORDER_MS)
        self._later.timeout.connect(self.arrange)
        self._lay_out()
        self._connect()
        self._say_counts()

    def _connect(self) -> None:
        selection = self.list.selectionModel()
        selection.currentChanged.connect(self._on_current)
        selection.selectionChanged.connect(lambda *_: self._show_selected())
        self.list.keys_wanted.connect(self.keys.open)
        self.filters.changed.connect(self._later.start)
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self.remove_chosen)
        QShortcut(QKeySequence(KEYS_KEY), self, self.keys.open)
        saying, pane = self.saying, self.pane
        saying.changed.connect(self._on_said)
        saying.told.connect(self.status.setText)
        saying.troubled.connect(self.troubled)
        saying.removal_wanted.connect(self.remove_chosen)
        pane.joined.connect(saying.join)
        pane.plant.parted.connect(saying.part)
        pane.plant.left.connect(saying.leave_plant)
        pane.plant.asked_again.connect(saying.ask_plant)
        pane.word.right.connect(saying.confirm)
        pane.word.word_wanted.connect(saying.ask)
        pane.word.taken_back.connect(saying.take_back)

    def _lay_out(self) -> None:
        self.crop.addItem(tr(EVERY_CROP), None)
        self.crop.activated.connect(lambda _: self._on_crop())
        self.status = QLabel()
        self.status.setObjectName("status")
        self.tools.said.connect(self.status.setText)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Photographs that are answered"))
        keys = button("?", self.keys.open, "small")
        keys.setAccessibleName(tr("Keys"))
        keys.setToolTip(tr("Keys (F1)"))
        below = QHBoxLayout()
        below.addWidget(self.status, 1)
        below.addWidget(keys)
        left = _column(self.filters, self.list, below, self.progress)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.pane)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(scroll)
        split.setSizes([460, 620])
        split.setChildrenCollapsible(False)
        self.stack = QStackedWidget()
        ways = (
            (tr("Choose photographs"), self.tools.choose_files),
            (tr("Choose a folder"), self.tools.choose_folder),
        )
        self.invitation = Invitation(tr("Drop photographs or a folder here"), "", ways)
        self.stack.addWidget(self.invitation)
        self.stack.addWidget(split)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 12)
        whole.setSpacing(12)
        whole.addWidget(self.tools)
        whole.addWidget(self.stack, 1)

    def take(self, news: News) -> None:
        """Show what came."""
        if news.trouble != self._told_trouble:  # otherwise what else is told there stays
            self._told_trouble = news.trouble
            self.troubled.emit(news.trouble)
            self._wait_for_server(news.trouble)
        model = self._session.model
        if model is not None and model != self._known:
            self._know(model)
        elif self._session.crop != self.crop.currentData():
            self.crop.setCurrentIndex(max(0, self.crop.findData(self._session.crop)))
        if news.added:
            self.stack.setCurrentIndex(1)
        self.rows.changed(news.changed)
        current = self.current
        if current is not None and any(one.number == current.number for one in news.changed):
            self._show(current)
        if (news.added or news.changed) and not self._later.isActive():
            if len(self._session) <= len(news.added):
                self.arrange()
            else:
                self._later.start()
        self._say_counts(news.searching)

    @property
    def current(self) -> Photograph | None:
        """The photograph that is chosen."""
        number = self.list.current_number
        return None if number is None else self._session.get(number)

    def arrange(self) -> None:
        """Filter and sort anew; what is selected stays so while it is shown.

        Not under an open list of classes: what a person says there is of the photograph it was opened for.
        """
        if QApplication.activePopupWidget() is not None:
            self._later.start()
            return
        numbers = self.filters.of(self._session.photographs)
        self.list.show_numbers(numbers)
        if not numbers:
            self._show(None)
        self._show_selected()
        self._say_counts()

    def remove_chosen(self) -> None:
        """Take the selected photographs out of the list; their files stay."""
        row = self.list.currentIndex().row()
        self._session.remove(self.list.selected_numbers)
        self.arrange()
        if self.rows.rowCount():
            self.list.go_to(row)
        else:
            self.stack.setCurrentIndex(0 if not len(self._session) else 1)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._painter.tokens = tokens
        self.list.viewport().update()

    def came_to_front(self) -> None:
        """Who diagnoses may be somebody else than before."""
        reach, named = self._around.reach, self._around.options.model is not None
        self.invitation.say(
            tr("They stay on this computer. The model says what it sees, and when it cannot tell.")
            if reach.is_here or named
            else tr(
                "They are sent to {address}. The model there says what it sees, and when it cannot tell.",
                address=reach.server.address,
            )
        )

    def open_places(self, places: Sequence[Path]) -> None:
        """Open these photographs and folders as well."""
        self.tools.add(places)

    def try_again(self) -> None:
        """Go on after trouble."""
        self._told_trouble = None
        self._session.try_again()

    def _wait_for_server(self, trouble: Trouble | None) -> None:
        """A server that is away is asked again by itself; what is wrong on this computer, a person mends."""
        if trouble is None:
            self._pauses_s = iter(AGAIN_S)
        elif not self._around.reach.is_here:
            self._again.start(round(1000 * next(self._pauses_s, AGAIN_S[-1])))

    def _ask_again(self) -> None:
        if self._told_trouble is not None:
            self._told_trouble = NOBODY_KNOWS
            self._session.try_again()

    def unfinished(self) -> str:
        """Photographs that wait; they are asked about by the next window."""
        if not self._session.waiting:
            return ""
        return trn(
            "{number} photograph waits for an answer; it is asked about the next time.",
            "{number} photographs wait for an answer; they are asked about the next time.",
            self._session.waiting,
        )

    def leave(self) -> None:
        """End what copies and what reads pictures."""
        self.tools.close_exports()
        self._small.close()
        self._large.close()

    def _know(self, model: Model) -> None:
        self._known = model
        self.crop.clear()
        self.crop.addItem(tr(EVERY_CROP), None)
        for key, name in model.crops.items():
            self.crop.addItem(upper(named(name)), key)
        self.crop.setCurrentIndex(max(0, self.crop.findData(self._session.crop)))
        self.pane.know(model)
        self._show(self.current)
        self._show_selected()

    def _on_crop(self) -> None:
        self.rows.changed(self._session.set_crop(self.crop.currentData()))
        current = self.current
        if current is not None:
            self._session.look_at(current.number)
        self._show(current)
        self._say_counts()

    def _on_current(self, now: Index, before: Index) -> None:
        number = self.rows.number_at(now)
        if number is None:
            self._show(None)
            return
        self._session.look_at(number)
        self._show(self._session.get(number))

    def _show(self, one: Photograph | None) -> None:
        plant = None if one is None or not self._session.combines else self._session.plant(one.plant)
        self.pane.show_photograph(one, plant)
        if one is None:
            self.pane.picture.show_picture(None, None)
            return
        self._large.ask(one.number, one.path, None if one.prediction is None else one.prediction.heatmap)

    def _show_large(self, number: int, plain: object, warm: object) -> None:
        current = self.current
        if current is not None and current.number == number:
            self.pane.picture.show_picture(plain, warm)  # type: ignore[arg-type]  # a signal carries objects

    def _show_selected(self) -> None:
        self.pane.show_selected(len(self.list.selected_numbers), can_join=self.saying.can_join)

    def _on_said(self, changed: Sequence[Photograph]) -> None:
        """Rows that a person's word changed; the list is arranged anew a little later."""
        self.rows.changed(changed)
        self._show(self.current)
        self._later.start()

    def _say_counts(self, searching: bool = False) -> None:
        total, waiting = len(self._session), self._session.waiting
        said = [count(total, "photograph")]
        if waiting:
            said.append(trn("{number} answer so far", "{number} answers so far", total - waiting))
        if self.rows.rowCount() != total:
            said.append(count(self.rows.rowCount(), "is shown", "are shown"))
        if searching:
            said.append(tr("searching"))
        self.status.setText(" · ".join(said))
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(total - waiting)
        self.progress.setVisible(waiting > 0)


def _column(*parts: QWidget | QHBoxLayout) -> QWidget:
    column = QWidget()
    inside = QVBoxLayout(column)
    inside.setContentsMargins(0, 0, 0, 0)
    for one in parts:
        if isinstance(one, QWidget):
            inside.addWidget(one)
        else:
            inside.addLayout(one)
    return column
