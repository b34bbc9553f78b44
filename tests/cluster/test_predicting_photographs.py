"""Bytes of photographs, and what keeps them away: of one, or of all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from leafsight.cluster import predicting_photographs as module
from leafsight.cluster.predicting_chunks import Chunk
from leafsight.errors import LeafsightError, NotFoundError, StateBusyError, StateError
from leafsight.images import DecodeLimits

SMALL = DecodeLimits(max_bytes=100)


def shard(path: Path, members: dict[str, bytes]) -> Chunk:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return Chunk(str(path.parent), "shown", (path.name,), is_shard=True)


def what_comes(chunk: Chunk, *, ahead: bool = False) -> list[tuple[str, str | None, bytes | str]]:
    with module.photographs_of(chunk, SMALL) as found:
        coming = module.loaded_ahead(found) if ahead else module.loaded(found)
        return [
            (one.photo, one.member, data if isinstance(data, bytes) else data.message) for one, data in coming
        ]


def test_files_in_order_however_many_are_read_ahead(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([number + 1]))
    names = (*(f"{number}.jpg" for number in range(30)), "no.jpg", "/")
    coming = what_comes(Chunk(str(tmp_path), "in", names), ahead=True)
    assert [data for _, _, data in coming[:30]] == [bytes([number + 1]) for number in range(30)]
    assert "No such file" in str(coming[30][2])
    assert coming[30][0] == "in/no.jpg"


def test_photographs_of_a_tar(tmp_path: Path) -> None:
    chunk = shard(
        tmp_path / "a.tar", {"x/1.jpg": b"one", "x/1.cls": b"3", "x/.2.jpg": b"-", "x/3.PNG": b"3" * 500}
    )
    assert what_comes(chunk) == [("shown/a.tar", "x/1.jpg", b"one"), ("shown/a.tar", "x/3.PNG", b"3" * 101)]


def test_a_torn_tar_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    chunk = shard(tmp_path / "a.tar", {"1.jpg": b"one", "2.jpg": b"2" * 5000})
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:3000])
    (first, last) = what_comes(chunk)
    assert first == ("shown/a.tar", "1.jpg", b"one")
    assert last[:2] == ("shown/a.tar", None)
    assert str(last[2]).startswith("shown/a.tar is damaged")


def test_a_hostile_tar_is_refused_with_its_reason(tmp_path: Path) -> None:
    chunk = shard(tmp_path / "a.tar", {"../../etc/1.jpg": b"one"})
    assert "leads outside" in str(what_comes(chunk)[0][2])


class Bucket:
    """Raises what it is told to, then gives a byte."""

    def __init__(self, *errors: LeafsightError, check: LeafsightError | None = None) -> None:
        self.errors, self.check_error = list(errors), check

    def get(self, name: str, *, max_bytes: int) -> bytes:
        if self.errors:
            raise self.errors.pop(0)
        return b"x"

    def check(self) -> None:
        if self.check_error:
            raise self.check_error


@pytest.fixture
def from_bucket(monkeypatch: pytest.MonkeyPatch):
    def ask(bucket: Bucket) -> list[tuple[str, str | None, bytes | str]]:
        monkeypatch.setattr(module, "_opened", lambda address: bucket)
        monkeypatch.setattr(module, "BUSY_WAITS_S", (0.0, 0.0))
        monkeypatch.setattr(module, "_of_bucket", unchecked(module._of_bucket))
        return what_comes(Chunk("s3://leaves/a", "s3://leaves/a", ("1.jpg",)))

    return ask


def unchecked(function):
    """Without the check of types, which a stand-in does not pass."""
    return getattr(function, "__wrapped__", function)


def test_a_busy_bucket_is_asked_again(from_bucket) -> None:
    busy = StateBusyError("busy")
    assert from_bucket(Bucket(busy, busy))[0][2] == b"x"
    with pytest.raises(StateBusyError):
        from_bucket(Bucket(busy, busy, busy))


def test_one_photograph_that_is_refused_or_gone_is_a_row(from_bucket) -> None:
    assert from_bucket(Bucket(NotFoundError("gone")))[0][2] == "gone"
    assert "does not give 1.jpg" in from_bucket(Bucket(StateError("403")))[0][2]


def test_a_bucket_that_lets_nobody_in_is_no_row(from_bucket) -> None:
    shut = StateError("the bucket does not let us in")
    with pytest.raises(StateError, match="let us in"):
        from_bucket(Bucket(shut, check=shut))
