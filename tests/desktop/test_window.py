"""The window, without a screen: what a person does in it, and what they then see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QMessageBox,
    QProgressBar,
    QSlider,
)
from tests.desktop.windows import PATIENCE_MS, Open, answered, choose, labels, said, say, text

from leafsight.desktop.session import Preferences, load_preferences

pytestmark = pytest.mark.gui


def test_an_empty_window_says_what_to_do(opened: Open, qtbot: Any) -> None:
    window = opened()
    assert window.page.stack.currentIndex() == 0
    buttons = [one.text() for one in window.page.stack.currentWidget().findChildren(QAbstractButton)]
    assert buttons == ["Choose photographs", "Choose a folder"]
    assert window.page.status.text() == "0 photographs"
    assert not window.trouble.isVisible()


def test_a_dropped_folder_is_diagnosed_and_the_first_is_shown(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(photos))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    rows = answered(qtbot, window, 4)
    assert [row.split(",")[0] for row in rows] == [
        "1 red.jpg: Scab of apple", "2 green.jpg: Healthy apple leaf", "3 blue.jpg: Early blight of tomato",
        "4 grey.jpg: This does not look like a leaf.".rstrip("."),
    ]  # fmt: skip
    qtbot.waitUntil(lambda: window.page.pane.picture.has_heatmap, timeout=PATIENCE_MS)
    assert text(window, "verdict") == "Scab of apple"
    assert "likely" in text(window, "sure")
    assert window.page.pane.slider.isVisible()
    assert "They say where, not how sure." in text(window, "quiet")
    assert window.page.status.text() == "4 photographs"
    assert not window.page.progress.isVisible()


def test_keys_go_through_the_list_and_take_photographs_away(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened(photos=())
    window.add([photos])
    answered(qtbot, window, 4)
    window.page.list.setFocus()
    qtbot.keyClick(window.page.list, Qt.Key.Key_Down)
    qtbot.keyClick(window.page.list, Qt.Key.Key_Down)
    assert text(window, "verdict") == "Early blight of tomato"
    qtbot.keyClick(window.page.list, Qt.Key.Key_Delete)
    assert [row.split(":")[0] for row in said(window)] == ["1 red.jpg", "2 green.jpg", "4 grey.jpg"]
    assert (photos / "3 blue.jpg").exists()
    assert text(window, "verdict").startswith("This does not look like a leaf")
    qtbot.keyClick(window.page.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window.page.list, Qt.Key.Key_Delete)
    assert window.page.stack.currentIndex() == 0


def test_filter_order_and_find(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    choose(window.page.filters.shown, "healthy")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 1, timeout=PATIENCE_MS)
    assert window.page.status.text() == "4 photographs · 1 is shown"
    assert text(window, "verdict") == "Healthy apple leaf"
    choose(window.page.filters.shown, "all")
    qtbot.keyClicks(window.page.filters.words, "apple")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    window.page.filters.words.clear()
    choose(window.page.filters.order, "diagnosis")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 4, timeout=PATIENCE_MS)
    assert [row.split(":")[0] for row in said(window)][:3] == ["2 green.jpg", "1 red.jpg", "3 blue.jpg"]
    assert text(window, "verdict") == "Healthy apple leaf", "what was chosen stays chosen"
    window.page.filters.words.setText("zebra")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 0, timeout=PATIENCE_MS)
    assert text(window, "verdict") == ""


def test_a_crop_is_set_once_for_all(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    box = window.page.crop
    assert [box.itemText(row) for row in range(box.count())] == ["Any crop", "Apple", "Tomato"]
    choose(box, "tomato")
    rows = answered(qtbot, window, 4)
    assert all("tomato" in row or "leaf" in row or "tell" in row for row in rows), rows
    assert {one.prediction.crop_given for one in window._session.photographs} == {"tomato"}


def test_a_person_says_what_it_is_and_finds_it_the_next_time(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    say(window, "early tom")
    choose(window.page.filters.shown, "corrected")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 1, timeout=PATIENCE_MS)
    window.close()
    again = opened()
    answered(qtbot, again, 4)
    assert [one.correction for one in again._session.photographs] == ["tomato/early_blight", None, None, None]
    assert again.page.stack.currentIndex() == 1
    assert "You said that it shows early blight of tomato." in labels(again)
    again.close()
    assert len(opened(fresh=True)._session) == 0


def test_the_list_does_not_move_under_an_open_list_of_classes(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    window.page.saying.ask()
    window.page.filters.shown.setCurrentIndex(window.page.filters.shown.findData("healthy"))
    window.page.arrange()  # as answers that come would
    assert text(window, "verdict") == "Scab of apple"
    assert window.page.rows.rowCount() == 4
    window.page.saying.picker.close()
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 1, timeout=PATIENCE_MS)


def test_a_picture_in_the_clipboard_is_kept_and_diagnosed(opened: Open, qtbot: Any, tmp_path: Path) -> None:
    window = opened()
    picture = QImage(80, 80, QImage.Format.Format_RGB888)
    picture.fill(Qt.GlobalColor.blue)
    QGuiApplication.clipboard().setImage(picture)
    window.page.tools.paste()
    (row,) = answered(qtbot, window, 1)
    assert row.startswith("pasted ")
    assert len(list((tmp_path / "state" / "pasted").glob("*.png"))) == 1


def test_exports(
    opened: Open, qtbot: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    table, folder = tmp_path / "table.csv", tmp_path / "sorted"
    folder.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(table), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    window.page.tools.export_csv()
    qtbot.waitUntil(lambda: window.page.status.text() == f"4 rows written to {table}.", timeout=PATIENCE_MS)
    assert table.read_text("utf-8-sig").count("\n") == 5
    window.page.tools.export_folders()
    wanted = f"4 photographs copied to {folder}."
    qtbot.waitUntil(lambda: window.page.status.text() == wanted, timeout=PATIENCE_MS)
    assert sorted(path.parent.name for path in folder.rglob("*.jpg")) == [
        "apple___healthy", "apple___scab", "not_a_leaf", "tomato___early_blight",
    ]  # fmt: skip
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(table / "x.csv"), ""))
    window.page.tools.export_csv()
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert window.page.tools.export_button.isEnabled()
    window.look()
    assert window.trouble.isVisible(), "news of photographs do not hide it"
    assert len(said(window)) == 4, "what is there stays there"


def test_no_model_is_said_and_tried_again(
    opened: Open, qtbot: Any, photos: Path, tmp_path: Path, colour_model: Path
) -> None:
    model = tmp_path / "mine.leafsight"
    model.write_bytes(b"torn")
    window = opened(model=model)
    window.add([photos])
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert "mine.leafsight" in window.trouble_words.text()
    model.write_bytes(colour_model.read_bytes())
    window.trouble.findChild(QAbstractButton).click()
    answered(qtbot, window, 4)
    qtbot.waitUntil(lambda: not window.trouble.isVisible(), timeout=PATIENCE_MS)


def test_the_look_is_kept(opened: Open, qtbot: Any, tmp_path: Path) -> None:
    window = opened()
    for button, entry in ((1, "Dark"), (1, "Text 150 %")):
        menus = [one.menu() for one in (window.page.tools.export_button, window._view)]
        next(one for one in menus[button].actions() if one.text() == entry).trigger()
    window.page.pane.slider.setValue(20)
    wanted = Preferences(look="dark", text_scale=1.5, heatmap_percent=20)
    qtbot.waitUntil(lambda: load_preferences(tmp_path / "state") == wanted, timeout=PATIENCE_MS)
    for value in range(30, 60):  # a slider that is dragged
        window.page.pane.slider.setValue(value)
    assert load_preferences(tmp_path / "state") == wanted, "not written at every step"
    ground = window.grab().toImage().pixelColor(QPoint(5, window.height() - 5))
    assert ground.lightness() < 60
    window.close()
    assert load_preferences(tmp_path / "state").heatmap_percent == 59, (
        "what was not written yet is, at the end"
    )


def test_every_control_says_what_it_is(opened: Open, qtbot: Any, photos: Path) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSlider, QListView, QProgressBar)

    def seen(kind: type) -> list[Any]:
        return [one for one in window.findChildren(kind) if one.isVisible()]

    qtbot.waitUntil(lambda: all(seen(kind) for kind in kinds), timeout=PATIENCE_MS)
    for kind in kinds:
        for one in seen(kind):
            written = one.text() if isinstance(one, QAbstractButton) else ""
            assert one.accessibleName() or written or one.objectName().startswith("qt_"), (one, one.parent())


def test_names_and_reasons_are_never_markup(opened: Open, qtbot: Any, tmp_path: Path) -> None:
    odd = tmp_path / "<img src=x><b>bold.jpg"
    odd.write_bytes(b"no photograph")
    window = opened()
    window.add([odd])
    answered(qtbot, window, 1)
    plain = [one for one in window.page.pane.findChildren(QLabel) if "<b>" in one.text()]
    assert plain
    assert {one.textFormat() for one in plain} == {Qt.TextFormat.PlainText}


def test_closing_asks_once_while_photographs_wait(
    opened: Open, qtbot: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "torn.leafsight"
    model.write_bytes(b"torn")
    window = opened(model=model)
    window.add([photos])
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    asked: list[str] = []

    def no(*words: Any) -> QMessageBox.StandardButton:
        asked.append(words[2])
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", no)
    assert not window.close()
    assert window.isVisible()
    assert asked == ["4 photographs wait for an answer; they are asked about the next time.\nClose?"]
    window.leave()  # as SIGTERM does: nobody is there to answer
    assert not window.isVisible()
    assert len(asked) == 1
    again = opened()
    answered(qtbot, again, 4)
