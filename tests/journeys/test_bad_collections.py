"""Bad collections of the third issue, from outside: what is wrong is said and nothing is lost."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journeys.small_world import in_another_process, leafsight, save_collection, save_picture

from leafsight.dataset import PhotoIndex


@pytest.fixture
def deep_folders(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Makes folders in folders in folders, deeper than a path can be long, and takes them away again."""
    bottoms: list[tuple[int, int]] = []

    def make(root: Path, depth: int) -> None:
        root.mkdir(parents=True)
        here = os.open(root, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        bottoms.append((here, depth))

    yield make
    for here, depth in bottoms:  # upwards by handles, because no name is short enough
        for _ in range(depth):
            above = os.open("..", os.O_RDONLY, dir_fd=here)
            os.close(here)
            os.rmdir("d", dir_fd=above)
            here = above
        os.close(here)


@pytest.mark.skipif(os.name == "nt", reason="needs folders by their handle")
def test_ten_thousand_nested_folders(tmp_path: Path, deep_folders: Callable[[Path, int], None]) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    deep_folders(photos / "rust" / "deep", 10_000)
    done = leafsight("check", photos, "--json", "-q")
    assert done.json["usable"] == 6
    told = [note for note in done.json["notes"] if "could not be listed" in note]
    assert len(told) == 1
    assert len(told[0]) < 400


def test_ten_thousand_loose_files(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    for number in range(10_000):
        (photos / f"{number}.jpg").touch()
    done = leafsight("check", photos, "--json", "-q")
    assert done.json["photographs"] == 6
    assert any("10000 files are in no class folder" in note for note in done.json["notes"])


def test_two_hundred_classes_on_a_disk_that_ignores_case(tmp_path: Path) -> None:
    """Class and file names that differ in case, in form or in what Windows forbids survive a copy."""
    names = [f"{word}{number}" for number in range(67) for word in ("rust ", "RUST ", "Rüst? ")]
    picture = save_picture(tmp_path / "one.jpg").read_bytes()
    for number, name in enumerate(names):
        for file in ("Leaf.jpg", "leaf.JPG"):
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "photos" / name / file).write_bytes(picture + b"%d" % number)
    done = leafsight("copy", tmp_path / "photos", "--out", tmp_path / "copy", "--json", "-q")
    assert (done.json["photographs"], len(done.json["classes"])) == (402, 201)
    copied = [path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").glob("*/*.*")]
    assert len(copied) == len({path.casefold() for path in copied}) == 402
    assert not any("?" in path for path in copied)
    again = leafsight("check", tmp_path / "copy" / "photos.csv", "--json", "-q").json
    assert again["class_counts"] == dict.fromkeys(names, 2)


def test_a_photograph_that_changes_between_index_and_copy(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 4, "healthy": 4})
    leafsight("check", photos, "--index", tmp_path / "index.parquet", "-q")
    shutil.copy(photos / "rust" / "000.jpg", photos / "rust" / "001.jpg")
    done = leafsight("copy", tmp_path / "index.parquet", "--out", tmp_path / "copy", "-q")
    assert done.code == 1
    assert "left out: 1 changed since they were indexed" in done.out
    assert "rust/001.jpg" in (tmp_path / "copy" / "left_out.csv").read_text()
    assert not (tmp_path / "copy" / "rust" / "001.jpg").exists()


def test_a_folder_that_disappears_while_it_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3, "wilt": 3})
    scandir = os.scandir

    def losing(folder: str) -> object:
        if str(folder).endswith("wilt"):
            shutil.rmtree(photos / "rust", ignore_errors=True)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", losing)
    done = leafsight("check", photos, "--json", "-q")
    monkeypatch.undo()
    assert done.json["class_counts"] == {"healthy": 3, "wilt": 3}
    assert any("rust could not be listed" in note for note in done.json["notes"])


def test_a_collection_that_disappears_before_it_is_copied(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3})
    leafsight("check", photos, "--index", tmp_path / "index.parquet", "-q")
    shutil.rmtree(photos)
    done = leafsight("copy", tmp_path / "index.parquet", "--out", tmp_path / "copy", "-q")
    assert (done.code, done.out, len(done.error_lines)) == (1, "", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.parquet"]


def tar_of(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    """A tar of (name, kind, content)."""
    with tarfile.open(path, "w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "../../etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    return path


def long_name_bomb(path: Path) -> Path:
    """A few kilobytes that announce a file name of 64 MiB."""
    with gzip.open(path, "wb", 1) as file:
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 64 << 20
        file.write(info.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(64):
            file.write(b"a" * (1 << 20))
    return path


def chain_of_long_names(path: Path) -> Path:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 5
    path.write_bytes((info.tobuf(tarfile.USTAR_FORMAT) + b"abcd".ljust(512, b"\0")) * 3000)
    return path


def zip_bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(4):
            with packed.open(f"rust/{number}.jpg", "w") as file:
                for _ in range(60):
                    file.write(bytes(1 << 20))
    return path


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: tar_of(path, ("rust/../../x.jpg", tarfile.REGTYPE, b"x")), "leads outside"),
        (lambda path: tar_of(path, ("/etc/x.jpg", tarfile.REGTYPE, b"x")), "absolute"),
        (lambda path: tar_of(path, ("rust/x.jpg", tarfile.SYMTYPE, b"")), "is a link"),
        (lambda path: tar_of(path, ("rust/x.jpg", tarfile.LNKTYPE, b"")), "is a link"),
        (long_name_bomb, "a name of 67108864 bytes"),
        (chain_of_long_names, "damaged"),
        (zip_bomb, "unpacks to more than"),
    ],
)
def test_archives_that_mean_harm(
    write: Callable[[Path], Path], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    archive = write(tmp_path / "a.bin")
    done = leafsight("check", archive, "-q")
    assert (done.code, done.out) == (1, "")
    assert said in done.error_lines[0]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]


def test_an_archive_of_one_name_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / "cache"))
    picture = save_picture(tmp_path / "one.jpg").read_bytes()
    names = [("rust/x.jpg", tarfile.REGTYPE, picture)] * 500 + [("fine/x.jpg", tarfile.REGTYPE, picture)]
    done = leafsight("check", tar_of(tmp_path / "a.tar", *names), "--json", "-q")
    assert done.json["class_counts"] == {"fine": 1, "rust": 500}


@pytest.mark.parametrize(
    "damage",
    [
        '{"images": [], "annotations": [], "categories": [',
        "[" * 100_000,
        '{"images": NaN}',
        '{"images": [], "annotations": [], "categories": [{"id": %s, "name": "x"}]}' % ("9" * 10_000),
    ],
    ids=["torn", "nested", "nan", "huge"],
)
def test_coco_that_is_none(tmp_path: Path, damage: str) -> None:
    (tmp_path / "set.json").write_text(damage)
    done = leafsight("check", tmp_path / "set.json", "-q")
    assert (done.code, len(done.error_lines)) == (1, 2)
    assert "set.json" in done.error_lines[0]


def test_coco_whose_parts_name_each_other(tmp_path: Path) -> None:
    """Categories that are each other's supercategory, and an image with two classes."""
    for number in range(3):
        save_picture(tmp_path / f"{number}.jpg", seed=number)
    value = {
        "images": [{"id": number, "file_name": f"{number}.jpg"} for number in range(3)],
        "annotations": [
            {"image_id": image, "category_id": category, "bbox": [0, 0, 1e300, -5]}
            for image, category in ((0, 1), (1, 2), (2, 1), (2, 2))
        ],
        "categories": [
            {"id": 1, "name": "rust", "supercategory": "wilt"},
            {"id": 2, "name": "wilt", "supercategory": "rust"},
        ],
    }
    (tmp_path / "set.json").write_text(json.dumps(value))
    done = leafsight("check", tmp_path / "set.json", "--json", "-q")
    assert done.json["class_counts"] == {"rust": 1, "wilt": 1}
    assert "several-labels" in json.dumps(done.json["findings"])


def test_a_list_of_many_lines_that_are_all_wrong(tmp_path: Path) -> None:
    with (tmp_path / "list.csv").open("w") as file:
        file.write("path,label\n")
        file.writelines(f"gone/{number}.jpg,class {number % 200}\n" for number in range(20_000))
    done = leafsight("check", tmp_path / "list.csv", "-q")
    assert done.code == 1
    assert "20000 faults" in done.error_lines[0]
    assert len(done.err.splitlines()) < 50


def test_a_half_written_index(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 4, "healthy": 4})
    index = tmp_path / "index.parquet"
    leafsight("check", photos, "--index", index, "-q")
    whole = index.read_bytes()
    for share in (0.0, 0.3, 0.9, 0.999):
        index.write_bytes(whole[: int(len(whole) * share)])
        done = leafsight("copy", index, "--out", tmp_path / "copy", "-q")
        assert (done.code, done.out) == (1, "")
        assert "index.parquet" in done.error_lines[0]
        assert "index again" in done.error_lines[1]
    assert not (tmp_path / "copy").exists()


KILLED = """
import os
from leafsight.dataset.copying import layouts
place, calls = layouts.place, []
def dying(*words, **more):
    calls.append(1)
    if len(calls) == 4:
        os._exit(9)
    return place(*words, **more)
layouts.place = dying
"""


def test_a_copy_that_is_killed_leaves_no_half_folder(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 4, "healthy": 4})
    words = ("copy", photos, "--out", tmp_path / "copy", "-q")
    assert in_another_process(*words, before=KILLED).code == 9
    assert not (tmp_path / "copy").exists()
    assert leafsight(*words).code == 0
    assert len(PhotoIndex.load(tmp_path / "copy" / "index.parquet")) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "photos"]
