"""Underlined letters: on no page have two things that may be seen at once the same one, nor that of a tab."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QLabel, QStackedWidget, QTabBar, QWidget

from leafsight.desktop.session import Preferences, save_preferences
from leafsight.desktop.window.contents import PAGES

pytestmark = pytest.mark.gui


def with_a_letter(window: QWidget) -> Iterator[tuple[QWidget, str, str]]:
    for one in window.findChildren(QWidget):
        texts = []
        if isinstance(one, QAbstractButton) or (isinstance(one, QLabel) and one.buddy() is not None):
            texts = [one.text()]
        elif isinstance(one, QTabBar):
            texts = [one.tabText(at) for at in range(one.count())]
        for text in texts:
            if keys := QKeySequence.mnemonic(text).toString():
                yield one, keys, text
    for shortcut in window.findChildren(QShortcut):
        if shortcut.key().toString().startswith("Alt+") and isinstance(parent := shortcut.parent(), QWidget):
            yield parent, shortcut.key().toString(), "a shortcut"


def shown_in(widget: QWidget) -> dict[QWidget, int]:
    """Stacks that it lies in, and on which of their pages: of one stack one page is seen."""
    found: dict[QWidget, int] = {}
    child, parent = widget, widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QStackedWidget):
            found[parent] = parent.indexOf(child)
        child, parent = parent, parent.parentWidget()
    return found


def may_meet(one: QWidget, other: QWidget) -> bool:
    places, others = shown_in(one), shown_in(other)
    return one.window() is other.window() and all(
        place == others.get(stack, place) for stack, place in places.items()
    )


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_letter_stands_for_two_things(opened: Callable[..., Any], tmp_path: Path, language: str) -> None:
    save_preferences(Preferences(language=language), tmp_path / "state")
    window = opened()
    for name in PAGES:
        window.go(name)
    by_keys: dict[str, list[tuple[QWidget, str]]] = defaultdict(list)
    for widget, keys, text in with_a_letter(window):
        by_keys[keys].append((widget, text))
    assert len(by_keys) > 15
    twice = {
        (keys, text, other_text)
        for keys, rows in by_keys.items()
        for at, (widget, text) in enumerate(rows)
        for other, other_text in rows[at + 1 :]
        if may_meet(widget, other)
    }
    assert not twice
