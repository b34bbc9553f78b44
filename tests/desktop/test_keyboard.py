"""Photographs are corrected, confirmed and put together without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QToolButton
from tests.desktop.windows import PATIENCE_MS, Open, answered, choose, labels, said, say, text
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import LABELS

from leafsight.desktop.session import Loaded
from leafsight.desktop.session.loading import model_of
from leafsight.desktop.window.main import MainWindow

pytestmark = pytest.mark.gui
Key, Modifier = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def window(opened: Open, qtbot: Any, photos: Path) -> MainWindow:
    made = opened()
    made.add([photos])
    answered(qtbot, made, 4)
    made.page.list.setFocus()
    return made


def press(window: MainWindow, *keys: Qt.Key, modifier: Qt.KeyboardModifier = Modifier.NoModifier) -> None:
    for key in keys:
        QTest.keyClick(window.page.list, key, modifier)


def words(window: MainWindow) -> list[str | None]:
    return [one.correction for one in window._session.photographs]


def offered(window: MainWindow) -> list[str]:
    found = window.page.saying.picker.list
    return [found.item(row).text() for row in range(found.count())]


def test_type_to_find_what_it_really_is(window: MainWindow) -> None:
    press(window, Key.Key_Return)
    picker = window.page.saying.picker
    assert picker.isVisible()
    assert offered(window)[0] == "Apple: scab", "what the model thought of comes first"
    assert len(offered(window)) == 4
    QTest.keyClicks(picker.line, "BLIGHT tom")
    assert offered(window) == ["Tomato: early blight"], "words in any order"
    QTest.keyClick(picker.line, Key.Key_Return)
    assert not picker.isVisible()
    assert words(window) == ["tomato/early_blight", None, None, None]
    assert "Corrected: early blight of tomato" in said(window)[0]
    assert text(window, "verdict") == "Healthy apple leaf", "on to the next"
    press(window, Key.Key_P)
    assert "You said that it shows early blight of tomato." in labels(window)


def test_escape_leaves_and_what_nothing_has_is_said(window: MainWindow, qtbot: Any) -> None:
    press(window, Key.Key_C)
    picker = window.page.saying.picker
    QTest.keyClicks(picker.line, "zebra")
    assert offered(window) == []
    assert "Nothing here has that name." in [
        one.text() for one in picker.findChildren(QLabel) if one.isVisible()
    ]
    QTest.keyClick(picker.line, Key.Key_Return)
    assert picker.isVisible(), "there is nothing to choose"
    QTest.keyClick(picker.line, Key.Key_Escape)
    assert not picker.isVisible()
    assert words(window) == [None] * 4
    press(window, Key.Key_C)
    assert len(offered(window)) == 4, "it opens anew"
    QTest.keyClick(picker.line, Key.Key_Down)
    QTest.keyClick(picker.line, Key.Key_Down)
    wanted = picker.list.currentItem().text()
    QTest.keyClick(picker.line, Key.Key_Enter)
    assert window._session.model is not None
    assert window._session.model.classes[words(window)[0] or ""] == wanted


def test_right_as_it_is_taken_back_and_undone(window: MainWindow, qtbot: Any) -> None:
    assert "Was this right?" in labels(window)
    press(window, Key.Key_R, Key.Key_R)
    assert words(window) == ["apple/scab", "apple/healthy", None, None]
    assert said(window)[0].endswith("Said to be right")
    press(window, Key.Key_P)
    assert "You said that this was right." in labels(window)
    press(window, Key.Key_U)
    assert words(window) == ["apple/scab", None, None, None]
    assert "Was this right?" in labels(window)
    press(window, Key.Key_P, Key.Key_Backspace)
    assert words(window) == [None] * 4
    press(window, Key.Key_N, Key.Key_N, Key.Key_N)
    press(window, Key.Key_Z, modifier=Modifier.ControlModifier)
    assert words(window) == ["apple/scab", None, None, None]
    assert text(window, "verdict") == "Scab of apple", "what was undone is shown"
    press(window, Key.Key_Z, modifier=Modifier.ControlModifier)
    assert words(window) == ["apple/scab", "apple/healthy", None, None]


def test_only_a_diagnosis_can_be_right(window: MainWindow) -> None:
    press(window, Key.Key_End, Key.Key_R)
    assert words(window) == [None] * 4
    assert window.page.status.text() == "Only a diagnosis can be right; Enter lets you say what it shows."
    assert "Do you know what it shows?" in labels(window)


def test_a_word_is_said_of_all_that_are_selected(window: MainWindow, qtbot: Any) -> None:
    press(window, Key.Key_Down, Key.Key_Down, modifier=Modifier.ShiftModifier)
    assert "3 photographs are selected. What you say is said of all of them." in labels(window)
    say(window, "healthy apple")
    assert words(window) == ["apple/healthy", "apple/healthy", "apple/healthy", None]
    assert window.page.list.selected_numbers == [3], "on to the one behind them"
    assert not any("are selected" in line for line in labels(window))
    choose(window.page.filters.shown, "confirmed")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 1, timeout=PATIENCE_MS)
    choose(window.page.filters.shown, "corrected")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 2, timeout=PATIENCE_MS)


def test_a_selection_stays_when_the_list_is_arranged(window: MainWindow, qtbot: Any) -> None:
    page = window.page
    press(window, Key.Key_Down)
    press(window, Key.Key_Down, modifier=Modifier.ShiftModifier)
    assert page.list.selected_numbers == [1, 2]
    choose(page.filters.order, "diagnosis")
    qtbot.waitUntil(lambda: list(page.rows.numbers) != [0, 1, 2, 3], timeout=PATIENCE_MS)
    assert sorted(page.list.selected_numbers) == [1, 2]
    assert page.current is not None
    assert page.current.number == 2
    choose(page.filters.shown, "healthy")
    qtbot.waitUntil(lambda: page.rows.rowCount() == 1, timeout=PATIENCE_MS)
    assert page.list.selected_numbers == [1]
    choose(page.filters.shown, "all")
    qtbot.waitUntil(lambda: page.rows.rowCount() == 4, timeout=PATIENCE_MS)
    assert page.list.selected_numbers == [1]


def test_letters_do_not_search_and_control_letters_are_not_words(window: MainWindow) -> None:
    press(window, Key.Key_4, Key.Key_G)
    assert text(window, "verdict") == "Scab of apple"
    press(window, Key.Key_R, Key.Key_C, Key.Key_U, modifier=Modifier.ControlModifier)
    assert words(window) == [None] * 4
    assert not window.page.saying.picker.isVisible()


def test_the_keys_are_listed(window: MainWindow, qtbot: Any) -> None:
    QTest.keyClicks(window.page.list, "?")
    assert window.page.keys.isVisible()
    shown = " ".join(one.text() for one in window.page.keys.findChildren(QLabel))
    for key in ("Enter", "C", "R", "U", "Backspace", "Ctrl+Z", "N, P", "Ctrl+G", "Ctrl+Shift+G", "F1"):
        assert key in shown
    QTest.keyClick(window.page.keys, Key.Key_Escape)
    assert not window.page.keys.isVisible()
    press(window, Key.Key_F1)
    assert window.page.keys.isVisible()


def test_one_plant_and_apart_again(window: MainWindow, qtbot: Any) -> None:
    page = window.page
    press(window, Key.Key_G, modifier=Modifier.ControlModifier)
    assert not page.pane.plant.isVisible(), "one photograph is no plant"
    press(window, Key.Key_Down, Key.Key_Down, modifier=Modifier.ShiftModifier)
    assert page.pane.join.isVisible()
    press(window, Key.Key_G, modifier=Modifier.ControlModifier)
    assert [row.endswith("Plant 1, 3 photographs") for row in said(window)] == [True, True, True, False]
    qtbot.waitUntil(lambda: "The model cannot tell" in labels(window), timeout=PATIENCE_MS)
    shown = labels(window)
    assert shown.index("Plant 1, 3 photographs") < shown.index("3 blue.jpg"), "above the photograph's own"
    assert "Rests on all 3 photographs." in shown
    assert any("contradict each other" in line for line in shown)
    page.list.go_to(0)
    page.saying.leave_plant()
    assert [row.endswith("Plant 1, 2 photographs") for row in said(window)] == [False, True, True, False]
    assert not page.pane.plant.isVisible()
    page.list.go_to(2)
    assert page.pane.plant.isVisible()
    press(window, Key.Key_G, modifier=Modifier.ControlModifier | Modifier.ShiftModifier)
    assert not any("Plant" in row for row in said(window))
    assert not page.pane.plant.isVisible()


def test_the_menu_of_the_list(window: MainWindow) -> None:
    menu = window.page.saying.menu()
    entries = {one.text().split("\t")[0]: one for one in menu.actions()}
    assert not entries["One plant"].isEnabled()
    assert not entries["Take the plant apart"].isEnabled()
    window.page.list.selectAll()
    entries = {one.text().split("\t")[0]: one for one in window.page.saying.menu().actions()}
    entries["One plant"].trigger()
    assert all("Plant 1" in row for row in said(window))
    entries["Right as it is"].trigger()
    assert words(window) == ["apple/scab", "apple/healthy", "tomato/early_blight", None]
    assert window.page.list.selected_numbers == [3]
    entries["Take out of the list"].trigger()
    assert len(said(window)) == 3
    window.page.list.selectAll()
    entries["Take out of the list"].trigger()
    assert window.page.stack.currentIndex() == 0


def test_too_many_of_one_plant_are_refused(opened: Open, qtbot: Any, tmp_path: Path) -> None:
    window = opened()
    for number in range(33):
        (tmp_path / f"{number}.jpg").write_bytes(b"no photograph")
    window.add([tmp_path / f"{number}.jpg" for number in range(33)])
    answered(qtbot, window, 33)
    window.page.list.selectAll()
    window.page.saying.join()
    assert "At most 32 photographs of one plant are judged together." in window.trouble_words.text()


def test_a_model_that_cannot_combine_offers_no_plants(
    opened: Open, qtbot: Any, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Loaded(FakePredictor(), model_of("fake", "abc", LABELS))
    monkeypatch.setattr("leafsight.desktop.window.application.loader", lambda *_: lambda: loaded)
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    window.page.list.selectAll()
    assert not window.page.pane.join.isVisible()
    window.page.saying.join()
    assert not any("Plant" in row for row in said(window))
    visible = [one.text().split("\t")[0] for one in window.page.saying.menu().actions() if one.isVisible()]
    assert "One plant" not in visible
    assert "Take the plant apart" not in visible


def test_cards_of_what_cannot_be_excluded_are_closed(
    opened: Open, qtbot: Any, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Loaded(FakePredictor(verdict="cannot_tell"), model_of("fake", "abc", LABELS))
    monkeypatch.setattr("leafsight.desktop.window.application.loader", lambda *_: lambda: loaded)
    window = opened()
    window.add([photos / "1 red.jpg"])
    answered(qtbot, window, 1)
    (title,) = [one for one in window.page.pane.findChildren(QToolButton, "fold") if one.isVisible()]
    assert title.text() == "About scab of apple"
    assert not any("What growers do" in line for line in labels(window))
    title.click()
    assert any("What growers do" in line for line in labels(window))
    window.page._show(window.page.current)
    assert any("What growers do" in line for line in labels(window)), "an opened card stays open"
