"""What the window asks of each of its pages, and what a page may ask of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from leafsight.desktop.options import DesktopOptions
from leafsight.desktop.session import Preferences, Reach, Session
from leafsight.desktop.window.theme import Tokens


@dataclass(frozen=True, slots=True)
class Around:
    """What a page may ask of the window.

    Attributes:
        session: the photographs that are diagnosed.
        options: that the window was opened with.
        preferences: gives those that hold now.
        prefer: changes some of them, by name; kept a moment later.
        tokens: gives the colours that hold now.
        go: brings another page to the front, by its name.
        reach: the way to the server that teaches and keeps models; on errands only.
        serves: says which model serves now, by its hash, so that it is the one that diagnoses; empty where
            another server was chosen and nobody knows yet.
        open_again: closes the window and opens it anew, as when the language changed.
    """

    session: Session
    options: DesktopOptions
    preferences: Callable[[], Preferences]
    prefer: Callable[..., None]
    tokens: Callable[[], Tokens]
    go: Callable[[str], None]
    reach: Reach
    serves: Callable[[str], None]
    open_again: Callable[[], None]


class Page(QWidget):
    """One of the pages, made when somebody first goes there. What it leaves out here, it does not have."""

    troubled = Signal(object)
    """A ``Trouble`` to show above the page until it is over; None when it is over."""

    def sheet(self, tokens: Tokens) -> str:
        """What the sheet of all pages lacks for this one."""
        return ""

    def wear(self, tokens: Tokens) -> None:
        """Other colours hold; told when it is in front, or comes there."""

    def open_places(self, places: Sequence[Path]) -> None:
        """Files and folders were dropped on the window while this page is in front."""

    def came_to_front(self) -> None:
        """Somebody looks at it now."""

    def try_again(self) -> None:
        """A person wants what failed to be tried again."""

    def unfinished(self) -> str:
        """A sentence that says what is in mid-work and what closing does to it; empty when nothing is."""
        return ""

    def leave(self) -> None:
        """The window closes: end threads and processes, keep what has to be kept."""
