"""What every store of blobs promises, by a folder and by a bucket; and what only the folder does."""

from __future__ import annotations

import errno
import os
import stat
import threading
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

from leafsight.errors import ConfigError, LeafsightError, NotFoundError, StateError
from leafsight.state.blob_names import is_name
from leafsight.state.blobs import Blobs, open_blobs
from leafsight.state.folder_blobs import LEFT_BEHIND_S, UNFINISHED, FolderBlobs

PHOTO = bytes(range(256)) * 40
BAD_NAMES = [
    "", "/", "/etc/passwd", "a//b", "a/", "..", "../a", "a/../b", "a/./b", ".", ".hidden", "a/.hidden",
    "a..b", "a.", "A.jpg", "a b", "a\\b", "a\0b", "a\n", "é.jpg", "a:b", "~", "-a",
    "a/" * 300 + "a", "x" * 201,
]  # fmt: skip


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    if request.param == "folder":
        return open_blobs(str(tmp_path / "blobs"))
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return open_blobs(s3_url(shared_moto(), f"tests/{uuid.uuid4().hex}"))


def test_what_was_put_can_be_got(blobs: Blobs) -> None:
    assert isinstance(blobs, Blobs)
    blobs.check()
    blobs.put("photos/ab/0123.jpg", PHOTO)
    blobs.put("empty", b"")
    assert blobs.get("photos/ab/0123.jpg") == PHOTO
    assert blobs.get("empty") == b""


def test_the_later_one_replaces_the_former(blobs: Blobs) -> None:
    blobs.put("a/b", PHOTO)
    blobs.put("a/b", b"short")
    assert blobs.get("a/b") == b"short"


def test_a_blob_of_several_parts(blobs: Blobs) -> None:
    long = os.urandom(1024) * 17_000
    blobs.put("long", long)
    assert blobs.get("long") == long


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    blobs.put("a/b", PHOTO)
    for name in ("nothing", "a/c", "a", "a/b/c"):
        with pytest.raises(NotFoundError) as told:
            blobs.get(name)
        assert told.value.message == f"there is no blob {name}"


def test_what_was_deleted_is_gone_and_deleting_twice_is_no_error(blobs: Blobs) -> None:
    blobs.put("a/b", PHOTO)
    blobs.put("a/c", PHOTO)
    blobs.delete("a/b")
    blobs.delete("a/b")
    blobs.delete("never/there")
    blobs.delete("a")
    with pytest.raises(NotFoundError):
        blobs.get("a/b")
    assert list(blobs.list()) == ["a/c"]


def test_names_are_listed_by_folder(blobs: Blobs) -> None:
    for name in ("a/1", "a/b/2", "ab/3", "c"):
        blobs.put(name, b"x")
    assert sorted(blobs.list()) == ["a/1", "a/b/2", "ab/3", "c"]
    assert sorted(blobs.list("a")) == ["a/1", "a/b/2"]
    assert sorted(blobs.list("a/b")) == ["a/b/2"]
    for nothing in ("c", "d", "a/1", "a/1/2"):
        assert list(blobs.list(nothing)) == []


def test_over_the_limit_nothing_is_read(blobs: Blobs) -> None:
    blobs.put("a", PHOTO)
    assert blobs.get("a", max_bytes=len(PHOTO)) == PHOTO
    with pytest.raises(StateError, match=r"has 10,240 bytes, the limit is 10,239"):
        blobs.get("a", max_bytes=len(PHOTO) - 1)


def test_over_the_limit_nothing_is_kept(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("folder_blobs", "s3_blobs"):
        monkeypatch.setattr(f"leafsight.state.{module}.MAX_BLOB_BYTES", 10)
    with pytest.raises(StateError, match="the limit is 10"):
        blobs.put("a", b"x" * 11)
    assert list(blobs.list()) == []


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_everywhere(blobs: Blobs, name: str) -> None:
    for call in (
        lambda: blobs.put(name, b"x"),
        lambda: blobs.get(name),
        lambda: blobs.delete(name),
        lambda: list(blobs.list(name or "/")),
    ):
        with pytest.raises(StateError, match="cannot name a blob"):
            call()


def test_many_threads_at_once(blobs: Blobs) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            for turn in range(4):
                blobs.put(f"shared/deep/{turn}", PHOTO)
                blobs.put(f"own/{number}/{turn}", bytes([number]))
                wrong.extend([] if blobs.get("shared/deep/0") == PHOTO else [number])
                wrong.extend([] if blobs.get(f"own/{number}/{turn}") == bytes([number]) else [number])
        except LeafsightError as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(list(blobs.list())) == 4 + 24


@given(st.text(alphabet="ab0._-/A \\~\0é", max_size=30))
def test_a_good_name_stays_below_the_folder(name: str) -> None:
    if is_name(name):
        path = os.path.normpath(f"/root/{name}")
        assert path == f"/root/{name}"
        assert not any(segment.startswith(".") for segment in name.split("/"))


# The address.


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "file://localhost{0}"])
def test_a_folder_may_be_spelt_in_three_ways(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "with space"
    url = form.format(folder).replace(" ", "%20" if "://" in form else " ")
    open_blobs(url).put("a", PHOTO)
    assert (folder / "a").read_bytes() == PHOTO


def test_a_home_of_nobody_is_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_blobs("~nobody-of-this-name/blobs").put("a", PHOTO)
    assert (tmp_path / "~nobody-of-this-name" / "blobs" / "a").exists()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a\0b",
        "http://host/x",
        "gs://bucket",
        "file://elsewhere/x",
        "file://",
        "file:/x",
        "s3:/b",
        "s3:b",
        "ftp://u:secret@h/x",
    ],
)
def test_an_address_that_cannot_be_understood(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        open_blobs(url)
    assert "s3://bucket" in told.value.hint
    assert "secret" not in str(told.value)


# The folder.


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "deep" / "blobs")


def test_nobody_else_may_read(folder: FolderBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        folder.put("a/b/c", PHOTO)
    finally:
        os.umask(before)
    assert mode(folder.folder / "a/b/c") == 0o600
    assert [mode(folder.folder / one) for one in (".", "a", "a/b", UNFINISHED)] == [0o700] * 4


def test_it_is_synced_before_it_gets_its_name_and_the_folder_after(
    folder: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def watched_rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    folder.put("a/first", PHOTO)
    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_rename)
    folder.put("a/b", PHOTO)
    folder.delete("a/b")
    assert done == ["file", "rename", "folder", "folder"]


@pytest.mark.parametrize(("number", "word"), [(errno.ENOSPC, "no room"), (errno.EIO, "Input/output")])
def test_a_failed_put_leaves_the_old_one_and_nothing_else(
    folder: FolderBlobs, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    folder.put("a/b", b"old")

    def fails(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(StateError, match=word) as told:
        folder.put("a/b", PHOTO)
    assert told.value.http_status == 500
    assert str(folder.folder) not in told.value.message + told.value.hint
    assert folder.get("a/b") == b"old"
    assert list((folder.folder / UNFINISHED).iterdir()) == []


def test_links_are_never_followed_out_of_the_folder(folder: FolderBlobs, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"not yours")
    (folder.folder / "door").symlink_to(outside)
    (folder.folder / "file").symlink_to(outside / "secret")
    for call in (
        lambda: folder.get("door/secret"),
        lambda: folder.put("door/new", PHOTO),
        lambda: folder.put("door/deeper/new", PHOTO),
        lambda: folder.delete("door/secret"),
        lambda: list(folder.list("door")),
        lambda: folder.get("file"),
    ):
        with pytest.raises(StateError):
            call()
    folder.delete("file")
    assert list(folder.list()) == []
    folder.put("file", b"ours")
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"not yours"
    assert folder.get("file") == b"ours"


def test_a_pipe_is_no_blob(folder: FolderBlobs) -> None:
    os.mkfifo(folder.folder / "pipe")
    with pytest.raises(NotFoundError):
        folder.get("pipe")


def test_what_a_dead_process_left_unfinished_is_taken_away_after_a_day(tmp_path: Path) -> None:
    first = FolderBlobs(tmp_path)
    left = tmp_path / UNFINISHED / "tmpabc"
    left.write_bytes(b"half a photograph")
    born_s = left.stat().st_mtime
    FolderBlobs(tmp_path, now_s=lambda: born_s + LEFT_BEHIND_S - 1)
    assert left.exists()
    assert list(first.list()) == []
    FolderBlobs(tmp_path, now_s=lambda: born_s + LEFT_BEHIND_S + 1)
    assert not left.exists()


def test_the_folder_itself_may_be_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    FolderBlobs(tmp_path / "link").put("a", PHOTO)
    assert (tmp_path / "real" / "a").read_bytes() == PHOTO
    assert mode(tmp_path / "real") == 0o750


def test_a_folder_that_goes_away_is_noticed(folder: FolderBlobs) -> None:
    folder.check()
    (folder.folder / UNFINISHED).rmdir()
    with pytest.raises(StateError, match="is gone"):
        folder.check()
    with pytest.raises(StateError):
        folder.put("a", PHOTO)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("")
    with pytest.raises(StateError):
        FolderBlobs(tmp_path / "blobs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission(folder: FolderBlobs) -> None:
    folder.folder.chmod(0o500)
    try:
        with pytest.raises(StateError, match="no permission for a/b"):
            folder.put("a/b", PHOTO)
        with pytest.raises(StateError, match="cannot be written to"):
            folder.check()
    finally:
        folder.folder.chmod(0o700)
