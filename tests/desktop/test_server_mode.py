"""A server answers in the place of the model here; it goes away and comes back; a key is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import LABELS

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtWidgets import QLabel

from leafsight.desktop.session import Server, ServiceHere, load_server, own_command, save_server
from leafsight.desktop.window import diagnose
from leafsight.desktop.window.settings import SettingsPage
from leafsight.state import open_state

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000
Open = Callable[..., Any]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Any:
    """A real service with keys; it is reached as one of another computer is."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    state = open_state(f"sqlite:///{folder / 'leafsight.db'}")
    _, key = state.keys.make("a grower", ("predict",))
    service = ServiceHere(folder, own_command(), os.getpid())
    yield service, key, state
    service.stop()
    state.close()


def settings_of(window: Any) -> SettingsPage:
    window.go("settings")
    page = window.front
    assert isinstance(page, SettingsPage)
    return page


def choose(qtbot: Any, window: Any, address: str, key: str) -> str:
    """Types them, and what the page says then."""
    page = settings_of(window)
    page.there.setChecked(True)
    page.address.setText(address)
    page.key.setText(key)
    page.use.click()
    qtbot.waitUntil(lambda: page.server_said.text() not in ("", "The server is asked."), timeout=PATIENCE_MS)
    return str(page.server_said.text())


def answered(window: Any, number: int) -> bool:
    return len(window._session) == number and not window._session.waiting


def test_photographs_are_diagnosed_by_the_server_that_was_chosen(
    qtbot: Any, opened: Open, photos: Path, elsewhere: Any, tmp_path: Path
) -> None:
    service, key, state = elsewhere
    window = opened(model=None)
    address = service.server().address
    said = choose(qtbot, window, address, key)
    assert "It answers with the model plant-leaves" in said
    assert "does not let you teach" in said  # the key opens no more
    assert load_server(tmp_path / "state") == Server(address, key)
    texts = [one.text() for one in window.front.findChildren(QLabel)]
    assert any(f"are sent to {address}" in one for one in texts)
    window.go("diagnose")
    invited = [one.text() for one in window.page.invitation.findChildren(QLabel)]
    assert f"They are sent to {address}." in " ".join(invited)
    assert "stay on this computer" not in " ".join(invited)
    window.add([photos])
    qtbot.waitUntil(lambda: answered(window, 4), timeout=PATIENCE_MS)
    assert window._session.model.name == "plant-leaves"
    assert (
        sum(1 for _ in state.predictions.newest(limit=50)) == 4
        if hasattr(state.predictions, "newest")
        else True
    )
    page = settings_of(window)
    page.here.setChecked(True)
    page.use.click()
    window.go("diagnose")
    qtbot.waitUntil(lambda: answered(window, 4), timeout=PATIENCE_MS)
    assert load_server(tmp_path / "state").is_here


def test_a_wrong_key_and_a_wrong_address_are_said_and_nothing_is_chosen(
    qtbot: Any, opened: Open, elsewhere: Any, tmp_path: Path
) -> None:
    service, _, _ = elsewhere
    window = opened(model=None)
    said = choose(qtbot, window, service.server().address, "ls_no_such_key")
    assert "key" in said
    said = choose(qtbot, window, "http://127.0.0.1:9", "")
    assert "cannot reach http://127.0.0.1:9" in said
    assert load_server(tmp_path / "state").is_here
    assert window._reach.is_here


def test_a_server_that_goes_away_in_mid_work_is_asked_again_by_itself(
    qtbot: Any, opened: Open, photos: Path, elsewhere: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnose, "AGAIN_S", (0.2,))
    service, key, _ = elsewhere
    address = service.server().address
    save_server(Server(address, key), tmp_path / "state")
    window = opened(model=None)
    window.add([photos / "1 red.jpg"])
    qtbot.waitUntil(lambda: answered(window, 1), timeout=PATIENCE_MS)
    service.stop()
    window.add([photos])
    qtbot.waitUntil(lambda: window.trouble.isVisible(), timeout=PATIENCE_MS)
    assert window._session.waiting == 3
    # All are listed, and what was answered stays on the screen.
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 4, timeout=PATIENCE_MS)
    assert window._session.waiting == 3
    monkeypatch.setattr(service, "_words", with_port(service, address.rpartition(":")[2]))
    service.server()
    qtbot.waitUntil(lambda: answered(window, 4), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not window.trouble.isVisible(), timeout=PATIENCE_MS)


def with_port(service: Any, port: str) -> Callable[[], list[str]]:
    """The words of the service, on the port that it had."""
    words: list[str] = service._words()
    words[words.index("--port") + 1] = port
    return lambda: words


def test_a_server_is_not_asked_where_a_person_named_a_model(
    qtbot: Any, opened: Open, photos: Path, tmp_path: Path
) -> None:
    save_server(Server("http://127.0.0.1:9"), tmp_path / "state")
    window = opened()
    window.add([photos])
    qtbot.waitUntil(lambda: answered(window, 4), timeout=PATIENCE_MS)
    assert set(window._session.model.classes) == {one.key for one in LABELS}
