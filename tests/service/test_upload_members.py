"""The files of an upload: what is passed over, what is too long, and what its sender is told."""

from __future__ import annotations

import pytest
from tests.fakes.made_archives import tarred, zipped

from leafsight.errors import DatasetError
from leafsight.service import upload_check
from leafsight.service.upload_members import entries_of

FILES = {"a/1.jpg": b"one", "a/2.jpg": bytes(400), ".hidden/3.jpg": b"three", "__MACOSX/a/1.jpg": b"four"}


@pytest.mark.parametrize("body", [zipped(FILES), tarred(FILES)], ids=["zip", "tar.gz"])
def test_litter_is_passed_over_and_what_is_too_long_has_no_data(body: bytes) -> None:
    found = [(entry.name, entry.data) for entry in entries_of(body, 300)]
    assert found == [("a/1.jpg", b"one"), ("a/2.jpg", None)]


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("MOST_ENTRIES", 3, "more than 3 entries", "send it in several parts"),
        ("MOST_UNPACKED_BYTES", 100, "unpacks to more than 100 bytes", "this looks like a bomb"),
        ("MOST_RATIO", -1.0, "unpacks to more than", "this looks like a bomb"),
    ],
)
def test_the_limits_are_those_of_the_clerk(
    name: str, value: float, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_check, name, value)
    for body in (zipped(FILES), tarred(FILES)):
        with pytest.raises(DatasetError, match=f"^the archive .*{message}") as caught:
            list(entries_of(body, 300))
        assert caught.value.hint == hint


def test_the_sender_is_told_what_to_do_with_a_torn_one() -> None:
    for body in (zipped(FILES)[:-40], tarred(FILES)[:-40]):
        with pytest.raises(DatasetError, match=r"^the archive is damaged") as caught:
            list(entries_of(body, 300))
        assert caught.value.hint == "pack and send it again"
