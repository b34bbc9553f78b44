from __future__ import annotations

import json
from pathlib import Path

import pytest

from leafsight.dataset.image_folder import NotMetadataError, find_in_image_folder, metadata_files
from leafsight.dataset.listing_json import ListingLimits
from leafsight.errors import DatasetError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def jsonl(path: Path, *rows: object) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def found(folder: Path) -> list[tuple[str, str, str | None]]:
    finding = find_in_image_folder(folder, "s")
    return [(photo.path, photo.class_name, photo.split) for photo in finding.photos]


def test_a_csv_at_the_top(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "deep/2.jpg", "3.jpg")
    (tmp_path / "metadata.csv").write_text("file_name,label,group\n1.jpg,rust,leaf 1\ndeep/2.jpg,healthy,\n")
    finding = find_in_image_folder(tmp_path, "s")
    assert [(p.path, p.class_name, p.given_group) for p in finding.photos] == [
        ("1.jpg", "rust", "leaf 1"),
        ("deep/2.jpg", "healthy", None),
    ]
    assert any("'label' is the class" in note for note in finding.notes)
    assert any("1 photographs are not in the metadata" in note for note in finding.notes)


def test_metadata_in_every_split_folder(tmp_path: Path) -> None:
    touch(tmp_path, "train/1.jpg", "validation/1.jpg")
    for part in ("train", "validation"):
        jsonl(tmp_path / part / "metadata.jsonl", {"file_name": "1.jpg", "text": "rust"})
    assert [path.parent.name for path in metadata_files(tmp_path)] == ["train", "validation"]
    assert found(tmp_path) == [("train/1.jpg", "rust", "train"), ("validation/1.jpg", "rust", "valid")]


def test_metadata_at_the_top_takes_the_split_from_the_folders(tmp_path: Path) -> None:
    touch(tmp_path, "train/1.jpg", "test/2.jpg")
    jsonl(
        tmp_path / "metadata.jsonl",
        {"file_name": "train/1.jpg", "label": "rust"},
        {"file_name": "test/2.jpg", "label": ["rust"]},
    )
    assert found(tmp_path) == [("train/1.jpg", "rust", "train"), ("test/2.jpg", "rust", "test")]


CARD = """---
license: cc-by-4.0
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': rust
          '1': "leaf: healthy"
  splits:
  - name: train
---
# A card
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", CARD),
        (
            "dataset_info.json",
            '{"features": {"label": {"names": ["rust", "leaf: healthy"], "_type": "ClassLabel"}}}',
        ),
        ("dataset_infos.json", '{"default": {"features": {"label": {"names": ["rust", "leaf: healthy"]}}}}'),
    ],
)
def test_numbers_are_named_by_the_class_list(name: str, content: str, tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / name).write_text(content)
    jsonl(
        tmp_path / "metadata.jsonl", {"file_name": "1.jpg", "label": 1}, {"file_name": "2.jpg", "label": "0"}
    )
    assert [class_name for _, class_name, _ in found(tmp_path)] == ["leaf: healthy", "rust"]
    jsonl(tmp_path / "metadata.jsonl", {"file_name": "1.jpg", "label": 2})
    with pytest.raises(DatasetError, match="label 2 is not in the class list"):
        found(tmp_path)


def test_numbers_that_nothing_names_are_told_of(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    two = '{"features": {"a": {"names": ["x"]}, "b": {"names": ["y"]}}}'  # nobody says which is the label's
    (tmp_path / "dataset_info.json").write_text(two)
    jsonl(tmp_path / "metadata.jsonl", {"file_name": "1.jpg", "label": 0})
    finding = find_in_image_folder(tmp_path, "s")
    assert finding.photos[0].class_name == "0"
    assert any("nothing in the folder names them" in note for note in finding.notes)


def test_no_label_is_an_error_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path, "rust/1.jpg")
    (tmp_path / "metadata.csv").write_text("file_name,width\nrust/1.jpg,40\n")
    with pytest.raises(NotMetadataError, match="no column with a label; it has: file_name, width"):
        find_in_image_folder(tmp_path, "s")


def test_every_fault_comes_at_once_with_its_line(tmp_path: Path) -> None:
    touch(tmp_path / "in", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg")
    touch(tmp_path, "outside.jpg")
    jsonl(
        tmp_path / "in" / "metadata.jsonl",
        {"file_name": "1.jpg", "label": "rust"},
        {"file_name": "../outside.jpg", "label": "rust"},
        {"file_name": "gone.jpg", "label": "rust"},
        {"file_name": "2.jpg"},
        {"file_name": "3.jpg", "label": ["rust", "healthy"]},
        {"file_name": "1.jpg", "label": "rust"},
        {"label": "rust"},
        {"file_name": "4.jpg", "label": "half \ud800"},
        {"file_name": "5.jpg", "label": None},
    )
    with pytest.raises(DatasetError) as caught:
        find_in_image_folder(tmp_path / "in", "s")
    for said in (
        "line 2: '../outside.jpg' leads outside",
        "line 3: no such file: 'gone.jpg'",
        "line 4: no label",
        "line 5: several labels",
        "line 6: '1.jpg' is named in metadata.jsonl line 1 already",
        "line 7: no file name",
        "line 8: a cell is not valid Unicode",
        "line 9: no label",
    ):
        assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("metadata.csv", "", "names no photograph"),
        ("metadata.csv", "file_name,label\n", "names no photograph"),
        ("metadata.csv", "name,label\na,b\n", "no column file_name"),
        ("metadata.csv", 'file_name,label\n"a,b\n', "unexpected end"),
        ("metadata.jsonl", '{"file_name": "1.jpg", "label": "a"}\n{', "line 2 is not valid JSON"),
    ],
)
def test_what_is_no_metadata_is_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=said):
        find_in_image_folder(tmp_path, "s")


def test_unknown_classes_and_too_many_lines(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "metadata.csv").write_text("file_name,label\n1.jpg,rust\n2.jpg,rust\n")
    with pytest.raises(DatasetError, match="unknown class 'rust', did you mean 'rusts'"):
        find_in_image_folder(tmp_path, "s", ["rusts"])
    with pytest.raises(DatasetError, match="more than 2 lines"):
        find_in_image_folder(tmp_path, "s", limits=ListingLimits(max_entries=2))
