from __future__ import annotations

import threading
from pathlib import Path

import pytest

from leafsight.cluster.node_cache import forget, near_copy
from leafsight.errors import ClusterError
from leafsight.storage import holding


def far(_: Path) -> bool:
    return True


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "key.pixels").write_bytes(b"pixels" * 1000)
    (folder / "key.json").write_text("{}")
    return folder


def test_what_is_near_is_used_as_it_is(shared: Path) -> None:
    assert near_copy(shared, limit_s=1) == shared


def test_processes_of_one_machine_share_one_copy(shared: Path, tmp_path: Path) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(near_copy(shared, limit_s=20, far=far, here=tmp_path / "here"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert found[0] != shared
    assert (found[0] / "key.pixels").read_bytes() == b"pixels" * 1000
    base = found[0].parent
    assert [one for one in base.iterdir() if one.is_dir()] == [found[0]]
    assert base.stat().st_mode & 0o077 == 0
    before = (found[0] / "key.pixels").stat().st_ino
    assert near_copy(shared, limit_s=1, far=far, here=tmp_path / "here") == found[0]
    assert (found[0] / "key.pixels").stat().st_ino == before


def test_other_pixels_get_another_copy_and_old_ones_can_be_forgotten(shared: Path, tmp_path: Path) -> None:
    first = near_copy(shared, limit_s=1, far=far, here=tmp_path)
    (shared / "key.pixels").write_bytes(b"others")
    second = near_copy(shared, limit_s=1, far=far, here=tmp_path)
    assert (second / "key.pixels").read_bytes() == b"others"
    forget(first, shared)
    assert not first.exists()
    forget(shared, shared)
    assert (shared / "key.pixels").exists()


def test_no_room_means_no_copy(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 6000})())
    assert near_copy(shared, limit_s=1, far=far, here=tmp_path) == shared


def test_a_process_that_never_finishes_its_copy_is_not_waited_for(shared: Path, tmp_path: Path) -> None:
    copy = near_copy(shared, limit_s=1, far=far, here=tmp_path)
    forget(copy, shared)
    with (
        copy.with_suffix(".lock").open("ab") as lock,
        holding(lock.fileno(), ClusterError("busy")),
        pytest.raises(ClusterError, match="does not finish its copy"),
    ):
        near_copy(shared, limit_s=0.1, far=far, here=tmp_path)
