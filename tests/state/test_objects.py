"""Objects with tags: the bucket of a real S3 server and the fake do the same."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.objects import MemoryObjects
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto, start_moto, stop

from leafsight.errors import ConfigError, StateBusyError, StateError
from leafsight.state.objects import FETCH_BYTES, open_objects

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["fake", pytest.param("s3", marks=pytest.mark.slow)])
def objects(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return MemoryObjects()
    return open_objects(s3_url(shared_moto(), f"objects-{next(_numbers)}"))


def test_what_is_put_is_got_with_a_tag_that_changes(objects: Any) -> None:
    assert objects.get("a/one.json", max_bytes=10) is None
    assert objects.look("a/one.json") is None
    objects.put("a/one.json", b"first")
    data, tag = objects.get("a/one.json", max_bytes=10)
    assert data == b"first"
    assert objects.look("a/one.json") == (tag, 5)
    objects.put("a/one.json", b"again")
    assert objects.look("a/one.json")[0] != tag


def test_only_who_saw_the_present_one_may_replace_it(objects: Any) -> None:
    first = objects.put_if("a/one.json", b"1", None)
    assert first is not None
    assert objects.put_if("a/one.json", b"2", None) is None
    second = objects.put_if("a/one.json", b"2", first)
    assert second not in (None, first)
    assert objects.put_if("a/one.json", b"3", first) is None
    assert objects.get("a/one.json", max_bytes=10) == (b"2", second)
    objects.delete("a/one.json")
    assert objects.put_if("a/one.json", b"4", second) is None
    assert objects.get("a/one.json", max_bytes=10) is None


def test_of_many_who_write_at_once_one_succeeds(objects: Any) -> None:
    tag = objects.put_if("a/one.json", b"0", None)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: objects.put_if("a/one.json", b"x%d" % n, tag), range(8)))
    assert len([one for one in made if one is not None]) == 1


@pytest.mark.slow
def test_the_test_server_itself_lets_one_of_many_win() -> None:
    """moto alone does not; a registry on it then lost a move that an operator had been told of."""
    process, endpoint = start_moto(switch_interval_s=1e-6)
    try:
        objects, tag = open_objects(s3_url(endpoint, "hurried")), None
        for turn in range(150):
            with ThreadPoolExecutor(4) as pool:
                made = list(pool.map(lambda n: objects.put_if("one", b"%d %d" % (turn, n), tag), range(4)))  # noqa: B023
            (tag,) = [each for each in made if each is not None]
    finally:
        stop(process)


def test_files_go_up_and_come_down(objects: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096 * 20  # 20 MiB: several parts up, several pieces down
    assert len(data) > FETCH_BYTES
    (tmp_path / "file").write_bytes(data)
    tag = objects.send("bundles/x.leafsight", tmp_path / "file")
    assert objects.look("bundles/x.leafsight") == (tag, len(data))
    with (tmp_path / "got").open("w+b") as got:
        assert objects.fetch("bundles/x.leafsight", got, max_bytes=len(data)) == tag
        assert objects.fetch("bundles/y.leafsight", got, max_bytes=10) is None
    assert (tmp_path / "got").read_bytes() == data
    (tmp_path / "empty").write_bytes(b"")
    objects.send("bundles/empty", tmp_path / "empty")
    with (tmp_path / "got").open("w+b") as got:
        assert objects.fetch("bundles/empty", got, max_bytes=10)
    assert (tmp_path / "got").read_bytes() == b""


def test_a_folder_is_listed_with_tags_and_lengths(objects: Any) -> None:
    for name in ("a/one.json", "a/two.json", "ab/three.json"):
        objects.put(name, name.encode())
    assert {name: (tag, size) for name, tag, size in objects.list("a")} == {
        name: objects.look(name) for name in ("a/one.json", "a/two.json")
    }
    objects.delete("a/one.json")
    objects.delete("a/one.json")
    assert [name for name, _, _ in objects.list("a")] == ["a/two.json"]
    assert list(objects.list("none")) == []


@pytest.mark.slow
def test_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    objects = open_objects(s3_url(shared_moto(), "long"))
    objects.put("a", b"12345")
    with pytest.raises(StateError, match="5 bytes, the limit is 4"):
        objects.get("a", max_bytes=4)
    with (tmp_path / "got").open("w+b") as got, pytest.raises(StateError, match="5 bytes, the limit is 4"):
        objects.fetch("a", got, max_bytes=4)


@pytest.mark.slow
def test_what_is_replaced_while_it_is_fetched_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects(s3_url(shared_moto(), "replaced"))
    (tmp_path / "file").write_bytes(b"x" * (FETCH_BYTES + 1))
    objects.send("a", tmp_path / "file")

    seen = objects.look("a")
    objects.put("a", b"y" * (FETCH_BYTES + 1))
    monkeypatch.setattr(objects, "look", lambda name: seen)
    with (tmp_path / "got").open("w+b") as got, pytest.raises(StateBusyError, match="replaced while"):
        objects.fetch("a", got, max_bytes=FETCH_BYTES * 2)


@pytest.mark.slow
def test_a_bucket_that_is_not_there_or_does_not_answer(tmp_path: Path) -> None:
    nobody = open_objects(s3_url(shared_moto(), "x", bucket="nowhere"))
    with pytest.raises(StateError, match="no bucket 'nowhere'") as caught:
        list(nobody.list("a"))
    assert "LEAFSIGHT_REGISTRY_URL" in caught.value.hint
    process, endpoint = start_moto()
    stop(process)
    silent = open_objects(s3_url(endpoint, "x"), timeout_s=0.5)
    for act in (
        lambda: silent.look("a"),
        lambda: silent.get("a", max_bytes=1),
        lambda: silent.put("a", b""),
        lambda: silent.put_if("a", b"", None),
        lambda: silent.put_if("a", b"", '"x"'),
        lambda: silent.delete("a"),
        lambda: list(silent.list("a")),
    ):
        with pytest.raises(StateBusyError, match="does not answer"):
            act()


@pytest.mark.parametrize(
    "url", ["", "folder", "file:///folder", "gs://bucket", "s3://", "s3://user:pw@bucket"]
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_objects(url)
    assert "LEAFSIGHT_BLOB_URL" not in caught.value.hint
    assert "pw" not in caught.value.message


def test_the_address_names_the_place_and_no_options() -> None:
    pytest.importorskip("obstore")
    objects = open_objects("s3://leaves/models/?endpoint=http://127.0.0.1:9&region=here")
    assert objects.address == "s3://leaves/models"
