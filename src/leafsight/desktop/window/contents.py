"""The pages of the window, in the order of their tabs, each with what imports it and says how it is made.

What makes a page is imported when somebody first goes there: the first window does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable

from leafsight.desktop.session.language import tr
from leafsight.desktop.window.diagnose import DiagnosePage
from leafsight.desktop.window.pages import Around, Page

Make = Callable[[Around], Page]

TITLES = {
    "diagnose": "&Diagnose",
    "understand": "&Understand the data",
    "teach": "T&each",
    "models": "&Models",
    "settings": "Sett&ings",
}


def page_title(name: str) -> str:
    """What stands on a page's tab."""
    return tr(TITLES[name])


def _understand() -> Make:
    from leafsight.desktop.window.understand import UnderstandPage

    return UnderstandPage


def _teach() -> Make:
    from leafsight.desktop.window.teach import TeachPage

    return TeachPage


def _settings() -> Make:
    from leafsight.desktop.window.settings import SettingsPage

    return SettingsPage


def _models() -> Make:
    from leafsight.desktop.window.models import ModelsPage

    return ModelsPage


PAGES: dict[str, Callable[[], Make]] = {
    "diagnose": lambda: DiagnosePage,
    "understand": _understand,
    "teach": _teach,
    "models": _models,
    "settings": _settings,
}
