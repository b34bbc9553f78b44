from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.dataset.listing import find_in_csv
from leafsight.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for name in ("1.jpg", "2 b.jpg", "новый\nлист.jpg"):
        (tmp_path / "pictures" / name).write_bytes(b"x")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_reads_every_column(folder: Path) -> None:
    lines = (
        "\ufeffPath,Label,group,split",
        "pictures/1.jpg,rust,leaf 7,Val",
        '"pictures/новый\nлист.jpg",healthy,,',
    )
    text = "\r\n".join(lines)
    photos = find_in_csv(write(folder, text), "s").photos
    assert [(p.path, p.class_name, p.given_group, p.split) for p in photos] == [
        ("pictures/1.jpg", "rust", "leaf 7", "valid"),
        ("pictures/новый\nлист.jpg", "healthy", None, None),
    ]
    assert photos[0].root == str(folder.resolve())


def test_other_headings_and_absolute_paths(folder: Path) -> None:
    text = f"filename,category\n{folder}/pictures/1.jpg,rust\n./pictures/2 b.jpg,rust\n"
    assert [photo.path for photo in find_in_csv(write(folder, text), "s").photos] == [
        "pictures/1.jpg",
        "pictures/2 b.jpg",
    ]


def test_all_faults_come_at_once_with_their_lines(folder: Path) -> None:
    text = (
        "path,label\npictures/1.jpg,rust\npictures/gone.jpg,rust\npictures/2 b.jpg,ruts\n"
        "pictures/1.jpg,rust\n,rust\npictures/1.jpg,\npictures/also gone.jpg,wilt\n"
    )
    with pytest.raises(DatasetError) as caught:
        find_in_csv(write(folder, text), "s", classes=["rust", "healthy"])
    message = str(caught.value)
    assert "line 3: no such file: 'pictures/gone.jpg'" in message
    assert "line 4: unknown class 'ruts', did you mean 'rust'?" in message
    assert "line 5: 'pictures/1.jpg' is named in line 2 already" in message
    assert "line 6: no path" in message
    assert "line 7: no label" in message
    assert "line 8: no such file" in message
    assert "line 8: unknown class 'wilt'" in message


def test_thousands_of_faults_are_counted_not_listed(folder: Path) -> None:
    text = "path,label\n" + "".join(f"gone{n}.jpg,rust\n" for n in range(2000))
    with pytest.raises(DatasetError, match="2000 faults") as caught:
        find_in_csv(write(folder, text), "s")
    assert len(str(caught.value).splitlines()) < 50
    assert "and 1960 more" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no column path"),
        ("path,colour\na,b\n", "no column label"),
        ("path,label\n", "names no photograph"),
        ('path,label\n"pictures/1.jpg,rust\n', "line"),
    ],
)
def test_what_is_no_list_is_refused(text: str, expected: str, folder: Path) -> None:
    with pytest.raises(DatasetError, match=expected):
        find_in_csv(write(folder, text), "s")


def test_another_encoding_is_named(folder: Path) -> None:
    path = folder / "list.csv"
    path.write_bytes("path,label\npictures/1.jpg,rouillé\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="utf-8") as caught:
        find_in_csv(path, "s")
    assert "UTF-8" in caught.value.hint
