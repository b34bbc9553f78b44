"""Folders and tables become archives that are the same when they are made again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from leafsight.cli import packing
from leafsight.cli.packing import sendings
from leafsight.errors import DatasetError, StorageError, UsageError


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return tmp_path / "made"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("okra/b.jpg", "okra/a.JPG", "bean/leaf rust/c.png", "bean/notes.txt", "bean/.hidden.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "photos"


def packed(path: Path, into: Path, label: str | None = None) -> list[tuple[str | None, dict[str, bytes]]]:
    found = []
    for one in sendings(path, label, into):
        with zipfile.ZipFile(one.path) as archive:
            found.append((one.label, {name: archive.read(name) for name in archive.namelist()}))
        assert one.photographs == len(found[-1][1])
    assert list(into.iterdir()) == []
    return found


def test_class_folders_keep_their_names(folder: Path, into: Path) -> None:
    [(label, files)] = packed(folder, into)
    assert label is None
    assert list(files) == ["bean/leaf rust/c.png", "okra/a.JPG", "okra/b.jpg"]
    assert files["okra/b.jpg"] == b"okra/b.jpg"


def test_the_same_photographs_give_the_same_bytes(folder: Path, into: Path) -> None:
    [first] = [one.path.read_bytes() for one in sendings(folder, None, into)]
    (folder / "okra/b.jpg").touch()
    assert [one.path.read_bytes() for one in sendings(folder, None, into)] == [first]


def test_many_photographs_become_several_archives(
    folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "VOLUME_BYTES", 25)
    assert [list(files) for _, files in packed(folder, into)] == [
        ["bean/leaf rust/c.png"],
        ["okra/a.JPG", "okra/b.jpg"],
    ]
    monkeypatch.setattr(packing, "MOST_PHOTOGRAPHS", 2)
    with pytest.raises(DatasetError, match="has 3 photographs"):
        list(sendings(folder, None, into))


def test_photographs_without_class_folders_need_a_label(folder: Path, into: Path) -> None:
    with pytest.raises(UsageError, match=r"2 photographs of .* lie in no class folder"):
        list(sendings(folder / "okra", None, into))
    [(label, files)] = packed(folder / "okra", into, "okra/leaf_curl")
    assert (label, list(files)) == (None, ["okra___leaf_curl/a.JPG", "okra___leaf_curl/b.jpg"]), (
        "a server goes by folders"
    )
    (folder / "empty").mkdir()
    with pytest.raises(DatasetError, match="no photographs"):
        list(sendings(folder / "empty", None, into))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_photographs_and_classes(folder: Path, into: Path, delimiter: str) -> None:
    rows = [
        ("Note", "File", "Class"),
        ("x", "okra/a.JPG", "okra/leaf_curl"),
        ("", "bean/leaf rust/c.png", "Bean rust"),
        ("", "", ""),
        ("", "okra/a.JPG", "okra/leaf_curl"),
    ]
    table = folder / "table.csv"
    table.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8-sig")
    [(label, files)] = packed(table, into)
    assert label is None
    assert list(files)[:2] == ["okra___leaf_curl/a.JPG", "Bean rust/c.png"]
    assert len(files) == 3
    assert files["Bean rust/c.png"] == b"bean/leaf rust/c.png"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no column of photographs"),
        ("file\na.jpg\n", "no column of classes"),
        ("file,label\n", "names no photographs"),
        ("file,label\nokra/none.jpg,x\n", "line 2: there is no"),
        ("file,label\nokra/b.jpg\n", "line 2: a photograph or its class is missing"),
        ("file,label\nokra/b.jpg,\n", "line 2: a photograph or its class is missing"),
        ("file,label\n\x00,x\n", "table"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(folder: Path, into: Path, text: str, error: str) -> None:
    (folder / "table.csv").write_text(text)
    with pytest.raises((DatasetError, StorageError, ValueError), match=error):
        list(sendings(folder / "table.csv", None, into))


def test_a_table_of_another_encoding(folder: Path, into: Path) -> None:
    (folder / "table.csv").write_bytes(b"file,label\nokra/b.jpg,Fl\xe4che\n")
    with pytest.raises(DatasetError, match="cannot be read"):
        list(sendings(folder / "table.csv", None, into))


def test_archives_and_photographs_stay_what_they_are(folder: Path, into: Path) -> None:
    archive = folder / "some.tar.gz"
    archive.write_bytes(b"x")
    [one] = sendings(archive, None, into)
    assert (one.path, one.label, one.photographs) == (archive, None, None)
    [one] = sendings(folder / "okra/a.JPG", "okra", into)
    assert (one.path, one.photographs) == (folder / "okra/a.JPG", 1)
    with pytest.raises(UsageError, match="nothing says what") as caught:
        list(sendings(folder / "okra/a.JPG", None, into))
    assert "--label" in caught.value.hint
    with pytest.raises(UsageError, match="say which class") as caught:
        list(sendings(archive, "okra", into))
    assert "--label" in caught.value.hint


def test_what_is_nothing_of_that_is_named(folder: Path, into: Path) -> None:
    with pytest.raises(UsageError, match="neither a folder, a table, an archive nor a photograph"):
        list(sendings(folder / "bean/notes.txt", None, into))
    with pytest.raises(StorageError, match="there is no"):
        list(sendings(folder / "none", None, into))
