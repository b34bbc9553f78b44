from __future__ import annotations

from collections.abc import Callable

from leafsight.dataset import PhotoIndex, PhotoRow, table_of
from leafsight.dataset.copying.planning import folder_paths, plan_copy, split_names
from leafsight.dataset.folders import label_by_folder
from leafsight.dataset.safe_names import same_on_disk


def index_of(*names: tuple[str, str, str | None], source: str = "s") -> PhotoIndex:
    rows = []
    for number, (path, class_name, split) in enumerate(names):
        row = PhotoRow(source, "/nowhere", path, class_name, split=split, content_hash=f"{number:064d}")
        row.bytes, row.format = 10, "JPEG"
        rows.append(row)
    return PhotoIndex(table_of(rows))


def paths(index: PhotoIndex) -> dict[str, str]:
    planned, _ = plan_copy(index, range(len(index)))
    return dict(zip((one.source_path for one in planned), folder_paths(planned), strict=True))


def test_split_class_file_and_the_number_of_the_class(made_up: Callable[..., PhotoIndex]) -> None:
    index = made_up({"rust": 1, "healthy": 1}, split="train", group="g", given_group="given")
    planned, classes = plan_copy(index, [0, 1])
    assert classes == ("healthy", "rust")
    assert [(one.label, one.class_number, one.group) for one in planned] == [
        ("healthy", 0, "g"),
        ("rust", 1, "g"),
    ]
    assert folder_paths(planned) == ["train/healthy/0000.jpg", "train/rust/0000.jpg"]


def test_without_splits_there_are_only_classes() -> None:
    assert paths(index_of(("a/1.jpg", "rust", None))) == {"s/a/1.jpg": "rust/1.jpg"}
    some, _ = plan_copy(index_of(("a", "rust", None), ("b", "rust", "test")), [0, 1])
    assert split_names(some) == {None: "unsplit", "test": "test"}


def test_names_that_meet_elsewhere_get_numbers() -> None:
    found = paths(
        index_of(
            ("a/IMG 1.jpg", "Tomato/Rust", "train"),
            ("b/img 1.JPG", "Tomato/Rust", "train"),
            ("c/IMG 1.jpg", "Tomato/Rust", "train"),
            ("c/IMG 1.jpg.x", "tomato_rust", "train"),
            ("d/what?.jpg", "Tomato/Rust", "train"),
            ("e/nul", "AUX", "test"),
        )
    )
    assert found == {
        "s/a/IMG 1.jpg": "train/Tomato_Rust__2/IMG 1.jpg",
        "s/b/img 1.JPG": "train/Tomato_Rust__2/img 1__2.JPG",
        "s/c/IMG 1.jpg": "train/Tomato_Rust__2/IMG 1__3.jpg",
        "s/c/IMG 1.jpg.x": "train/tomato_rust/IMG 1.jpg.x",
        "s/d/what?.jpg": "train/Tomato_Rust__2/what_.jpg",
        "s/e/nul": "test/_AUX/_nul",
    }
    assert len({same_on_disk(path) for path in found.values()}) == len(found)


def test_everything_is_found_again_by_the_walk_of_folders() -> None:
    index = index_of(
        ("1.txt", "__MACOSX", "train"),
        (".2.jpg", ".hidden", "train"),
        ("Thumbs.db", "rust", "valid"),
        ("4.json", "rust", "valid"),
        ("5.jpg", "../../up", "test"),
    )
    found = label_by_folder(paths(index).values(), "/r", "s")
    assert len(found.photos) == len(index)
    assert {photo.split for photo in found.photos} == {"train", "valid", "test"}
    assert not any(".." in photo.path.split("/") for photo in found.photos)


def test_two_hundred_classes_that_differ_in_case_only() -> None:
    names = [
        ("".join(c.upper() if number >> bit & 1 else c for bit, c in enumerate("leafrust")))
        for number in range(200)
    ]
    found = paths(index_of(*((f"{number}.jpg", name, "train") for number, name in enumerate(names))))
    assert len({same_on_disk(path.split("/")[1]) for path in found.values()}) == 200
