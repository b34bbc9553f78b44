"""Windows for tests, without a screen; and a collection with everything wrong that a person may bring."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.desktop.screen import Screen, missing, virtual_screen
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import save_picture

from leafsight.dataset import draw_leaf
from leafsight.desktop.session.language import FIGURES, Translation, use_figures, use_language
from leafsight.desktop.session.understanding import State, Study, Understanding, Wish

PATIENCE_S = 120.0
ALONE = "Lanceleaf___Rust"


def wait_for(understanding: Understanding, holds: Callable[[State], bool]) -> State:
    """The first state of which that holds."""
    until = time.monotonic() + PATIENCE_S
    while not holds(state := understanding.state()):
        assert time.monotonic() < until, state
        time.sleep(0.01)
    return state


@pytest.fixture(scope="session")
def troubled_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn leaves in train and test: a copy, a broken file, a leak, a class of a single picture."""
    folder = tmp_path_factory.mktemp("understand") / "leaves"
    for split, first, count in (("train", 0, 8), ("test", 100, 3)):
        for condition in ("Rust", "healthy"):
            for number in range(count):
                seed = 1000 * (condition == "Rust") + first + number
                place = folder / split / f"Roundleaf___{condition}" / f"leaf {number:02}.jpg"
                place.parent.mkdir(parents=True, exist_ok=True)
                picture = draw_leaf("Roundleaf", condition, seed=seed, field=False, side_px=96)
                Image.fromarray(picture).save(place, quality=92)
    rust = folder / "train" / "Roundleaf___Rust"
    (rust / "copy.jpg").write_bytes((rust / "leaf 00.jpg").read_bytes())
    (rust / "torn.jpg").write_bytes((rust / "leaf 01.jpg").read_bytes()[:300])
    leak = folder / "test" / "Roundleaf___Rust" / "seen before.jpg"
    leak.write_bytes((rust / "leaf 02.jpg").read_bytes())
    (folder / "train" / ALONE).mkdir()
    picture = draw_leaf("Lanceleaf", "Rust", seed=7, field=False, side_px=96)
    Image.fromarray(picture).save(folder / "train" / ALONE / "alone.jpg", quality=92)
    return folder


@pytest.fixture(scope="session")
def made_study(
    troubled_collection: Path, colour_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Study:
    """What a child found in it; its folder is read only, ``folder.parents[1]`` is the root of all studies."""
    root = tmp_path_factory.mktemp("studied")
    understanding = Understanding(
        Wish((), root / "understand", root / "cache", model=colour_model, workers=2)
    )
    understanding.start([troubled_collection])
    state = wait_for(understanding, lambda state: not state.working_on)
    understanding.close()
    assert state.trouble is None
    assert state.study is not None
    return state.study


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Windows speak the language of the computer, and that of who runs the tests may be any.

    A test that wants another one says so in the preferences: the C library would remember a variable, and go
    on to name faults of files in that language.
    """
    monkeypatch.setenv("LANGUAGE", "en")
    yield
    use_language(Translation())
    use_figures(FIGURES)


@pytest.fixture
def opened(
    qtbot: Any, tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Opens windows on one state folder; they are closed at the end, whatever waits."""
    pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
    from PySide6.QtWidgets import QMessageBox

    from leafsight.desktop import DesktopOptions
    from leafsight.desktop.window.application import make_application, make_window

    windows: list[Any] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)

    def make(**options: Any) -> Any:
        make_application()
        window = make_window(
            DesktopOptions(
                **{"state_dir": tmp_path / "state", "model": colour_model, "threads": 2, **options}
            )
        )
        window.show()
        windows.append(window)
        return window

    yield make
    for window in windows:
        window.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, colour in (
        ("1 red.jpg", RED),
        ("2 green.jpg", GREEN),
        ("3 blue.jpg", BLUE),
        ("4 grey.jpg", GREY),
    ):
        save_picture(tmp_path / "photos" / name, colour)
    return tmp_path / "photos"


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A virtual screen, with a hand on mouse and keyboard."""
    if lacking := missing():
        pytest.skip(f"{lacking} is not installed")
    with virtual_screen(tmp_path, {"OMP_NUM_THREADS": "1"}) as made:
        yield made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Of windows on a screen."""
    return tmp_path / "state"
