"""Another model in an open session, without a window; and how leafsight starts itself once more."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.test_session import PATIENCE_S, opened
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import GREEN, LABELS, RED, write_tiny_bundle
from tests.journeys.small_world import save_picture

from leafsight import __version__
from leafsight.desktop.session import (
    Keeper,
    Load,
    Loaded,
    bundle_loader,
    own_command,
    told_apart,
    verified_model,
)
from leafsight.desktop.session.loading import model_of
from leafsight.errors import BundleError
from leafsight.images import DecodeLimits
from leafsight.inference import Photo, Prediction

APPLE = LABELS[:2]


@pytest.fixture
def colours(tmp_path: Path) -> list[Path]:
    return [save_picture(tmp_path / name, colour) for name, colour in (("1.jpg", RED), ("2.jpg", GREEN))]


class Named(FakePredictor):
    """Says who answered."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.asked = name, 0

    def predict(self, photos: Sequence[Photo], **wishes: Any) -> list[Prediction]:
        from dataclasses import replace

        self.asked += len(photos)
        return [replace(one, reason=self.name) for one in super().predict(photos, **wishes)]


def loads(predictor: FakePredictor, name: str = "fake") -> Load:
    return lambda: Loaded(predictor, model_of(name, name, LABELS))


def who(photographs: Sequence[Any]) -> set[str]:
    return {one.prediction.reason for one in photographs}


def test_all_are_asked_anew_and_what_was_said_stays(colours: list[Path], tmp_path: Path) -> None:
    with opened(loads(Named("first"), "first"), Keeper(tmp_path / "state")) as waiting:
        session = waiting.session
        session.add(colours)
        waiting.all_answered(2)
        session.say([0], "apple/healthy")
        session.use(loads(Named("second"), "second"))
        news = session.news()
        assert [one.number for one in news.changed] == [0, 1]
        assert who(waiting.all_answered(2)) == {"second"}
        assert session.model is not None
        assert session.model.name == "second"
    with opened(loads(Named("third")), Keeper(tmp_path / "state")) as again:
        again.session.restore()
        kept = again.all_answered(2)
        assert who(kept) == {"second"}
        assert [one.correction for one in kept] == ["apple/healthy", None]


@pytest.mark.parametrize(("known", "crop"), [(LABELS, "tomato"), (APPLE, None), (None, None)])
def test_the_crop_stays_where_the_model_is_known_to_know_it(
    colours: list[Path], known: Any, crop: str | None
) -> None:
    with opened(loads(Named("first"))) as waiting:
        waiting.session.add(colours)
        waiting.session.set_crop("tomato")
        waiting.all_answered(2)
        waiting.session.use(loads(Named("second")), None if known is None else model_of("second", "2", known))
        assert waiting.session.crop == crop
        assert who(waiting.all_answered(2)) == {"second"}


def test_a_model_that_cannot_be_loaded_is_trouble_until_another_is_used(colours: list[Path]) -> None:
    def fails() -> Loaded:
        raise BundleError("torn", hint="copy it again")

    with opened(loads(Named("first"))) as waiting:
        waiting.session.add(colours)
        waiting.all_answered(2)
        waiting.session.use(fails)
        waiting.until(lambda: waiting.rounds[-1].trouble)
        assert waiting.rounds[-1].trouble.message == "torn"
        assert waiting.session.waiting == 2
        waiting.session.use(loads(Named("third")))
        assert who(waiting.all_answered(2)) == {"third"}
        waiting.until(lambda: waiting.rounds[-1].trouble is None)


def test_one_that_loads_slowly_holds_nobody_up_and_is_forgotten(colours: list[Path]) -> None:
    """The first is still being loaded when another is wanted: the caller does not wait for it."""
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Loaded:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return Loaded(Named("slow"), model_of("slow", "slow", LABELS))

    with opened(slow) as waiting:
        waiting.session.add(colours)
        waiting.until(begun.is_set)
        waiting.session.use(loads(Named("quick"), "quick"))  # returns though the other is not loaded yet
        go_on.set()
        assert who(waiting.all_answered(2)) == {"quick"}
        assert waiting.session.model is not None
        assert waiting.session.model.name == "quick"


def test_who_was_looked_at_is_explained_by_the_new_model(colours: list[Path]) -> None:
    with opened(loads(Named("first"))) as waiting:
        waiting.session.add(colours)
        waiting.all_answered(2)
        waiting.session.look_at(1)

        def explained() -> bool:
            one = waiting.session.get(1)
            return one is not None and one.prediction is not None and one.prediction.heatmap is not None

        waiting.until(explained)
        waiting.session.use(loads(Named("second")))
        waiting.until(explained)
        assert who(waiting.all_answered(2)) == {"second"}


def test_a_model_says_what_it_is_before_it_is_used(tmp_path: Path, colour_model: Path) -> None:
    found = verified_model(colour_model)
    assert (found.name, set(found.crops)) == ("tiny", {"apple", "tomato"})
    assert bundle_loader(colour_model, DecodeLimits(), found.hash)().model == found
    with pytest.raises(BundleError, match="another model than a moment ago"):
        bundle_loader(write_tiny_bundle(tmp_path / "b.leafsight", name="b"), DecodeLimits(), found.hash)()
    with pytest.raises(BundleError):
        verified_model(tmp_path / "none.leafsight")


def test_models_are_told_from_photographs_by_their_ending() -> None:
    photos, models = told_apart([Path("/a.jpg"), Path("/M.LeafSight"), Path("/folder")])
    assert (photos, models) == ([Path("/a.jpg"), Path("/folder")], [Path("/M.LeafSight")])


def test_its_own_command_line_runs_it_once_more(tmp_path: Path) -> None:
    (tmp_path / "leafsight").mkdir()  # not the package, though it lies where it is started
    (tmp_path / "leafsight" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    done = subprocess.run(
        [*own_command(), "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.stdout == f"leafsight, version {__version__}\n", done.stderr


def test_a_frozen_program_is_its_own_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/leafsight/leafsight-desktop")
    assert own_command() == ["/opt/leafsight/leafsight-desktop"]
