from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from leafsight.dataset.copying.transfer import LostPhotoError, place, read_checked
from leafsight.errors import DiskFullError

DATA = b"leaf" * 1000


def sha256(data: bytes = DATA) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(DATA)
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_a_link_is_the_same_file_and_a_copy_is_not(photo: Path, tmp_path: Path) -> None:
    assert place(photo, tmp_path / "link.jpg", sha256(), len(DATA), link=True)
    assert (tmp_path / "link.jpg").samefile(photo)
    assert not place(photo, tmp_path / "copy.jpg", sha256(), len(DATA), link=False)
    copy = tmp_path / "copy.jpg"
    assert not copy.samefile(photo)
    assert (copy.read_bytes(), copy.stat().st_mtime_ns) == (DATA, 10**18)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_links_cannot_be_it_is_copied(
    code: int, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(os, "link", refuse)
    assert not place(photo, tmp_path / "b.jpg", sha256(), len(DATA), link=True)
    assert (tmp_path / "b.jpg").read_bytes() == DATA


def test_a_full_disk_is_no_reason_to_copy(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(DiskFullError):
        place(photo, tmp_path / "b.jpg", sha256(), len(DATA), link=True)
    assert not (tmp_path / "b.jpg").exists()


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("data", [b"other" * 800, DATA[:-1], DATA + b"x", b"", DATA * 1000])
def test_another_photograph_is_never_placed(link: bool, data: bytes, photo: Path, tmp_path: Path) -> None:
    photo.write_bytes(data)
    with pytest.raises(LostPhotoError) as caught:
        place(photo, tmp_path / "b.jpg", sha256(), len(DATA), link=link)
    assert caught.value.kind == "changed"
    assert not (tmp_path / "b.jpg").exists()
    assert photo.read_bytes() == data
    with pytest.raises(LostPhotoError):
        read_checked(photo, sha256(), len(DATA))


@pytest.mark.parametrize("link", [True, False])
def test_what_went_away_or_became_something_else(link: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    names = {
        "absent": "gone",
        "folder": "changed",
        "dangling": "gone",
        "folder/x/y": "gone",
        "loop": "unreadable",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        names["pipe"] = "changed"
    for name, kind in names.items():
        with pytest.raises(LostPhotoError) as caught:
            place(tmp_path / name, tmp_path / "b.jpg", sha256(), len(DATA), link=link)
        assert caught.value.kind == kind, name
        assert not (tmp_path / "b.jpg").exists()


def test_a_link_is_followed_and_not_linked(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "soft.jpg").symlink_to(photo)
    assert place(tmp_path / "soft.jpg", tmp_path / "b.jpg", sha256(), len(DATA), link=True)
    assert not (tmp_path / "b.jpg").is_symlink()
    assert (tmp_path / "b.jpg").samefile(photo)
