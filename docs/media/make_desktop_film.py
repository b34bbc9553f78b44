"""Films the window on a virtual screen: diagnose, insight, bulk upload, retraining, promotion.

    python docs/media/make_desktop_film.py [OUT.mp4]

Every photograph in it is drawn. A hand with a real mouse and keyboard (xdotool) goes through the window as a
person would; ffmpeg records the screen (Xvfb) and plays long waits quicker. Needs Xvfb, xdotool and ffmpeg
with libx264. Takes some three minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "xcb"
SIZE, FRAMES_A_SECOND = "1180x760", 12
FFMPEG = ("ffmpeg", "-loglevel", "error", "-y")
CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight", "Mosaic"), 30
QUICKER = 8
"""What is waited for is played that much quicker."""
MOST_S = 240.0


class Camera:
    """Records in pieces; a piece is of the usual speed, or quicker."""

    def __init__(self, folder: Path, display: str) -> None:
        self._folder, self._display = folder, display
        self._pieces: list[tuple[Path, int]] = []

    @contextmanager
    def records(self, quicker: int = 1) -> Iterator[None]:
        """One piece."""
        path = self._folder / f"{len(self._pieces):02}.mkv"
        source = ["-f", "x11grab", "-framerate", str(FRAMES_A_SECOND), "-video_size", SIZE]
        lossless = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0"]
        recording = subprocess.Popen(
            [*FFMPEG, *source, "-i", self._display, *lossless, str(path)], stdin=subprocess.PIPE
        )
        try:
            yield
        finally:
            recording.communicate(b"q", timeout=60)
            self._pieces.append((path, quicker))

    def develop(self, out: Path) -> None:
        """One film of all pieces."""
        words, chain = [], ""
        for number, (path, quicker) in enumerate(self._pieces):
            words += ["-i", str(path)]
            chain += f"[{number}:v]setpts=(PTS-STARTPTS)/{quicker},fps={FRAMES_A_SECOND},setsar=1[v{number}];"
        joined = "".join(f"[v{number}]" for number in range(len(self._pieces)))
        chain += f"{joined}concat=n={len(self._pieces)}:v=1[v]"
        part = out.with_suffix(".part.mp4")
        small = ["-c:v", "libx264", "-crf", "27", "-preset", "slow", "-pix_fmt", "yuv420p"]
        small += ["-movflags", "+faststart"]
        subprocess.run(
            [*FFMPEG, *words, "-filter_complex", chain, "-map", "[v]", "-an", *small, str(part)], check=True
        )
        part.replace(out)


class Hand:
    """A mouse that is seen to move, and a keyboard."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._at = (590, 380)

    def rest(self, seconds: float) -> None:
        """Let the window work."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._application.processEvents()
            time.sleep(0.005)

    def wait(self, true: Callable[[], Any]) -> None:
        """Until it is so."""
        end = time.monotonic() + MOST_S
        while not true():
            assert time.monotonic() < end, "the window did not get there"
            self.rest(0.05)

    def go(self, x: float, y: float) -> None:
        """Move there, as a hand does."""
        steps = 14
        for step in range(1, steps + 1):
            share = step / steps
            share = share * share * (3 - 2 * share)
            here = [round(a + (b - a) * share) for a, b in zip(self._at, (x, y), strict=True)]
            self._do("mousemove", str(here[0]), str(here[1]))
            self.rest(0.025)
        self._at = (round(x), round(y))

    def click(self, widget: Any, x: int | None = None, y: int | None = None) -> None:
        """Go to a control and press it."""
        from PySide6.QtCore import QPoint

        middle = widget.rect().center()
        place = QPoint(middle.x() if x is None else x, middle.y() if y is None else y)
        where = widget.mapToGlobal(place)
        self.go(where.x(), where.y())
        self.rest(0.15)
        self._do("click", "1")
        self.rest(0.35)

    def keys(self, *names: str) -> None:
        """Press these."""
        for name in names:
            self._do("key", name)
            self.rest(0.25)

    def write(self, text: str) -> None:
        """Type it."""
        for letter in text:
            self._do("type", letter)
            self.rest(0.03)

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True, timeout=30)


def main() -> None:
    """Film it."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "desktop.mp4"
    with tempfile.TemporaryDirectory() as folder, _screen() as display:
        os.environ["DISPLAY"] = display
        _film(Path(folder), display, out)


@contextmanager
def _screen() -> Iterator[str]:
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE}x24"], pass_fds=[writing]
    )
    os.close(writing)
    try:
        yield f":{os.read(reading, 16).decode().strip()}"
    finally:
        server.terminate()
        server.wait(30)


def _film(folder: Path, display: str, out: Path) -> None:
    from leafsight.desktop import DesktopOptions
    from leafsight.desktop.window.application import make_application, make_window

    photos, collection, crop = _photographs(folder), _collection(folder), _new_crop(folder)
    application = make_application()
    state = folder / "state" / "desktop"
    window: Any = make_window(DesktopOptions(state_dir=state, threads=2, cache_dir=folder / "cache"))
    window._prefer(look="light")
    window.setGeometry(0, 0, *map(int, re.findall(r"\d+", SIZE)))
    window.show()
    hand, camera = Hand(application), Camera(folder, display)
    hand.rest(0.5)
    with camera.records():
        _diagnose(window, hand, photos)
    window.go("understand")
    with camera.records(QUICKER):
        window.front.open_places([collection])
        hand.wait(lambda: window.front.understanding.state().study is not None)
        hand.rest(1.0)
    with camera.records():
        _understand(window, hand)
    _teach(window, hand, camera, crop)
    with camera.records():
        hand.click(window.tabs["diagnose"])
        window.page.list.setCurrentIndex(window.page.rows.index(0))
        hand.rest(4.0)
    window.close()
    camera.develop(out)


def _diagnose(window: Any, hand: Hand, photos: Path) -> None:
    hand.rest(1.5)
    window.add([photos])
    page = window.page
    hand.wait(lambda: len(window._session) and not window._session.waiting)
    hand.rest(1.0)
    for row in (1, 2):
        hand.click(page.list, 150, 46 + 92 * row)
        hand.rest(1.2)
    hand.click(page.pane.slider)
    hand.rest(1.2)


def _understand(window: Any, hand: Hand) -> None:
    hand.click(window.tabs["understand"])
    entries = window.front.result.list
    hand.rest(1.5)
    for row in (1, 2):
        place = entries.visualRect(entries.model().index(row, 0)).center()
        hand.click(entries.viewport(), place.x(), place.y())
        hand.rest(1.5)
    last = entries.model().index(entries.model().rowCount() - 1, 0)
    entries.scrollTo(last)
    hand.rest(0.4)
    for _ in range(2):
        place = entries.visualRect(last).center()
        hand.click(entries.viewport(), place.x(), place.y())
        hand.rest(1.5)
        last = entries.model().index(entries.model().rowCount() - 2, 0)


def _teach(window: Any, hand: Hand, camera: Camera, crop: Path) -> None:
    with camera.records():
        hand.click(window.tabs["teach"])
        page = window.front
        hand.wait(lambda: page.learner.summary is not None)
        hand.rest(0.5)
        page.open_places([crop])
        hand.rest(1.0)
    with camera.records(QUICKER):
        hand.wait(lambda: page.outgoing.sendings[0].stage == "done")
    with camera.records():
        hand.rest(1.5)
        hand.click(page.send.next)
        hand.wait(lambda: len(page.learner.contributions) == EACH * len(CONDITIONS))
        hand.rest(1.5)
        look = page.look
        for number in range(len(CONDITIONS)):
            place = look.classes.visualItemRect(look.classes.item(1)).center()
            hand.click(look.classes.viewport(), place.x(), place.y())
            hand.wait(lambda: look.declare.isVisible() and look.tiles.rowCount() == EACH)
            hand.rest(0.6 if number else 1.5)
            hand.click(look.declare)
            hand.wait(lambda: not look.declare.isVisible())
            look.grid.setFocus()
            hand.keys("ctrl+a")
            before = page.learner.summary["states"]["accepted"]
            hand.click(look.buttons["accept"])
            hand.wait(lambda before=before: page.learner.summary["states"]["accepted"] == before + EACH)
            hand.rest(0.5)
        hand.click(look.next)
        hand.wait(page.model.teach.isEnabled)
        hand.click(page.model.reason)
        hand.write("a crop that we grow now")
        hand.click(page.model.teach)
        hand.wait(lambda: page.learner.training is not None)
        hand.rest(2.0)
    with camera.records(QUICKER):
        hand.wait(lambda: page.learner.outcome is not None and page.learner.training is None)
    with camera.records():
        hand.rest(3.0)
        _promote(page, hand)


def _promote(page: Any, hand: Hand) -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMessageBox

    scroll = page.model.findChild(_scroll_area()).verticalScrollBar()
    for at in (*range(0, scroll.maximum() // 2, 24), *range(scroll.maximum() // 2, 0, -60), 0):
        scroll.setValue(at)
        hand.rest(0.04)

    def agree() -> None:  # the dialog holds the loop: the hand comes from a timer
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        hand.rest(1.5)
        hand.click(box.button(QMessageBox.StandardButton.Yes))

    QTimer.singleShot(1800, agree)
    hand.click(page.model.outcome.promote)
    hand.wait(lambda: "It serves" in page.model.outcome.now.text())
    hand.rest(2.0)


def _scroll_area() -> type:
    from PySide6.QtWidgets import QScrollArea

    return QScrollArea


def _draw(path: Path, condition: str, seed: int, *, field: bool = True, side_px: int = 256) -> None:
    from PIL import Image

    from leafsight.dataset import draw_leaf

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = draw_leaf(CROP, condition, seed=seed, field=field, side_px=side_px)
    Image.fromarray(picture).save(path, quality=92)


def _photographs(folder: Path) -> Path:
    for number in range(9):
        condition = CONDITIONS[number % len(CONDITIONS)]
        _draw(folder / "photographs" / f"leaf {number + 1}.jpg", condition, 7_000_000 + number, side_px=384)
    return folder / "photographs"


def _collection(folder: Path) -> Path:
    for split, many in (("train", 24), ("test", 8)):
        for kind, condition in enumerate(("healthy", "Rust", "Blight")):
            for number in range(many if condition != "Blight" else many // 3):
                place = folder / "leaves" / split / f"{CROP}___{condition}" / f"{number:02}.jpg"
                _draw(
                    place,
                    condition,
                    1000 * kind + 100 * (split == "test") + number,
                    field=condition == "Rust",
                )
    rust = folder / "leaves" / "train" / f"{CROP}___Rust"
    (folder / "leaves" / "test" / f"{CROP}___Rust" / "copy.jpg").write_bytes((rust / "03.jpg").read_bytes())
    (rust / "torn.jpg").write_bytes(b"no photograph")
    return folder / "leaves"


def _new_crop(folder: Path) -> Path:
    for kind, condition in enumerate(CONDITIONS):
        for number in range(EACH):
            place = folder / "new crop" / f"{CROP}___{condition}" / f"leaf-{number}.jpg"
            _draw(place, condition, 1000 * kind + number)
    return folder / "new crop"


if __name__ == "__main__":
    main()
