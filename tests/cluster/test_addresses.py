"""What may stand after --cluster, and what is the command's own."""

from __future__ import annotations

import pytest

from leafsight.cli.on_cluster import joined_address
from leafsight.cluster import is_address, parse_address
from leafsight.cluster.addresses import host_and_port
from leafsight.errors import UsageError


@pytest.mark.parametrize("word", ["auto", "local", "10.0.0.5:6379", "head.farm:1", "[fe80::1]:6379"])
def test_addresses(word: str) -> None:
    assert is_address(word)
    assert parse_address(word) == word


@pytest.mark.parametrize(
    "word", ["photos", "photos/", "./auto", "a.jpg", "s3://bucket", "C:\\photos", "10.0.0.5"]
)
def test_what_a_command_works_on_is_no_address(word: str) -> None:
    assert not is_address(word)


@pytest.mark.parametrize("word", ["head:0", "head:65536", "nothing", "ray://head:10001"])
def test_what_cannot_be_joined_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(word)
    assert word in caught.value.message


def test_an_address_comes_apart() -> None:
    assert host_and_port("[fe80::1]:6379") == ("fe80::1", 6379)
    assert host_and_port("10.0.0.5:1") == ("10.0.0.5", 1)


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["--cluster", "photos", "out"], ["--cluster=auto", "photos", "out"]),
        (["--cluster", "head:6379", "photos"], ["--cluster=head:6379", "photos"]),
        (["photos", "--cluster"], ["photos", "--cluster=auto"]),
        (["--cluster", "--workers", "2"], ["--cluster=auto", "--workers", "2"]),
        (["--cluster=local", "photos"], ["--cluster=local", "photos"]),
        (["--", "--cluster", "local"], ["--", "--cluster", "local"]),
        (["photos"], ["photos"]),
    ],
)
def test_only_an_address_is_taken_from_the_words(words: list[str], joined: list[str]) -> None:
    assert joined_address(words) == joined
