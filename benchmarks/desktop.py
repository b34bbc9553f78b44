"""The window against the bare predictor, on the same photographs in one run; no screen is needed.

    python -m benchmarks.desktop --data FOLDER [--photographs 1000] [--rounds 3] [--json]

Says: seconds from the start of a process to its first window, and from a dropped photograph to its answer in
a fresh process; photographs a second of the window and of the same predictor called from as many threads
without a window; the longest time in which the window's thread did not come round, while photographs are
diagnosed, once more while somebody scrolls through them, and while a model is taught on this computer; the
longest turn of the window's thread at the first visit to a page and at another look with all pages open;
memory with the small pictures of 5,000 photographs. Rounds are interleaved, each
part in a process of its own; the medians are told, and the longest block of all rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
TICK_MS, LOOK_MS = 5, 16
MOST_S = 600
CHUNK = 4
THUMBNAILS = 5_000
DRAWN = 60
SCROLLED_PX_PER_S = 3_000
"""Some thirty rows a second: a quick flick of the wheel, all the time."""
SETTLED_S = 1.0
LOOKS = ({"look": "dark"}, {"text_scale": 1.5}, {"look": "light", "text_scale": 1.0})
FRESH = """
import sys, time
from pathlib import Path
began = float(sys.argv[1])
from leafsight.desktop import DesktopOptions
from leafsight.desktop.window.application import make_application, make_window
application = make_application()
window = make_window(DesktopOptions(state_dir=Path(sys.argv[2], 'desktop'), threads=int(sys.argv[3])))
window.show()
application.processEvents()
shown = time.time()
window.add([Path(sys.argv[4])])
while not len(window._session) or window._session.waiting:
    application.processEvents()
    time.sleep(0.001)
print(shown - began, time.time() - shown)
window.close()
"""


def main() -> int:
    """Measure and tell."""
    options = _options()
    photos = _photographs(options.data, options.photographs)
    threads = len(os.sched_getaffinity(0))
    if options.part:
        print(json.dumps(_measured(options.part, photos, threads)))
        return 0
    fresh = [_fresh(photos[0], threads) for _ in range(options.rounds)]
    rounds = [
        [_part(options, part) for part in ("bare", "window", "scrolled")] for _ in range(options.rounds)
    ]
    bare, window, scrolled = zip(*rounds, strict=True)
    found = {
        "photographs": len(photos),
        "threads": threads,
        "rounds": options.rounds,
        "first_window_s": round(median(one for one, _ in fresh), 2),
        "first_answer_s": round(median(one for _, one in fresh), 2),
        "bare_per_s": round(median(one["per_s"] for one in bare), 1),
        "window_per_s": round(median(one["per_s"] for one in window), 1),
        "share": round(
            median(one["per_s"] / other["per_s"] for one, other in zip(window, bare, strict=True)), 3
        ),
        "longest_block_ms": round(max(one["block_ms"] for one in window), 1),
        "longest_block_scrolling_ms": round(max(one["block_ms"] for one in scrolled), 1),
        "longest_block_teaching_ms": round(
            max(_part(options, "teaching")["block_ms"] for _ in range(options.rounds)), 1
        ),
        **_part(options, "pages"),
        "thumbnails": THUMBNAILS,
        **_part(options, "thumbnails"),
    }
    print(json.dumps(found, indent=2) if options.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 0


def _part(options: argparse.Namespace, part: str) -> dict[str, float]:
    """One measurement in a process of its own, so that none inherits the memory of another."""
    words = [sys.executable, "-m", "benchmarks.desktop", "--data", str(options.data), "--part", part]
    words += ["--photographs", str(options.photographs)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measured(part: str, photos: Sequence[Path], threads: int) -> dict[str, float]:
    if part == "bare":
        return {"per_s": len(photos) / _bare(photos, threads)}
    if part == "thumbnails":
        return _thumbnails(photos)
    if part == "pages":
        return _pages()
    if part == "teaching":
        return {"block_ms": _teaching()}
    seconds, block_ms = _window(photos, threads, scrolling=part == "scrolled")
    return {"per_s": len(photos) / seconds, "block_ms": block_ms}


def _fresh(photo: Path, threads: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as state:
        words = [sys.executable, "-c", FRESH, str(time.time()), state, str(threads), str(photo)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    shown, answered = map(float, done.stdout.split())
    return shown, answered


def _bare(photos: Sequence[Path], threads: int) -> float:
    """Seconds of the predictor alone, called from as many threads, reading the files as the window does."""
    from leafsight.desktop.session import bundle_loader
    from leafsight.images import DecodeLimits, read_photo

    limits = DecodeLimits()
    predictor = bundle_loader(None, limits)().predictor
    predictor.predict([read_photo(photos[0], limits)])
    chunks = [photos[at : at + CHUNK] for at in range(0, len(photos), CHUNK)]
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda chunk: predictor.predict([read_photo(one, limits) for one in chunk]), chunks))
    return time.perf_counter() - began


def _window(photos: Sequence[Path], threads: int, *, scrolling: bool) -> tuple[float, float]:
    """Seconds from adding them to the last answer, and the longest block in milliseconds."""
    window, application, close = _open(threads)
    window.add([photos[0]])
    _until(application, lambda: len(window._session) == 1 and not window._session.waiting)
    longest = _Longest()
    began = time.perf_counter()
    window.add(list(photos[1:]))
    bar = window.page.list.verticalScrollBar()

    def done() -> bool:
        if scrolling:
            at = int((time.perf_counter() - began) * SCROLLED_PX_PER_S)
            bar.setValue(at % max(1, bar.maximum()))
        return len(window._session) == len(photos) and not window._session.waiting

    _until(application, done)
    seconds = time.perf_counter() - began
    block = longest.stop()
    close()
    return seconds, block


def _pages() -> dict[str, float]:
    """Milliseconds of the longest turn of the window's thread: all that it does before it takes what is next.

    Pages are come to by their tabs; the look changes with each of them in front, and the next one, which was
    hidden meanwhile, is come to after that.
    """
    from PySide6.QtCore import QTimer

    window, application, close = _open(1)
    _until(application, _after(SETTLED_S))
    longest = {"first_visit_ms": 0.0, "other_look_ms": 0.0}

    def held(kind: str, do: Callable[[], object]) -> None:
        QTimer.singleShot(0, do)
        is_over = _after(SETTLED_S)
        while not is_over():
            began = time.perf_counter()
            application.processEvents()
            longest[kind] = round(max(longest[kind], (time.perf_counter() - began) * 1e3), 1)
            time.sleep(0.001)

    for name in ("understand", "teach", "models", "settings"):
        held("first_visit_ms", window.tabs[name].click)
    for name, wish in zip([*window.tabs] * 3, cycle(LOOKS), strict=False):
        held("other_look_ms", window.tabs[name].click)
        held("other_look_ms", lambda wish=wish: window._prefer(**wish))
    close()
    return longest


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _teaching() -> float:
    """The longest block in milliseconds while drawn leaves are sent, looked into, accepted and learned."""
    with tempfile.TemporaryDirectory() as folder:
        crop = _drawn_crop(Path(folder) / "crop")
        window, application, close = _open(1)
        window.go("teach")
        page = window.front
        _until(application, lambda: page.learner.summary is not None)
        longest = _Longest()
        page.open_places([crop])
        _until(application, lambda: page.outgoing.sendings and page.outgoing.sendings[0].stage == "done")
        page.step(1)
        _until(application, lambda: len(page.learner.contributions) == DRAWN)
        for label in {one["label"] for one in page.learner.contributions}:
            page.learner.declare(label)
        _until(application, lambda: all(one["declared"] for one in page.learner.summary["labels"]))
        page.learner.decide(page.learner.contributions, "accepted")
        _until(application, lambda: page.learner.said is not None)
        page.step(2)
        page.learner.teach("quick", "")
        _until(application, lambda: page.learner.outcome is not None and page.learner.training is None)
        block = longest.stop()
        close()
    return block


def _drawn_crop(folder: Path) -> Path:
    from PIL import Image

    from leafsight.dataset import draw_leaf

    for kind, condition in enumerate(("Rust", "Blight")):
        place = folder / f"Roundleaf___{condition}"
        place.mkdir(parents=True)
        for number in range(DRAWN // 2):
            picture = draw_leaf("Roundleaf", condition, seed=1000 * kind + number, field=True, side_px=256)
            Image.fromarray(picture).save(place / f"{number}.jpg", quality=92)
    return folder


def _thumbnails(photos: Sequence[Path]) -> dict[str, float]:
    """Memory with that many small pictures: copies of the photographs under other names."""
    with tempfile.TemporaryDirectory() as folder:
        window, application, close = _open(1, model=Path(folder) / "none")  # no answers: pictures alone
        before = _resident_mb()
        for number, photo in enumerate(islice(cycle(photos), THUMBNAILS)):
            os.link(photo, Path(folder) / f"{number:05}{photo.suffix}") if _same_disk(
                photo, Path(folder)
            ) else shutil.copy(photo, Path(folder) / f"{number:05}{photo.suffix}")
        window.add([Path(folder)])
        _until(application, lambda: window.page.rows.rowCount() == THUMBNAILS)
        pictures = window.page._small
        for row in range(THUMBNAILS):
            one = window._session.get(row)
            while pictures.get(one.path) is None:
                application.processEvents()
                time.sleep(0.0005)
        found = {
            "thumbnail_mb": round(pictures.held_bytes / 1e6, 1),
            "window_mb": round(before, 1),
            "window_with_thumbnails_mb": round(_resident_mb(), 1),
        }
        close()
    return found


def _open(threads: int, model: Path | None = None) -> tuple[Any, Any, Callable[[], None]]:
    from leafsight.desktop import DesktopOptions
    from leafsight.desktop.window.application import make_application, make_window

    application = make_application()
    state = tempfile.mkdtemp()
    window = make_window(DesktopOptions(state_dir=Path(state) / "desktop", threads=threads, model=model))
    window._may_close = lambda *_: True
    window.show()
    application.processEvents()

    def close() -> None:
        window.close()
        shutil.rmtree(state, ignore_errors=True)

    return window, application, close


class _Longest:
    """The longest time between two rounds of the window's thread, less the tick."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._last, self._longest = time.perf_counter(), 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def stop(self) -> float:
        self._timer.stop()
        return self._longest

    def _tick(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, (now - self._last) * 1e3 - TICK_MS)
        self._last = now


def _until(application: Any, holds: Callable[[], bool]) -> None:
    """Let the window's own loop run until something holds."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop, look = QEventLoop(), QTimer()
    end = time.monotonic() + MOST_S

    def looked() -> None:
        if holds() or time.monotonic() > end:
            loop.quit()

    look.timeout.connect(looked)
    look.start(LOOK_MS)
    loop.exec()
    assert time.monotonic() < end, "it takes too long"


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _photographs(data: Path, number: int) -> list[Path]:
    from leafsight.desktop.session import photographs_among

    found = list(photographs_among([data]))
    assert len(found) >= number, f"{data} has {len(found)} photographs"
    return found[:: len(found) // number][:number]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder of photographs")
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parts = ("bare", "window", "scrolled", "pages", "teaching", "thumbnails")
    parser.add_argument("--part", choices=parts, help="one alone")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
