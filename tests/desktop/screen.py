"""A virtual screen, the real program on it, and a hand with mouse and keyboard; nothing of the program is read.

Controls are found as a person without a mouse finds them: the window lies at the upper left corner in a known
size, pages come by Alt+1 to Alt+5, buttons by the letter that is underlined, fields and lists by Tab. The
mouse goes where something lies in every look of the window: the rows of a list, the middle of a grid. AT-SPI,
which would find controls by name, needs a desktop session with a bus that a virtual screen does not have. What
came of it is read where it outlives the window: in files, in the store, on the screen itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journeys.small_world import command_line

PATIENCE_S = 60.0
WIDTH, HEIGHT = 1280, 800
NEEDED = ("Xvfb", "xdotool")
TITLE = "leafsight"
BETWEEN_KEYS_MS = 30


class NeverCameError(AssertionError):
    """What was waited for; with what the program said."""


def missing() -> str:
    """The first program that a virtual screen needs and that is not there."""
    return next((one for one in NEEDED if shutil.which(one) is None), "")


@dataclass
class Program:
    """A process of leafsight; what it says lies in a file, so that it never waits for a reader."""

    process: subprocess.Popen[bytes]
    said_in: Path

    @property
    def said(self) -> str:
        return self.said_in.read_text(errors="replace")

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def until(self, holds: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """What holds at last; files that are not there yet, or half written, are looked at again."""
        end = time.monotonic() + patience_s
        while True:
            try:
                found = holds()
            except (OSError, ValueError, LookupError):
                found = None
            if found:
                return found
            if not self.runs or time.monotonic() > end:
                raise NeverCameError(f"it did not come; the program said: {self.said or 'nothing'}")
            time.sleep(0.1)

    def kill(self) -> None:
        """As a crash does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """As the desktop does when a person logs out."""
        if self.runs:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


@dataclass
class Screen:
    """One of its own, without a window manager.

    Attributes:
        environment: of programs that are shown on it.
        folder: for what they say.
        programs: all that were started; they are ended with the screen.
    """

    environment: dict[str, str]
    folder: Path
    programs: list[Program] = field(default_factory=list)

    def start(self, *words: object, folder: Path | None = None) -> Program:
        """The command line in a process of its own."""
        said = self.folder / f"said-{len(self.programs)}.txt"
        with said.open("wb") as file:
            process = subprocess.Popen(
                command_line(*words), env=self.environment, cwd=folder, stdout=file, stderr=file
            )
        self.programs.append(Program(process, said))
        return self.programs[-1]

    def desktop(self, *words: object, folder: Path | None = None) -> Program:
        """The window, as large as the screen."""
        program = self.start("desktop", *words, folder=folder)
        found = program.until(lambda: self.shown(TITLE))
        self.hands("windowmove", found, "0", "0", "windowsize", found, str(WIDTH), str(HEIGHT))
        self.hands("windowfocus", found)
        return program

    def shown(self, title: str) -> str:
        """The id of the window with that title that can be seen; empty when there is none."""
        done = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"],
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

    def click(self, x: int, y: int, *, button: int = 1) -> None:
        self.hands("mousemove", str(x), str(y), "click", str(button))

    def name_a_place(self, program: Program, title: str, place: Path | str) -> None:
        """Answer Qt's dialog for files with that title: type the place, press Enter, see it go."""
        program.until(lambda: self.shown(title))
        self.write(str(place))
        self.keys("Return")
        program.until(lambda: not self.shown(title))

    def picture(self, path: Path) -> Path:
        """What is seen now, where ffmpeg is installed; for whoever asks why a journey failed."""
        if shutil.which("ffmpeg"):
            subprocess.run(
                ["ffmpeg", "-loglevel", "error", "-y", "-f", "x11grab", "-video_size", f"{WIDTH}x{HEIGHT}",
                 "-i", self.environment["DISPLAY"], "-frames:v", "1", str(path)], check=False,
                timeout=PATIENCE_S,
            )  # fmt: skip
        return path


@contextmanager
def virtual_screen(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Screen]:
    """A screen as long as the block lasts; every program that was started on it ends with it."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        number = os.read(reading, 16).decode().strip()
        shown_on = {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        screen = Screen({**os.environ, **(environment or {}), **shown_on}, folder)
        try:
            yield screen
        finally:
            for program in screen.programs:
                if program.runs:
                    program.kill()
    finally:
        os.close(reading)
        server.terminate()
        server.wait(PATIENCE_S)


def journal(state: Path) -> list[dict[str, Any]]:
    """What a window writes down as it happens, line by line."""
    return [json.loads(line) for line in (state / "desktop" / "open.jsonl").read_text().splitlines()]


def kept(state: Path) -> dict[str, dict[str, Any]]:
    """Photographs that are open, by the name of their file, as the journal has them last."""
    found: dict[str, dict[str, Any]] = {}
    for one in journal(state):
        if "path" in one:
            name = Path(one["path"]).name
            found.pop(name, None) if one.get("gone") else found.__setitem__(name, one)
    return found


def answered(state: Path) -> set[str]:
    """Names of open photographs that have their answer."""
    return {name for name, one in kept(state).items() if one.get("prediction")}
