from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.lying_server import Server, serving

from leafsight.errors import DiskFullError, LeafsightError, PermissionDeniedError, StorageError, UsageError
from leafsight.storage import DownloadOptions, WebFile, bytes_in_words, download
from leafsight.storage.pace import Pace, seconds_in_words

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = DownloadOptions(retries=3, first_wait_s=0.0, stall_s=5.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def get(url: str, folder: Path, sha256: str | None = SHA256, **options: object) -> bytes:
    file = WebFile((url,), sha256)
    return download(file, folder / "f.bin", QUICK.model_copy(update=options)).path.read_bytes()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_once(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT)
    first = download(WebFile((url,), SHA256, len(CONTENT)), tmp_path / "new" / "f.bin", QUICK)
    assert (first.sha256, first.total_bytes, first.url) == (SHA256, len(CONTENT), url)
    again = download(WebFile((url,), SHA256), tmp_path / "new" / "f.bin", QUICK)
    assert again.url == ""
    assert len(server.asked) == 1
    assert left(tmp_path / "new") == ["f.bin"]


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, codes=[500, 503, 429], retry_after="0")
    assert get(url, tmp_path) == CONTENT
    assert len(server.asked) == 4


def test_a_server_that_stays_busy_is_left_alone(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, codes=[500] * 9)
    with pytest.raises(StorageError, match="answered 500") as caught:
        get(url, tmp_path)
    assert "again" in caught.value.hint
    assert len(server.asked) == 4


def test_no_pause_is_longer_than_allowed(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, codes=[503], retry_after="86400")
    assert get(url, tmp_path, longest_wait_s=0.01) == CONTENT


def test_no_time_left_ends_the_attempts(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, codes=[503] * 9)
    with pytest.raises(StorageError, match="no time is left"):
        get(url, tmp_path, total_s=5.0, first_wait_s=60.0)
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_final_answer_is_not_asked_for_again(server: Server, tmp_path: Path, code: int) -> None:
    url = server.put("/f", CONTENT, codes=[code] * 9)
    with pytest.raises(StorageError, match=str(code)) as caught:
        get(url, tmp_path)
    assert caught.value.hint
    assert len(server.asked) == 1


def test_a_cut_line_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, break_after=[1000, 2000])
    assert get(url, tmp_path) == CONTENT
    assert server.ranges("/f") == ["", "bytes=1000-", "bytes=3000-"]
    assert all(validator for _, wanted, validator, _ in server.asked if wanted)
    assert left(tmp_path) == ["f.bin"]


def test_many_cuts_are_fine_while_bytes_come(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, break_after=[10_000] * 20)
    assert get(url, tmp_path, retries=1) == CONTENT
    assert len(server.asked) == 21


def test_the_part_survives_and_another_run_goes_on(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, break_after=[5000])
    with pytest.raises(StorageError, match="ended after 5000"):
        get(url, tmp_path, retries=0)
    assert left(tmp_path) == ["f.bin.part", "f.bin.part.json"]
    assert get(url, tmp_path, sha256=None) == CONTENT
    assert server.ranges("/f") == ["", "bytes=5000-"]


@pytest.mark.parametrize("sha256", [SHA256, None])
def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path, sha256: str | None) -> None:
    url = server.put("/f", CONTENT, break_after=[5000], knows_ranges=False)
    assert get(url, tmp_path, sha256) == CONTENT


@pytest.mark.parametrize("has_hash", [True, False])
def test_a_changed_file_is_not_glued_to_the_old_one(server: Server, tmp_path: Path, has_hash: bool) -> None:
    newer = CONTENT[::-1]
    url = server.put("/f", CONTENT, break_after=[5000], next_content=newer)
    assert get(url, tmp_path, hashlib.sha256(newer).hexdigest() if has_hash else None) == newer


def test_without_hash_and_version_nothing_is_glued(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, break_after=[5000], has_etag=False, next_content=CONTENT[::-1])
    assert get(url, tmp_path, None) == CONTENT[::-1]
    assert server.ranges("/f") == ["", ""]


def test_a_part_of_another_address_is_not_gone_on_from_without_hash(server: Server, tmp_path: Path) -> None:
    first = server.put("/a", CONTENT, break_after=[5000])
    with pytest.raises(StorageError):
        get(first, tmp_path, None, retries=0)
    assert get(server.put("/b", CONTENT[::-1]), tmp_path, None) == CONTENT[::-1]
    assert server.ranges("/b") == [""]


def test_a_wrong_range_is_noticed(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, break_after=[5000], range_shift=7)
    assert get(url, tmp_path, None) == CONTENT
    assert server.ranges("/f") == ["", "bytes=5000-", ""]


@pytest.mark.parametrize("note", ["{", "[]", '{"url": 3}', '{"url": "x", "validator": 1, "total_bytes": 2}'])
def test_a_torn_note_starts_over(server: Server, tmp_path: Path, note: str) -> None:
    url = server.put("/f", CONTENT)
    (tmp_path / "f.bin.part").write_bytes(CONTENT[:100])
    (tmp_path / "f.bin.part.json").write_text(note)
    assert get(url, tmp_path, None) == CONTENT
    assert server.ranges("/f") == [""]


def test_the_note_holds_no_signature(server: Server, tmp_path: Path) -> None:
    server.put("/f?token=secret", CONTENT, break_after=[5000])
    with pytest.raises(StorageError):
        get(server.url("/f?token=secret"), tmp_path, retries=0)
    assert "secret" not in (tmp_path / "f.bin.part.json").read_text()
    assert json.loads((tmp_path / "f.bin.part.json").read_text())["total_bytes"] == len(CONTENT)


def test_a_part_longer_than_the_file_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(CONTENT + b"more")
    assert get(server.put("/f", CONTENT), tmp_path) == CONTENT


def test_wrong_bytes_are_refused_and_removed(server: Server, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"not {SHA256}"):
        get(server.put("/f", CONTENT[:-1] + b"x"), tmp_path)
    assert left(tmp_path) == []


def test_more_announced_than_sent_is_no_file(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, announce=len(CONTENT) + 9, knows_ranges=False)
    with pytest.raises(StorageError, match="ended after"):
        get(url, tmp_path, None)
    assert "f.bin" not in left(tmp_path)
    assert len(server.asked) == 5


def test_less_announced_than_meant_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, announce=1000)
    with pytest.raises(StorageError, match="that was meant has 512000"):
        download(WebFile((url,), None, len(CONTENT)), tmp_path / "f.bin", QUICK)
    assert left(tmp_path) == []


@pytest.mark.parametrize("tells_size", [True, False])
def test_more_than_allowed_is_refused(server: Server, tmp_path: Path, tells_size: bool) -> None:
    url = server.put("/f", CONTENT, tells_size=tells_size)
    with pytest.raises(StorageError, match="limit of 1000"):
        get(url, tmp_path, max_bytes=1000)
    assert "f.bin" not in left(tmp_path)


def test_an_unannounced_size_must_still_be_the_known_one(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT[:500], tells_size=False)
    with pytest.raises(StorageError, match="gave 500 bytes"):
        download(WebFile((url,), None, len(CONTENT)), tmp_path / "f.bin", QUICK)


def test_silence_is_not_waited_out(server: Server, tmp_path: Path) -> None:
    url = server.put("/f", CONTENT, stall_after=5000, knows_ranges=False)
    with pytest.raises(StorageError, match="time allowed"):
        get(url, tmp_path, stall_s=0.05, retries=1)
    assert (tmp_path / "f.bin.part").stat().st_size >= 5000


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\n <!DOCTYPE HTML><title>Log in</title>", "application/zip"),
        (b"\xef\xbb\xbf<html>", "application/octet-stream"),
        (b"please log in", "text/html; charset=utf-8"),
    ],
)
def test_a_web_page_is_no_file(server: Server, tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(StorageError, match="gives a web page") as caught:
        get(server.put("/f", content, kind=kind), tmp_path, None)
    assert "log in" in caught.value.hint
    assert "f.bin" not in left(tmp_path)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/f", "file:///etc/passwd", "data:,x", "http://"])
def test_only_the_web_is_followed(server: Server, tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match="cannot download"):
        get(address, tmp_path)
    with pytest.raises(LeafsightError):
        get(server.put("/r", location=address), tmp_path)
    assert left(tmp_path) == []


def test_redirects_are_followed_but_not_in_circles(server: Server, tmp_path: Path) -> None:
    server.put("/f", CONTENT)
    assert get(server.put("/r", location="/f"), tmp_path) == CONTENT
    (tmp_path / "f.bin").unlink()
    with pytest.raises(StorageError, match="infinite loop"):
        get(server.put("/loop", location="/loop"), tmp_path)


def test_a_password_stays_with_the_first_host(server: Server, tmp_path: Path) -> None:
    server.put("/f", CONTENT)
    url = server.put("/r", location="/f", wants_authorization="Basic c2VjcmV0")
    file = WebFile((url,), SHA256, authorization="Basic c2VjcmV0")
    assert "c2VjcmV0" not in repr(file)
    assert download(file, tmp_path / "f.bin", QUICK).path.read_bytes() == CONTENT
    assert [secret for *_, secret in server.asked] == ["Basic c2VjcmV0", ""]
    with pytest.raises(UsageError, match="will not send a password"):
        download(WebFile(("http://example.org/f",), authorization="Basic x"), tmp_path / "g", QUICK)


def test_another_address_is_tried(server: Server, tmp_path: Path) -> None:
    cut = server.put("/cut", CONTENT, break_after=[4000, 0, 0, 0, 0, 0])
    urls = (server.url("/gone"), cut, server.put("/good", CONTENT))
    got = download(WebFile(urls, SHA256), tmp_path / "f.bin", QUICK)
    assert got.path.read_bytes() == CONTENT
    assert got.url == urls[2]
    assert server.ranges("/good") == ["bytes=4000-"]


def test_every_address_is_named_when_all_fail(server: Server, tmp_path: Path) -> None:
    urls = (server.url("/gone"), server.put("/bad", b"other bytes"), "ftp://127.0.0.1/f")
    with pytest.raises(StorageError) as caught:
        download(WebFile(urls, SHA256), tmp_path / "f.bin", QUICK)
    assert "404" in caught.value.message
    assert "SHA-256" in caught.value.message
    assert "ftp" in caught.value.message


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64])
def test_a_hash_must_be_one(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(UsageError, match="needs the SHA-256"):
        get("http://127.0.0.1:9/f", tmp_path, sha256)


def test_room_is_looked_for_first(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFullError, match="512000 more bytes"):
        get(server.put("/f", CONTENT), tmp_path)


def test_a_folder_that_cannot_be_written_ends_it(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((StorageError, PermissionDeniedError)):
        get(server.put("/f", CONTENT), tmp_path / "file")
    assert server.asked == []


class Seen:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def start(self, label: str, total: int | None = None) -> None:
        self.calls.append((label, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.calls.append((steps, note))

    def finish(self, note: str = "") -> None:
        self.calls.append((note,))


def test_progress_is_in_bytes_with_speed_and_time_left(server: Server, tmp_path: Path) -> None:
    seen = Seen()
    download(WebFile((server.put("/f", CONTENT),), SHA256), tmp_path / "f.bin", QUICK, seen)
    assert seen.calls[0] == ("downloading f.bin", len(CONTENT))
    assert sum(int(str(call[0])) for call in seen.calls[1:-1]) == len(CONTENT)
    assert "512.0 kB of 512.0 kB" in str(seen.calls[-2])
    assert any("B/s, " in str(call) and "left" in str(call) for call in seen.calls)


def test_a_further_attempt_is_told_with_its_reason(server: Server, tmp_path: Path) -> None:
    seen = Seen()
    url = server.put("/f", CONTENT, break_after=[1000])
    download(WebFile((url,), SHA256), tmp_path / "f.bin", QUICK, seen)
    assert any("ended after 1000 of 512000 bytes; trying again in 0 s" in str(call[0]) for call in seen.calls)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (999, "999 bytes"), (999_960, "1.0 MB"), (2_184_723_441, "2.2 GB")]
)
def test_sizes_in_words(count: int, words: str) -> None:
    assert bytes_in_words(count) == words


@pytest.mark.parametrize(("seconds", "words"), [(18.2, "18 s"), (240, "4 min"), (9000, "2.5 h")])
def test_times_in_words(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


def test_a_trickle_counts_as_silence() -> None:
    """A byte now and then keeps the line open; a window with nearly nothing in it is a stall."""
    assert Pace(None, 1e-9).is_stalled(10)
    assert not Pace(None, 1e-9).is_stalled(5000)
    assert not Pace(None, 3600.0).is_stalled(10)
