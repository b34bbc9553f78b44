"""Advice cards: open, or closed behind their titles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from leafsight.desktop.session import Advice
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.controls import emptied, words


class AdviceCards(QWidget):
    """The cards of one answer."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Advice, ...] = ()
        self._inside = QVBoxLayout(self)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(2)
        self.setVisible(False)

    def show_cards(self, cards: Sequence[Advice]) -> None:
        """Show these; what a person reads already is not drawn anew."""
        if tuple(cards) == self._shown:
            return
        self._shown = tuple(cards)
        emptied(self._inside)
        for one in self._shown:
            self._inside.addWidget(_Fold(one))
        self.setVisible(bool(self._shown))


class _Fold(QWidget):
    """A title that opens what is below it."""

    def __init__(self, one: Advice) -> None:
        super().__init__()
        self.title = QToolButton()
        self.title.setObjectName("fold")
        self.title.setText(one.title)
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.setCheckable(True)
        self.title.setChecked(one.is_open)
        self.text = words("", _as_html(one))
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setOpenExternalLinks(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.title.toggled.connect(self._open)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.title)
        inside.addWidget(self.text)
        self._open(one.is_open)

    def _open(self, is_open: bool) -> None:
        self.text.setVisible(is_open)
        self.title.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)


def _as_html(one: Advice) -> str:
    said = "".join(f"<p><b>{escape(title)}.</b> {escape(text)}</p>" for title, text in one.parts)
    sources = "; ".join(
        f'{escape(source.institution)}, <a href="{escape(source.url)}">{escape(source.title)}</a>'
        if source.url.startswith(("https://", "http://"))
        else f"{escape(source.institution)}, {escape(source.title)}"
        for source in one.sources
    )
    return f"{said}<p>{tr('From: {sources}.', sources=sources)}</p>" if sources else said
