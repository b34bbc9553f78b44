"""What the page "Understand the data" does, without a window: a child that looks, and what is kept of it."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.desktop.conftest import ALONE, wait_for
from tests.fakes import students
from tests.journeys.small_world import leafsight, save_collection

from leafsight.dataset import reading
from leafsight.desktop.session import Trouble
from leafsight.desktop.session.understanding import (
    Cases,
    Problem,
    State,
    Study,
    Told,
    Understanding,
    Wish,
    case_in_words,
    classes_in_words,
    hint_in_words,
    kind_in_words,
    last_study,
    load_study,
    progress_in_words,
    save_report,
    second_line,
    step_in_words,
    verdict,
    weight_in_words,
)
from leafsight.desktop.session.understanding.pace import Telling
from leafsight.desktop.session.understanding.phrases import left_in_words
from leafsight.errors import StorageError

Make = Callable[..., Understanding]


def over(state: State) -> bool:
    return not state.working_on


@pytest.fixture
def make(tmp_path: Path, colour_model: Path) -> Iterator[Make]:
    """Makes what a window has; all are closed at the end."""
    made: list[Understanding] = []
    (tmp_path / "understand").mkdir()

    def one(work: object = students.work, wake: Callable[[], None] = lambda: None) -> Understanding:
        wish = Wish((), tmp_path / "understand", tmp_path / "cache", model=colour_model, workers=1)
        made.append(Understanding(wish, work=work, wake=wake))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for each in made:
        each.close()
    assert multiprocessing.active_children() == []


def problem(study: Study, kind: str) -> Problem:
    return next(one for one in study.problems if one.kind == kind)


def names(study: Study, kind: str) -> list[list[str]]:
    return [[study.photographs[row].name for row in case.rows] for case in problem(study, kind).cases]


def number_of(opened: Path) -> int:
    """Photographs that a child opened."""
    return len(opened.read_text().splitlines()) if opened.exists() else 0


def test_everything_that_is_wrong_is_found_with_its_photographs(
    made_study: Study, troubled_collection: Path
) -> None:
    study = made_study
    assert (study.total, study.usable) == (26, 25)
    assert study.class_counts[ALONE] == 1
    assert names(study, "corrupt-image") == [["train/Roundleaf___Rust/torn.jpg"]]
    assert ["train/Roundleaf___Rust/copy.jpg", "train/Roundleaf___Rust/leaf 00.jpg"] in names(study, "copies")
    leak = names(study, "leak")
    assert ["test/Roundleaf___Rust/seen before.jpg", "train/Roundleaf___Rust/leaf 02.jpg"] in leak
    assert study.to_mend >= 2
    assert [one.weight for one in study.problems] == sorted(
        (one.weight for one in study.problems), key=("mend", "look", "know").index
    )
    for case in problem(study, "leak").cases:
        for row in case.rows:
            seen = study.photographs[row]
            assert seen.path.is_file()
            assert seen.small is not None
            with Image.open(seen.small) as picture:
                picture.verify()
    torn = study.photographs[problem(study, "corrupt-image").cases[0].rows[0]]
    assert torn.small is None
    assert torn.path == troubled_collection / "train" / "Roundleaf___Rust" / "torn.jpg"
    small = problem(study, "small-classes")
    assert ALONE in small.sentence


def test_the_insight_has_pictures_with_a_sentence_each(made_study: Study) -> None:
    drawn = [one for one in made_study.pictures if one.path is not None]
    assert len(drawn) >= 3
    for one in made_study.pictures:
        assert one.question.endswith("?")
        assert one.answer.strip()
    for one in drawn:
        assert one.path is not None
        with Image.open(one.path) as picture:
            assert picture.size == one.shape_px


def test_the_next_window_shows_the_last_study(make: Make, made_study: Study, tmp_path: Path) -> None:
    shutil.copytree(made_study.folder.parents[1], tmp_path / "understand", dirs_exist_ok=True)
    woken = threading.Event()
    understanding = make(wake=woken.set)
    understanding.restore()
    assert woken.wait(20)
    state = understanding.state()
    assert not state.restoring
    assert state.study is not None
    assert (state.study.made_s, state.study.places) == (made_study.made_s, made_study.places)
    assert [len(one.cases) for one in state.study.problems] == [len(one.cases) for one in made_study.problems]


def test_a_study_that_is_damaged_is_passed_over(made_study: Study, tmp_path: Path) -> None:
    root = tmp_path / "understand"
    shutil.copytree(made_study.folder, root / "older" / "000001")
    for number, text in enumerate((b"", b"{}", b"[]", b'{"format": 99}'), 1):
        folder = root / "newer" / f"{number:06d}"
        shutil.copytree(made_study.folder, folder)
        (folder / "study.json").write_bytes(text)
        with pytest.raises(StorageError):
            load_study(folder)
    study = last_study(root)
    assert study is not None
    assert study.folder == root / "older" / "000001"
    (study.folder / "cases.jsonl").write_bytes(b'{"of": 99, "rows": [1], "text": ""}\n')
    assert last_study(root) is None
    assert last_study(tmp_path / "nowhere") is None


def test_a_cancelled_run_goes_on_where_it_stopped_and_the_terminal_after_it(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 8, "healthy": 8})
    first = make(students.stops_in_the_middle)
    first.start([folder])
    opened = tmp_path / "understand" / students.OPENED
    wait_for(first, lambda _: number_of(opened) > 8)
    first.cancel()
    assert first.state().working_on == ()
    first.close()
    assert first.state().trouble is None
    opened.unlink()
    again = make(students.notes_what_it_opens)
    again.start([folder])
    state = wait_for(again, over)
    assert state.trouble is None
    assert state.study is not None
    assert state.study.usable == 16
    assert number_of(opened) == 8
    monkeypatch.setattr(reading, "read_photo", lambda path, limits: pytest.fail(f"{path} is read again"))
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    told = leafsight("check", folder, "--no-model", "--json", "-q")
    assert told.json["usable"] == 16


def test_starting_anew_waits_for_the_one_that_is_cancelled(make: Make, tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 8, "healthy": 8})
    understanding = make(students.stops_in_the_middle)
    understanding.start([folder])
    opened = tmp_path / "understand" / students.OPENED
    wait_for(understanding, lambda _: number_of(opened) > 8)
    opened.unlink()
    understanding.start([folder])
    state = wait_for(understanding, lambda _: number_of(opened) > 4)
    assert state.trouble is None
    assert state.working_on == (folder,)


def test_a_killed_child_is_trouble_and_the_last_study_stays(
    make: Make, made_study: Study, tmp_path: Path
) -> None:
    shutil.copytree(made_study.folder.parents[1], tmp_path / "understand", dirs_exist_ok=True)
    understanding = make(students.dies)
    understanding.restore()
    wait_for(understanding, lambda state: not state.restoring)
    understanding.start(made_study.places)
    state = wait_for(understanding, over)
    assert state.trouble is not None
    assert "ended from outside" in state.trouble.message
    assert state.trouble.hint == "try again: what was read is kept"
    assert state.study is not None
    assert state.study.made_s == made_study.made_s


def test_a_child_that_hears_nobody_is_killed(make: Make, tmp_path: Path) -> None:
    understanding = make(students.stubborn)
    understanding.start([tmp_path])
    wait_for(understanding, lambda state: state.told is not None)
    understanding.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("work", "package"), [(students.without_pyarrow, "pyarrow"), (students.without_matplotlib, "matplotlib")]
)
def test_a_missing_extra_is_said_before_anything_is_read(
    make: Make, tmp_path: Path, work: object, package: str
) -> None:
    understanding = make(work)
    understanding.start([save_collection(tmp_path / "photos", {"rust": 2})])
    state = wait_for(understanding, over)
    assert state.trouble == Trouble(
        f"this needs '{package}', which is not installed", "pip install 'leafsight[train]'"
    )
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_vanishes_before_and_meanwhile(make: Make, tmp_path: Path) -> None:
    understanding = make()
    understanding.start([tmp_path / "never"])
    state = wait_for(understanding, over)
    assert state.trouble == Trouble(
        f"{tmp_path / 'never'} is not there", "bring it back; what was read is kept"
    )
    folder = save_collection(tmp_path / "photos", {"rust": 6, "healthy": 6})
    understanding = make(students.pulls_the_card)
    understanding.start([folder])
    state = wait_for(understanding, over)
    assert state.trouble == Trouble(f"{folder} is not there", "bring it back; what was read is kept")
    assert state.study is None


def test_a_full_disk_leaves_nothing_half(make: Make, made_study: Study, tmp_path: Path) -> None:
    root = tmp_path / "understand"
    shutil.copytree(made_study.folder.parents[1], root, dirs_exist_ok=True)
    before = sorted(root.rglob("*"))
    understanding = make(students.with_a_full_disk)
    understanding.restore()
    wait_for(understanding, lambda state: not state.restoring)
    understanding.start(made_study.places)
    state = wait_for(understanding, over)
    assert state.trouble == Trouble("no space left while writing health.html", "free some space")
    assert state.study is not None
    assert sorted(root.rglob("*")) == before


def test_what_is_no_collection_is_said(make: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    understanding = make()
    understanding.start([tmp_path / "empty"])
    state = wait_for(understanding, over)
    assert state.trouble is not None
    assert "empty" in state.trouble.message


def test_a_report_is_saved_beside_what_is_there(made_study: Study, tmp_path: Path) -> None:
    first, second = save_report(made_study, tmp_path), save_report(made_study, tmp_path)
    assert first.name.startswith("leaves 20")
    assert second.name == f"{first.name} (2)"
    for folder in (first, second):
        assert sorted(path.name for path in folder.iterdir()) == [
            "health.html",
            "health.json",
            "insight.html",
        ]
        assert "Health of leaves" in (folder / "health.html").read_text()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        save_report(made_study, tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", first.name, second.name]


def test_how_it_is_said(made_study: Study) -> None:
    assert verdict(made_study).endswith("things must be mended before training")
    assert "look" in second_line(made_study)
    leak = problem(made_study, "leak")
    assert (kind_in_words(leak), weight_in_words(leak.weight)) == (
        "In training and test alike",
        "Mend before training",
    )
    # The name of a command stays as it is typed.
    assert hint_in_words(leak) == "leafsight split --repair plans the smallest change that mends it."
    assert case_in_words(made_study, leak.cases[0]).count(" = ") == len(leak.cases[0].rows) - 1
    odd = Problem("never-heard-of", "know", "", "do it", 3, Cases(), {"a": 2, "b": 1}, {"a": 4})
    assert kind_in_words(odd) == "Never heard of"
    assert hint_in_words(odd) == "Do it."
    assert classes_in_words(odd) == "By class: a 2 of 4, b 1"
    many = Problem("x", "know", "", "", 3, Cases(), dict.fromkeys("abcdef", 1), {})
    assert classes_in_words(many) == "By class: a 1, b 1, c 1, d 1, 2 more classes"
    assert step_in_words(None) == "Beginning"
    assert step_in_words(Told("check")) == "Looking for what is wrong (step 2 of 4)"
    assert progress_in_words(Told("read")) == ""
    assert progress_in_words(Told("read", 1000, 2000, 130.0)) == "1,000 of 2,000 · about 2 minutes left"
    assert [left_in_words(seconds) for seconds in (3, 40, 60, 7200)] == [
        "a few seconds left", "less than a minute left", "about 1 minute left", "about 2 hours left",
    ]  # fmt: skip


def test_the_time_that_is_left_follows_the_last_seconds() -> None:
    now, heard = 0.0, []
    telling = Telling(heard.append, lambda: now)
    telling.begin("read")
    telling.start("reading photos", 1000)
    telling.advance(500)  # known from before: at once
    assert heard[-1].left_s is None
    for _ in range(30):
        now += 1.0
        telling.advance(10)
    assert (heard[-1].done, heard[-1].total) == (800, 1000)
    assert heard[-1].left_s == pytest.approx(20.0)
    many = len(heard)
    for _ in range(100):
        now += 0.001
        telling.advance(1)
    assert len(heard) - many <= 1
    telling.finish()
    assert (heard[-1].done, heard[-1].left_s) == (1000, 0.0)
