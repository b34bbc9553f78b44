"""A model card: Markdown of nobody known. Nothing that it names is loaded, and no HTML in it is read."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextCharFormat, QTextCursor, QTextDocument, QTextImageFormat
from PySide6.QtWidgets import QTextBrowser

from leafsight.desktop.session.card_text import readable_card
from leafsight.desktop.session.language import tr
from leafsight.desktop.window.theme import Tokens

SCHEMES = ("http", "https")
MARGIN_PX = 12


class _Bare(QTextDocument):
    """A document that loads nothing: no picture, no style sheet, no file of this computer."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:  # noqa: N802
        """Nothing, whatever is asked for."""
        return None


class CardView(QTextBrowser):
    """Shows a card; a link leads outside when somebody presses it."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._text = ""
        self._bare = _Bare(self)
        self._bare.setDocumentMargin(MARGIN_PX)
        self.setDocument(self._bare)
        self.setOpenLinks(False)
        self.setAccessibleName(tr("Model card"))
        self.anchorClicked.connect(self._go)
        self.wear(tokens)

    def show_card(self, text: str) -> None:
        """Show this one; that there is none is said, too."""
        self._text = text
        shown, is_markdown = readable_card(text)
        if not text.strip():
            self._bare.setPlainText(tr("Its maker wrote no card."))
        elif is_markdown:
            feature = QTextDocument.MarkdownFeature
            self._bare.setMarkdown(shown, feature.MarkdownDialectGitHub | feature.MarkdownNoHTML)
            self._without_pictures()
        else:
            self._bare.setPlainText(shown)

    def wear(self, tokens: Tokens) -> None:
        """Other colours hold."""
        self._bare.setDefaultFont(self.font())
        self.show_card(self._text)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:  # noqa: N802
        """Nothing, whatever is asked for."""
        return None

    def _without_pictures(self) -> None:
        """In the place of a picture stand its words."""
        found = []
        block = self._bare.begin()
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                piece = pieces.fragment()
                if piece.charFormat().isImageFormat():
                    found.append((piece.position(), piece.length(), piece.charFormat().toImageFormat()))
                pieces += 1
            block = block.next()
        for position, length, form in reversed(found):
            cursor = QTextCursor(self._bare)
            cursor.setPosition(position)
            cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(_instead_of(form), QTextCharFormat())

    def _go(self, address: QUrl) -> None:
        if address.scheme().lower() in SCHEMES:
            QDesktopServices.openUrl(address)


def _instead_of(form: QTextImageFormat) -> str:
    words = str(form.property(QTextImageFormat.Property.ImageAltText) or "")
    return tr("[picture: {words}]", words=words) if words else tr("[picture]")
