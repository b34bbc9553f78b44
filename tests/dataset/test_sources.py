from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leafsight.dataset import ArchiveLimits, index_photos
from leafsight.dataset.folders import Finding
from leafsight.dataset.sources import find_photos
from leafsight.errors import DatasetError
from leafsight.progress import Silent


def look(path: Path, store: Path | None = None) -> Finding:
    return find_photos(path, "s", store, None, ArchiveLimits(), Silent())


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def tar_of(path: Path, content: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def coco(path: Path, file_name: str) -> Path:
    value = {
        "images": [{"id": 1, "file_name": file_name}],
        "annotations": [{"image_id": 1, "category_id": 1}],
        "categories": [{"id": 1, "name": "rust"}],
    }
    path.write_text(json.dumps(value))
    return path


def classes(finding: Finding) -> list[tuple[str, str]]:
    return [(photo.path, photo.class_name) for photo in finding.photos]


def test_a_json_is_known_by_its_content(tmp_path: Path) -> None:
    listing = coco(touch(tmp_path, "1.jpg") / "no ending", "1.jpg")
    assert classes(look(listing)) == [("1.jpg", "rust")]
    (tmp_path / "other").write_text("  [1, 2]")
    with pytest.raises(DatasetError, match="not a COCO listing"):
        look(tmp_path / "other")


def test_a_folder_with_metadata_with_coco_or_with_neither(tmp_path: Path) -> None:
    meta = touch(tmp_path / "meta", "1.jpg")
    (meta / "metadata.csv").write_text("file_name,label\n1.jpg,rust\n")
    assert classes(look(meta)) == [("1.jpg", "rust")]
    assert classes(look(meta / "metadata.csv")) == [("1.jpg", "rust")]
    (meta / "metadata.jsonl").write_text('{"file_name": "1.jpg", "label": "wilt"}\n')
    assert classes(look(meta / "metadata.jsonl")) == [("1.jpg", "wilt")]
    (meta / "metadata.jsonl").write_text('{"file_name": "1.jpg"}\n')
    with pytest.raises(DatasetError, match="no column with a label; it has: file_name"):
        look(meta / "metadata.jsonl")
    robo = touch(tmp_path / "robo", "1.jpg")
    coco(robo / "x.coco.json", "1.jpg")
    assert classes(look(robo)) == [("1.jpg", "rust")]
    plain = touch(tmp_path / "plain", "rust/1.jpg", "wilt/2.jpg")
    (plain / "metadata.csv").write_text("file_name,width\nrust/1.jpg,40\n")
    finding = look(plain)
    assert classes(finding) == [("rust/1.jpg", "rust"), ("wilt/2.jpg", "wilt")]
    assert finding.notes[0].startswith("s: metadata.csv was not read as metadata (")


@pytest.mark.parametrize("content", [b"", b"id,age\n1,2\n", "Bl\xe4tter\n1\n".encode("latin-1"), b'"a\n'])
def test_class_folders_with_other_files_of_those_names_stay_class_folders(
    content: bytes, tmp_path: Path
) -> None:
    touch(tmp_path, "rust/1.jpg", "wilt/2.jpg", "annotations/x.json")
    (tmp_path / "metadata.csv").write_bytes(content)
    (tmp_path / "annotations" / "x.json").write_text('{"version": "5", "shapes": []}')
    assert classes(look(tmp_path)) == [("rust/1.jpg", "rust"), ("wilt/2.jpg", "wilt")]


def test_a_folder_of_tars(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    for number in range(3):
        tar_of(folder / f"train-00000{number}.tar", {"0.jpg": b"%d" % number, "0.cls": b"1"})
    (folder / "classes.txt").write_text("healthy\nrust\n")
    finding = look(folder, tmp_path / "store")
    assert classes(finding) == [(f"train-00000{number}.tar/0.jpg", "rust") for number in range(3)]
    assert {photo.split for photo in finding.photos} == {"train"}
    assert sum("WebDataset" in note for note in finding.notes) == 1
    assert any("3 tars were read as one" in note for note in finding.notes)
    bytes_of = [(Path(photo.root) / (photo.stored_as or "")).read_bytes() for photo in finding.photos]
    assert bytes_of == [b"0", b"1", b"2"]


def test_tars_of_class_folders_are_read_as_such(tmp_path: Path) -> None:
    for name in ("rust", "wilt"):
        tar_of(tmp_path / "tars" / f"{name}.tar", {f"{name}/1.jpg": b"x", f"{name}/1.json": b"{}"})
    finding = look(tmp_path / "tars", tmp_path / "store")
    assert classes(finding) == [("rust.tar/rust/1.jpg", "rust"), ("wilt.tar/wilt/1.jpg", "wilt")]


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("evil/1.jpg", b"x")
    tar = tar_of(tmp_path / "a.tar", {"rust/1.jpg": b"x", "wilt/2.jpg": b"y", "wilt/z.zip": inner.getvalue()})
    assert classes(look(tar, tmp_path / "store")) == [("rust/1.jpg", "rust"), ("wilt/2.jpg", "wilt")]


def test_a_folder_without_classes_names_the_listing_beside(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "labels.json")
    with pytest.raises(DatasetError, match="no photographs") as caught:
        look(tmp_path)
    assert "name the listing itself, such as labels.json" in caught.value.hint


def test_a_missing_path_is_said_as_ever(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        look(tmp_path / "absent")


def test_index_photos_takes_them_all(tmp_path: Path, write_photo: Callable[..., Path]) -> None:
    for number in range(3):
        write_photo(tmp_path / "in" / f"{number}.jpg", number)
    listing = coco(tmp_path / "in" / "set.json", "0.jpg")
    (tmp_path / "in" / "metadata.csv").write_text("file_name,label\n1.jpg,wilt\n")
    index = index_photos([listing, tmp_path / "in" / "metadata.csv"])
    assert list(zip(index.column("source"), index.column("class_name"), strict=True)) == [
        ("metadata", "wilt"),
        ("set.json", "rust"),
    ]
    assert any("COCO" in note for note in index.notes)
