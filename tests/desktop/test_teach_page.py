"""The page Teach, without a screen: what a person does there, and what they then see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.teaching_fakes import MadeUpLearning
from tests.journeys.small_world import save_picture

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QLabel, QMessageBox, QPushButton

from leafsight.desktop import DesktopOptions
from leafsight.desktop.session import Server, learner, sending
from leafsight.desktop.window.application import make_application, make_window
from leafsight.desktop.window.main import MainWindow
from leafsight.desktop.window.teach import TeachPage

pytestmark = pytest.mark.gui
PATIENCE_MS = 20_000
RUST, CURL = "Okra___Rust", "Okra___Leaf_curl"
Open = Callable[[], tuple[MainWindow, TeachPage]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> MadeUpLearning:
    monkeypatch.setattr(learner, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(learner, "LOOK_IDLE_S", 0.1)
    monkeypatch.setattr(sending, "LOOK_EVERY_S", 0.0)
    made = MadeUpLearning()
    made.choose(Server("https://leaf.example"))
    return made


@pytest.fixture
def opened(
    qtbot: Any, tmp_path: Path, colour_model: Path, server: MadeUpLearning, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    windows: list[MainWindow] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)

    def make() -> tuple[MainWindow, TeachPage]:
        make_application()
        window = make_window(DesktopOptions(state_dir=tmp_path / "state", model=colour_model, threads=1))
        monkeypatch.setattr(server, "close", lambda: None, raising=False)
        object.__setattr__(window._around, "reach", server)
        window.show()
        window.go("teach")
        windows.append(window)
        page = window.front
        assert isinstance(page, TeachPage)
        return window, page

    yield make
    for window in windows:
        window.close()


def text_of(page: TeachPage) -> str:
    return "\n".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())


def pressed(page: TeachPage, words: str) -> None:
    found = [
        one for one in page.findChildren(QPushButton)
        if one.isVisible() and words in one.text().replace("&", "")
    ]  # fmt: skip
    assert found, f"no button says {words!r}"
    assert found[0].isEnabled()
    found[0].click()


def measured(page: TeachPage, loss: float) -> bool:
    return any(value == loss for _, value in page.learner.measured.get("loss", ()))


def test_folders_are_given_checked_and_told(qtbot: Any, opened: Open, tmp_path: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / "round" / RUST / f"{number}.jpg", (10 * number, 90, 40))
    _, page = opened()
    assert "On https://leaf.example" in text_of(page)
    assert "sent to the server" in text_of(page)
    page.open_places([tmp_path / "round"])
    qtbot.waitUntil(lambda: "Looked into" in text_of(page), timeout=PATIENCE_MS)
    assert "3 photographs in 1 class. All can be used, and none is in it twice." in text_of(page)
    pressed(page, "Look through them")
    assert page.stack.currentIndex() == 1


def test_single_photographs_want_a_class_first(qtbot: Any, opened: Open, tmp_path: Path) -> None:
    save_picture(tmp_path / "1.jpg", (10, 90, 40))
    window, page = opened()
    page.open_places([tmp_path / "1.jpg"])
    assert window.trouble.isVisible()
    assert "nobody knows which class" in window.trouble_words.text()
    page.send.label.setText(CURL)
    page.open_places([tmp_path / "1.jpg"])
    assert not window.trouble.isVisible()
    qtbot.waitUntil(lambda: "It can be used." in text_of(page), timeout=PATIENCE_MS)


def test_what_waits_is_looked_through_by_keyboard(qtbot: Any, opened: Open, server: MadeUpLearning) -> None:
    for number in range(4):
        server.wait(f"r{number}", RUST, "new_class")
    server.wait("dark", CURL, "bad_picture")
    _, page = opened()
    page.step(1)
    look = page.look
    qtbot.waitUntil(lambda: look.tiles.rowCount() == 5, timeout=PATIENCE_MS)
    rows = [look.classes.item(row).text() for row in range(look.classes.count())]
    assert rows == ["All classes  5", "Okra: Leaf_curl  1  \u00b7 new", "Okra: Rust  4  \u00b7 new"]
    look.classes.setCurrentRow(2)
    qtbot.waitUntil(lambda: look.tiles.rowCount() == 4, timeout=PATIENCE_MS)
    assert "The model does not know Okra: Rust" in text_of(page)
    pressed(page, "Declare it as a new class")
    qtbot.waitUntil(lambda: not look.declare.isVisible(), timeout=PATIENCE_MS)
    look.grid.setFocus()
    look.grid.selectAll()
    assert "4 chosen." in text_of(page)
    qtbot.keyClick(look.grid, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "4 photographs accepted." in text_of(page), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: look.classes.count() == 2, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: look.tiles.rowCount() == 1, timeout=PATIENCE_MS)  # all that is left
    qtbot.keyClick(look, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: look.tiles.rowCount() == 5, timeout=PATIENCE_MS)
    assert {one["state"] for one in server.rows} == {"waiting"}


def test_one_gets_another_class(
    qtbot: Any, opened: Open, server: MadeUpLearning, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.declared_names.add(CURL)
    server.wait("a", RUST, "label_doubt")
    _, page = opened()
    page.step(1)
    qtbot.waitUntil(lambda: page.look.tiles.rowCount() == 1, timeout=PATIENCE_MS)
    page.look.grid.selectAll()
    assert "It is label_doubt." in page.look.about.text()
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: (CURL, True))
    qtbot.keyClick(page.look.grid, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: server.rows[0]["label"] == CURL, timeout=PATIENCE_MS)
    assert server.rows[0]["state"] == "accepted"


def test_pictures_are_fetched_when_they_come_into_sight(
    qtbot: Any, opened: Open, server: MadeUpLearning
) -> None:
    for number in range(600):
        server.wait(f"r{number}", RUST)
    asked: list[str] = []
    photograph = server.photograph
    server.photograph = lambda name: (asked.append(name), photograph(name))[1]  # type: ignore[method-assign]
    _, page = opened()
    page.step(1)
    qtbot.waitUntil(lambda: page.look.tiles.rowCount() == 600, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(page.look.tiles._pictures) > 5, timeout=PATIENCE_MS)
    assert len(asked) < 200


def test_the_model_learns_is_promoted_and_put_back(
    qtbot: Any, opened: Open, server: MadeUpLearning, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.declared_names.add(CURL)
    server.wait("a", CURL)
    server.rows[0]["state"] = "accepted"
    _, page = opened()
    page.step(2)
    qtbot.waitUntil(
        lambda: "1 photograph is accepted and not learned yet." in text_of(page), timeout=PATIENCE_MS
    )
    pressed(page, "Teach the model")
    qtbot.waitUntil(lambda: page.model.running.isVisible(), timeout=PATIENCE_MS)
    assert not page.model.pause.isVisible()  # a server's training goes on by itself
    progress = {"part": "train", "step": "epochs", "done": 1, "total": 9, "share": 0.1, "eta_s": 50}
    for share, loss in ((0.1, 2.0), (0.6, 1.0)):
        server.trainings[0]["progress"] = {**progress, "share": share, "metrics": {"loss": loss}}
        qtbot.waitUntil(
            lambda n=loss: any(v == n for _, v in page.learner.measured.get("loss", ())), timeout=PATIENCE_MS
        )  # type: ignore[misc]
    assert "Step 2 of 6: Epochs, 1 of 9" in text_of(page)
    assert "about 50 s left" in text_of(page)
    assert page.model.curves.isVisible()
    server.end_training()
    qtbot.waitUntil(lambda: "The gate held" in text_of(page), timeout=PATIENCE_MS)
    assert "8 right that the model before had wrong, and 7 wrong that it had right" in text_of(page)
    assert "1 photograph that neither learned from, and of which they say different things" in text_of(page)
    outcome = page.model.outcome
    assert outcome.tiles.tile(outcome.tiles.index(0)).caption == "Okra: Leaf curl\nbefore: cannot tell"
    assert outcome.checks.rows.cell(0, 0).text == "Not worse on the locked test"
    pressed(page, "Promote")
    qtbot.waitUntil(lambda: "It serves." in text_of(page), timeout=PATIENCE_MS)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("only tried", True))
    pressed(page, "Put the former model back")
    qtbot.waitUntil(lambda: server.served == "old", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "It serves." not in text_of(page), timeout=PATIENCE_MS)
    pressed(page, "Discard")
    assert not outcome.isVisible()


def test_after_a_training_that_failed_the_next_is_shown_whole(
    qtbot: Any, opened: Open, server: MadeUpLearning
) -> None:
    _, page = opened()
    page.step(2)
    outcome = page.model.outcome
    page.learner.teach("quick", "")
    qtbot.waitUntil(lambda: page.learner.training is not None, timeout=PATIENCE_MS)
    server.fail_training()
    qtbot.waitUntil(lambda: "The training failed" in text_of(page), timeout=PATIENCE_MS)
    assert "No space left. Free some space." in text_of(page)
    assert not outcome.checks.isVisible()
    assert not outcome.promote.isVisible()
    page.learner.teach("quick", "")
    qtbot.waitUntil(lambda: page.learner.training is not None, timeout=PATIENCE_MS)
    server.end_training()
    qtbot.waitUntil(lambda: "The gate held" in text_of(page), timeout=PATIENCE_MS)
    assert "It waits for you to promote it." in text_of(page)
    for part in (outcome.checks, outcome.measures, outcome.classes, outcome.grid):
        assert part.isVisible()
        assert part.viewport().isVisible()
    assert outcome.checks.horizontalHeader().isVisible()
    assert outcome.promote.isVisible()


def test_what_was_promoted_diagnoses_also_when_a_person_went_on_before_it_answered(
    qtbot: Any, opened: Open, server: MadeUpLearning, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(MainWindow, "_on_serving", lambda self, model: heard.append(model))
    window, page = opened()
    page.step(2)
    page.learner.teach("quick", "")
    qtbot.waitUntil(lambda: page.learner.training is not None, timeout=PATIENCE_MS)
    server.end_training()
    qtbot.waitUntil(lambda: "The gate held" in text_of(page), timeout=PATIENCE_MS)
    server.answering = "old"
    pressed(page, "Promote")
    qtbot.waitUntil(lambda: server.served == "new", timeout=PATIENCE_MS)
    window.go("diagnose")
    asked = server.asked
    qtbot.waitUntil(lambda: server.asked > asked + 1, timeout=PATIENCE_MS)
    assert "new" not in heard
    server.answering = None
    qtbot.waitUntil(lambda: "new" in heard, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not page.learner.is_settling, timeout=PATIENCE_MS)


def test_a_gate_that_did_not_hold_wants_a_reason(
    qtbot: Any, opened: Open, server: MadeUpLearning, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, page = opened()
    page.step(2)
    page.learner.teach("quick", "")
    qtbot.waitUntil(lambda: page.learner.training is not None, timeout=PATIENCE_MS)
    server.end_training(passed=False)
    qtbot.waitUntil(lambda: "The gate did not hold" in text_of(page), timeout=PATIENCE_MS)
    assert page.model.outcome.checks.rows.cell(0, 3).text == "\u2717 did not hold"
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", True))
    pressed(page, "Promote all the same")
    assert server.served == "old"
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("we need the crop", True))
    pressed(page, "Promote all the same")
    qtbot.waitUntil(lambda: server.served == "new", timeout=PATIENCE_MS)


def test_what_cannot_be_done_says_why(qtbot: Any, opened: Open, server: MadeUpLearning) -> None:
    server.wait("a", CURL)
    server.rows[0]["state"] = "accepted"
    _, page = opened()
    page.step(2)
    qtbot.waitUntil(lambda: page.model.teach.isEnabled(), timeout=PATIENCE_MS)
    page.model.way.setCurrentIndex(1)
    page.model.say()
    assert "There are no original photographs here." in text_of(page)
    assert not page.model.teach.isEnabled()


def test_a_server_that_is_away_is_said_and_comes_back(
    qtbot: Any, opened: Open, server: MadeUpLearning
) -> None:
    server.wait("a", CURL)
    window, page = opened()
    page.step(1)
    qtbot.waitUntil(lambda: page.look.tiles.rowCount() == 1, timeout=PATIENCE_MS)
    server.away = True
    page.learner.look_soon()
    qtbot.waitUntil(lambda: window.trouble.isVisible(), timeout=PATIENCE_MS)
    assert page.look.tiles.rowCount() == 1  # what was known stays
    window.go("diagnose")
    assert not window.trouble.isVisible()  # the trouble is that page's
    window.go("teach")
    server.away = False
    qtbot.waitUntil(lambda: not window.trouble.isVisible(), timeout=PATIENCE_MS)
