"""Draws leaves, opens the window without a screen, and keeps pictures of every page: light, dark, large text.

    python docs/pictures/make_desktop.py [FOLDER] [--all] [--language CODE]

Every photograph in them is drawn; the model is taught a drawn crop on the way, which takes a minute. FOLDER
is where they go; this one by default. With ``--all`` each page is kept in each look, not only those that the
documentation shows. In another language than English only Diagnose is kept without ``--all``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SETTLE_S, MOST_S = 1.0, 240.0
LOOKS: dict[str, dict[str, Any]] = {
    "": {"look": "light", "text_scale": 1.0},
    "-dark": {"look": "dark", "text_scale": 1.0},
    "-large": {"look": "light", "text_scale": 1.5},
}
SHOWN = (
    "desktop-empty",
    "desktop",
    "desktop-understand",
    "desktop-teach",
    "desktop-teach-gate",
    "desktop-models",
    "desktop-settings",
)
"""In the documentation."""
IN_EACH_LOOK = ("desktop",)
"""It shows the others in light only."""
COLOURS = 256
ENGLISH = "en"
CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight", "Mosaic"), 30


class Studio:
    """The window, and pictures of it."""

    def __init__(self, folder: Path, target: Path, every_look: bool) -> None:
        from leafsight.desktop import DesktopOptions
        from leafsight.desktop.window.application import make_application, make_window

        self.folder, self._target, self._every_look = folder, target, every_look
        self.application = make_application()
        self.window: Any = make_window(
            DesktopOptions(state_dir=folder / "state" / "desktop", threads=2, cache_dir=folder / "cache")
        )
        self.window.show()
        self.window._prefer(**LOOKS[""])

    def rest(self, seconds: float = SETTLE_S) -> None:
        """Let it work."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.application.processEvents()
            time.sleep(0.01)

    def wait(self, what: Callable[[], Any]) -> None:
        """Until it is so."""
        end = time.monotonic() + MOST_S
        while not what():
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            self.rest(0.05)

    def keep(self, name: str) -> None:
        """Pictures of what is shown now."""
        language = os.environ.get("LANGUAGE", ENGLISH)
        if not self._every_look and name not in (SHOWN if language == ENGLISH else IN_EACH_LOOK):
            return
        each = self._every_look or (name in IN_EACH_LOOK and language == ENGLISH)
        looks = LOOKS if each else {"": LOOKS[""]}
        if language != ENGLISH:
            name = f"{name}-{language}"
        for ending, wish in looks.items():
            self.window._prefer(**wish)
            self.rest()
            path = self._target / f"{name}{ending}.png"
            self.window.grab().save(str(path))
            with Image.open(path) as picture:  # a third of the bytes, and nobody sees it
                whole = picture.convert("RGB")
                small = whole.quantize(
                    COLOURS, palette=whole.quantize(COLOURS), dither=Image.Dither.FLOYDSTEINBERG
                )
            small.save(path, optimize=True)
        self.window._prefer(**LOOKS[""])


def main() -> None:
    """Keep the pictures."""
    wishes = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    wishes.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    wishes.add_argument("--all", action="store_true", help="each page in each look")
    wishes.add_argument("--language", default=ENGLISH, help="a code, such as es")
    wish = wishes.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    os.environ["LANGUAGE"] = wish.language
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), wish.folder, wish.all)
        every = (_diagnose, _understand, _teach, _models, _settings)
        for page in every if wish.all or wish.language == ENGLISH else every[:1]:
            page(studio)
        studio.window.close()


def _diagnose(studio: Studio) -> None:
    studio.rest()
    studio.keep("desktop-empty")
    window = studio.window
    window.add([_drawn(studio.folder / "photos")])
    studio.wait(lambda: len(window._session) and not window._session.waiting)
    studio.keep("desktop")


def _understand(studio: Studio) -> None:
    studio.window.go("understand")
    studio.keep("desktop-understand-empty")
    page = studio.window.front
    page.open_places([_collection(studio.folder / "leaves")])
    studio.wait(lambda: page.understanding.state().study is not None)
    studio.keep("desktop-understand")


def _teach(studio: Studio) -> None:
    window = studio.window
    window.go("teach")
    page = window.front
    page.open_places([_new_crop(studio.folder / "new crop")])
    studio.wait(lambda: page.outgoing.sendings and page.outgoing.sendings[0].stage == "done")
    studio.keep("desktop-teach-give")
    page.step(1)
    look = page.look
    for condition in CONDITIONS:
        studio.wait(lambda name=condition: _row(look.classes, name))  # type: ignore[misc]
        look.classes.setCurrentRow(_row(look.classes, condition))
        label = f"{CROP}___{condition}"
        studio.wait(
            lambda label=label: look.tiles.rowCount() == EACH and page.learner.label == label  # type: ignore[misc]
        )
        if condition == CONDITIONS[0]:
            look.grid.setCurrentIndex(look.tiles.index(2))
            studio.rest()
            studio.keep("desktop-teach")
        look.declare.click()
        studio.wait(lambda: not look.declare.isVisible())
        look.grid.selectAll()
        look.decide("accepted")
        studio.wait(lambda: not page.learner.is_deciding and page.learner.said is not None)
    page.step(2)
    studio.wait(page.model.teach.isEnabled)
    page.model.teach.click()
    studio.wait(lambda: page.learner.training is not None)
    studio.rest(2)
    studio.keep("desktop-teach-learning")
    studio.wait(lambda: page.learner.outcome is not None and page.learner.training is None)
    studio.rest(2)
    studio.keep("desktop-teach-gate")
    page.learner.promote(
        page.learner.outcome["result"]["candidate"], "a crop that we grow now", override=False
    )
    studio.wait(lambda: any(one.serving and not one.builtin for one in page.learner.models))


def _row(classes: Any, name: str) -> int:
    """The row of a class; 0, that of all, where it is not listed."""
    from leafsight.desktop.session.language import named

    rows = [classes.item(row).text() for row in range(classes.count())]
    return next((row for row, text in enumerate(rows) if row and named(name).lower() in text.lower()), 0)


def _models(studio: Studio) -> None:
    studio.window.go("models")
    page = studio.window.front
    studio.wait(lambda: page.rows.rowCount() == 2)
    page.list.setCurrentIndex(page.rows.index(0))
    studio.rest(3)
    studio.keep("desktop-models")


def _settings(studio: Studio) -> None:
    studio.window.go("settings")
    studio.rest()
    studio.keep("desktop-settings")


def _drawn(folder: Path) -> Path:
    from leafsight.dataset import draw_leaf

    folder.mkdir()
    wanted = [("Roundleaf", "Rust"), ("Lanceleaf", "Blight"), ("Roundleaf", "healthy"), ("Lanceleaf", "Rust")]
    for number in range(12):
        crop, condition = wanted[number % len(wanted)]
        picture = draw_leaf(crop, condition, seed=number, field=number % 3 == 2, side_px=384)
        Image.fromarray(picture).save(folder / f"leaf {number + 1:02}.jpg", quality=92)
    (folder / "torn.jpg").write_bytes(b"no photograph")
    return folder


def _collection(folder: Path) -> Path:
    """Leaves in train and test, with a leak, a torn file and a class of its own background."""
    from leafsight.dataset import draw_leaf

    for split, count in (("train", 24), ("test", 8)):
        for kind, condition in enumerate(("healthy", "Rust", "Blight")):
            place = folder / split / f"{CROP}___{condition}"
            place.mkdir(parents=True)
            for number in range(count if condition != "Blight" else count // 3):
                seed = 1000 * kind + 100 * (split == "test") + number
                picture = draw_leaf(CROP, condition, seed=seed, field=condition == "Rust", side_px=256)
                Image.fromarray(picture).save(place / f"{number:02}.jpg", quality=92)
    leaked = folder / "train" / f"{CROP}___Rust" / "03.jpg"
    (folder / "test" / f"{CROP}___Rust" / "copy.jpg").write_bytes(leaked.read_bytes())
    (folder / "train" / f"{CROP}___healthy" / "torn.jpg").write_bytes(b"no photograph")
    return folder


def _new_crop(folder: Path) -> Path:
    from leafsight.dataset import draw_leaf

    for kind, condition in enumerate(CONDITIONS):
        place = folder / f"{CROP}___{condition}"
        place.mkdir(parents=True)
        for number in range(EACH):
            picture = draw_leaf(CROP, condition, seed=1000 * kind + number, field=True, side_px=256)
            Image.fromarray(picture).save(place / f"leaf-{number}.jpg", quality=92)
    return folder


if __name__ == "__main__":
    main()
