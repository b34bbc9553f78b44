"""The window itself: the bar at the top with its pages, trouble below it, what is dropped, and the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import (
    Preferences,
    Reach,
    Session,
    Trouble,
    loader,
    save_preferences,
    told_apart,
)
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.preferences import LOOKS, TEXT_SCALES
from leafsight.desktop.window.contents import PAGES, page_title
from leafsight.desktop.window.controls import button, menu_button
from leafsight.desktop.window.diagnose import DiagnosePage
from leafsight.desktop.window.diagnose_tools import files_of
from leafsight.desktop.window.offering import Offers
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.theme import LOOK_WORDS, WIDE_TEXT, Tokens, dress, sheet
from leafsight.desktop.window.waking import Waker
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits

if TYPE_CHECKING:
    from leafsight.desktop.session.handing_over import Handed
    from leafsight.desktop.window.one_window import Listener

SAVE_MS = 500
DIAGNOSE = "diagnose"


class MainWindow(QMainWindow):
    """A session in a window.

    Args:
        session: its own from now on.
        waker: says when the session has news.
        preferences: of the last window.
        options: as the window was opened with.
        reach: the way to the server; its own from now on.
    """

    def __init__(
        self,
        session: Session,
        waker: Waker,
        preferences: Preferences,
        options: DesktopOptions,
        reach: Reach,
    ) -> None:
        super().__init__()
        self._session, self._preferences, self._options = session, preferences, options
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._application = application
        self._tokens: Tokens = dress(application, preferences)
        self._reach = reach
        self._around = Around(
            session,
            options,
            lambda: self._preferences,
            self._prefer,
            lambda: self._tokens,
            self.go,
            self._reach,
            self._on_serving,
            self.open_again,
        )
        self._pages: dict[str, Page] = {}
        self._outmoded: set[Page] = set()
        self._wanted = ""
        self._troubles: dict[Page, Trouble | None] = {}
        self._asks, self.wants_again = True, False
        self._model_is_named, self._serving = options.model is not None, ""
        self._listener: Listener | None = None
        self._offers = Offers(self, lambda: self.front, session, options.limits or DecodeLimits())
        self._save_later = QTimer(self)  # a slider that is dragged is written once, when it rests
        self._save_later.setSingleShot(True)
        self._save_later.setInterval(SAVE_MS)
        self._save_later.timeout.connect(self._save)
        self.setWindowTitle("leafsight")
        self.setAcceptDrops(True)
        self.resize(1180, 760)
        self._lay_out()
        self._wear()
        self.go(DIAGNOSE)
        page = self._pages[DIAGNOSE]
        assert isinstance(page, DiagnosePage)
        self.page = page
        self._offers.used.connect(self._on_named)
        self._offers.troubled.connect(lambda trouble: self._on_trouble(self.page, trouble))
        waker.woken.connect(self.look)

    def _lay_out(self) -> None:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._bar = self._top()
        column.addWidget(self._bar)
        self.trouble = QFrame()
        self.trouble.setObjectName("trouble")
        line = QHBoxLayout(self.trouble)
        self.trouble_words = QLabel()
        self.trouble_words.setWordWrap(True)
        line.addWidget(self.trouble_words, 1)
        line.addWidget(button(tr("&Try again"), self._try_again))
        column.addWidget(self.trouble)
        self.stack = QStackedWidget()
        self._coming = Page()  # in front while one is being made
        self.stack.addWidget(self._coming)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(whole)

    def _top(self) -> QWidget:
        top = QWidget()
        top.setObjectName("top")
        line = QHBoxLayout(top)
        line.setContentsMargins(16, 8, 16, 8)
        self._brand = QLabel("leafsight")
        self._brand.setObjectName("brand")
        line.addWidget(self._brand)
        line.addSpacing(16)
        self.tabs: dict[str, QToolButton] = {}
        for number, name in enumerate(PAGES, 1):
            tab = QToolButton()
            tab.setObjectName("tab")
            tab.setText(page_title(name))
            tab.setAccessibleName(page_title(name).replace("&", ""))
            tab.setCheckable(True)
            tab.setToolTip(f"Alt+{number}")
            tab.clicked.connect(lambda _=False, name=name: self.come_to(name))
            QShortcut(QKeySequence(f"Alt+{number}"), self, lambda name=name: self.come_to(name))
            self.tabs[name] = tab
            line.addWidget(tab)
        line.addStretch()
        self._view = self._view_button()
        line.addWidget(self._view)
        return top

    def _view_button(self) -> QToolButton:
        looks = [(tr(LOOK_WORDS[look]), partial(self._prefer, look=look)) for look in LOOKS]
        for scale in TEXT_SCALES:
            name = tr("Text {percent} %", percent=round(100 * scale))
            looks.append((name, partial(self._prefer, text_scale=scale)))
        return menu_button(tr("View"), looks)

    def come_to(self, name: str) -> None:
        """Bring a page to the front that a person wants, in two turns of the window's thread if it is new."""
        if name in self._pages:
            self.go(name)
            return
        self._wanted = name
        self._check(name)
        self.stack.setCurrentWidget(self._coming)  # keys are no longer for the page before
        self._show_trouble()
        PAGES[name]()
        QTimer.singleShot(0, self, lambda: self.go(name) if self._wanted == name else None)

    def go(self, name: str) -> None:
        """Bring a page to the front; it is made when it is first wanted."""
        self._wanted = name
        page = self._pages.get(name)
        if page is None:
            page = PAGES[name]()(self._around)
            page.troubled.connect(lambda trouble, page=page: self._on_trouble(page, trouble))
            self._pages[name] = page
            page.setStyleSheet(self._sheet + page.sheet(self._tokens))
            self.stack.addWidget(page)
        elif page in self._outmoded:
            self._dress(page)
        self._check(name)
        self.stack.setCurrentWidget(page)
        self._show_trouble()
        page.came_to_front()

    def _check(self, name: str) -> None:
        for other, tab in self.tabs.items():
            tab.setChecked(other == name)

    @property
    def front(self) -> Page:
        """The page that is shown."""
        page = self.stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def look(self) -> None:
        """Take the news of the session; called when there are some."""
        self.page.take(self._session.news())

    def add(self, places: Sequence[Path]) -> None:
        """Open these photographs and folders as well."""
        self.page.open_places(places)

    def offer(self, models: Sequence[Path]) -> None:
        """Ask whether to use these models."""
        self._offers.offer(models)

    def listen(self, address: str) -> None:
        """Take what later starts want opened; only for the one window that keeps."""
        from leafsight.desktop.window.one_window import (
            Listener,
        )

        if self.isVisible():
            self._listener = Listener(self)
            self._listener.handed.connect(self.take_handed)
            self._listener.listen(address)

    def take_handed(self, handed: Handed) -> None:
        """Open what a later start wants opened, and come to the front."""
        if handed.photos or handed.models:
            self.go(DIAGNOSE)
        self.add(handed.photos)
        self.offer(handed.models)
        if handed.token:
            os.environ["XDG_ACTIVATION_TOKEN"] = handed.token  # Qt asks Wayland with it, and forgets it
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def _prefer(self, **changes: object) -> None:
        self._preferences = replace(self._preferences, **changes)  # type: ignore[arg-type]
        if {"look", "text_scale"} & set(changes):
            self._tokens = dress(self._application, self._preferences)
            self._wear()
            self._dress(self.front)
        self._save_later.start()

    def _wear(self) -> None:
        """Other colours, or another size of text, hold; a page has them when it is seen."""
        scale = self._preferences.text_scale
        self._sheet = sheet(self._tokens, scale)
        self._brand.setVisible(scale < WIDE_TEXT)
        for part in (self._bar, self.trouble, self._coming):
            part.setStyleSheet(self._sheet)
        self._outmoded = set(self._pages.values())

    def _dress(self, page: Page) -> None:
        self._outmoded.discard(page)
        page.setStyleSheet(self._sheet + page.sheet(self._tokens))
        page.wear(self._tokens)

    def _save(self) -> None:
        self._save_later.stop()
        try:
            save_preferences(self._preferences, self._options.state_dir)
        except LeafsightError as error:
            self._on_trouble(self.front, Trouble.of(error))

    def _on_named(self) -> None:
        """A person chose a model file: it is what diagnoses until the window closes, whatever serves."""
        self._model_is_named = True

    def _on_serving(self, model: str) -> None:
        """The model that serves is the one that diagnoses, but where a person named a file."""
        known = self._session.model
        if self._model_is_named or (model and (known is None or model == self._serving)):
            return
        self._serving = model
        if known is None or known.hash != model:
            self._session.use(loader(None, self._reach, self._options.limits or DecodeLimits()))

    def _on_trouble(self, page: Page, trouble: Trouble | None) -> None:
        self._troubles[page] = trouble
        self._show_trouble()

    def _try_again(self) -> None:
        page = self.front
        self._on_trouble(page, None)
        page.try_again()

    def _show_trouble(self) -> None:
        trouble = self._troubles.get(self.front)
        self.trouble.setVisible(trouble is not None)
        if trouble is not None:
            self.trouble_words.setText(trouble.in_words())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Files may be dropped."""
        if files_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Give the page in front what was dropped; a model that is dropped on photographs is offered."""
        places = files_of(event.mimeData())
        if self.front is self.page:
            places, models = told_apart(places)
            self.offer(models)
        self.front.open_places(places)
        event.acceptProposedAction()

    def leave(self) -> None:
        """Close without asking: whoever ends the program is not there to answer, and nothing is lost."""
        self._asks = False
        self.close()

    def open_again(self) -> None:
        """Close, and open anew with what is kept: so that everything is said in another language."""
        self.wants_again = True
        self.wants_again = self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask once while there is work; what is open is there again the next time."""
        unfinished = [said for said in (page.unfinished() for page in self._pages.values()) if said]
        if self._asks and unfinished and not self._may_close(unfinished):
            event.ignore()
            return
        if self._listener is not None:
            self._listener.close()
        self._offers.close()
        if self._save_later.isActive():
            self._save()
        self._wanted = ""  # no page is made any more
        self.hide()  # what is under way may take some seconds to be put away
        for page in self._pages.values():
            page.leave()
        self._reach.close()
        self._session.close()
        event.accept()

    def _may_close(self, unfinished: Sequence[str]) -> bool:
        said = "\n".join([*unfinished, tr("Close?")])
        answer = QMessageBox.question(self.front, "leafsight", said)
        return answer == QMessageBox.StandardButton.Yes
