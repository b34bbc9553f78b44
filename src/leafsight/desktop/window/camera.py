"""The camera of this computer, where Qt's part for it (PySide6-Addons) is installed.

Enters: what the camera sees. Leaves: a picture for each press of the button. The camera is switched off when
its window closes. Never tried with a real camera; the tests have a made one.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from leafsight.desktop.session.language import tr, trn
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.picture import Picture
from leafsight.errors import UsageError


def camera_offered() -> bool:
    """Whether there is what a camera needs; whether there is a camera is asked when it is wanted."""
    try:
        return find_spec("PySide6.QtMultimedia") is not None
    except (ImportError, ValueError):
        return False


def camera_window(parent: QWidget) -> CameraWindow:
    """A window with what the first camera sees.

    Raises:
        UsageError: there is no camera, or Qt's part for it cannot be loaded.
    """
    try:
        from PySide6 import QtMultimedia
    except ImportError as error:
        raise UsageError(f"the camera cannot be used: {error}", hint="choose a photograph instead") from error
    if not QtMultimedia.QMediaDevices.videoInputs():
        raise UsageError("no camera was found", hint="connect one, or choose a photograph instead")
    return CameraWindow(QtMultimedia, parent)


class CameraWindow(QDialog):
    """What the camera sees, with a shutter."""

    taken = Signal(QImage)

    def __init__(self, multimedia: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Camera"))
        self._last: QImage | None = None
        self._shots = 0
        self._view = Picture()
        self._view.setAccessibleName(tr("What the camera sees"))
        self._said = words("quiet", tr("Asking for the camera"))
        self.shutter = button(tr("&Take the photograph"), self._take, "primary")
        self.shutter.setEnabled(False)
        line = QHBoxLayout()
        line.addWidget(self._said, 1)
        line.addWidget(self.shutter)
        line.addWidget(button(tr("Done"), self.close))
        inside = QVBoxLayout(self)
        inside.addWidget(self._view, 1)
        inside.addLayout(line)
        self.resize(QSize(720, 560))
        self._sink = multimedia.QVideoSink(self)
        self._sink.videoFrameChanged.connect(self._on_frame)
        self._camera = multimedia.QCamera(multimedia.QMediaDevices.defaultVideoInput(), self)
        self._camera.errorOccurred.connect(lambda _, text: self._on_error(str(text)))
        self._capture = multimedia.QMediaCaptureSession(self)
        self._capture.setCamera(self._camera)
        self._capture.setVideoSink(self._sink)
        self.finished.connect(lambda _: self._end())
        self._camera.start()

    def _on_frame(self, frame: Any) -> None:
        picture = frame.toImage()
        if picture.isNull():
            return
        if self._last is None:
            self._said.setText(tr("Hold still; one leaf, close, in even light."))
            self.shutter.setEnabled(True)
            self.shutter.setFocus()
        self._last = picture
        self._view.show_picture(picture, None)

    def _on_error(self, text: str) -> None:
        self._said.setText(tr("The camera cannot be used: {reason}", reason=text))
        self.shutter.setEnabled(False)

    def _take(self) -> None:
        if self._last is not None:
            self._shots += 1
            self.taken.emit(self._last)
            self._said.setText(trn("{number} photograph taken.", "{number} photographs taken.", self._shots))

    def _end(self) -> None:
        self._camera.stop()
        self.deleteLater()
