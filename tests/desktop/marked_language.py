"""A language in which every sentence is itself, in brackets: what stands outside was never translated.

Enters: what the window can say. Leaves: a translator's file of that language; and of a text that is shown,
the words that no translator could have reached.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import polib
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QTableView,
    QTabWidget,
    QToolButton,
    QWidget,
)

COLLECTOR = Path(__file__).parents[2] / "packaging" / "languages" / "collect.py"
PLACE = re.compile(r"(\{\w+\})")
OPENS, CLOSES, OPENS_VALUE, CLOSES_VALUE = "⟦", "⟧", "⟨", "⟩"
MOST_ROWS = 60


def collector() -> ModuleType:
    """The script that collects what the window can say."""
    spec = importlib.util.spec_from_file_location("collect_languages", COLLECTOR)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def write_marked(path: Path) -> None:
    """Every sentence in brackets, and every value in it in brackets of its own."""
    po = polib.POFile()
    po.metadata = {
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
        "Content-Type": "text/plain; charset=utf-8",
    }
    for context, one, many in collector().messages():
        if context == "figure":
            continue
        entry = polib.POEntry(msgid=one, msgctxt=context or None)
        if many:
            entry.msgid_plural = many
            entry.msgstr_plural = {0: marked(one), 1: marked(many)}
        else:
            entry.msgstr = marked(one)
        po.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    po.save(str(path))


def marked(text: str) -> str:
    """In brackets, with its values in theirs."""
    return OPENS + PLACE.sub(rf"{OPENS_VALUE}\1{CLOSES_VALUE}", text) + CLOSES


def outside(text: str) -> str:
    """What of a text stands in no sentence of ours: outside of all brackets, or in those of a value."""
    inside: list[str] = []
    found = []
    for one in text:
        if one in (OPENS, OPENS_VALUE):
            inside.append(one)
            found.append(" ")
        elif one in (CLOSES, CLOSES_VALUE):
            if inside:
                inside.pop()
            found.append(" ")
        elif not inside or inside[-1] == OPENS_VALUE:
            found.append(one)
    return " ".join("".join(found).split())


def shown_texts(window: QWidget) -> Iterator[tuple[str, str]]:
    """Every text that a person sees or hears in a window, with what shows it."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisibleTo(window):
            continue
        name = type(widget).__name__
        for text in (
            *_own_texts(widget),
            widget.toolTip(),
            widget.accessibleName(),
            widget.accessibleDescription(),
        ):
            if text:
                yield name, text
        if isinstance(widget, QAbstractItemView):
            yield from ((name, text) for text in _cells(widget))


def _own_texts(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    elif isinstance(widget, QComboBox):
        yield from (widget.itemText(at) for at in range(widget.count()))
    elif isinstance(widget, QTabWidget):
        yield from (widget.tabText(at) for at in range(widget.count()))
    if isinstance(widget, QToolButton) and widget.menu() is not None:
        yield from (action.text() for action in widget.menu().actions())


def _cells(view: QAbstractItemView) -> Iterator[str]:
    model: Any = view.model()
    if model is None:
        return
    roles = (
        Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole,
    )  # fmt: skip
    columns = model.columnCount() if isinstance(view, QTableView) else 1
    for row in range(min(model.rowCount(), MOST_ROWS)):
        for column in range(columns):
            for role in roles:
                text = model.index(row, column).data(role)
                if isinstance(text, str) and text:
                    yield text
    for column in range(columns if isinstance(view, QTableView) else 0):
        text = model.headerData(column, Qt.Orientation.Horizontal)
        if isinstance(text, str) and text:
            yield text
