"""The window itself: the bar at the top, the page below, what is dropped on it, and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QTimer, QUrl
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import (
    SUFFIXES,
    Exported,
    Preferences,
    Session,
    Trouble,
    copy_into_folders,
    count,
    save_preferences,
    write_csv,
)
from leafsight.desktop.session.preferences import LOOKS, TEXT_SCALES
from leafsight.desktop.window.diagnose import DiagnosePage
from leafsight.desktop.window.exporting import Export, Exporter, Told
from leafsight.desktop.window.pictures import keep_pasted
from leafsight.desktop.window.theme import dress
from leafsight.desktop.window.waking import Waker
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits

LOOK_WORDS = {"system": "As the desktop", "light": "Light", "dark": "Dark"}
SAVE_MS = 500
PASTED_FOLDER, PASTED_NAME = "pasted", "pasted %Y-%m-%d %H.%M.%S.png"


class MainWindow(QMainWindow):
    """A session in a window.

    Args:
        session: its own from now on.
        waker: says when the session has news.
        preferences: of the last window.
        options: as the window was opened with.
    """

    def __init__(
        self, session: Session, waker: Waker, preferences: Preferences, options: DesktopOptions
    ) -> None:
        super().__init__()
        self._session, self._preferences, self._options = session, preferences, options
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._application = application
        tokens = dress(application, preferences)
        self.page = DiagnosePage(session, tokens, preferences, options.limits or DecodeLimits())
        self.page.wants_files.connect(self.choose_files)
        self.page.wants_folder.connect(self.choose_folder)
        self.page.pane.strength_chosen.connect(lambda value: self._prefer(heatmap_percent=value))
        self.setWindowTitle("leafsight")
        self.setAcceptDrops(True)
        self.resize(1180, 760)
        self._lay_out()
        self._told_trouble: Trouble | None = None
        self._asks = True
        self._save_later = QTimer(self)  # a slider that is dragged is written once, when it rests
        self._save_later.setSingleShot(True)
        self._save_later.setInterval(SAVE_MS)
        self._save_later.timeout.connect(self._save)
        self._exporter = Exporter(self)
        self._exporter.ended.connect(self._on_exported)
        self._exporter.failed.connect(self._on_export_failed)
        self._exporter.told.connect(
            lambda done, total: self.page.status.setText(f"{count(done, 'photograph')} of {total:,} copied")
        )
        waker.woken.connect(self.look)
        self._show_trouble(None)

    def _lay_out(self) -> None:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._top())
        self.trouble = QFrame()
        self.trouble.setObjectName("trouble")
        line = QHBoxLayout(self.trouble)
        self.trouble_words = QLabel()
        self.trouble_words.setWordWrap(True)
        again = QPushButton("&Try again")
        again.clicked.connect(lambda _: self._try_again())
        line.addWidget(self.trouble_words, 1)
        line.addWidget(again)
        column.addWidget(self.trouble)
        column.addWidget(self.page, 1)
        self.setCentralWidget(whole)

    def _top(self) -> QWidget:
        top = QWidget()
        top.setObjectName("top")
        line = QHBoxLayout(top)
        line.setContentsMargins(16, 10, 16, 10)
        brand = QLabel("leafsight")
        brand.setObjectName("brand")
        line.addWidget(brand)
        line.addSpacing(16)
        for text, keys, do in (
            ("Add &photographs", QKeySequence.StandardKey.Open, self.choose_files),
            ("Add a &folder", None, self.choose_folder),
            ("Pa&ste", QKeySequence.StandardKey.Paste, self.paste),
        ):
            line.addWidget(self._button(text, keys, do))
        line.addWidget(QLabel("Crop"))
        line.addWidget(self.page.crop)
        line.addStretch()
        self.export_button = self._menu_button(
            "Export",
            (
                ("Table for a spreadsheet (CSV)", self.export_csv),
                ("Copies in labelled folders", self.export_folders),
            ),
        )
        line.addWidget(self.export_button)
        self._view = self._view_button()
        line.addWidget(self._view)
        return top

    def _button(
        self, text: str, keys: QKeySequence.StandardKey | None, do: Callable[[], None]
    ) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda: do())
        if keys is not None:
            action = QAction(self)
            action.setShortcut(keys)
            action.triggered.connect(lambda: do())
            self.addAction(action)
        return button

    def _menu_button(self, text: str, entries: Sequence[tuple[str, Callable[[], None]]]) -> QToolButton:
        button = QToolButton()
        button.setText(f"{text} \u25be")
        button.setAccessibleName(text)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for name, do in entries:
            menu.addAction(name).triggered.connect(lambda checked=False, do=do: do())
        button.setMenu(menu)
        return button

    def _view_button(self) -> QToolButton:
        looks = [(LOOK_WORDS[look], lambda look=look: self._prefer(look=look)) for look in LOOKS]
        sizes = [
            (f"Text {round(100 * scale)} %", lambda scale=scale: self._prefer(text_scale=scale))
            for scale in TEXT_SCALES
        ]
        return self._menu_button("View", [*looks, *sizes])

    def look(self) -> None:
        """Take the news of the session; called when there are some."""
        news = self._session.news()
        if news.trouble != self._told_trouble:  # otherwise what else is told there stays
            self._told_trouble = news.trouble
            self._show_trouble(news.trouble)
        self.page.take(news)

    def add(self, places: Sequence[Path]) -> None:
        """Open these photographs and folders as well."""
        if places:
            self._session.add(places)

    def choose_files(self) -> None:
        """Let a person choose photographs."""
        patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(SUFFIXES))
        names, _ = QFileDialog.getOpenFileNames(
            self, "Photographs", "", f"Photographs ({patterns});;All files (*)"
        )
        self.add([Path(name) for name in names])

    def choose_folder(self) -> None:
        """Let a person choose a folder."""
        name = QFileDialog.getExistingDirectory(self, "Folder of photographs")
        self.add([Path(name)] if name else [])

    def paste(self) -> None:
        """Open what lies in the clipboard: files, or a picture, which is kept as a file first."""
        data = QGuiApplication.clipboard().mimeData()
        paths = _files(data)
        if not paths and data.hasImage():
            path = self._options.state_dir / PASTED_FOLDER / time.strftime(PASTED_NAME)
            try:
                keep_pasted(QGuiApplication.clipboard().image(), path)
            except LeafsightError as error:
                self._show_trouble(Trouble.of(error))
                return
            paths = [path]
        self.add(paths)

    def export_csv(self) -> None:
        """Write all answers into a table."""
        name, _ = QFileDialog.getSaveFileName(self, "Table", "leafsight.csv", "CSV (*.csv)")
        if name:
            rows = self._answered()
            self._export(lambda told: f"{count(write_csv(rows, Path(name)), 'row')} written to {name}.")

    def export_folders(self) -> None:
        """Copy the photographs into folders named by what they show."""
        name = QFileDialog.getExistingDirectory(self, "Folder for the copies")
        if not name:
            return
        rows = self._answered()

        def copy(told: Told) -> str:
            done = copy_into_folders(rows, Path(name), told)
            again = (
                f" {count(done.there_already, 'photograph')} lay there already." if done.there_already else ""
            )
            lost = f" {count(len(done.missing), 'photograph')} could not be read." if done.missing else ""
            return f"{count(done.copied, 'photograph')} copied to {name}.{again}{lost}"

        self._export(copy)

    def _answered(self) -> list[Exported]:
        return [
            Exported(one.path, one.prediction, one.correction)
            for one in self._session.photographs
            if one.prediction is not None
        ]

    def _export(self, export: Export) -> None:
        self.export_button.setEnabled(False)
        self._exporter.start(export)

    def _on_exported(self, said: str) -> None:
        self.export_button.setEnabled(True)
        self.page.status.setText(said)

    def _on_export_failed(self, trouble: Trouble) -> None:
        self.export_button.setEnabled(True)
        self._show_trouble(trouble)

    def _prefer(self, **changes: object) -> None:
        self._preferences = replace(self._preferences, **changes)  # type: ignore[arg-type]
        if set(changes) != {"heatmap_percent"}:
            self.page.wear(dress(self._application, self._preferences))
        self._save_later.start()

    def _save(self) -> None:
        self._save_later.stop()
        try:
            save_preferences(self._preferences, self._options.state_dir)
        except LeafsightError as error:
            self._show_trouble(Trouble.of(error))

    def _try_again(self) -> None:
        self._told_trouble = None
        self._show_trouble(None)
        self._session.try_again()

    def _show_trouble(self, trouble: Trouble | None) -> None:
        self.trouble.setVisible(trouble is not None)
        if trouble is not None:
            self.trouble_words.setText(f"{trouble.message}\n{trouble.hint}".strip())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Files may be dropped."""
        if _files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Open what was dropped."""
        self.add(_files(event.mimeData()))
        event.acceptProposedAction()

    def leave(self) -> None:
        """Close without asking: whoever ends the program is not there to answer, and nothing is lost."""
        self._asks = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask once while photographs wait; what is open is there again the next time."""
        if self._asks and self._session.waiting and not self._may_close():
            event.ignore()
            return
        if self._save_later.isActive():
            self._save()
        self._exporter.close()
        self.page.close_pictures()
        self._session.close()
        event.accept()

    def _may_close(self) -> bool:
        waiting = count(self._session.waiting, "photograph waits", "photographs wait")
        answer = QMessageBox.question(
            self, "leafsight", f"{waiting} for an answer. Close? They are asked about the next time."
        )
        return answer == QMessageBox.StandardButton.Yes


def _files(data: QMimeData) -> list[Path]:
    urls: list[QUrl] = data.urls()
    return [Path(one.toLocalFile()) for one in urls if one.isLocalFile()]
