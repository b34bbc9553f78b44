"""The camera, made: no test here ever saw a real one."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

import PySide6
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton
from tests.desktop.windows import Open, answered

from leafsight.desktop.window.camera import CameraWindow, camera_offered
from leafsight.desktop.window.main import MainWindow

pytestmark = pytest.mark.gui
NAME = "PySide6.QtMultimedia"


class Frame:
    def __init__(self, picture: QImage) -> None:
        self._picture = picture

    def toImage(self) -> QImage:
        return self._picture


class Sink(QObject):
    videoFrameChanged = Signal(object)


class Camera(QObject):
    errorOccurred = Signal(object, str)
    made: list[Camera] = []  # noqa: RUF012

    def __init__(self, device: str, parent: QObject) -> None:
        super().__init__(parent)
        self.device, self.on = device, False
        self.made.append(self)

    def start(self) -> None:
        self.on = True

    def stop(self) -> None:
        self.on = False


class Capture(QObject):
    def setCamera(self, camera: Camera) -> None:
        self.camera = camera

    def setVideoSink(self, sink: Sink) -> None:
        self.sink = sink


@pytest.fixture
def multimedia(monkeypatch: pytest.MonkeyPatch) -> Any:
    made: Any = ModuleType(NAME)
    made.__spec__ = ModuleSpec(NAME, None)

    class Devices:
        there = ("front",)

        @classmethod
        def videoInputs(cls) -> list[str]:
            return list(cls.there)

        @classmethod
        def defaultVideoInput(cls) -> str:
            return cls.there[0]

    made.QMediaDevices, made.QVideoSink, made.QCamera = Devices, Sink, Camera
    made.QMediaCaptureSession = Capture
    monkeypatch.setitem(sys.modules, NAME, made)
    monkeypatch.setattr(PySide6, "QtMultimedia", made, raising=False)
    Camera.made.clear()
    return made


def buttons(window: MainWindow) -> dict[str, QPushButton]:
    return {one.text(): one for one in window.page.tools.findChildren(QPushButton)}


def camera_window(window: MainWindow) -> CameraWindow:
    (found,) = window.page.tools.findChildren(CameraWindow)
    return found


def picture() -> QImage:
    made = QImage(80, 60, QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.blue)
    return made


def test_a_picture_goes_the_way_of_a_pasted_one(
    opened: Open, qtbot: Any, multimedia: Any, tmp_path: Path
) -> None:
    window = opened()
    buttons(window)["C&amera"].click()
    shown = camera_window(window)
    assert shown.isVisible()
    (camera,) = Camera.made
    assert (camera.device, camera.on) == ("front", True)
    assert not shown.shutter.isEnabled()
    shown._sink.videoFrameChanged.emit(Frame(QImage()))
    assert not shown.shutter.isEnabled(), "nothing is seen yet"
    shown._sink.videoFrameChanged.emit(Frame(picture()))
    shown.shutter.click()
    shown.shutter.click()
    rows = answered(qtbot, window, 2)
    assert all(row.startswith("camera ") for row in rows)
    assert len(list((tmp_path / "state" / "pasted").glob("camera *.png"))) == 2, "also within one second"
    shown.close()
    assert not camera.on


def test_trouble_with_the_camera_is_said(opened: Open, qtbot: Any, multimedia: Any) -> None:
    window = opened()
    window.page.tools.open_camera()
    shown = camera_window(window)
    shown._sink.videoFrameChanged.emit(Frame(picture()))
    Camera.made[0].errorOccurred.emit(1, "it is in use")
    assert "The camera cannot be used: it is in use" in shown._said.text()
    assert not shown.shutter.isEnabled()
    shown.close()
    multimedia.QMediaDevices.there = ()
    window.page.tools.open_camera()
    assert window.trouble_words.text().startswith("no camera was found")


def test_without_its_part_of_qt_no_camera_is_offered(
    opened: Open, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leafsight.desktop.window.camera.find_spec", lambda _: None)
    assert not camera_offered()
    assert "C&amera" not in buttons(opened())


def test_a_part_of_qt_that_cannot_be_loaded_is_said(
    opened: Open, qtbot: Any, multimedia: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    monkeypatch.setitem(sys.modules, NAME, None)
    monkeypatch.delattr(PySide6, "QtMultimedia")
    window.page.tools.open_camera()
    assert window.trouble_words.text().startswith("the camera cannot be used")
