"""The row above the photographs: what brings them in, what is said of all, what takes answers out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QWidget

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import (
    Exported,
    Report,
    Session,
    Trouble,
    copy_into_folders,
    count,
    write_csv,
)
from leafsight.desktop.session.finding import name_patterns
from leafsight.desktop.session.language import tr, trn
from leafsight.desktop.window.camera import camera_offered, camera_window
from leafsight.desktop.window.controls import button, menu_button
from leafsight.desktop.window.exporting import Export, Exporter, Told
from leafsight.desktop.window.pictures import keep_pasted
from leafsight.desktop.window.rows import Rows
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits

PASTED_FOLDER, PASTED_NAME = "pasted", "pasted %Y-%m-%d %H.%M.%S.png"
CAMERA_NAME = "camera %Y-%m-%d %H.%M.%S.png"


class DiagnoseTools(QWidget):
    """Buttons, and what they do.

    Args:
        session: photographs go into it.
        crop: the box for the crop of all, shown among the buttons.
        rows: a report has the photographs that they show, in their order.
        options: of the window; a pasted picture is kept in its folder.
    """

    said = Signal(str)
    """What was exported, for the line under the list."""
    troubled = Signal(object)

    def __init__(self, session: Session, crop: QComboBox, rows: Rows, options: DesktopOptions) -> None:
        super().__init__()
        self._session, self._rows, self._state_dir = session, rows, options.state_dir
        self._limits = options.limits or DecodeLimits()
        self._exporter = Exporter(self)
        self._exporter.ended.connect(self._on_exported)
        self._exporter.failed.connect(self._on_export_failed)
        self._exporter.told.connect(self._on_told)
        self.export_button = menu_button(
            tr("Export"),
            (
                (tr("Table for a spreadsheet (CSV)"), self.export_csv),
                (tr("Copies in labelled folders"), self.export_folders),
                (tr("Report (PDF)"), self.export_report),
            ),
        )
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        for text, keys, do in (
            (tr("Add &photographs"), QKeySequence.StandardKey.Open, self.choose_files),
            (tr("Add a &folder"), None, self.choose_folder),
            (tr("Pa&ste"), QKeySequence.StandardKey.Paste, self.paste),
        ):
            line.addWidget(self._button(text, keys, do))
        if camera_offered():
            line.addWidget(button(tr("C&amera"), self.open_camera))
        label = QLabel(tr("&Crop"))
        label.setBuddy(crop)
        line.addWidget(label)
        line.addWidget(crop)
        line.addStretch()
        line.addWidget(self.export_button)

    def _button(self, text: str, keys: QKeySequence.StandardKey | None, do: Callable[[], None]) -> QWidget:
        made = button(text, do)
        if keys is not None:
            # As long as the page is in front: another page may give the same keys another meaning.
            QShortcut(keys, self, do)
        return made

    def add(self, places: Sequence[Path]) -> None:
        """Open these photographs and folders as well."""
        if places:
            self._session.add(places)

    def choose_files(self) -> None:
        """Let a person choose photographs."""
        names, _ = QFileDialog.getOpenFileNames(
            self,
            tr("Photographs"),
            "",
            tr("Photographs ({patterns});;All files (*)", patterns=name_patterns()),
        )
        self.add([Path(name) for name in names])

    def choose_folder(self) -> None:
        """Let a person choose a folder."""
        name = QFileDialog.getExistingDirectory(self, tr("Folder of photographs"))
        self.add([Path(name)] if name else [])

    def paste(self) -> None:
        """Open what lies in the clipboard: files, or a picture, which is kept as a file first."""
        data = QGuiApplication.clipboard().mimeData()
        paths = files_of(data)
        if not paths and data.hasImage():
            self.add_picture(QGuiApplication.clipboard().image(), PASTED_NAME)
        self.add(paths)

    def open_camera(self) -> None:
        """Let a person take pictures, where there is a camera."""
        try:
            camera = camera_window(self)
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))
            return
        camera.taken.connect(lambda picture: self.add_picture(picture, CAMERA_NAME))
        camera.open()

    def add_picture(self, picture: QImage, name: str) -> None:
        """Keep a picture that is no file yet, and open it."""
        path = self._state_dir / PASTED_FOLDER / time.strftime(name)
        number = 1
        while path.exists():  # two within one second
            number += 1
            path = path.with_stem(f"{Path(time.strftime(name)).stem} ({number})")
        try:
            keep_pasted(picture, path)
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))
            return
        self.add([path])

    def export_csv(self) -> None:
        """Write all answers into a table."""
        name, _ = QFileDialog.getSaveFileName(self, tr("Table"), "leafsight.csv", "CSV (*.csv)")
        if name:
            rows = self._answered()
            self._export(
                lambda told: tr(
                    "{rows} written to {name}.", rows=count(write_csv(rows, Path(name)), "row"), name=name
                )
            )

    def export_folders(self) -> None:
        """Copy the photographs into folders named by what they show."""
        name = QFileDialog.getExistingDirectory(self, tr("Folder for the copies"))
        if not name:
            return
        rows = self._answered()

        def copy(told: Told) -> str:
            done = copy_into_folders(rows, Path(name), told)
            said = [
                trn(
                    "{number} photograph copied to {name}.",
                    "{number} photographs copied to {name}.",
                    done.copied,
                    name=name,
                )
            ]
            if done.there_already:
                said.append(
                    trn(
                        "{number} photograph lay there already.",
                        "{number} photographs lay there already.",
                        done.there_already,
                    )
                )
            if done.missing:
                said.append(
                    trn(
                        "{number} photograph could not be read.",
                        "{number} photographs could not be read.",
                        len(done.missing),
                    )
                )
            return " ".join(said)

        self._export(copy)

    def export_report(self) -> None:
        """Write what the list shows, with its pictures, into a report."""
        from leafsight.desktop.window.report import write_report

        name, _ = QFileDialog.getSaveFileName(self, tr("Report"), "leafsight.pdf", "PDF (*.pdf)")
        if not name:
            return
        rows = self._answered(self._rows.numbers)
        waiting = len(self._rows.numbers) - len(rows)
        report = Report(rows, self._session.model, datetime.now(), waiting)

        def write(told: Told) -> str:
            pages = write_report(report, Path(name), self._limits, told)
            return trn(
                "{number} page written to {name}.", "{number} pages written to {name}.", pages, name=name
            )

        self._export(write)

    def close_exports(self) -> None:
        """End an export after the photograph that it is at."""
        self._exporter.close()

    def _answered(self, numbers: Sequence[int] | None = None) -> list[Exported]:
        """Those with an answer; all of them, or of these."""
        session = self._session
        found = session.photographs if numbers is None else map(session.get, numbers)
        return [
            Exported(
                one.path,
                one.prediction,
                one.correction,
                one.plant,
                None if (plant := session.plant(one.plant)) is None else plant.combined,
            )
            for one in found
            if one is not None and one.prediction is not None
        ]

    def _export(self, export: Export) -> None:
        self.export_button.setEnabled(False)
        self._exporter.start(export)

    def _on_told(self, done: int, total: int) -> None:
        self.said.emit(tr("{done} of {total} photographs", done=f"{done:,}", total=f"{total:,}"))

    def _on_exported(self, said: str) -> None:
        self.export_button.setEnabled(True)
        self.said.emit(said)

    def _on_export_failed(self, trouble: Trouble) -> None:
        self.export_button.setEnabled(True)
        self.troubled.emit(trouble)


def files_of(data: QMimeData) -> list[Path]:
    """Files on this computer that something dropped or pasted names."""
    urls: list[QUrl] = data.urls()
    return [Path(one.toLocalFile()) for one in urls if one.isLocalFile()]
