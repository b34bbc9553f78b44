"""What people do with the window, on a virtual screen, with a real mouse and keyboard, seen from outside."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from tests.desktop.drawn import CONDITIONS, EACH, class_of, leaf, new_crop
from tests.desktop.on_disk import answered, answers, declared, given, kept, models, serving, trainings
from tests.desktop.screen import FIRST_PHOTOGRAPH, WIDTH, Program, Screen
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.journeys.small_world import save_picture

from leafsight.desktop.session.understanding import Study, load_study
from leafsight.registry import SERVING, open_registry

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
pytestmark = [pytest.mark.gui, pytest.mark.slow]

FIRST_FINDING = (150, 250)
"""On the page "Understand the data": the first row of the list on the left, below the words on the whole."""
FIRST_CLASS, FIRST_TILE = (150, 204), (430, 230)
"""To look through: below "All classes" on the left, and at the upper left in the grid of photographs."""
EXPORT = (WIDTH - 64, 86)
"""A button that opens a menu has no letter either; this one stands at the right end of its row."""
TEACHING_S = 300.0
WAITING, ACCEPTED, REJECTED = "waiting", "accepted", "rejected"


def test_diagnose_correct_and_export(screen: Screen, tmp_path: Path, state: Path, colour_model: Path) -> None:
    for name, colour in (("1.jpg", RED), ("2.jpg", GREEN), ("3.jpg", BLUE)):
        save_picture(tmp_path / "photos" / name, colour)
    window = screen.desktop("--state-dir", state, "--model", colour_model, folder=tmp_path)
    empty = screen.seen()
    screen.keys("alt+f")
    screen.name_a_place(window, "Folder of photographs", tmp_path / "photos")
    window.until(lambda: answered(state) == {"1.jpg", "2.jpg", "3.jpg"})
    screen.until_changed(window, empty)

    def say_what_the_second_shows() -> None:
        screen.click(*FIRST_PHOTOGRAPH)
        screen.keys("Down", "Return")
        screen.write("blight")
        screen.keys("Return")

    corrected = screen.until_done(
        window, say_what_the_second_shows, lambda: kept(state)["2.jpg"].get("correction")
    )
    assert corrected == "tomato/early_blight"
    assert not kept(state)["1.jpg"].get("correction")

    def choose_the_table() -> None:
        screen.click(*EXPORT)
        screen.keys("Down", "Return")

    screen.until_done(window, choose_the_table, lambda: screen.shown("Table"))
    table = tmp_path / "answers.csv"
    screen.name_a_place(window, "Table", table)
    rows = window.until(lambda: list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())))
    assert {Path(row["photograph"]).name: row["diagnosis"] for row in rows} == {
        "1.jpg": "Apple: scab", "2.jpg": "Apple: healthy", "3.jpg": "Tomato: early blight",
    }  # fmt: skip
    assert [bool(row["corrected_to"]) for row in rows] == [False, True, False]
    assert window.end() == 0, window.said


@pytest.fixture
def planted(troubled_collection: Path, tmp_path: Path) -> Path:
    """The collection with all its troubles, and one photograph in two classes, byte for byte."""
    folder = tmp_path / "leaves"
    shutil.copytree(troubled_collection, folder)
    shutil.copy(folder / "train/Roundleaf___Rust/leaf 03.jpg", folder / "train/Roundleaf___healthy/stray.jpg")
    return folder


def test_understand_a_collection(
    screen: Screen, tmp_path: Path, state: Path, planted: Path, colour_model: Path
) -> None:
    before = _bytes_of(planted)
    window = screen.desktop("--state-dir", state, "--model", colour_model, folder=tmp_path)
    screen.keys("alt+2")
    screen.until_done(window, lambda: screen.keys("alt+o"), lambda: screen.shown("Folder of photographs"))
    screen.name_a_place(window, "Folder of photographs", planted)
    studies = state / "desktop" / "understand"
    (head,) = window.until(lambda: list(studies.glob("*/[0-9]*/study.json")))
    study = load_study(head.parent)
    assert study.places == (planted,)
    assert study.total == len(before)

    twice = {"leaf 03.jpg", "stray.jpg"}
    assert _found(study, "two-labels") == ("mend", twice)
    assert _found(study, "leak") == ("mend", {"leaf 02.jpg", "seen before.jpg"})
    assert _found(study, "corrupt-image") == ("mend", {"torn.jpg"})
    assert study.usable == study.total - 1

    reported = tmp_path / "reported"
    reported.mkdir()
    _save(screen, window, reported)
    (made,) = window.until(lambda: list(reported.glob(f"{planted.name} *")))
    page, at = (made / "health.html").read_text(), _place(study, "two-labels")
    assert study.problems[at].sentence in page
    assert all(name in page for name in twice)
    assert "two-labels" in [one["kind"] for one in json.loads((made / "health.json").read_text())["findings"]]
    assert "<svg" in (made / "insight.html").read_text()

    # What is chosen in the list is what is shown beside it, and that goes to be diagnosed.
    screen.click(*FIRST_FINDING)
    shown = screen.seen()
    screen.until_done(window, lambda: screen.keys("End"), lambda: screen.changed(shown))
    screen.keys("Home", *["Down"] * at, "alt+n")
    window.until(lambda: answered(state) == twice)
    assert window.end() == 0, window.said
    assert _bytes_of(planted) == before

    again = screen.desktop("--state-dir", state, "--model", colour_model, folder=tmp_path)
    screen.keys("alt+2")
    _save(screen, again, reported)  # the last study is there again, without another look
    again.until(lambda: len(list(reported.glob(f"{planted.name} *"))) == 2)
    assert [one.parent for one in studies.glob("*/[0-9]*/study.json")] == [head.parent]
    assert again.end() == 0, again.said


def _bytes_of(folder: Path) -> dict[Path, str]:
    return {one: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*.jpg")}


def _place(study: Study, kind: str) -> int:
    """In the list of the window; the findings stand first there."""
    return [one.kind for one in study.problems].index(kind)


def _found(study: Study, kind: str) -> tuple[str, set[str]]:
    """The weight of a finding and the names of its photographs."""
    problem = study.problems[_place(study, kind)]
    rows = [row for case in problem.cases for row in case.rows]
    return problem.weight, {study.photographs[row].path.name for row in rows}


def _save(screen: Screen, window: Program, into: Path) -> None:
    title = "Folder for the report"
    screen.until_done(window, lambda: screen.keys("alt+s"), lambda: screen.shown(title))
    screen.name_a_place(window, title, into)


def test_teach_a_new_crop_and_promote_it(screen: Screen, tmp_path: Path, state: Path) -> None:
    crop = new_crop(tmp_path / "given" / "new crop")
    old = leaf(tmp_path / "before" / "old.jpg", CONDITIONS[-1], 9000)
    window = screen.desktop(old, "--state-dir", state, folder=tmp_path)
    window.until(lambda: answered(state) == {"old.jpg"})
    first = answers(state)["old.jpg"]["model_hash"]
    assert "Roundleaf" not in str(answers(state))

    screen.keys("alt+3", "alt+f")
    screen.name_a_place(window, "Folder of labelled photographs", crop)
    window.until(lambda: given(state).total() == 3 * EACH + 1)  # not the file that is no photograph
    assert {name for _, name in given(state)} == {WAITING}

    screen.keys("alt+k")
    _look_through(screen, window, state)
    assert given(state) == Counter(
        {(class_of(one), ACCEPTED): EACH for one in CONDITIONS} | {(class_of("Rust"), REJECTED): 1}
    )

    screen.keys("alt+h")
    screen.until_done(window, lambda: screen.keys("alt+l"), lambda: len(trainings(state)) == 1)
    (new,) = window.until(lambda: models(state), TEACHING_S)
    assert serving(state) == first, "it is a person who promotes"
    page = state / "desktop" / "gate.html"
    screen.until_done(window, lambda: screen.keys("alt+r"), lambda: page.as_uri() in screen.opened)
    result = trainings(state)[0].result
    assert result is not None
    assert result["gate"]["passed"]
    assert result["gate"]["said"] in page.read_text()
    assert set(result["classes_added"]) == {class_of(one) for one in CONDITIONS}

    asked = "Promote this model?"
    screen.until_done(window, lambda: screen.keys("alt+p"), lambda: screen.shown(asked))
    screen.answer(window, asked, lambda: screen.keys("alt+y"))
    window.until(lambda: serving(state) == new)
    with_history = open_registry(state / "registry").history(SERVING)
    assert [one.hash for one in with_history if one.kind == "promote"] == [new]

    # At once to the other page: the new model has to come there by itself.
    fresh = leaf(tmp_path / "field" / "fresh.jpg", CONDITIONS[-1], 9001)
    screen.keys("alt+1", "alt+f")
    screen.name_a_place(window, "Folder of photographs", fresh.parent)
    window.until(lambda: [one["model_hash"] for one in answers(state).values()] == [new, new])
    assert answered(state) == {"fresh.jpg", "old.jpg"}
    for one in answers(state).values():
        assert (one["verdict"], one["class_name"]) == ("diagnosis", class_of(CONDITIONS[-1]))
    assert window.end() == 0, window.said


def _look_through(screen: Screen, window: Program, state: Path) -> None:
    """One photograph is rejected, all others are accepted as classes that are declared to be new."""

    def declare() -> None:
        screen.click(*FIRST_CLASS)
        screen.keys("alt+n")

    def reject_one() -> None:
        screen.click(*FIRST_TILE)
        screen.keys("r")

    def accept_all() -> None:
        screen.click(*FIRST_TILE)
        screen.keys("ctrl+a", "a")

    for many in range(1, len(CONDITIONS) + 1):
        screen.until_done(window, declare, partial(_so_many_declared, state, many))
        if class_of("Rust") in declared(state) and not _many(state, REJECTED):
            screen.until_done(window, reject_one, lambda: _many(state, REJECTED) == 1)
        screen.until_done(window, accept_all, partial(_so_many_accepted, state, many * EACH))


def _so_many_declared(state: Path, many: int) -> bool:
    return len(declared(state)) == many


def _so_many_accepted(state: Path, many: int) -> bool:
    return _many(state, ACCEPTED) == many


def _many(state: Path, word: str) -> int:
    return sum(many for (_, one), many in given(state).items() if one == word)
