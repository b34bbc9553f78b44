"""What a child of the page "Understand the data" may do in a test; each runs in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from leafsight.desktop.session.understanding import Told, Wish, work

OPENED = "opened.txt"
STOPS_AFTER = 10


def dies(connection: Connection, wish: Wish) -> None:
    """As one that the system ended for its memory."""
    connection.send(("told", Told("read", 3, 9)))
    os.kill(os.getpid(), signal.SIGKILL)


def works_without(module: str, connection: Connection, wish: Wish) -> None:
    """As where an extra is not installed."""
    sys.modules[module] = None  # type: ignore[assignment]
    work(connection, wish)


def without_pyarrow(connection: Connection, wish: Wish) -> None:
    works_without("pyarrow", connection, wish)


def without_matplotlib(connection: Connection, wish: Wish) -> None:
    works_without("matplotlib", connection, wish)


def with_a_full_disk(connection: Connection, wish: Wish) -> None:
    """The pages find no room any more."""
    from leafsight import inspection
    from leafsight.errors import DiskFullError

    def full(*_: Any, **__: Any) -> None:
        raise DiskFullError("no space left while writing health.html", hint="free some space")

    inspection.write_health_report = full
    work(connection, wish)


def pulls_the_card(connection: Connection, wish: Wish) -> None:
    """The folder goes after the photographs were found, and before they are read."""
    _before_each_photograph(wish, _vanish)
    work(connection, wish)


def _vanish(wish: Wish, number: int) -> None:
    place = wish.places[0]
    if number == 3:
        place.rename(place.with_name("gone"))


def stops_in_the_middle(connection: Connection, wish: Wish) -> None:
    """Reads ten photographs and no more, and tells so."""
    _before_each_photograph(wish, _stop)
    work(connection, wish)


def _stop(wish: Wish, number: int) -> None:
    while number > STOPS_AFTER:
        time.sleep(0.05)


def stubborn(connection: Connection, wish: Wish) -> None:
    """Hears nobody."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection.send(("told", Told("read")))
    while True:
        time.sleep(0.05)


def notes_what_it_opens(connection: Connection, wish: Wish) -> None:
    _before_each_photograph(wish, lambda wish, number: None)
    work(connection, wish)


def _before_each_photograph(wish: Wish, do: Any) -> None:
    from leafsight.dataset import reading
    from leafsight.desktop.session.understanding import studying

    studying.PHOTOS_PER_CHUNK = 4  # type: ignore[misc]
    reading.PHOTOS_PER_TASK = 1  # type: ignore[misc]
    real, noted = reading.read_photo, Path(wish.root) / OPENED
    number = 0

    def read_photo(path: Path, limits: Any) -> bytes:
        nonlocal number
        number += 1
        with noted.open("a") as file:
            file.write(f"{path.name}\n")
        do(wish, number)
        return real(path, limits)

    reading.read_photo = read_photo
