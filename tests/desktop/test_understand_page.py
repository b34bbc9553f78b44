"""The page "Understand the data", without a screen: what a person does there, and what they then see."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import students

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QListView, QMessageBox, QProgressBar

from leafsight.desktop import DesktopOptions
from leafsight.desktop.session.understanding import Cases, Problem, Seen, Study, Understanding
from leafsight.desktop.window import understand
from leafsight.desktop.window.application import make_application, make_window
from leafsight.desktop.window.main import MainWindow
from leafsight.desktop.window.understand import UnderstandPage
from leafsight.desktop.window.understand_tiles import PICTURE

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000
Open = Callable[..., UnderstandPage]


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MainWindow]]:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    opened: list[MainWindow] = []
    yield opened
    for window in opened:
        window.close()


@pytest.fixture
def page(windows: list[MainWindow], qtbot: Any, tmp_path: Path, colour_model: Path) -> Open:
    """Opens a window on this page; on one state folder all."""

    def make() -> UnderstandPage:
        make_application()
        window = make_window(
            DesktopOptions(
                state_dir=tmp_path / "state", model=colour_model, threads=2, cache_dir=tmp_path / "cache"
            )
        )
        window.show()
        window._prefer(look="light")
        windows.append(window)
        window.go("understand")
        front = window.front
        assert isinstance(front, UnderstandPage)
        return front

    return make


@pytest.fixture
def studied(page: Open, qtbot: Any, made_study: Study, tmp_path: Path) -> UnderstandPage:
    """The page as the window after a study shows it."""
    shutil.copytree(made_study.folder.parents[1], tmp_path / "state" / "understand")
    shown = page()
    qtbot.waitUntil(lambda: shown.stack.currentIndex() == 1, timeout=PATIENCE_MS)
    return shown


def with_work(monkeypatch: pytest.MonkeyPatch, work: object) -> None:
    """Children of the page do this."""
    monkeypatch.setattr(
        understand, "Understanding", lambda wish, wake: Understanding(wish, wake=wake, work=work)
    )


def choose(page: UnderstandPage, kind: str) -> None:
    """As a person does, in the list on the left."""
    entries = page.result.entries.entries
    row = next(
        row
        for row, one in enumerate(entries)
        if kind in (one.kind, None if one.problem is None else one.problem.kind)
    )
    page.result.list.setCurrentIndex(page.result.entries.index(row))


def said(page: UnderstandPage) -> str:
    """All words of the pane on the right."""
    pane = page.result.panes.currentWidget()
    return "\n".join(one.text() for one in pane.findChildren(QLabel) if one.isVisible())


def window_of(page: UnderstandPage) -> MainWindow:
    window = page.window()
    assert isinstance(window, MainWindow)
    return window


def press(page: UnderstandPage, text: str) -> None:
    next(one for one in page.findChildren(QAbstractButton) if one.isVisible() and one.text() == text).click()


def test_an_empty_page_says_what_to_do(page: Open, qtbot: Any) -> None:
    shown = page()
    qtbot.waitUntil(lambda: shown.stack.currentIndex() == 0, timeout=PATIENCE_MS)
    buttons = [one.text() for one in shown.findChildren(QAbstractButton) if one.isVisible()]
    assert buttons == ["Ch&oose a folder"]
    assert shown.unfinished() == ""


def test_a_dropped_folder_is_looked_at_and_the_worst_is_open(
    page: Open, qtbot: Any, troubled_collection: Path
) -> None:
    shown = page()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(troubled_collection))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window_of(shown).dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert shown.working.isVisible()
    assert shown.unfinished().startswith("leaves is being looked at; what was read is kept")
    qtbot.waitUntil(lambda: "(step 1 of 4)" in shown.working.step.text(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: shown.stack.currentIndex() == 1, timeout=PATIENCE_MS)
    assert not shown.working.isVisible()
    assert shown.result.verdict.text().endswith("things must be mended before training")
    assert shown.result.numbers.text() == "26 photographs · 25 usable · 3 classes"
    assert shown.name.text() == "leaves"
    rows = [shown.result.entries.data(shown.result.entries.index(row)) for row in range(2)]
    assert rows[0].startswith("In training and test alike. Mend before training.")
    assert "Mend before training" in said(shown)


def test_the_last_study_is_there_at_once_with_its_date(studied: UnderstandPage, made_study: Study) -> None:
    assert studied.date.text().startswith("Looked at on ")
    assert studied.again_button.isEnabled()
    choose(studied, "corrupt-image")
    assert "files cannot be used" in said(studied)
    assert "Copy them again from where they came from" in said(studied)


def test_tiles_show_every_case_with_its_pictures(studied: UnderstandPage, qtbot: Any) -> None:
    choose(studied, "leak")
    problem = studied.result.problem
    tiles = problem.tiles
    assert tiles.side_by_side == 2

    def there() -> None:
        for row in range(tiles.rowCount()):
            pictures = tiles.data(tiles.index(row), PICTURE)
            assert all(hasattr(picture, "width") for picture in pictures), pictures

    qtbot.waitUntil(there, timeout=PATIENCE_MS)
    words = [tiles.data(tiles.index(row)) for row in range(tiles.rowCount())]
    assert any("seen before.jpg" in one and "leaf 02.jpg" in one for one in words)
    choose(studied, "corrupt-image")
    assert tiles.side_by_side == 1
    qtbot.waitUntil(lambda: tiles.data(tiles.index(0), PICTURE) == ["cannot be read"], timeout=PATIENCE_MS)
    choose(studied, "small-classes")
    assert not problem.gallery.isVisible()


def test_enter_shows_a_case_large_and_arrows_go_on(studied: UnderstandPage, qtbot: Any) -> None:
    choose(studied, "leak")
    gallery = studied.result.problem.gallery
    gallery.setFocus()
    qtbot.keyClick(gallery, Qt.Key.Key_Return)
    view = studied.result._large
    assert view is not None
    assert view.isVisible()
    count = studied.result.problem.tiles.rowCount()
    assert view.windowTitle() == f"1 of {count}"
    names = [one.text() for one in view.findChildren(QLabel) if one.text().endswith(".jpg")]
    assert len(names) >= 2
    qtbot.waitUntil(
        lambda: all(picture._plain is not None for _, picture in view._shown), timeout=PATIENCE_MS
    )
    if count > 1:
        view.wants_other.emit(1)
        assert view.windowTitle() == f"2 of {count}"
        assert gallery.currentIndex().row() == 1
    view.wants_other.emit(-1)
    view.wants_other.emit(-1)
    assert view.windowTitle() == f"1 of {count}"
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not view.isVisible()


def test_the_folder_is_opened_by_the_desktop(
    studied: UnderstandPage, troubled_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: bool(asked.append(url.toLocalFile())) or True
    )
    choose(studied, "corrupt-image")
    press(studied, "&Open in folder")
    assert asked == [str(troubled_collection / "train" / "Roundleaf___Rust")]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    press(studied, "&Open in folder")
    window = window_of(studied)
    assert window.trouble_words.text().startswith("no program opens ")
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    next(one for one in window.trouble.findChildren(QAbstractButton)).click()
    assert not window.trouble.isVisible()


def test_problems_go_to_the_other_page(studied: UnderstandPage, qtbot: Any) -> None:
    choose(studied, "copies")
    press(studied, "Diag&nose all")
    window = window_of(studied)
    assert window.front is window.page
    qtbot.waitUntil(lambda: window.page.rows.rowCount() >= 2, timeout=PATIENCE_MS)
    names = [one.path.name for one in window._session.photographs]
    assert {"copy.jpg", "leaf 00.jpg"} <= set(names)
    window.go("understand")
    studied.result.problem.gallery.selectionModel().select(
        studied.result.problem.tiles.index(0),
        studied.result.problem.gallery.selectionModel().SelectionFlag.Select,
    )
    assert "Diag&nose the chosen one" in [one.text() for one in studied.findChildren(QAbstractButton)]


def test_questions_have_pictures_that_are_shown_large(studied: UnderstandPage, qtbot: Any) -> None:
    choose(studied, "pictures")
    pane = studied.result.insight
    assert len(pane.buttons) >= 3
    assert "How many photographs has each class?" in said(studied)
    first = pane.buttons[0]
    assert first.accessibleName() == "How many photographs has each class?"
    assert first.accessibleDescription()
    qtbot.waitUntil(lambda: studied.result._whole.get(first._path) is not None, timeout=PATIENCE_MS)
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Space)
    view = studied.result._large
    assert view is not None
    assert view.isVisible()
    assert [one.name for one, _ in view._shown] == ["How many photographs has each class?"]


def test_classes_are_counted(studied: UnderstandPage) -> None:
    choose(studied, "classes")
    model = studied.result.classes.list.model()
    rows = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
    assert rows[-1] == "Lanceleaf___Rust: 1 photograph"
    assert "25 usable photographs in 3 classes" in said(studied)


def test_cancel_gives_the_page_back(
    page: Open, qtbot: Any, troubled_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_work(monkeypatch, students.stubborn)
    shown = page()
    qtbot.waitUntil(lambda: shown.stack.currentIndex() == 0, timeout=PATIENCE_MS)
    shown.open_places([troubled_collection])
    qtbot.waitUntil(lambda: "step 1" in shown.working.step.text(), timeout=PATIENCE_MS)
    assert shown.stack.currentIndex() == 2
    press(shown, "&Cancel")
    assert shown.stack.currentIndex() == 0
    assert not shown.working.isVisible()
    assert not window_of(shown).trouble.isVisible()


def test_a_killed_child_is_told_and_the_last_study_stays(
    page: Open, qtbot: Any, made_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_work(monkeypatch, students.dies)
    shutil.copytree(made_study.folder.parents[1], tmp_path / "state" / "understand")
    shown = page()
    qtbot.waitUntil(lambda: shown.stack.currentIndex() == 1, timeout=PATIENCE_MS)
    press(shown, "Look &again")
    assert shown.stack.currentIndex() == 1, "what was found before stays below"
    window = window_of(shown)
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert "ended from outside" in window.trouble_words.text()
    assert shown.stack.currentIndex() == 1
    window.trouble.findChild(QAbstractButton).click()
    assert shown.working.isVisible()
    assert not window.trouble.isVisible()
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)  # the same once more is told once more


def test_a_folder_that_is_gone_is_two_sentences(page: Open, qtbot: Any, tmp_path: Path) -> None:
    shown = page()
    shown.open_places([tmp_path / "never"])
    window = window_of(shown)
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert window.trouble_words.text() == (
        f"{tmp_path / 'never'} is not there\nbring it back; what was read is kept"
    )
    window.go("diagnose")
    assert not window.trouble.isVisible()


def test_the_report_is_saved(
    studied: UnderstandPage, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "saved"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(place))
    press(studied, "&Save report")
    window = window_of(studied)
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    place.mkdir()
    window.trouble.findChild(QAbstractButton).click()
    qtbot.waitUntil(lambda: "Report saved in" in studied.date.text(), timeout=PATIENCE_MS)
    (folder,) = place.iterdir()
    assert (folder / "health.html").stat().st_size > 1000
    assert studied.save_button.isEnabled()


def test_every_control_says_what_it_is(studied: UnderstandPage) -> None:
    for kind in ("leak", "pictures", "classes"):
        choose(studied, kind)
        for control in (QAbstractButton, QListView, QProgressBar):
            for one in studied.findChildren(control):
                written = one.text() if isinstance(one, QAbstractButton) else ""
                assert one.accessibleName() or written or one.objectName().startswith("qt_"), one
    window = window_of(studied)
    for look in ("dark", "light"):
        window._prefer(look=look, text_scale=2.0)
        for kind in ("leak", "pictures", "classes"):
            choose(studied, kind)
            assert not studied.grab().isNull()


def test_tens_of_thousands_of_cases_are_quickly_there(studied: UnderstandPage, qtbot: Any) -> None:
    many = 40_000
    problem = studied.result.problem
    study = studied._shown
    assert study is not None
    seen = {0: Seen(Path("/nowhere/0.jpg"), "0.jpg"), 1: Seen(Path("/nowhere/1.jpg"), "1.jpg")}
    cases = Cases([(0, 1)] * many, ["the same leaf"] * many)
    made = Study(study.places, study.made_s, study.total, study.class_counts, (), seen, (), (), study.folder)
    problem.show_problem(made, Problem("same-leaf", "know", "Many", "", many, cases, {}, {}))
    bar = problem.gallery.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1_000_000, timeout=PATIENCE_MS)
    bar.setValue(bar.maximum())
    asked = sum(len(rows) for rows in problem.tiles._wanted.values())
    assert asked < 200, "only what is on the screen is read"
