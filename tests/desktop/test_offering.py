"""A model file that was opened: what the window asks, and what becomes of the photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, RED, tiny_onnx, tiny_weights, write_tiny_bundle
from tests.journeys.small_world import save_picture

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox

from leafsight.desktop import DesktopOptions
from leafsight.desktop.session import bundle_loader
from leafsight.desktop.session.handing_over import Handed
from leafsight.desktop.window.application import make_application, make_window
from leafsight.desktop.window.main import MainWindow

pytestmark = pytest.mark.gui
PATIENCE_MS = 20_000


@pytest.fixture
def window(qtbot: Any, tmp_path: Path, colour_model: Path) -> Iterator[MainWindow]:
    for name, colour in (("1 red.jpg", RED), ("2 green.jpg", GREEN), ("3 blue.jpg", BLUE)):
        save_picture(tmp_path / "photos" / name, colour)
    make_application()
    made = make_window(DesktopOptions(state_dir=tmp_path / "state", model=colour_model, threads=2))
    made.show()
    made.add([tmp_path / "photos"])
    qtbot.waitUntil(lambda: len(said(made)) == 3 and not made._session.waiting, timeout=PATIENCE_MS)
    yield made
    made.leave()


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """Says scab where the first says healthy, and the other way round."""
    weights = tiny_weights()
    for name in ("dense_w", "dense_b"):
        weights[name] = np.ascontiguousarray(weights[name][[1, 0, 2, 3]])
    return write_tiny_bundle(
        tmp_path / "turned.leafsight",
        name="turned <b>round</b>",
        network=tiny_onnx(weights),
        cam_weight=weights["dense_w"],
        cam_bias=weights["dense_b"],
    )


def said(window: MainWindow) -> list[str]:
    rows = window.page.rows
    return [rows.data(rows.index(row)).split(",")[0] for row in range(rows.rowCount())]


def question(qtbot: Any, window: MainWindow) -> QMessageBox:
    qtbot.waitUntil(lambda: window._offers.question is not None, timeout=PATIENCE_MS)
    found = window._offers.question
    assert found is not None
    assert found.isVisible()
    assert found.parentWidget() is window.front, "else it has another look"
    return found


def answer(box: QMessageBox, button: QMessageBox.StandardButton) -> None:
    box.button(button).click()


def test_yes_asks_all_photographs_anew_and_corrections_stay(
    window: MainWindow, qtbot: Any, other_model: Path
) -> None:
    before = said(window)
    window._session.say([2], "apple/healthy")
    window.offer([other_model])
    box = question(qtbot, window)
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert box.text() == "Use the model turned <b>round</b> from now on?"
    told = box.informativeText()
    assert "It knows 4 classes: Apple: healthy, Apple: scab, Not a leaf, Tomato: early blight." in told
    assert "SHA-256 " in told
    assert "3 open photographs are asked about anew; what you said of them stays." in told
    answer(box, QMessageBox.StandardButton.Yes)
    wanted = ["1 red.jpg: Healthy apple leaf", "2 green.jpg: Scab of apple", before[2]]
    qtbot.waitUntil(lambda: said(window) == wanted and not window._session.waiting, timeout=PATIENCE_MS)
    kept = window._session.get(2)
    assert kept is not None
    assert kept.correction == "apple/healthy"
    qtbot.waitUntil(lambda: window.page.pane.picture.has_heatmap, timeout=PATIENCE_MS)
    window.offer([other_model])
    box = question(qtbot, window)
    assert box.text() == "The model turned <b>round</b> is in use already."
    answer(box, QMessageBox.StandardButton.Ok)
    assert window._offers.question is None


def test_no_changes_nothing_and_the_next_one_is_asked_about(
    window: MainWindow, qtbot: Any, other_model: Path, tmp_path: Path
) -> None:
    before = said(window)
    third = write_tiny_bundle(tmp_path / "third.leafsight", name="third")
    window.take_handed(Handed((), (other_model, third)))
    answer(question(qtbot, window), QMessageBox.StandardButton.No)
    qtbot.waitUntil(lambda: "third" in question(qtbot, window).text(), timeout=PATIENCE_MS)
    qtbot.keyClick(window._offers.question, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window._offers.question is None, timeout=PATIENCE_MS)
    assert said(window) == before
    assert not window._session.waiting


def test_what_is_no_model_is_trouble_and_no_photograph(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.leafsight"
    broken.write_bytes(b"PK\x03\x04 and then nothing")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(broken))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(QPoint(5, 5)), Qt.DropAction.CopyAction, data, buttons, keys))
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert "broken.leafsight" in window.trouble_words.text()
    assert window._offers.question is None
    assert len(said(window)) == 3


def test_a_model_that_was_exchanged_under_the_question_is_refused(
    window: MainWindow, qtbot: Any, other_model: Path, colour_model: Path
) -> None:
    window.offer([other_model])
    box = question(qtbot, window)
    write_tiny_bundle(other_model, name="quite another")
    answer(box, QMessageBox.StandardButton.Yes)
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert "is another model than a moment ago" in window.trouble_words.text()


def test_a_window_that_closes_under_the_question_uses_nothing(
    window: MainWindow, qtbot: Any, other_model: Path
) -> None:
    window.offer([other_model])
    question(qtbot, window)
    hash_before = window._session.model
    window.leave()
    assert window._session.model is hash_before


def test_what_a_later_start_wants_comes_to_the_front(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    save_picture(tmp_path / "later.jpg", RED)
    window.showMinimized()
    assert window.isMinimized()
    window.take_handed(Handed((tmp_path / "later.jpg",)))
    assert not window.isMinimized()
    assert window.isVisible()
    qtbot.waitUntil(lambda: "later.jpg: Scab of apple" in said(window), timeout=PATIENCE_MS)


def test_a_model_that_was_chosen_by_hand_is_not_taken_away_by_what_serves(
    qtbot: Any, tmp_path: Path, other_model: Path
) -> None:
    """Pages say again and again what serves; a person who opened a file meant that file."""
    save_picture(tmp_path / "photos" / "1 red.jpg", RED)
    make_application()
    window = make_window(DesktopOptions(state_dir=tmp_path / "store" / "desktop", threads=1))
    window.show()
    window.add([tmp_path / "photos"])
    qtbot.waitUntil(lambda: len(window._session) == 1 and not window._session.waiting, timeout=PATIENCE_MS)
    builtin = window._session.model
    assert builtin is not None
    window.offer([other_model])
    answer(question(qtbot, window), QMessageBox.StandardButton.Yes)
    qtbot.waitUntil(lambda: bool(said(window)) and not window._session.waiting, timeout=PATIENCE_MS)
    chosen = window._session.model
    assert chosen is not None
    assert chosen.hash != builtin.hash
    window._around.serves(builtin.hash)
    assert window._session.model is chosen
    assert not window._session.waiting
    window.leave()


def test_what_serves_is_taken_up_once_whatever_the_server_calls_itself(
    qtbot: Any, tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that answers with another model than its list says must not be asked anew for ever."""
    save_picture(tmp_path / "photos" / "1 red.jpg", RED)
    make_application()
    monkeypatch.setattr(
        "leafsight.desktop.window.main.loader",
        lambda path, reach, limits: bundle_loader(colour_model, limits),
    )
    window = make_window(DesktopOptions(state_dir=tmp_path / "store" / "desktop", threads=1))
    window.show()
    window.add([tmp_path / "photos"])
    qtbot.waitUntil(lambda: len(window._session) == 1 and not window._session.waiting, timeout=PATIENCE_MS)
    asked: list[object] = []
    use = window._session.use
    monkeypatch.setattr(window._session, "use", lambda load: (asked.append(load), use(load)))
    for _ in range(3):
        window._around.serves("0123")
        qtbot.waitUntil(
            lambda: window._session.model is not None and not window._session.waiting, timeout=PATIENCE_MS
        )
    assert len(asked) == 1
    window._around.serves("4567")
    assert len(asked) == 2
    window.leave()
