"""What happens in the window, without one."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.waiting import PATIENCE_S, Waiting, opened
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import save_picture

from leafsight.desktop.session import Keeper, bundle_loader
from leafsight.errors import BundleError, LeafsightError, RemoteError, StateBusyError
from leafsight.images import DecodeLimits
from leafsight.inference import Photo, Prediction, Predictor


@pytest.fixture
def colours(tmp_path: Path) -> list[Path]:
    return [
        save_picture(tmp_path / "photos" / name, colour)
        for name, colour in (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", BLUE), ("4.jpg", GREY))
    ]


def test_a_folder_and_files_are_answered_in_the_order_of_coming(colours: list[Path], tmp_path: Path) -> None:
    (tmp_path / "photos" / "notes.txt").write_text("no photograph")
    (tmp_path / "photos" / ".hidden.jpg").write_bytes(b"x")
    extra = save_picture(tmp_path / "single.jpg", BLUE)
    with opened() as one:
        one.session.add([tmp_path / "photos", extra])
        found = one.all_answered(5)
        assert [each.path for each in found] == [*colours, extra]
        keys = [each.prediction.key for each in found if each.prediction]
        assert keys == ["apple/scab", "apple/healthy", "tomato/early_blight", None, "tomato/early_blight"]
        assert one.session.model is not None
        assert list(one.session.model.crops) == ["apple", "tomato"]
        assert not one.rounds[-1].searching


def test_what_is_no_photograph_has_its_row_and_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photograph at all")
    (tmp_path / "empty.jpg").touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    gone = tmp_path / "gone.jpg"
    with opened() as one:
        one.session.add([tmp_path / "text.jpg", tmp_path / "empty.jpg", tmp_path / "pipe.jpg", gone])
        found = one.all_answered(4)
        assert {each.prediction.verdict for each in found if each.prediction} == {"unreadable"}
        reasons = [each.prediction.reason for each in found if each.prediction]
        assert "is empty" in reasons[1]
        assert "is not a plain file" in reasons[2]
        assert str(gone) in reasons[3]
        assert all(each.prediction.error for each in found if each.prediction)


def test_a_photograph_is_open_once_and_a_loop_of_links_ends(colours: list[Path], tmp_path: Path) -> None:
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    with opened() as one:
        one.session.add([tmp_path / "photos"])
        one.session.add([colours[0], colours[0]])
        one.until(lambda: not one.rounds[-1].searching)
        assert len(one.all_answered(4)) == 4


def test_a_crop_asks_anew_and_stale_answers_are_dropped(colours: list[Path]) -> None:
    slow = SlowPredictor()
    with opened(slow) as one:
        one.session.add(colours)
        one.until(lambda: len(one.session) == 4)
        slow.began.wait(PATIENCE_S)  # an answer without the crop is on its way
        changed = one.session.set_crop("apple")
        assert [each.waits for each in changed] == [True] * 4
        assert one.session.set_crop("apple") == ()
        slow.may.set()
        found = one.all_answered(4)
        assert {each.prediction.crop_given for each in found if each.prediction} == {"apple"}
        assert {each.prediction.crop for each in found if each.prediction} <= {"apple", None}


def test_who_is_looked_at_comes_first_and_with_a_heatmap(tmp_path: Path, colour_model: Path) -> None:
    photos = [save_picture(tmp_path / f"{number:02}.jpg", RED, seed=number) for number in range(40)]
    slow = SlowPredictor(bundle_loader(colour_model, DecodeLimits())().predictor)
    with opened(slow) as one:
        one.session.add(photos)
        one.until(lambda: len(one.session) == 40)
        slow.began.wait(PATIENCE_S)
        one.session.look_at(39)
        slow.may.set()
        found = one.all_answered(40)
        # Two threads were at the first ones already, and the other may be quicker for a while.
        assert slow.asked.index(["heatmap"]) <= 6 < len(slow.asked) - 2, slow.asked
        heat = found[39].prediction.heatmap if found[39].prediction else None
        assert heat is not None
        assert 0 <= heat.min() <= heat.max() <= 1
        assert found[0].prediction is not None
        assert found[0].prediction.heatmap is None
        one.session.look_at(0)  # answered already, without one
        one.until(lambda: one.session.get(0).prediction.heatmap is not None)


def test_the_fuller_answer_stays_whichever_comes_first(colours: list[Path]) -> None:
    crossing = CrossingPredictor()
    with opened(crossing) as one:
        one.session.add(colours[:1])
        one.until(lambda: len(one.session) == 1)
        assert crossing.plain.wait(PATIENCE_S)
        one.session.look_at(0)  # the other thread answers this while the first is still at it
        one.until(lambda: not one.session.waiting)
        crossing.may.set()
        one.until(lambda: crossing.done.is_set() and not one.session._answers)
        time.sleep(0.2)
        one.session.news()
        assert one.session.get(0).prediction.heatmap is not None


def test_trouble_is_told_once_and_nothing_is_lost(colours: list[Path]) -> None:
    broken = BrokenPredictor()
    with opened(broken) as one:
        one.session.add(colours)
        one.until(lambda: len(one.session) == 4 and one.rounds[-1].trouble)
        assert one.rounds[-1].trouble.message == "there is no server"
        assert one.rounds[-1].trouble.hint == "start it"
        assert one.session.waiting == 4
        one.session.try_again()
        one.until(lambda: one.rounds[-1].trouble)  # it is told again: it is still there
        broken.works = True
        one.session.try_again()
        assert [each.number for each in one.all_answered(4)] == [0, 1, 2, 3]
        assert one.rounds[-1].trouble is None


def test_a_model_that_cannot_be_loaded_is_trouble(colours: list[Path], tmp_path: Path) -> None:
    model = tmp_path / "torn.leafsight"
    model.write_bytes(b"PK")
    with opened(bundle_loader(model, DecodeLimits())) as one:
        one.session.add(colours)
        one.until(lambda: one.rounds[-1].trouble)
        assert "torn.leafsight" in one.rounds[-1].trouble.message
        with pytest.raises(BundleError):
            bundle_loader(model, DecodeLimits())()


def test_a_bug_of_ours_is_one_row_and_stops_nothing(colours: list[Path], caplog: Any) -> None:
    class Buggy(FakePredictor):
        def predict(self, photos: Sequence[Photo], **wishes: Any) -> list[Prediction]:
            raise ZeroDivisionError("oh")

    with opened(Buggy()) as one:
        one.session.add(colours)
        found = one.all_answered(4)
        assert all("oh" in each.prediction.reason for each in found if each.prediction)
    assert "was not diagnosed" in caplog.text


def test_taken_away_photographs_are_not_answered_and_may_come_again(colours: list[Path]) -> None:
    slow = SlowPredictor()
    with opened(slow) as one:
        one.session.add(colours)
        one.until(lambda: len(one.session) == 4)
        one.session.remove([1, 2, 99])
        slow.may.set()
        assert [each.number for each in one.all_answered(2)] == [0, 3]
        assert one.session.get(1) is None
        one.session.add([colours[1]])
        assert [each.number for each in one.all_answered(3)] == [0, 3, 4]


def test_the_next_window_has_answers_and_words_of_the_last(colours: list[Path], tmp_path: Path) -> None:
    first = Keeper(tmp_path / "state")
    with opened(keeper=first) as one:
        one.session.add(colours)
        one.all_answered(4)
        one.session.say([1, 3], "apple/scab")
        one.session.say([3], None)
        one.session.remove([2])
    predictor = FakePredictor()
    with opened(predictor, Keeper(tmp_path / "state")) as two:
        assert two.session.restore() == 3
        found = two.all_answered(3)
        assert [each.path for each in found] == [colours[0], colours[1], colours[3]]
        assert [each.correction for each in found] == [None, "apple/scab", None]
        assert [each.prediction.key for each in found if each.prediction] == [
            "apple/scab",
            "apple/healthy",
            None,
        ]
        assert predictor.calls == [], "what is answered is not asked again"
        two.session.forget_last()
        two.session.remove([0, 1, 2])
    third = Keeper(tmp_path / "state")
    assert third.kept() == ()
    third.close()


def test_a_crash_loses_a_line_at_most(colours: list[Path], tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "state")
    with opened(keeper=keeper) as one:
        one.session.add(colours)
        one.all_answered(4)
    journal = tmp_path / "state" / "open.jsonl"
    journal.write_bytes(
        journal.read_bytes()[:-20] + b"\n{}\n[]\n\xff\n" + b'{"path": "/x", "prediction": {"verdict": 1}}'
    )
    again = Keeper(tmp_path / "state")
    kept = again.kept()
    assert [each.path for each in kept] == colours
    assert sum(each.waits for each in kept) <= 1
    again.close()


def test_one_window_keeps_at_a_time(tmp_path: Path) -> None:
    first = Keeper(tmp_path)
    with pytest.raises(StateBusyError):
        Keeper(tmp_path)
    first.close()
    Keeper(tmp_path).close()


def test_a_full_disk_does_not_stop_the_window(
    colours: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    keeper = Keeper(tmp_path / "state")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leafsight.desktop.session.keeping.os.fsync", full)
    with opened(keeper=keeper) as one:
        one.session.add(colours)
        one.all_answered(4)
        one.session.say([0], "apple/healthy")
        one.until(lambda: "No space left" in caplog.text)
        assert one.session.get(0).correction == "apple/healthy"


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"leaf-\xff\n.jpg")
    save_picture(tmp_path / "plain.jpg", RED).rename(odd)
    with opened(keeper=Keeper(tmp_path / "state")) as one:
        one.session.add([odd])
        one.all_answered(1)
    again = Keeper(tmp_path / "state")
    assert [each.path for each in again.kept()] == [odd]
    again.close()


def test_closing_in_the_middle_of_work_ends(tmp_path: Path) -> None:
    photos = [save_picture(tmp_path / "photos" / f"{number}.jpg", RED, seed=number) for number in range(30)]
    keeper = Keeper(tmp_path / "state")
    waiting = Waiting(FakePredictor(), keeper)
    waiting.session.add([tmp_path / "photos"])
    waiting.until(lambda: len(waiting.session) == 30)
    waiting.session.close()
    again = Keeper(tmp_path / "state")
    assert sorted(each.path for each in again.kept()) == sorted(photos), "those that wait are open again"
    again.close()
    assert not [one for one in threading.enumerate() if one.name.startswith(("diagnosing", "keeping"))]


class SlowPredictor:
    """Answers when it may, and remembers which photographs were asked about together."""

    def __init__(self, behind: Predictor | None = None) -> None:
        self._behind = behind or FakePredictor()
        self.began, self.may = threading.Event(), threading.Event()
        self.asked: list[list[str]] = []

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        self.asked.append(["heatmap"] if heatmap else ["plain"] * len(photos))
        self.began.set()
        assert self.may.wait(PATIENCE_S)
        return self._behind.predict(photos, crop=crop, heatmap=heatmap)


class CrossingPredictor(FakePredictor):
    """Answers without a heatmap only after it answered with one."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.may, self.done = threading.Event(), threading.Event(), threading.Event()

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        found = super().predict(photos, crop=crop, heatmap=heatmap)
        if not heatmap:
            self.plain.set()
            assert self.may.wait(PATIENCE_S)
            self.done.set()
        return found


class BrokenPredictor(FakePredictor):
    """Has no server until it works."""

    works = False

    def predict(self, photos: Sequence[Photo], **wishes: Any) -> list[Prediction]:
        if not self.works:
            raise RemoteError("there is no server", hint="start it")
        return super().predict(photos, **wishes)


def test_errors_have_two_sentences() -> None:
    from leafsight.desktop.session import Trouble

    assert Trouble.of(LeafsightError("a", hint="b")) == Trouble("a", "b")


def test_a_word_is_taken_back_and_what_was_said_before_holds(colours: list[Path], tmp_path: Path) -> None:
    with opened(keeper=Keeper(tmp_path / "state")) as one:
        one.session.add(colours)
        one.all_answered(4)

        def words() -> list[str | None]:
            return [each.correction for each in one.session.photographs]

        assert [each.number for each in one.session.confirm([0, 1, 3, 99])] == [0, 1], "3 is no diagnosis"
        assert words() == ["apple/scab", "apple/healthy", None, None]
        assert [each.is_confirmed for each in one.session.photographs] == [True, True, False, False]
        one.session.say([1, 2], "apple/scab")
        assert [each.is_corrected for each in one.session.photographs] == [False, True, True, False]
        assert [each.number for each in one.session.undo()] == [1, 2]
        assert words() == ["apple/scab", "apple/healthy", None, None]
        one.session.say([2], "apple/scab")
        one.session.remove([2])
        assert [each.number for each in one.session.undo()] == [0, 1], "what is gone has no words"
        assert words() == [None, None, None]
        assert one.session.undo() == ()
        one.session.confirm([0])
    with opened(keeper=Keeper(tmp_path / "state")) as two:
        two.session.restore()
        two.all_answered(3)
        assert [each.is_confirmed for each in two.session.photographs] == [True, False, False]
        two.session.set_crop("tomato")
        two.all_answered(3)
        assert two.session.get(0).is_corrected, "the answer changed, what the person said did not"


def test_a_journal_of_the_first_release_is_read(colours: list[Path], tmp_path: Path) -> None:
    lines = [
        {"path": str(colours[0]), "correction": "apple/scab"},
        {"path": str(colours[1]), "correction": None},
    ]
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "open.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with opened(keeper=Keeper(tmp_path / "state")) as one:
        assert one.session.restore() == 2
        found = one.all_answered(2)
        assert [each.correction for each in found] == ["apple/scab", None]
        assert [each.is_confirmed for each in found] == [True, False]
