"""A new crop is taught in the window, on this computer, by a real service: paused, promoted, put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtWidgets import QInputDialog

from leafsight.dataset import draw_leaf
from leafsight.desktop.window.teach import TeachPage

pytestmark = [pytest.mark.gui, pytest.mark.slow]
PATIENCE_MS = 120_000
CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight"), 30
Open = Callable[..., Any]


def draw(path: Path, condition: str, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_leaf(CROP, condition, seed=seed, field=True, side_px=256)).save(path, quality=92)
    return path


@pytest.fixture
def new_crop(tmp_path: Path) -> Path:
    for kind, condition in enumerate(CONDITIONS):
        for number in range(EACH):
            place = tmp_path / "new crop" / f"{CROP}___{condition}" / f"{number}.jpg"
            draw(place, condition, 1000 * kind + number)
    return tmp_path / "new crop"


def test_a_new_crop_is_taught_promoted_and_put_back(
    qtbot: Any, opened: Open, new_crop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    window = opened(model=None, state_dir=tmp_path / "store" / "desktop")

    def so(true: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=PATIENCE_MS)

    def says(key: str | None) -> bool:
        (one,) = window._session.photographs
        return one.prediction is not None and one.prediction.key == key

    window.add([draw(tmp_path / "unseen.jpg", "Rust", 7_000_001)])
    so(lambda: len(window._session) == 1 and not window._session.waiting)
    assert not says("roundleaf/rust")

    window.go("teach")
    page = window.front
    assert isinstance(page, TeachPage)
    page.open_places([new_crop])
    so(lambda: page.outgoing.sendings[0].stage == "done")
    assert page.outgoing.sendings[0].results[0]["job"]["result"]["usable"] == EACH * len(CONDITIONS)
    page.step(1)
    so(lambda: len(page.learner.contributions) == EACH * len(CONDITIONS))
    for condition in CONDITIONS:
        page.learner.declare(f"{CROP}___{condition}")
    so(lambda: all(one["declared"] for one in page.learner.summary["labels"]))
    page.look.grid.selectAll()
    page.look.buttons["accept"].click()
    so(lambda: page.learner.summary["states"]["accepted"] == EACH * len(CONDITIONS))
    page.step(2)
    so(page.model.teach.isEnabled)
    page.model.teach.click()
    so(lambda: page.learner.training is not None and page.learner.training["state"] == "running")

    page.model.pause.click()
    so(lambda: not window._reach.here.runs)
    assert "Paused" in page.model.now.text()
    page.model.pause.click()
    so(lambda: page.learner.outcome is not None and page.learner.training is None)
    outcome = page.learner.outcome
    assert outcome["state"] == "done"
    assert outcome["gate"]["passed"], outcome["gate"]["said"]
    assert page.model.outcome.tiles.rowCount() > 0  # they differ: one of them knows the crop

    page.model.outcome.promote.click()
    so(lambda: page.model.outcome.now.text() == "\u2713 It serves.")
    window.go("diagnose")
    so(lambda: says("roundleaf/rust"))
    window.go("teach")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("only tried", True))
    page.model.outcome.back.click()
    so(lambda: any(one.serving and one.builtin for one in page.learner.models))
    so(lambda: not says("roundleaf/rust") and not window._session.waiting)
    service = window._reach.here
    window.close()
    assert not service.runs
