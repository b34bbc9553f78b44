"""The store for photographs, and the disks: room, inodes, read-only, full, away."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doctor.conftest import make_read_only, states, the
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto

from leafsight.doctor import Finding
from leafsight.doctor.clocks import wall_clock_ms
from leafsight.doctor.disk import Place, check_disk, places_of
from leafsight.doctor.store import check_store
from leafsight.state import open_blobs
from leafsight.storage import is_network, kind_of_disk, may_be_made

MIB = 1024**2


def look(url: str, off_ms: int = 0) -> list[Finding]:
    return list(check_store(url, timeout_s=1, now=lambda: wall_clock_ms() + off_ms))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return s3_url(shared_moto(), "photographs")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    [one] = look(str(tmp_path / "state" / "blobs"))
    assert (one.state, "first start" in one.said) == ("ok", True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_as_it_was(tmp_path: Path) -> None:
    store = open_blobs(str(tmp_path / "blobs"))
    store.put("photos/one", b"leaf")
    [one] = look(str(tmp_path / "blobs"))
    assert one.state == "ok"
    assert "64 bytes written, read and deleted" in one.said
    assert list(store.list()) == ["photos/one"]


def test_a_folder_that_cannot_be_written(small_disk: Callable[..., Path]) -> None:
    folder = small_disk(options="size=1m")
    open_blobs(str(folder / "blobs"))
    make_read_only(folder)
    [one] = look(str(folder / "blobs"))
    assert one.state == "fail"
    [one] = look(str(folder / "others"))
    assert (one.state, "cannot be made" in one.said) == ("fail", True)


def test_a_bucket_and_its_clock(bucket: str) -> None:
    found = look(bucket)
    assert states(found) == {"store.works": "ok", "clock.store": "ok"}
    assert "s3://leaves/photographs" in found[0].said
    assert list(open_blobs(bucket).list()) == []
    assert the(look(bucket, off_ms=120_000), "clock.store").state == "warn"
    assert the(look(bucket, off_ms=-1_000_000), "clock.store").state == "fail"


def test_a_bucket_that_is_away_or_absent_or_closed(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    [away] = look(s3_url("http://127.0.0.1:9", "x"))
    assert (away.state, "does not answer" in away.said) == ("fail", True)
    assert time.monotonic() - started < 5
    [absent] = look(s3_url(shared_moto(), "x", bucket="nobodys"))
    assert "there is no bucket 'nobodys'" in absent.said
    assert absent.todo


def test_a_store_that_cannot_be_understood() -> None:
    [one] = look("ftp://somewhere/leaves")
    assert one.state == "fail"


def test_disks_with_room(tmp_path: Path) -> None:
    found = list(check_disk(places_of(tmp_path, tmp_path / "cache", 1)))
    assert set(states(found)) == {
        "disk.state", "disk.state_writes", "disk.cache", "disk.cache_writes", "disk.temporary",
        "disk.temporary_writes",
    }  # fmt: skip
    assert "written, synced, renamed and removed" in the(found, "disk.state_writes").said
    assert "can be made" in the(found, "disk.cache_writes").said
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full(small_disk: Callable[..., Path]) -> None:
    folder = small_disk()
    subprocess.run(["dd", "if=/dev/zero", f"of={folder}/all", "bs=4k"], capture_output=True)
    found = list(check_disk((Place("state", folder, MIB, 10 * MIB),)))
    assert the(found, "disk.state").state == "fail"
    assert "0 bytes free" in the(found, "disk.state").said
    full = the(found, "disk.state_writes")
    assert (full.state, full.todo.startswith("free some space")) == ("fail", True)
    assert [path.name for path in folder.iterdir()] == ["all"]


def test_little_room_and_few_inodes(small_disk: Callable[..., Path]) -> None:
    folder = small_disk(options="size=1m,nr_inodes=50")
    found = list(check_disk((Place("state", folder, 0, 10 * MIB),)))
    assert the(found, "disk.state").state == "warn"
    assert the(found, "disk.state_files").state == "fail"
    some = small_disk("some", options="size=1m,nr_inodes=500")
    assert the(check_disk((Place("state", some, 0, 0),)), "disk.state_files").state == "warn"


def test_a_read_only_disk_fails_for_the_state_and_warns_for_the_cache(
    small_disk: Callable[..., Path],
) -> None:
    folder = small_disk()
    make_read_only(folder)
    for name, state in (("state", "fail"), ("cache", "warn")):
        for path in (folder, folder / "below"):
            one = the(check_disk((Place(name, path, 0, 0),)), f"disk.{name}_writes")
            assert (one.state, bool(one.todo)) == (state, True)
    assert not may_be_made(folder / "below")


def test_the_kind_of_a_file_system(small_disk: Callable[..., Path], tmp_path: Path) -> None:
    assert kind_of_disk(small_disk() / "a" / "b") == "tmpfs"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"30 22 0:40 / {tmp_path} rw shared:2 - nfs4 server:/leaves rw\n"
        f"31 30 0:41 / {tmp_path}/near\\040by rw - xfs /dev/sdb rw\n"
    )
    assert kind_of_disk(tmp_path / "state", mounts) == "nfs4"
    (tmp_path / "near by").mkdir()
    assert kind_of_disk(tmp_path / "near by" / "state", mounts) == "xfs"
    assert kind_of_disk(Path("/elsewhere"), mounts) == "ext4"
    assert kind_of_disk(tmp_path, tmp_path / "no such table") == ""
    assert [is_network(kind) for kind in ("nfs4", "fuse.sshfs", "ext4", "")] == [True, True, False, False]


def test_no_temporary_folder_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_disk: Callable[..., Path]
) -> None:
    """As in a container with a read-only root and nothing mounted on /tmp."""

    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    folder = small_disk()
    make_read_only(folder)
    monkeypatch.setattr("tempfile.gettempdir", none)
    monkeypatch.setenv("TMPDIR", str(folder))
    one = the(check_disk(places_of(tmp_path, tmp_path, 1)), "disk.temporary_writes")
    assert (one.state, "TMPDIR" in one.todo) == ("fail", True)
