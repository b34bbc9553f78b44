"""How everything looks: the colours of the web page, light and dark, and text in several sizes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from leafsight.desktop.session import Preferences


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours by what they are for; contrast of text on its ground is at least 4.5 (WCAG 2.2, 1.4.3)."""

    paper: str
    card: str
    ink: str
    quiet: str
    line: str
    edge: str
    accent: str
    on_accent: str
    tint: str
    warn: str
    bad: str
    warn_tint: str


LIGHT = Tokens(
    paper="#f7f8f5", card="#ffffff", ink="#18211c", quiet="#53605a", line="#d6dcd6", edge="#7a867f",
    accent="#1a6a43", on_accent="#ffffff", tint="#e3efe7", warn="#805300", bad="#a8321f", warn_tint="#fbf0d9",
)  # fmt: skip
DARK = Tokens(
    paper="#111512", card="#191f1b", ink="#e7ece8", quiet="#a3b0a8", line="#323b35", edge="#76837b",
    accent="#74cd9f", on_accent="#0c1a12", tint="#1f2e26", warn="#e6b45a", bad="#f39484", warn_tint="#2e2613",
)  # fmt: skip
BASE_POINTS = 10.5
WIDE_TEXT = 1.5
"""From this size of text on the bar at the top has no room for what can be done without."""
STYLE = "fusion"
LOOK_WORDS = {"system": "As the desktop", "light": "Light", "dark": "Dark"}


def is_dark(application: QApplication, preferences: Preferences) -> bool:
    """Whether the dark colours hold."""
    if preferences.look == "system":
        return application.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return preferences.look == "dark"


def tokens_for(application: QApplication, preferences: Preferences) -> Tokens:
    """The colours that hold."""
    return DARK if is_dark(application, preferences) else LIGHT


def dress(application: QApplication, preferences: Preferences) -> Tokens:
    """Give the whole application style, font and palette; the colours that hold are the answer.

    The sheet is for the parts of a window: Qt lays one of the whole application on a widget once for each
    that it lies in, some ten times.
    """
    tokens = tokens_for(application, preferences)
    if application.style().name() != STYLE:  # given again, it would be laid on every widget again
        application.setStyle(STYLE)
    font = QFont(application.font())
    font.setPointSizeF(BASE_POINTS * preferences.text_scale)
    application.setFont(font)
    application.setPalette(_palette(tokens))
    return tokens


def _palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for one, colour in (
        (role.Window, tokens.paper), (role.Base, tokens.card), (role.AlternateBase, tokens.paper),
        (role.Button, tokens.card), (role.Text, tokens.ink), (role.WindowText, tokens.ink),
        (role.ButtonText, tokens.ink), (role.PlaceholderText, tokens.quiet), (role.ToolTipBase, tokens.card),
        (role.ToolTipText, tokens.ink), (role.Highlight, tokens.accent), (role.Link, tokens.accent),
        (role.HighlightedText, tokens.on_accent), (role.Mid, tokens.line),
    ):  # fmt: skip
        palette.setColor(one, QColor(colour))
    for one in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, QColor(tokens.quiet))
    return palette


def sheet(tokens: Tokens, scale: float) -> str:
    """The sheet of every part of a window."""
    return _words_sheet(tokens, scale) + _controls_sheet(tokens, scale) + _lists_sheet(tokens, scale)


def _words_sheet(tokens: Tokens, scale: float) -> str:
    return f"""
    QWidget#top {{ background: {tokens.card}; border-bottom: 1px solid {tokens.line}; }}
    QLabel#brand {{ font-weight: 700; font-size: {BASE_POINTS * scale * 1.25:.1f}pt; }}
    QLabel#quiet, QLabel#status {{ color: {tokens.quiet}; }}
    QLabel#verdict {{ font-weight: 700; font-size: {BASE_POINTS * scale * 1.55:.1f}pt; }}
    QLabel#warn {{ color: {tokens.warn}; }}
    QLabel#sentence {{ font-weight: 650; font-size: {BASE_POINTS * scale * 1.2:.1f}pt; }}
    QLabel#sure {{ font-size: {BASE_POINTS * scale * 1.15:.1f}pt; color: {tokens.accent}; }}
    QLabel#heading {{ font-weight: 650; padding-top: 8px; }}
    QLabel#plant {{ font-weight: 650; font-size: {BASE_POINTS * scale * 1.3:.1f}pt; }}
    QLabel#key {{ font-weight: 650; color: {tokens.accent}; }}
    QToolButton#fold {{ border: 0; background: transparent; padding: 0 4px; font-weight: 600;
        min-height: {round(26 * scale)}px; }}
    QToolButton#fold:hover {{ color: {tokens.accent}; }}
    QPushButton#small {{ min-height: {round(24 * scale)}px; padding: 0 {round(8 * scale)}px; }}
    QFrame#trouble {{ background: {tokens.warn_tint}; border: 1px solid {tokens.warn}; border-radius: 8px; }}
    QFrame#card {{ background: {tokens.card}; border: 1px solid {tokens.line}; border-radius: 12px; }}
    """


def _controls_sheet(tokens: Tokens, scale: float) -> str:
    high, dot = round(34 * scale), round(12 * scale)
    return f"""
    QPushButton, QToolButton, QLineEdit {{
        min-height: {high}px; border: 1px solid {tokens.edge}; border-radius: 8px; background: {tokens.card};
        padding: 0 {round(12 * scale)}px;
    }}
    QPushButton:hover, QToolButton:hover {{ background: {tokens.tint}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {tokens.quiet}; border-color: {tokens.line}; }}
    QToolButton#tab {{ border: 1px solid transparent; background: transparent; font-weight: 600;
        padding: 0 {12 if scale < WIDE_TEXT else 6}px; }}
    QToolButton#tab:hover {{ background: {tokens.tint}; }}
    QToolButton#tab:checked {{ background: {tokens.tint}; color: {tokens.accent}; }}
    QToolButton#tab:focus {{ border: 2px solid {tokens.accent}; }}
    QPushButton#primary {{ background: {tokens.accent}; color: {tokens.on_accent}; font-weight: 600; }}
    QPushButton#primary:disabled {{
        background: {tokens.line}; color: {tokens.quiet}; border-color: {tokens.line};
    }}
    QToolButton::menu-indicator {{ image: none; }}
    QRadioButton {{ spacing: {round(8 * scale)}px; padding: 3px; }}
    QRadioButton::indicator {{
        width: {dot}px; height: {dot}px; border: 2px solid {tokens.edge}; border-radius: {dot // 2 + 2}px;
        background: {tokens.card};
    }}
    QRadioButton::indicator:checked {{
        border-color: {tokens.accent};
        background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5, stop:0 {tokens.accent},
            stop:0.5 {tokens.accent}, stop:0.6 {tokens.card}, stop:1 {tokens.card});
    }}
    QRadioButton:focus {{ border: 2px solid {tokens.accent}; border-radius: 6px; }}
    QLineEdit:disabled {{ color: {tokens.quiet}; border-color: {tokens.line}; background: {tokens.paper}; }}
    QComboBox {{ min-height: {high}px; padding: 0 6px; }}
    QPushButton:focus, QToolButton:focus, QLineEdit:focus, QListView:focus {{
        border: 2px solid {tokens.accent};
    }}
    """


def _lists_sheet(tokens: Tokens, scale: float) -> str:
    return f"""
    QListView {{ border: 1px solid {tokens.line}; border-radius: 8px; background: {tokens.card}; }}
    QListView {{ outline: 0; }}
    QListWidget::item {{ padding: {round(6 * scale)}px; }}
    QListWidget::item:selected {{ background: {tokens.tint}; color: {tokens.ink}; }}
    QHeaderView::section {{
        background: transparent; color: {tokens.quiet}; padding: 4px;
        border: 0; border-bottom: 1px solid {tokens.line};
    }}
    QScrollBar:vertical {{ width: 14px; background: transparent; margin: 3px; }}
    QScrollBar::handle:vertical {{ background: {tokens.edge}; border-radius: 4px; min-height: 32px; }}
    QScrollBar::handle:vertical:hover {{ background: {tokens.accent}; }}
    QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical {{ height: 0; }}
    QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical {{ background: transparent; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: 0; }}
    QProgressBar {{ border: 0; border-radius: 3px; background: {tokens.line}; max-height: 6px; }}
    QProgressBar::chunk {{ background: {tokens.accent}; border-radius: 3px; }}
    QSlider::groove:horizontal {{ height: 6px; background: {tokens.line}; border-radius: 3px; }}
    QSlider::sub-page:horizontal {{ background: {tokens.accent}; border-radius: 3px; }}
    QSlider::handle:horizontal {{
        width: 14px; height: 14px; margin: -6px 0; border: 2px solid {tokens.accent}; border-radius: 9px;
        background: {tokens.card};
    }}
    QSlider::handle:horizontal:focus {{ background: {tokens.accent}; }}
    QToolTip {{ border: 1px solid {tokens.edge}; }}
    """
