"""Several photographs of one plant, without a window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.desktop.waiting import Waiting, opened
from tests.fakes.plant_predictor import FakePlantPredictor
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import save_picture

from leafsight.desktop.session import MOST_OF_ONE_PLANT, Keeper, Plant, Trouble, bundle_loader
from leafsight.desktop.session.plants import Plants
from leafsight.errors import RemoteError, RequestTooLargeError, UsageError
from leafsight.images import DecodeLimits
from leafsight.inference import Combined, Photo, Prediction


@pytest.fixture
def colours(tmp_path: Path) -> list[Path]:
    named = (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", RED), ("4.jpg", GREY), ("5.jpg", BLUE))
    return [save_picture(tmp_path / "photos" / name, colour) for name, colour in named]


def answer_of(one: Waiting, number: int) -> Combined:
    one.until(lambda: (found := one.session.plant(number)) is not None and found.combined is not None)
    plant = one.session.plant(number)
    assert plant is not None
    assert plant.combined is not None
    return plant.combined


def members(one: Waiting) -> list[int | None]:
    return [each.plant for each in one.session.photographs]


def test_photographs_of_one_plant_have_one_answer(colours: list[Path]) -> None:
    predictor = FakePlantPredictor()
    with opened(predictor) as one:
        one.session.add(colours)
        one.all_answered(5)
        assert one.session.combines
        joined = one.session.join([0, 2, 3])
        assert [each.number for each in joined] == [0, 2, 3]
        said = answer_of(one, 1)
        assert (said.key, said.photographs, said.used) == ("apple/scab", 3, 2)
        assert members(one) == [1, None, 1, 1, None]
        assert {each.number for each in one.rounds[-1].changed} == {0, 2, 3}, "their rows are drawn anew"
        assert one.session.join([2, 0]) == (), "that is known"
        assert predictor.plants == [(3, None)]


def test_who_shares_a_photograph_is_the_same_plant(colours: list[Path]) -> None:
    with opened(FakePlantPredictor()) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.join([0, 1])
        one.session.join([2, 3])
        assert members(one) == [1, 1, 2, 2, None]
        one.session.join([3, 1, 4])
        assert members(one) == [1, 1, 1, 1, 1]
        assert one.session.plant(2) is None
        assert answer_of(one, 1).photographs == 5


def test_a_plant_of_one_is_none_and_its_number_is_not_given_again(colours: list[Path]) -> None:
    with opened(FakePlantPredictor()) as one:
        one.session.add(colours)
        one.all_answered(5)
        assert one.session.join([0]) == one.session.join([]) == one.session.join([77, 0]) == ()
        one.session.join([0, 1, 2])
        changed = one.session.part([1])
        assert {each.number: each.plant for each in changed} == {0: 1, 1: None, 2: 1}
        assert answer_of(one, 1).photographs == 2, "it is asked about again"
        changed = one.session.part([0, 4])
        assert {each.number: each.plant for each in changed} == {0: None, 2: None}
        assert one.session.plant(1) is None
        one.session.join([3, 4])
        assert members(one) == [None, None, None, 2, 2]


def test_a_photograph_that_is_taken_away_leaves_its_plant(colours: list[Path]) -> None:
    with opened(FakePlantPredictor()) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.join([0, 1, 2])
        answer_of(one, 1)
        one.session.remove([0])
        assert answer_of(one, 1).photographs == 2
        assert one.session.plant(1).photographs == (1, 2)  # type: ignore[union-attr]
        one.session.remove([1])
        assert members(one) == [None, None, None]
        assert one.session.plant(1) is None


def test_another_crop_asks_about_the_plant_as_well(colours: list[Path]) -> None:
    predictor = FakePlantPredictor()
    with opened(predictor) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.join([0, 1])
        answer_of(one, 1)
        one.session.set_crop("tomato")
        assert one.session.plant(1) == Plant(1, (0, 1))
        assert answer_of(one, 1).crop_given == "tomato"
        assert predictor.plants == [(2, None), (2, "tomato")]


def test_a_file_that_is_gone_counts_as_unreadable(colours: list[Path], tmp_path: Path) -> None:
    with opened(FakePlantPredictor()) as one:
        one.session.add([*colours[:2], tmp_path / "gone.jpg"])
        one.all_answered(3)
        one.session.join([0, 1, 2])
        said = answer_of(one, 1)
        assert (said.photographs, said.used) == (3, 2)
        gone = one.session.get(2)
        assert gone is not None
        assert gone.prediction is not None
        assert "gone.jpg" in gone.prediction.reason


def test_a_heatmap_stays_when_its_plant_is_answered(colours: list[Path], colour_model: Path) -> None:
    with opened(bundle_loader(colour_model, DecodeLimits())) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.look_at(0)
        one.until(lambda: one.session.get(0).prediction.heatmap is not None)  # type: ignore[union-attr]
        one.session.join([0, 2])
        assert answer_of(one, 1).key == "apple/scab"
        assert one.session.get(0).prediction.heatmap is not None  # type: ignore[union-attr]


def test_too_many_are_refused_in_the_words_of_the_web_page() -> None:
    plants = Plants()
    with pytest.raises(UsageError, match="At most 32 photographs of one plant are judged together"):
        plants.join(range(MOST_OF_ONE_PLANT + 1))
    assert list(plants) == []
    plants.join(range(MOST_OF_ONE_PLANT))
    with pytest.raises(UsageError):
        plants.join([0, 99])
    assert [len(one.photographs) for one in plants] == [MOST_OF_ONE_PLANT]


def test_a_model_that_cannot_combine_says_so(colours: list[Path]) -> None:
    with opened(FakePredictor()) as one:
        one.session.add(colours)
        one.all_answered(5)
        assert not one.session.combines
        one.session.join([0, 1])
        one.until(lambda: one.session.plant(1).problem)  # type: ignore[union-attr]


class Refusing(FakePlantPredictor):
    error: Exception | None = None

    def predict_plant(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> tuple[list[Prediction], Combined]:
        if self.error is not None:
            raise self.error
        return super().predict_plant(photos, crop=crop, heatmap=heatmap)


def test_what_concerns_one_plant_stops_nothing(colours: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    predictor = Refusing()
    for error, message in (
        (RequestTooLargeError("too large", hint="fewer"), "too large"),
        (ZeroDivisionError("oh"), "leafsight failed on it: ZeroDivisionError('oh')"),
    ):
        predictor.error = error
        with opened(predictor) as one:
            one.session.add(colours[:3])
            one.until(lambda: len(one.session) == 3)
            one.session.join([0, 1])
            one.until(lambda: one.session.plant(1).problem)  # type: ignore[union-attr]
            assert one.session.plant(1).problem.message == message  # type: ignore[union-attr]
            one.all_answered(3)
            predictor.error = None
            one.session.ask_plant(1)
            assert one.session.plant(1).problem is None  # type: ignore[union-attr]
            assert answer_of(one, 1).used == 2


def test_a_server_that_is_gone_stops_all_and_the_plant_is_asked_again(colours: list[Path]) -> None:
    predictor = Refusing()
    predictor.error = RemoteError("there is no server", hint="start it")
    with opened(predictor) as one:
        one.session.add(colours[:2])
        one.all_answered(2)
        one.session.join([0, 1])
        one.until(lambda: one.rounds[-1].trouble == Trouble("there is no server", "start it"))
        predictor.error = None
        one.session.try_again()
        assert answer_of(one, 1).used == 2
        one.until(lambda: one.rounds[-1].trouble is None)


def test_the_next_window_has_the_plants_of_the_last(colours: list[Path], tmp_path: Path) -> None:
    with opened(FakePlantPredictor(), Keeper(tmp_path / "state")) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.join([0, 1])
        one.session.part([0])
        one.session.join([2, 3])
        one.session.join([4, 1])
        first = answer_of(one, 2), answer_of(one, 3)
    predictor = FakePlantPredictor()
    with opened(predictor, Keeper(tmp_path / "state")) as two:
        two.session.restore()
        two.all_answered(5)
        assert members(two) == [None, 3, 2, 2, 3]
        assert (answer_of(two, 2), answer_of(two, 3)) == first
        assert predictor.plants == [], "what is answered is not asked again"
        two.session.join([0, 1])
        assert members(two) == [3, 3, 2, 2, 3]


def test_a_plant_without_its_answer_in_the_journal_is_asked_again(
    colours: list[Path], tmp_path: Path
) -> None:
    with opened(FakePlantPredictor(), Keeper(tmp_path / "state")) as one:
        one.session.add(colours)
        one.all_answered(5)
        one.session.join([0, 1, 2])
        answer_of(one, 1)
    journal = tmp_path / "state" / "open.jsonl"
    lines = journal.read_text().splitlines()
    gone = {"path": str(colours[2]), "gone": True}  # a crash came before the plant's own line
    odd = [
        '{"plant": 1}',
        '{"plant": "x", "combined": null}',
        '{"plant": true, "combined": {}}',
        '{"plant": 9',
    ]
    journal.write_text("\n".join([*lines, *odd, json.dumps(gone)]) + "\n")
    predictor = FakePlantPredictor()
    with opened(predictor, Keeper(tmp_path / "state")) as two:
        two.session.restore()
        assert answer_of(two, 1).photographs == 2
        assert predictor.plants == [(2, None)]
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(line for line in lines if str(colours[0]) not in line) + "\n")
    with opened(FakePlantPredictor(), Keeper(tmp_path / "state")) as three:
        three.session.restore()
        assert members(three) == [None] * 3, "a plant of one is none"
        three.session.close()
