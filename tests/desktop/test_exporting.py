from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from leafsight.desktop.session import exporting
from leafsight.desktop.session.exporting import Copied, Exported, copy_into_folders, write_csv
from leafsight.errors import DiskFullError, StorageError
from leafsight.inference import Candidate, Combined, Prediction
from leafsight.inference.prediction import ANSWER_NAMES

NAMED = Prediction(
    verdict="diagnosis",
    reason="It is sure enough.",
    hint="Ask a grower.",
    model="leafsight-1",
    model_hash="abc",
    class_name="Tomato___Early_blight",
    key="tomato/early_blight",
    crop="tomato",
    condition="early_blight",
    display="Tomato: early blight",
    probability=0.8125,
    crop_given="tomato",
    possible=(
        Candidate("Tomato___Early_blight", "tomato/early_blight", "Tomato: early blight", 0.8125),
        Candidate("Tomato___Late_blight", "tomato/late_blight", "Tomato: late blight", 0.1),
    ),
)
PLANT_TITLES = [name for name in exporting.TITLES if name.startswith("plant_")]
UNSURE = Prediction(verdict="cannot_tell", reason="Not sure enough.", model="leafsight-1")


def table(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def photograph(path: Path, data: bytes = b"leaf") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def silent(done: int, total: int) -> None:
    assert 1 <= done <= total


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


# The table


def test_one_line_a_photograph(tmp_path: Path) -> None:
    rows = [
        Exported(Path("/photos/a.jpg"), NAMED, "tomato/late_blight"),
        Exported(Path("/photos/b.jpg"), UNSURE, None),
    ]
    target = tmp_path / "new" / "answers.csv"
    assert write_csv(rows, target) == 2
    first, second = table(target)
    assert first == {
        "photograph": "/photos/a.jpg",
        "verdict": "diagnosis",
        "diagnosis": "Tomato: early blight",
        "key": "tomato/early_blight",
        "probability": "0.8125",
        "sureness": "likely",
        "cannot_be_excluded": "Tomato: early blight; Tomato: late blight",
        "crop_given": "tomato",
        "corrected_to": "tomato/late_blight",
        "reason": "It is sure enough.",
        "hint": "Ask a grower.",
        "model": "leafsight-1",
        "model_hash": "abc",
        "person_says": "corrected",
        "plant": "",
        **dict.fromkeys(PLANT_TITLES, ""),
    }
    assert second["verdict"] == "cannot_tell"
    assert [second[name] for name in ("diagnosis", "key", "probability", "sureness", "corrected_to")] == [
        ""
    ] * 5


def test_a_plant_stands_on_the_line_of_each_of_its_photographs(tmp_path: Path) -> None:
    plain = {name: getattr(NAMED, name) for name in ANSWER_NAMES}
    combined = Combined(**{**plain, "probability": 0.9375}, photographs=3, used=2)
    rows = [
        Exported(Path("a.jpg"), NAMED, NAMED.key, 2, combined),
        Exported(Path("b.jpg"), UNSURE, None, 2, combined),
        Exported(Path("c.jpg"), UNSURE, None, 3),
    ]
    write_csv(rows, tmp_path / "answers.csv")
    first, second, third = table(tmp_path / "answers.csv")
    assert {name: first[name] for name in PLANT_TITLES} == {name: second[name] for name in PLANT_TITLES} == {
        "plant_verdict": "diagnosis",
        "plant_diagnosis": "Tomato: early blight",
        "plant_key": "tomato/early_blight",
        "plant_probability": "0.9375",
        "plant_sureness": "likely",
        "plant_cannot_be_excluded": "Tomato: early blight; Tomato: late blight",
        "plant_rests_on": "Rests on 2 of 3 photographs.",
        "plant_reason": "It is sure enough.",
    }  # fmt: skip
    assert [row["plant"] for row in (first, second, third)] == ["2", "2", "3"]
    assert [row["person_says"] for row in (first, second, third)] == ["right", "", ""]
    assert {third[name] for name in PLANT_TITLES} == {""}


def test_nothing_to_write_is_a_table_of_titles(tmp_path: Path) -> None:
    assert write_csv([], tmp_path / "answers.csv") == 0
    assert table(tmp_path / "answers.csv") == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_runs_in_a_spreadsheet(tmp_path: Path, start: str) -> None:
    evil = f'{start}HYPERLINK("http://x";"y")'
    said = replace(NAMED, reason=evil, hint=evil, display=evil, model=evil, possible=())
    write_csv([Exported(Path(f"{start}a.jpg"), said, evil)], tmp_path / "answers.csv")
    (row,) = table(tmp_path / "answers.csv")
    assert row["photograph"] == f"'{start}a.jpg"
    assert {row[name] for name in ("reason", "hint", "diagnosis", "model", "corrected_to")} == {f"'{evil}"}


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    rows = [Exported(Path("a.jpg"), replace(NAMED, probability=-1e-7), None)]
    write_csv(rows, tmp_path / "answers.csv")
    assert b",-1e-07," in (tmp_path / "answers.csv").read_bytes()


@pytest.mark.parametrize(
    "name", ["a,b.jpg", 'a"b".jpg', "a\nb.jpg", "a\r\nb.jpg", "a;=1+1.jpg", "ünï 葉.jpg", " a'.jpg"]
)
def test_names_come_back_as_they_are(tmp_path: Path, name: str) -> None:
    write_csv([Exported(Path("/photos") / name, UNSURE, None)] * 2, tmp_path / "answers.csv")
    assert [row["photograph"] for row in table(tmp_path / "answers.csv")] == [f"/photos/{name}"] * 2


def test_names_that_are_no_utf8_are_printable(tmp_path: Path) -> None:
    path = Path(os.fsdecode(b"/photos/bl\xe4tter.jpg"))
    write_csv([Exported(path, replace(UNSURE, reason="half \ud83c leaf"), None)], tmp_path / "answers.csv")
    (row,) = table(tmp_path / "answers.csv")
    assert row["photograph"] == "/photos/bl\\xe4tter.jpg"
    assert row["reason"] == "half \\ud83c leaf"


def test_a_table_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_csv([], tmp_path)
    file = photograph(tmp_path / "file")
    with pytest.raises(StorageError):
        write_csv([], file / "answers.csv")
    assert files_in(tmp_path) == {"file": b"leaf"}


def test_the_old_table_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    target = photograph(tmp_path / "answers.csv", b"old")

    class Falling(list[Exported]):
        def __iter__(self) -> Iterator[Exported]:
            yield Exported(Path("a.jpg"), NAMED, None)
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(DiskFullError):
        write_csv(Falling(), target)
    assert files_in(tmp_path) == {"answers.csv": b"old"}


# The folders


def test_every_photograph_goes_to_the_folder_of_its_class(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    rows = [
        Exported(photograph(source / "a.jpg", b"a"), NAMED, None),
        Exported(photograph(source / "b.jpg", b"b"), NAMED, "tomato/late_blight"),
        Exported(photograph(source / "c.jpg", b"c"), UNSURE, "apple/scab"),
        Exported(photograph(source / "d.jpg", b"d"), UNSURE, None),
    ]
    verdicts = ("not_a_leaf", "too_blurred", "unreadable")
    for verdict in verdicts:
        said = replace(UNSURE, verdict=verdict)
        rows.append(Exported(photograph(source / f"{verdict}.jpg", verdict.encode()), said, None))
    heard: list[tuple[int, int]] = []
    target = tmp_path / "out" / "sorted"
    copied = copy_into_folders(rows, target, lambda done, total: heard.append((done, total)))
    assert copied == Copied(7, 0, ())
    assert heard == [(at, 7) for at in range(1, 8)]
    assert files_in(target) == {
        "tomato___early_blight/a.jpg": b"a",
        "tomato___late_blight/b.jpg": b"b",
        "apple___scab/c.jpg": b"c",
        "cannot_tell/d.jpg": b"d",
        **{f"{verdict}/{verdict}.jpg": verdict.encode() for verdict in verdicts},
    }
    assert len(files_in(source)) == 7


def test_two_photographs_of_one_name(tmp_path: Path) -> None:
    paths = [photograph(tmp_path / where / "leaf.one.jpg", where.encode()) for where in ("x", "y", "z")]
    target = tmp_path / "sorted"
    rows = [Exported(path, NAMED, None) for path in paths]
    expected = {
        "tomato___early_blight/leaf.one.jpg": b"x",
        "tomato___early_blight/leaf.one (2).jpg": b"y",
        "tomato___early_blight/leaf.one (3).jpg": b"z",
    }
    assert copy_into_folders(rows, target, silent) == Copied(3, 0, ())
    assert files_in(target) == expected
    assert copy_into_folders(rows, target, silent) == Copied(0, 3, ())
    assert files_in(target) == expected


def test_a_stopped_call_goes_on_where_it_stopped(tmp_path: Path) -> None:
    rows = [Exported(photograph(tmp_path / f"{at}.jpg", b"%d" % at), NAMED, None) for at in range(5)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_into_folders(rows, tmp_path / "sorted", stop)
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(3, 2, ())
    assert len(files_in(tmp_path / "sorted")) == 5


@pytest.mark.parametrize("there", [b"leaf!", b"lea", b"feal", b""])
def test_other_bytes_of_that_name_are_never_overwritten(tmp_path: Path, there: bytes) -> None:
    rows = [Exported(photograph(tmp_path / "a.jpg"), NAMED, None)]
    folder = tmp_path / "sorted" / "tomato___early_blight"
    photograph(folder / "a.jpg", there)
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(1, 0, ())
    assert files_in(folder) == {"a.jpg": there, "a (2).jpg": b"leaf"}


def test_large_photographs_are_compared_to_their_end(tmp_path: Path) -> None:
    data = bytes(exporting.PIECE_BYTES) + b"end"
    folder = tmp_path / "sorted" / "tomato___early_blight"
    photograph(folder / "a.jpg", data[:-1] + b"D")
    rows = [Exported(photograph(tmp_path / "a.jpg", data), NAMED, None)]
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(1, 0, ())
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(0, 1, ())
    assert (folder / "a (2).jpg").read_bytes() == data


def test_links_and_folders_of_that_name_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "sorted" / "tomato___early_blight"
    (folder / "a (2).jpg").mkdir(parents=True)
    (folder / "a.jpg").symlink_to(tmp_path / "nowhere")
    rows = [Exported(photograph(tmp_path / "a.jpg"), NAMED, None)]
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(1, 0, ())
    assert (folder / "a.jpg").is_symlink()
    assert files_in(folder) == {"a (3).jpg": b"leaf"}
    assert not (tmp_path / "nowhere").exists()


def test_photographs_that_vanished_stop_nobody(tmp_path: Path) -> None:
    gone, folder, pipe = tmp_path / "gone.jpg", tmp_path / "folder.jpg", tmp_path / "pipe.jpg"
    folder.mkdir()
    os.mkfifo(pipe)
    under_a_file = photograph(tmp_path / "b.jpg") / "c.jpg"
    lost = (gone, folder, pipe, under_a_file)
    rows = [Exported(path, NAMED, None) for path in (*lost, photograph(tmp_path / "a.jpg"))]
    heard: list[int] = []
    copied = copy_into_folders(rows, tmp_path / "sorted", lambda done, _: heard.append(done))
    assert copied == Copied(1, 0, lost)
    assert heard == [1, 2, 3, 4, 5]
    assert files_in(tmp_path / "sorted") == {"tomato___early_blight/a.jpg": b"leaf"}


def test_a_card_pulled_out_in_the_middle_leaves_no_half_photograph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pulled(io.BufferedReader):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(errno.EIO, "no card")
            return super().read(2)

    opened = Path.open

    def pulled(self: Path, mode: str = "r", *args: Any, **more: Any) -> IO[Any]:
        return Pulled(io.FileIO(self)) if self.name == "a.jpg" else opened(self, mode, *args, **more)

    lost, kept = photograph(tmp_path / "a.jpg"), photograph(tmp_path / "b.jpg")
    monkeypatch.setattr(Path, "open", pulled)
    rows = [Exported(lost, NAMED, None), Exported(kept, NAMED, None)]
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(1, 0, (lost,))
    monkeypatch.undo()
    assert files_in(tmp_path / "sorted") == {"tomato___early_blight/b.jpg": b"leaf"}


def test_a_target_that_is_a_file(tmp_path: Path) -> None:
    rows = [Exported(photograph(tmp_path / "a.jpg"), NAMED, None)]
    target = photograph(tmp_path / "target", b"mine")
    with pytest.raises(StorageError):
        copy_into_folders(rows, target, silent)
    photograph(tmp_path / "sorted" / "tomato___early_blight", b"mine")
    with pytest.raises(StorageError):
        copy_into_folders(rows, tmp_path / "sorted", silent)
    assert target.read_bytes() == b"mine"


def test_a_full_disk_leaves_what_was_copied_and_no_half_photograph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Exported(photograph(tmp_path / f"{at}.jpg", b"%d" % at), NAMED, None) for at in range(3)]
    kept = exporting.replacing

    @contextmanager
    def filling(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
        with kept(path, mode) as file:
            yield file
            if path.name == "1.jpg":
                raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(exporting, "replacing", filling)
    with pytest.raises(DiskFullError):
        copy_into_folders(rows, tmp_path / "sorted", silent)
    assert files_in(tmp_path / "sorted") == {"tomato___early_blight/0.jpg": b"0"}
    monkeypatch.undo()
    assert copy_into_folders(rows, tmp_path / "sorted", silent) == Copied(2, 1, ())


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("../../out", "___..___out"),
        ("..", "unnamed"),
        ("/", "___"),
        ("C:\\out", "C__out"),
        ("a\x00b\ud800", "a_b_"),
        ("トマト/うどんこ病", "トマト___うどんこ病"),
    ],
)
def test_no_key_leads_out_of_the_target(tmp_path: Path, key: str, folder: str) -> None:
    path = photograph(tmp_path / "photos" / "a.jpg")
    for row in (Exported(path, UNSURE, key), Exported(path, replace(NAMED, key=key), None)):
        copy_into_folders([row], tmp_path / "sorted", silent)
    assert files_in(tmp_path) == {"photos/a.jpg": b"leaf", f"sorted/{folder}/a.jpg": b"leaf"}


@pytest.mark.parametrize(
    "name", [b'a,b\n"c".jpg', b"bl\xe4tter.jpg", b"no suffix", b".jpg", "葉".encode() * 83 + b".jpg"]
)
def test_names_of_all_kinds_are_copied_and_numbered(tmp_path: Path, name: bytes) -> None:
    try:
        paths = [photograph(tmp_path / where / os.fsdecode(name), where.encode()) for where in ("x", "y")]
    except OSError:
        pytest.skip("this disk takes no such name")
    copied = copy_into_folders([Exported(path, NAMED, None) for path in paths], tmp_path / "sorted", silent)
    assert copied == Copied(2, 0, ())
    held = files_in(tmp_path / "sorted" / "tomato___early_blight")
    assert held.pop(os.fsdecode(name)) == b"x"
    ((second, data),) = held.items()
    assert " (2)" in second
    assert data == b"y"
