"""How the page of models looks."""

from __future__ import annotations

from leafsight.desktop.window.theme import Tokens


def models_sheet(tokens: Tokens) -> str:
    """What the sheet of the whole window lacks for tables, tabs inside a page and a button that is off."""
    return f"""
    QPushButton#primary:disabled {{ background: {tokens.line}; color: {tokens.quiet}; }}
    QLabel#caution {{ color: {tokens.warn}; }}
    QTableView, QTextBrowser, QListWidget {{
        background: {tokens.card}; border: 1px solid {tokens.line}; border-radius: 8px;
    }}
    QTableView::item {{ padding: 4px 8px; border-bottom: 1px solid {tokens.line}; }}
    QTableView::item:selected {{ background: {tokens.tint}; color: {tokens.ink}; }}
    QListWidget::item {{ padding: 4px 6px; }}
    QListWidget::item:selected {{ background: {tokens.tint}; color: {tokens.ink}; }}
    QTableView:focus, QTextBrowser:focus, QListWidget:focus {{ border: 2px solid {tokens.accent}; }}
    QHeaderView {{ background: {tokens.card}; border: 0; }}
    QHeaderView::section {{
        background: {tokens.card}; color: {tokens.quiet}; border: 0; border-bottom: 1px solid {tokens.edge};
        padding: 6px 8px;
    }}
    QScrollBar:horizontal {{ height: 14px; background: transparent; margin: 3px; }}
    QScrollBar::handle:horizontal {{ background: {tokens.edge}; border-radius: 4px; min-width: 32px; }}
    QScrollBar::handle:horizontal:hover {{ background: {tokens.accent}; }}
    QScrollBar::add-line:horizontal, QScrollBar::sub-line:horizontal {{ width: 0; }}
    QScrollBar::add-page:horizontal, QScrollBar::sub-page:horizontal {{ background: transparent; }}
    QTabWidget::pane {{ border: 0; }}
    QTabBar::tab {{ padding: 8px 14px; color: {tokens.quiet}; border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {tokens.accent}; border-bottom: 2px solid {tokens.accent}; }}
    QTabBar::tab:focus {{ border: 2px solid {tokens.accent}; }}
    """
