"""How a person likes the window; kept between two windows.

Enters: a folder. Leaves: preferences, always usable ones: a file that cannot be read, or says what is not
possible, gives what is usual, and is left as it is until something is changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from leafsight.desktop.session.language import DATES, SIZES, Dates, Sizes
from leafsight.storage import os_errors_translated, write_json

Look = Literal["system", "light", "dark"]
LOOKS: tuple[Look, ...] = ("system", "light", "dark")
TEXT_SCALES = (1.0, 1.25, 1.5, 2.0)
FILE_NAME = "preferences.json"
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Preferences:
    """What may be chosen.

    Attributes:
        look: light, dark, or as the desktop is.
        text_scale: one of ``TEXT_SCALES``.
        heatmap_percent: how strongly the heatmap lies over the photograph, 0 to 100.
        language: a code such as ``es``; empty is that of the computer. One that is not there is English.
        sizes: units of files.
        dates: how they are written.
    """

    look: Look = "system"
    text_scale: float = 1.0
    heatmap_percent: int = 60
    language: str = ""
    sizes: Sizes = "decimal"
    dates: Dates = "words"

    def __post_init__(self) -> None:
        if (
            self.look not in LOOKS
            or self.text_scale not in TEXT_SCALES
            or not 0 <= self.heatmap_percent <= 100
            or not isinstance(self.language, str)
            or self.sizes not in SIZES
            or self.dates not in DATES
        ):
            raise ValueError(f"no such preferences: {self}")


def load_preferences(folder: Path) -> Preferences:
    """Those of the last window, or the usual ones."""
    try:
        path = folder / FILE_NAME
        if path.stat().st_size > MOST_BYTES:
            return Preferences()
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(Preferences)}
        return Preferences(**{name: value for name, value in found.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return Preferences()


def save_preferences(preferences: Preferences, folder: Path) -> None:
    """Keep them, whole or not at all.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    with os_errors_translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / FILE_NAME, asdict(preferences))
