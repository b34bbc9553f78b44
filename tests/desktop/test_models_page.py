"""The page of models, without a screen: what a person does there, and what they then see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.fakes.models_server import LOST, ModelsServer, ReachOf, model_id
from tests.fakes.tiny_bundle import write_tiny_bundle

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QMessageBox, QWidget

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.desktop import DesktopOptions
from leafsight.desktop.session import Preferences, Server, Session, bundle_loader
from leafsight.desktop.session.shelf import Shelf
from leafsight.desktop.window.application import make_application, make_window
from leafsight.desktop.window.model_details import CARD, CLASSES, COMPARED, FACTS, NUMBERS
from leafsight.desktop.window.models import ModelsPage
from leafsight.desktop.window.pages import Around
from leafsight.desktop.window.switching import SwitchDialog
from leafsight.desktop.window.tables import Table
from leafsight.desktop.window.theme import DARK, LIGHT, dress
from leafsight.errors import ForbiddenError
from leafsight.images import DecodeLimits

pytestmark = pytest.mark.gui
PATIENCE_MS = 20_000
SECRET = "here-is-a-secret"


@pytest.fixture
def server() -> ModelsServer:
    return ModelsServer()


@pytest.fixture
def reach(server: ModelsServer, tmp_path: Path) -> ReachOf:
    return ReachOf(server, tmp_path / "state")


Open = Callable[[], ModelsPage]


@pytest.fixture
def opened(qtbot: Any, reach: ReachOf, tmp_path: Path) -> Iterator[Open]:
    """Makes the page alone, as the window does when somebody goes there."""
    made: list[ModelsPage] = []
    session = Session(bundle_loader(None, DecodeLimits()))
    options = DesktopOptions(state_dir=tmp_path / "state")

    def make() -> ModelsPage:
        application = make_application()
        dress(application, Preferences(look="light"))
        around = Around(
            session,
            options,
            Preferences,
            lambda **_: None,
            lambda: LIGHT,
            lambda name: None,
            reach,
            lambda model: None,
            lambda: None,
        )
        page = ModelsPage(around, lambda reach, wake: Shelf(reach, wake, pauses_s=(0.01,)))
        qtbot.addWidget(page, before_close_func=lambda page: page.leave())
        page.resize(1180, 700)
        page.show()
        made.append(page)
        return page

    yield make
    for page in made:
        page.leave()
    session.close()


@pytest.fixture
def page(opened: Open, qtbot: Any) -> ModelsPage:
    made = opened()
    qtbot.waitUntil(lambda: len(rows(made)) == 2 and "First guess" in rows(made)[1], timeout=PATIENCE_MS)
    return made


def rows(page: ModelsPage) -> list[str]:
    return [page.rows.data(page.rows.index(row)) for row in range(page.rows.rowCount())]


def cells(table: Table) -> list[list[str]]:
    model = table.model()
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def text(widget: QWidget) -> str:
    """All that is written on a widget and can be seen."""
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible() and one.text())


def dialog(page: ModelsPage) -> SwitchDialog:
    return next(one for one in page.findChildren(SwitchDialog) if one.isVisible())


def no_dialog(page: ModelsPage) -> bool:
    return not [one for one in page.findChildren(SwitchDialog) if one.isVisible()]


def test_the_list_says_what_each_is_and_which_serves(page: ModelsPage) -> None:
    orchard, colours = rows(page)
    assert orchard.startswith(
        "orchard bbbbbbbb. First guess right: 95.0 % (94.0 to 96.0). 4 classes \u00b7 2.5 MB"
    )
    assert orchard.endswith("note of orchard")
    assert "kept since 24 Nov 2026" in orchard
    assert colours.startswith("colours aaaaaaaa. In service. First guess right: 90.0 %")
    assert "came with leafsight" in colours
    assert page.list.currentIndex().row() == 1, "the one in service is shown first"
    assert "colours" in text(page.details)
    assert not page.details.use.isEnabled()
    assert not page.details.compare.isEnabled()
    assert "colours (aaaaaaaa) serves; nothing was promoted yet." in text(page.history)
    assert not page.history.back.isEnabled()


def test_what_was_measured_at_home_and_elsewhere(page: ModelsPage, qtbot: Any) -> None:
    assert "It was never tested on photographs from elsewhere." in text(page.details)
    page.choose(model_id("b"))
    numbers = cells(page.details.numbers)
    titles = [page.details.numbers.model().headerData(at, Qt.Orientation.Horizontal) for at in range(5)]
    assert [one.replace("\n", " ") for one in titles] == [
        "Measure", "Like those it learned from", "From elsewhere: far-orchard", "paper", "field",
    ]  # fmt: skip
    assert numbers[0] == ["Photographs", "100", "30", "60", "40"]
    assert numbers[1][:3] == [
        "First guess right\n(accuracy)",
        "95.0 %\n(94.0 to 96.0)",
        "60.0 %\n(59.0 to 61.0)",
    ]
    assert numbers[2][1] == "not measured"
    assert "It can name 3 conditions of 2 crops: apple, tomato." in text(page.details)
    assert "never tested" not in text(page.details)


def test_classes_stand_worst_first_and_are_sorted_by_a_click(page: ModelsPage, qtbot: Any) -> None:
    table = page.details.classes
    page.details.tabs.setCurrentIndex(CLASSES)
    assert [row[0] for row in cells(table)] == [
        "Apple: scab", "Apple: healthy", "Tomato: early blight", "Not a leaf",
    ]  # fmt: skip
    assert cells(table)[0][1:3] == ["40", "50.0 % (49.0 to 51.0)"]
    assert cells(table)[2][1] == "16 (few)"
    header = table.horizontalHeader()
    middle = header.sectionViewportPosition(1) + header.sectionSize(1) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=_at(middle, header.height() // 2))
    assert [row[1] for row in cells(table)] in (
        ["4 (few)", "16 (few)", "28", "40"],
        ["40", "28", "16 (few)", "4 (few)"],
    )
    assert "Apple: scab taken for Tomato: early blight: 3 photographs, 8 % of that class" in text(
        page.details
    )


def _at(x: int, y: int) -> Any:
    from PySide6.QtCore import QPoint

    return QPoint(x, y)


def test_it_is_held_against_the_one_in_service(page: ModelsPage, server: ModelsServer, qtbot: Any) -> None:
    page.choose(model_id("b"))
    qtbot.mouseClick(page.details.compare, Qt.MouseButton.LeftButton)
    assert page.details.tabs.currentIndex() == COMPARED
    compared = cells(page.details.compared)
    found = {row[0]: row[1:] for row in reversed(compared)}  # at home, above what is from elsewhere
    assert found["First guess right"][2] == "5.0 points higher: better"
    assert [row[3] for row in compared if row[0] == "First guess right"][1] == "nothing to compare with"
    assert found["Right when it names one"][2] == "the same"
    assert found["Size"][2] == "the same"
    assert "Both were tested on the same photographs." in text(page.details)
    assert "Both can name the same conditions." in text(page.details)
    page.choose(model_id("a"))
    assert not page.details.tabs.isTabVisible(COMPARED)


def test_tests_on_other_photographs_are_told(opened: Open, server: ModelsServer, qtbot: Any) -> None:
    server.put("c", name="other", accuracy=0.9, provenance={"split_fingerprint": "f2"})
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 3, timeout=PATIENCE_MS)
    page.choose(model_id("c"))
    qtbot.waitUntil(page.details.compare.isEnabled, timeout=PATIENCE_MS)
    page.details.compare.click()
    assert "These models were tested on different photographs." in text(page.details)


def test_what_it_was_made_from(page: ModelsPage, qtbot: Any) -> None:
    page.details.tabs.setCurrentIndex(FACTS)
    qtbot.waitUntil(lambda: "a" * 64 in text(page.details), timeout=PATIENCE_MS)
    said = text(page.details)
    for one in ("came with leafsight", "note of colours", "2.5 MB", "quick"):
        assert one in said
    page.details.tabs.setCurrentIndex(NUMBERS)


def test_another_model_is_put_in_service_with_a_window_that_names_both(
    page: ModelsPage, server: ModelsServer, qtbot: Any
) -> None:
    page.choose(model_id("b"))
    qtbot.mouseClick(page.details.use, Qt.MouseButton.LeftButton)
    asked = dialog(page)
    assert "orchard (bbbbbbbb) will answer instead of colours (aaaaaaaa)." in text(asked)
    qtbot.keyClicks(asked.reason, "it sees more")
    qtbot.keyClick(asked.reason, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: no_dialog(page), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: page.status.text() == "orchard (bbbbbbbb) is in service.", timeout=PATIENCE_MS)
    assert "promote b 'it sees more' False" in server.asked
    assert "In service" in rows(page)[0]
    assert not page.details.use.isEnabled()
    assert page.history.list.count() == 1
    first = page.history.list.item(0).text()
    assert (
        "Promoted orchard (bbbbbbbb)\ninstead of colours (aaaaaaaa), by somebody\nWhy: it sees more" in first
    )
    qtbot.mouseClick(page.history.back, Qt.MouseButton.LeftButton)
    assert "colours (aaaaaaaa) will answer again instead of orchard (bbbbbbbb)." in text(dialog(page))
    dialog(page).go.click()
    qtbot.waitUntil(lambda: page.status.text() == "colours (aaaaaaaa) is in service.", timeout=PATIENCE_MS)
    assert page.history.list.item(0).text().count("Rolled back to colours (aaaaaaaa)") == 1


def test_leaving_it_as_it_is_changes_nothing(page: ModelsPage, server: ModelsServer, qtbot: Any) -> None:
    page.choose(model_id("b"))
    page.details.use.click()
    qtbot.keyClick(dialog(page), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not page.findChildren(SwitchDialog), timeout=PATIENCE_MS)
    assert not [one for one in server.asked if one.startswith("promote")]


def test_a_gate_that_did_not_hold_wants_a_reason(opened: Open, server: ModelsServer, qtbot: Any) -> None:
    server.gates["j1"] = {"candidate": model_id("c"), "passed": False, "said": "It lost a class."}
    server.put("c", name="taught", accuracy=0.9, provenance={"retraining": {"job": "j1", "parent": "a" * 64}})
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 3, timeout=PATIENCE_MS)
    page.choose(model_id("c"))
    qtbot.waitUntil(
        lambda: "Its gate did not hold: It lost a class." in text(page.details), timeout=PATIENCE_MS
    )
    page.details.use.click()
    asked = dialog(page)
    assert "Its gate did not hold: It lost a class." in text(asked)
    assert asked.go.text() == "Use it all the &same"
    assert not asked.go.isEnabled()
    qtbot.keyClicks(asked.reason, "we need okra")
    asked.go.click()
    qtbot.waitUntil(lambda: "promote c 'we need okra' True" in server.asked, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: no_dialog(page), timeout=PATIENCE_MS)


def test_a_gate_that_only_the_server_knows_of_is_told_in_the_same_window(
    page: ModelsPage, server: ModelsServer, qtbot: Any
) -> None:
    server.gates["elsewhere"] = {"candidate": model_id("b"), "passed": False, "said": "it lost a class"}
    page.choose(model_id("b"))
    page.details.use.click()
    asked = dialog(page)
    asked.go.click()
    qtbot.waitUntil(lambda: asked.go.text() == "Use it all the &same", timeout=PATIENCE_MS)
    assert "the gate of this model did not hold: it lost a class." in text(asked)
    assert "override" not in text(asked)
    assert not asked.go.isEnabled()
    qtbot.keyClicks(asked.reason, "all the same")
    asked.go.click()
    qtbot.waitUntil(lambda: no_dialog(page), timeout=PATIENCE_MS)


def test_a_switch_that_fails_is_told_in_its_window_and_above_when_that_was_closed(
    page: ModelsPage, server: ModelsServer, qtbot: Any
) -> None:
    told: list[Any] = []
    page.troubled.connect(told.append)
    page.choose(model_id("b"))
    page.details.use.click()
    server.no_history = LOST
    dialog(page).go.click()
    qtbot.waitUntil(
        lambda: "cannot reach the server\nis it running?" in text(dialog(page)), timeout=PATIENCE_MS
    )
    assert dialog(page).go.isEnabled()
    server.wait.clear()
    dialog(page).go.click()
    qtbot.waitUntil(lambda: bool(page.shelf.under_way), timeout=PATIENCE_MS)
    assert "Another model is being put in service." in page.unfinished()
    dialog(page).reject()
    server.wait.set()
    qtbot.waitUntil(lambda: LOST.message in [one.message for one in told if one], timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not page.findChildren(SwitchDialog), timeout=PATIENCE_MS)


def test_a_server_that_goes_away_leaves_what_is_shown(
    page: ModelsPage, server: ModelsServer, qtbot: Any
) -> None:
    told: list[Any] = []
    page.troubled.connect(told.append)
    server.failing = LOST
    page.shelf.refresh()
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert told[-1].message == "cannot reach the server"
    assert len(rows(page)) == 2
    assert page.details.tabs.isVisible()
    server.failing = None
    page.try_again()
    qtbot.waitUntil(lambda: told[-1] is None, timeout=PATIENCE_MS)


def test_before_anything_is_known_it_says_what_it_waits_for(
    opened: Open, server: ModelsServer, qtbot: Any
) -> None:
    server.wait.clear()
    page = opened()
    assert "The service of this computer is being started" in text(page)
    server.failing = LOST
    server.wait.set()
    qtbot.waitUntil(lambda: "as soon as they can be asked for" in text(page), timeout=PATIENCE_MS)
    server.failing = None
    qtbot.waitUntil(lambda: page.rows.rowCount() == 2, timeout=PATIENCE_MS)


def test_who_may_only_look_sees_all_and_is_told(opened: Open, server: ModelsServer, qtbot: Any) -> None:
    server.no_history = ForbiddenError("no scope")
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    page.choose(model_id("b"))
    assert not page.details.use.isEnabled()
    assert not page.history.back.isEnabled()
    assert "want a key with the scope admin. Such a key is given on the page Settings." in text(page.history)


def test_a_server_elsewhere_takes_and_gives_no_files(opened: Open, reach: ReachOf, qtbot: Any) -> None:
    reach.choose(Server("https://leaf.example"))
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    assert "Models of https://leaf.example" in text(page)
    assert not page.import_button.isEnabled()
    assert page.import_button.toolTip() == "A server elsewhere takes no model files from here."
    assert not page.details.export.isEnabled()
    assert "A server elsewhere gives no model files." in text(page.details)


def test_a_model_that_the_operator_named_is_not_in_the_list(
    opened: Open, server: ModelsServer, qtbot: Any
) -> None:
    server.serving = model_id("9")
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    assert "The model in service is a file that the operator named" in text(page)
    assert page.list.currentIndex().row() == 0


def test_files_are_imported_and_exported_by_hand(
    page: ModelsPage, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny_bundle(tmp_path / "okra.leafsight", name="okra")
    short = open_bundle(path).content_hash[:8]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(path)], ""))
    page.import_button.click()
    qtbot.waitUntil(
        lambda: page.status.text().startswith(f"okra ({short}) is on the shelf."), timeout=PATIENCE_MS
    )
    # What a dialog did not ask about is asked: it adds the ending after it had asked about the name without.
    target = tmp_path / "out.leafsight"
    target.write_bytes(b"mine")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out"), ""))
    page.shelf.models = tuple(
        one.model_copy(update={"id": open_bundle(builtin_bundle_path()).content_hash}) if one.builtin else one
        for one in page.shelf.models or ()
    )
    page._show()
    page.choose(open_bundle(builtin_bundle_path()).content_hash)
    answers = iter((QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: next(answers))
    page.export()
    assert target.read_bytes() == b"mine"
    page.export()
    qtbot.waitUntil(lambda: page.status.text() == f"8.4 MB written to {target}.", timeout=PATIENCE_MS)
    assert target.read_bytes() == builtin_bundle_path().read_bytes()


def test_a_dropped_file_that_is_no_model_says_so(page: ModelsPage, tmp_path: Path, qtbot: Any) -> None:
    told: list[Any] = []
    page.troubled.connect(told.append)
    (tmp_path / "leaf.jpg").write_bytes(b"a photograph")
    page.open_places([tmp_path / "leaf.jpg"])
    qtbot.waitUntil(lambda: bool(told), timeout=PATIENCE_MS)
    assert told[-1].message == "leaf.jpg is no model of leafsight"


class Listener(HTTPServer):
    """Hears whether anybody asks for a picture."""

    heard = 0


class _Heard(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Listener)
        self.server.heard += 1

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_hostile_card_loads_and_runs_nothing(
    opened: Open, server: ModelsServer, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(("127.0.0.1", 0), _Heard)
    Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    outside = f"http://127.0.0.1:{listener.server_port}"
    (tmp_path / "secret.txt").write_text(SECRET)
    card = f"""# hostile

![a leaf]({outside}/x.png) ![mine](file://{tmp_path}/secret.txt) ![inside](data:image/png;base64,iVBORw0KGgo=)
<img src="{outside}/y.png"> <script>alert(1)</script>
<style>@import url({outside}/z.css);</style>
<iframe src="file://{tmp_path}/secret.txt"></iframe>

[paper]({outside}/paper) [trap](javascript:alert(1)) [file](file://{tmp_path}/secret.txt)
"""
    server.put("c", name="hostile", accuracy=0.9, card=card)
    page = opened()
    qtbot.waitUntil(lambda: page.rows.rowCount() == 3, timeout=PATIENCE_MS)
    page.choose(model_id("c"))
    qtbot.waitUntil(page.details.tabs.isVisible, timeout=PATIENCE_MS)
    page.details.tabs.setCurrentIndex(CARD)
    shown = page.details.card.toPlainText()
    assert "[picture: a leaf] [picture: mine] [picture: inside]" in shown
    assert "<script>alert(1)</script>" in shown, "what looks like HTML is shown as it is written"
    assert "<img" not in page.details.card.toHtml()
    assert SECRET not in page.details.card.toHtml()
    page.grab()
    gone: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda address: gone.append(address.toString()))
    for address in ("javascript:alert(1)", f"file://{tmp_path}/secret.txt", "x.html", f"{outside}/paper"):
        page.details.card.anchorClicked.emit(QUrl(address))
    assert gone == [f"{outside}/paper"]
    assert page.details.card.toPlainText() == shown, "it stays where it is"
    listener.shutdown()
    listener.server_close()
    assert listener.heard == 0


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(page: ModelsPage, qtbot: Any) -> None:
    page.choose(model_id("b"))
    for one in page.findChildren(QAbstractButton):
        if one.isVisible() and one.focusPolicy() != Qt.FocusPolicy.NoFocus:
            assert one.text() or one.accessibleName()
    for table in (
        page.list,
        page.history.list,
        page.details.numbers,
        page.details.classes,
        page.details.card,
    ):
        assert table.accessibleName()
    page.list.setFocus()
    page.list.setCurrentIndex(page.rows.index(0))
    qtbot.keyClick(page.list, Qt.Key.Key_Down)
    assert text(page.details).startswith("colours")
    seen = set()
    at: QWidget | None = page.list
    for _ in range(400):
        at = at.nextInFocusChain() if at is not None else None
        if at is not None and at.isVisible() and at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            seen.add(at)
    assert {page.details.export, page.details.numbers} <= seen


def test_it_wears_other_colours_and_larger_text(page: ModelsPage, qtbot: Any) -> None:
    for number in range(5):
        page.details.tabs.setCurrentIndex(number)
        page.wear(DARK)
        page.grab()


def test_the_window_goes_there(qtbot: Any, colour_model: Path, tmp_path: Path, server: ModelsServer) -> None:
    make_application()
    window = make_window(DesktopOptions(state_dir=tmp_path / "state", model=colour_model))
    reach = ReachOf(server, tmp_path / "state")
    object.__setattr__(window._around, "reach", reach)
    window.show()
    window.go("models")
    page = window.front
    assert isinstance(page, ModelsPage)
    qtbot.waitUntil(lambda: page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    server.failing = LOST
    page.shelf.refresh()
    qtbot.waitUntil(lambda: window.trouble.isVisible(), timeout=PATIENCE_MS)
    assert window.trouble_words.text() == "cannot reach the server\nis it running?"
    server.failing = None
    window._try_again()
    qtbot.waitUntil(lambda: not window.trouble.isVisible(), timeout=PATIENCE_MS)
    window.leave()
