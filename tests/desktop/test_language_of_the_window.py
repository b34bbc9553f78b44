"""A person chooses a language: the window is opened anew in it, with everything that was open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QFileDialog

from leafsight.desktop import DesktopOptions
from leafsight.desktop.session import load_preferences
from leafsight.desktop.session.language import (
    is_english,
    tr,
)
from leafsight.desktop.window import application, speaking
from leafsight.desktop.window.settings import SettingsPage

pytestmark = pytest.mark.gui
Open = Callable[..., Any]
PATIENCE_MS = 20_000
FRENCH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Close?"
msgstr "Fermer ?"

msgid "&Diagnose"
msgstr "&Diagnostiquer"
"""


def settings_of(window: Any) -> Any:
    window.go("settings")
    page = window.front
    assert isinstance(page, SettingsPage)
    return page._language


def choose(box: QComboBox, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_the_next_window_speaks_as_was_chosen(qtbot: Any, opened: Open, photos: Path) -> None:
    first = opened(photos=())
    first.add([photos])
    qtbot.waitUntil(lambda: len(first._session) == 4 and not first._session.waiting, timeout=PATIENCE_MS)
    shown = settings_of(first)
    assert not shown.again.isVisible(), "nothing changed yet"
    choose(shown.language, "es")
    assert shown.later.isVisible()
    assert shown.again.isVisible()
    choose(shown.language, "")
    assert not shown.again.isVisible(), "as it is already"
    choose(shown.language, "es")
    assert first.tabs["diagnose"].text() == "&Diagnose", "what is on the screen stays"
    shown.again.click()
    assert first.wants_again
    assert not first.isVisible()

    second = opened(photos=())
    assert second.tabs["diagnose"].text() == "&Diagnosticar"
    assert len(second._session) == 4
    assert settings_of(second).language.currentData() == "es"
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(buttons)
    cancel = buttons.button(QDialogButtonBox.StandardButton.Cancel)
    assert cancel.text().replace("&", "") == "Cancelar", "Qt's own dialogs speak it, too"


def test_who_does_not_want_to_close_goes_on(
    qtbot: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    monkeypatch.setattr(window.page, "unfinished", lambda: "Something waits.")
    monkeypatch.setattr(window, "_may_close", lambda unfinished: False)
    window.open_again()
    assert not window.wants_again
    assert window.isVisible()
    window.leave()


def test_a_window_that_keeps_nothing_does_not_offer_to_open_again(qtbot: Any, opened: Open) -> None:
    shown = settings_of(opened(new_window=True))
    choose(shown.sizes, "binary")
    assert shown.later.isVisible()
    assert not shown.again.isVisible()


def test_units_hold_in_the_next_window(qtbot: Any, opened: Open, tmp_path: Path) -> None:
    shown = settings_of(opened())
    choose(shown.sizes, "binary")
    choose(shown.dates, "iso")
    shown.again.click()
    kept = load_preferences(tmp_path / "state")
    assert (kept.sizes, kept.dates) == ("binary", "iso")
    opened()
    from leafsight.desktop.session.wording import in_bytes

    assert in_bytes(3 * 1024 * 1024) == "3.0 MiB"


def test_a_language_comes_from_a_file(
    qtbot: Any, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fr.po").write_text(FRENCH, encoding="utf-8")
    window = opened()
    shown = settings_of(window)
    wanted = str(tmp_path / "fr.po")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (wanted, ""))
    shown._add()
    assert shown.language.currentText() == "Français"
    (tmp_path / "state" / "languages" / "fr.po").unlink()
    (tmp_path / "fr.po").write_text("no translation", encoding="utf-8")
    shown._add()
    assert "fr.po" in window.trouble_words.text()
    assert window.trouble.isVisible()
    (tmp_path / "fr.po").write_text(FRENCH, encoding="utf-8")
    shown._add()
    shown.again.click()
    again = opened()
    assert again.tabs["diagnose"].text() == "&Diagnostiquer"
    assert again.tabs["models"].text() == "&Models", "what nobody translated is English"


def test_a_language_that_is_gone_is_english(qtbot: Any, opened: Open, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "preferences.json").write_text('{"language": "xx"}')
    assert opened().tabs["diagnose"].text() == "&Diagnose"
    assert is_english()


def test_the_computers_language_is_spoken_where_nobody_chose(
    qtbot: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "os", SimpleNamespace(environ={"LANGUAGE": "es_MX"}))
    assert opened().tabs["teach"].text().replace("&", "") == "Enseñar"
    assert tr("Close?") != "Close?"


def test_a_window_that_is_wanted_again_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one begins with what was kept, not with what the first was started with."""
    seen: list[DesktopOptions] = []

    def until_closed(options: DesktopOptions, keeper: object, end: threading.Event) -> tuple[int, bool]:
        seen.append(options)
        if keeper is not None:
            keeper.close()  # type: ignore[attr-defined]
        return 0, len(seen) == 1

    monkeypatch.setattr(application, "_until_closed", until_closed)
    monkeypatch.setattr(application.signal, "signal", lambda *_: None)
    options = DesktopOptions(state_dir=tmp_path / "state", photos=(tmp_path / "a.jpg",), fresh=True)
    assert application.open_window(options) == 0
    assert [one.photos for one in seen] == [(tmp_path / "a.jpg",), ()]
    assert [one.fresh for one in seen] == [True, False]
