from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leafsight.dataset.coco import coco_listings, find_in_coco, find_in_coco_folder
from leafsight.dataset.listing_json import ListingLimits
from leafsight.errors import DatasetError

CATEGORIES = [{"id": 1, "name": "rust", "supercategory": "rust"}, {"id": 2, "name": "healthy"}]


def write(path: Path, images: list[Any], annotations: list[Any], categories: Any = CATEGORIES) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def one(image: int | str, category: int = 1, **more: object) -> dict[str, object]:
    return {"id": 1, "image_id": image, "category_id": category, **more}


@pytest.mark.parametrize("place", ["", "images/"])
def test_one_class_a_photograph_and_boxes_are_told_of(place: str, tmp_path: Path) -> None:
    touch(tmp_path, f"{place}a/1.jpg", f"{place}2.jpg", f"{place}3.jpg")
    listing = write(
        tmp_path / "set.json",
        [
            {"id": 10, "file_name": "a/1.jpg"},
            {"id": 11, "file_name": "2.jpg"},
            {"id": 12, "file_name": "3.jpg"},
        ],
        [one(10, 1, bbox=[0, 0, 5, 5]), one(10, 1, segmentation=[[1, 2]]), one(11, 2)],
    )
    finding = find_in_coco(listing, "s")
    assert [(photo.path, photo.class_name, photo.fault) for photo in finding.photos] == [
        (f"{place}a/1.jpg", "rust", None),
        (f"{place}2.jpg", "healthy", None),
    ]
    assert finding.photos[0].root == str(tmp_path.resolve())
    told = " ".join(finding.notes)
    assert "read as COCO" in told
    assert "boxes and outlines of 2 annotations were ignored" in told
    assert "1 images have no annotation" in told


def test_several_classes_are_a_fault_of_the_row_never_the_first(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    listing = write(
        tmp_path / "set.json",
        [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
        [one(1, 1), one(1, 2), one(2, 2)],
    )
    finding = find_in_coco(listing, "s")
    assert finding.photos[0].fault == "several-labels: its annotations name 2 classes: healthy, rust"
    assert finding.photos[1].fault is None
    assert any("1 images have several different classes" in note for note in finding.notes)


def test_every_fault_comes_at_once_with_its_entry(tmp_path: Path) -> None:
    touch(tmp_path / "in", "1.jpg", "2.jpg")
    touch(tmp_path, "outside.jpg")
    images = [
        {"id": 1, "file_name": "1.jpg"},
        {"id": 1, "file_name": "2.jpg"},
        {"id": 2, "file_name": "gone.jpg"},
        {"id": 3, "file_name": "../outside.jpg"},
        {"id": 4, "file_name": "/etc/passwd"},
        {"id": 5},
        {"file_name": "2.jpg"},
        {"id": True, "file_name": "2.jpg"},
        {"id": [1], "file_name": "2.jpg"},
        "no object",
        {"id": 6, "file_name": "./1.jpg"},
    ]
    annotations = [one(1), one(99), one(1, 7), {"image_id": 1}, {"category_id": 1}, None, one(1e400)]  # type: ignore[arg-type]
    categories = [*CATEGORIES, {"id": 2, "name": "again"}, {"id": 3}, {"id": 4, "name": "half \ud800"}, 5]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    listing = tmp_path / "in" / "set.json"
    listing.write_text(text.replace("Infinity", "1e400"))
    with pytest.raises(DatasetError) as caught:
        find_in_coco(listing, "s")
    message = caught.value.message
    for said in (
        "categories[2]: the id 2 belongs to 'healthy' already",
        "categories[3]: no id",
        "categories[4]: no id (a whole number or text) or no readable name",
        "categories[5]: no id",
        "annotations[2]: no category has the id 7",
        "annotations[3]: no image_id or no category_id",
        "annotations[4]: no image_id",
        "annotations[5]: no image_id",
        "annotations[6]: no image_id",
        "annotations: no image has the id 99",
        "images[1]: the id 1 stands here twice",
        "images[2]: no such file: 'gone.jpg'",
        "images[3]: '../outside.jpg' leads outside",
        "images[4]: '/etc/passwd' leads outside",
        "images[5]: no file name",
        "images[6]: no id",
        "images[7]: no id",
        "images[8]: no id",
        "images[9]: no id",
        "images[10]: '1.jpg' is images[0] already",
    ):
        assert said in message


def test_classes_that_are_not_allowed_name_the_nearest(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    listing = write(tmp_path / "set.json", [{"id": "a", "file_name": "1.jpg"}], [one("a", 1)])
    assert find_in_coco(listing, "s", ["rust"]).photos
    with pytest.raises(DatasetError, match="unknown class 'rust', did you mean 'ruts'"):
        find_in_coco(listing, "s", ["ruts", "wilt"])


@pytest.mark.parametrize("value", [[], 5, None, {}, {"images": [], "annotations": []}, {"images": 1}])
def test_other_json_is_refused_with_what_it_has(value: object, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text(json.dumps(value))
    with pytest.raises(DatasetError, match="not a COCO listing"):
        find_in_coco(tmp_path / "set.json", "s")


def test_nothing_labelled_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    listing = write(tmp_path / "set.json", [{"id": 1, "file_name": "1.jpg"}], [])
    with pytest.raises(DatasetError, match="gives no image one class"):
        find_in_coco(listing, "s")


def test_entries_and_bytes_are_limited(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    listing = write(tmp_path / "set.json", [{"id": 1, "file_name": "1.jpg"}], [one(1)] * 9)
    with pytest.raises(DatasetError, match="has 9 annotations; at most 8"):
        find_in_coco(listing, "s", limits=ListingLimits(max_entries=8))
    with pytest.raises(DatasetError, match="bytes; at most 50"):
        find_in_coco(listing, "s", limits=ListingLimits(max_json_bytes=50))


def test_the_folders_of_coco_and_of_roboflow_are_known(tmp_path: Path) -> None:
    coco = touch(tmp_path / "coco", "train2017/1.jpg", "val2017/1.jpg", "val2017/unlisted.jpg")
    for part in ("train2017", "val2017"):
        write(coco / "annotations" / f"instances_{part}.json", [{"id": 1, "file_name": "1.jpg"}], [one(1)])
        (coco / "annotations" / f"captions_{part}.json").write_text("{}")
    listings = coco_listings(coco)
    assert [(path.name, split) for path, split in listings] == [
        ("instances_train2017.json", "train"),
        ("instances_val2017.json", "valid"),
    ]
    finding = find_in_coco_folder(coco, "s", None, listings)
    assert [(photo.path, photo.split) for photo in finding.photos] == [
        ("train2017/1.jpg", "train"),
        ("val2017/1.jpg", "valid"),
    ]
    assert any("1 photographs are in no listing" in note for note in finding.notes)
    robo = touch(tmp_path / "robo", "train/1.jpg", "test/1.jpg")
    for part in ("train", "test"):
        write(robo / part / "_annotations.coco.json", [{"id": 0, "file_name": "1.jpg"}], [one(0)])
    finding = find_in_coco_folder(robo, "s", None, coco_listings(robo))
    assert {(photo.path, photo.split) for photo in finding.photos} == {
        ("train/1.jpg", "train"),
        ("test/1.jpg", "test"),
    }


def test_two_listings_of_one_photograph_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    for name in ("a.coco.json", "b.coco.json"):
        write(tmp_path / name, [{"id": 1, "file_name": "1.jpg"}], [one(1)])
    with pytest.raises(DatasetError, match=r"b\.coco\.json: '1\.jpg' is named in a\.coco\.json already"):
        find_in_coco_folder(tmp_path, "s", None, coco_listings(tmp_path))
