"""A virtual screen, the real program on it, a hand with mouse and keyboard; nothing of the program is read.

Controls are found as a person without a mouse finds them: pages come by Alt+1 to Alt+5, buttons by the letter
that is underlined, fields and lists by Tab and arrows. The mouse goes where something lies in every look of
the window, which stands at the upper left corner in a known size: the rows of a list, the middle of a grid.
AT-SPI would find controls by name; it needs a desktop session with a bus, which a virtual screen does not
have. What came of it is read where it outlives the window (``on_disk``), on the picture of the screen, and in
the selection of X, as a person who copies a sentence gets it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tests.journeys.small_world import command_line

PATIENCE_S = 120.0
LOOK_EVERY_S = 0.1
WIDTH, HEIGHT = 1280, 800
NEEDED = ("Xvfb", "xdotool")
TITLE = "leafsight"
FIRST_PHOTOGRAPH = (300, 250)
"""On the page Diagnose. A list has no letter; it fills the left half of the window below its filters."""
BETWEEN_KEYS_MS = 150
"""A button whose letter is pressed shows itself pressed for a tenth of a second before it does its work."""
TRY_AGAIN_S = 5.0
"""After that long, what was done came too early and is done again."""
FAULT = "Traceback (most recent call last)"
"""After that nothing is waited for any more."""
XWD_HEAD, XWD_COLOUR_BYTES = struct.Struct(">25I"), 12
READ_SELECTION = """
from PySide6.QtGui import QClipboard, QGuiApplication
made = QGuiApplication([])
print(QGuiApplication.clipboard().text(QClipboard.Mode.Selection), end="")
"""


class NeverCameError(AssertionError):
    """What was waited for; with what the program said."""


def missing() -> str:
    """The first program that a virtual screen needs and that is not there."""
    return next((one for one in NEEDED if shutil.which(one) is None), "")


@dataclass
class Program:
    """A process; what it says lies in a file, so that it never waits for a reader."""

    process: subprocess.Popen[bytes]
    said_in: Path

    @property
    def said(self) -> str:
        return self.said_in.read_text(errors="replace")

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def until(
        self, holds: Callable[[], Any], patience_s: float = PATIENCE_S, every_s: float = LOOK_EVERY_S
    ) -> Any:
        """What holds at last; files that are not there yet, or half written, are looked at again."""
        end = time.monotonic() + patience_s
        while not (found := _held(holds)):
            if not self.runs or time.monotonic() > end or FAULT in self.said:
                raise NeverCameError(f"it did not come; the program said: {self.said or 'nothing'}")
            time.sleep(every_s)
        return found

    def kill(self, *, with_children: bool = False) -> None:
        """As a crash does; with its children, as a computer does that loses its power."""
        group = self.process.pid
        if with_children:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self.process.kill()
        self.process.wait(PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while with_children and _lives(group):  # a child that is writing ends when that is written
            assert time.monotonic() < end, "something outlived it"
            time.sleep(0.01)

    def end(self) -> int:
        """As the desktop does when a person logs out; its exit status."""
        if self.runs:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def _lives(group: int) -> bool:
    """Whether a process of this group is more than a name that nobody has taken away yet."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = path.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _held(holds: Callable[[], Any]) -> Any:
    try:
        return holds()
    except (OSError, ValueError, LookupError):
        return None


def started(
    command: Sequence[object], environment: Mapping[str, str], said_in: Path, *, folder: Path | None = None
) -> Program:
    """A process in a group of its own."""
    with said_in.open("wb") as file:
        words = [str(word) for word in command]
        process = subprocess.Popen(
            words, env=environment, cwd=folder, stdout=file, stderr=file, start_new_session=True
        )
    return Program(process, said_in)


@contextmanager
def running(command: Sequence[object], environment: Mapping[str, str], said_in: Path) -> Iterator[Program]:
    """A process as long as the block lasts."""
    program = started(command, environment, said_in)
    try:
        yield program
    finally:
        program.kill(with_children=True)


@dataclass
class Screen:
    """One of its own, without a window manager.

    Attributes:
        environment: of programs that are shown on it.
        folder: for what they say.
        frame: file of X with what is seen now.
        opened_in: file with the names of what was handed to other programs of the desktop, one a line.
        programs: all that were started; they are ended with the screen.
    """

    environment: dict[str, str]
    folder: Path
    frame: Path
    opened_in: Path
    programs: list[Program] = field(default_factory=list)

    def start(self, *words: object, folder: Path | None = None) -> Program:
        """The command line in a process of its own."""
        said = self.folder / f"said-{len(self.programs)}.txt"
        self.programs.append(started(command_line(*words), self.environment, said, folder=folder))
        return self.programs[-1]

    def desktop(self, *words: object, folder: Path | None = None) -> Program:
        """The window, as large as the screen."""
        program = self.start("desktop", *words, folder=folder)
        found = program.until(lambda: self.shown(TITLE))
        self.hands("windowmove", found, "0", "0", "windowsize", found, str(WIDTH), str(HEIGHT))
        self.look_at(TITLE)
        return program

    def look_at(self, title: str) -> None:
        """Give a window the keyboard, as a window manager does when it comes and when one above it goes."""
        self.hands("windowfocus", "--sync", self.shown(title))

    def shown(self, title: str) -> str:
        """The id of the visible window with that title, which may go on with the program's name; or empty."""
        done = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", f"^{re.escape(title)}($| \\W)"],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S,
        )  # fmt: skip
        return next(iter(done.stdout.split()), "")

    def hands(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self.environment, check=True, timeout=PATIENCE_S)

    def keys(self, *names: str) -> None:
        """Press these one after the other, such as ``alt+1``, ``Tab``, ``Return``."""
        self.hands("key", "--delay", str(BETWEEN_KEYS_MS), *names)

    def write(self, text: str, delay_ms: int = 8) -> None:
        self.hands("type", "--delay", str(delay_ms), text)

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        again = ["--repeat", str(times), "--delay", "60"] if times > 1 else []
        self.hands("mousemove", str(x), str(y), "click", *again, "1")

    def name_a_place(self, program: Program, title: str, place: Path | str) -> None:
        """Answer Qt's dialog for files with that title: type the place, press Enter, see it go."""

        def name() -> None:
            self.keys("ctrl+a")  # a name that is offered goes
            self.write(str(place))
            self.keys("Return")

        self.answer(program, title, name)

    def answer(self, program: Program, title: str, do: Callable[[], object]) -> None:
        """Wait for the window with that title that is asked in, answer in it, see it go."""
        program.until(lambda: self.shown(title))
        self.look_at(title)
        do()
        program.until(lambda: not self.shown(title))
        self.look_at(TITLE)

    def until_done(
        self,
        program: Program,
        do: Callable[[], object],
        holds: Callable[[], Any],
        patience_s: float = PATIENCE_S,
    ) -> Any:
        """Do it, again and again, until it holds: what it is for may not be ready for it yet."""
        again_at = 0.0

        def done() -> Any:
            nonlocal again_at
            found = _held(holds)
            if not found and time.monotonic() >= again_at:
                do()
                again_at = time.monotonic() + TRY_AGAIN_S
            return found

        return program.until(done, patience_s)

    def selected(self, x: int, y: int) -> str:
        """The line of text at that place, as X hands over what a person selects with three clicks."""
        self.click(x, y, times=3)
        done = subprocess.run(
            [sys.executable, "-c", READ_SELECTION],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
        return done.stdout

    @property
    def opened(self) -> list[str]:
        """What was handed to other programs of the desktop."""
        return self.opened_in.read_text().splitlines() if self.opened_in.exists() else []

    def seen(self) -> Image.Image:
        """What is seen now."""
        whole = self.frame.read_bytes()
        head = XWD_HEAD.unpack_from(whole)
        size, width, height, line_bytes, colours = head[0], head[4], head[5], head[12], head[19]
        pixels = np.frombuffer(whole, np.uint8, height * line_bytes, size + colours * XWD_COLOUR_BYTES)
        return Image.fromarray(pixels.reshape(height, width, -1)[:, :, 2::-1].copy())

    def changed(self, before: Image.Image, *, least_share: float = 0.01) -> bool:
        """Whether so much of the screen is not what it was."""
        differs = (np.asarray(self.seen()) != np.asarray(before)).any(axis=2)
        return float(differs.mean()) >= least_share

    def until_changed(self, program: Program, before: Image.Image) -> None:
        """Wait until it has."""
        program.until(lambda: self.changed(before))


@contextmanager
def virtual_screen(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Screen]:
    """A screen as long as the block lasts; every program that was started on it ends with it.

    Files and pages that the window hands to another program of the desktop are written down in its place.
    """
    own = folder / "screen"
    own.mkdir(parents=True)
    opened_in, opener = own / "opened.txt", own / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> "{opened_in}"\n')
    opener.chmod(0o755)
    reading, writing = os.pipe()
    server = subprocess.Popen(
        # It would begin anew whenever the last program leaves, and not hear the next one meanwhile.
        ["Xvfb", "-noreset", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
         "-fbdir", str(own)],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        number = os.read(reading, 16).decode().strip()
        path = f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        shown_on = {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "PATH": path}
        all_of_it = {**os.environ, **(environment or {}), **shown_on}
        screen = Screen(all_of_it, own, own / "Xvfb_screen0", opened_in)
        try:
            yield screen
        finally:
            screen.seen().save(own / "the end.png")  # for whoever asks why a journey failed
            for program in screen.programs:
                program.kill(with_children=True)
    finally:
        os.close(reading)
        server.terminate()
        server.wait(PATIENCE_S)
