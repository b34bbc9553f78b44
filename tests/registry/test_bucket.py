"""Models in a bucket: what goes wrong there, and what a server goes on serving meanwhile.

What add, promote, rollback, remove and the questions do is in the other files: they run in a bucket, too.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from tests.fakes.objects import MemoryObjects
from tests.registry.machines import Far, bundle_name, parts_left, served, spoil

from leafsight.bundle import builtin as builtin_module
from leafsight.errors import (
    BundleCorruptError,
    ConflictError,
    DiskFullError,
    NotFoundError,
    StateBusyError,
    StorageError,
)
from leafsight.registry import Registry, open_registry


def test_the_bucket_looks_like_a_folder(objects: MemoryObjects, far: Far, there, tmp_path: Path) -> None:
    """A copy of the bucket is a registry: the way out of a bucket."""
    for name in ("apples", "beans"):
        far().promote(there[name], reason=name)
    for name, (data, _) in objects.kept.items():
        path = tmp_path / "copied" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    copied = open_registry(tmp_path / "copied")
    assert copied.verify() == ()
    assert copied.history() == far().history()
    assert copied.entries() == far().entries()
    assert copied.rollback().hash == there["apples"]


def test_nothing_is_asked_and_nothing_is_written_by_opening(
    objects: MemoryObjects, far: Far, tmp_path: Path
) -> None:
    far("server")
    assert objects.asked == []
    assert not (tmp_path / "server").exists()


def test_a_folder_that_was_a_registry_before_stays_one(
    objects: MemoryObjects, far: Far, files: dict[str, Path], there, tmp_path: Path
) -> None:
    own = open_registry(tmp_path / "server")
    own.promote(own.add(files["cherries"]).hash)
    assert far("server").get("serving").builtin
    assert served(far("server")) == "shipped"
    assert open_registry(tmp_path / "server").get("serving").name == "cherries"
    elsewhere = open_registry(tmp_path / "server", mirror=MemoryObjects("s3://other/models"))
    assert [entry.name for entry in elsewhere.entries()] == ["shipped"]


def test_servers_follow_a_promotion_and_a_rollback(far: Far, there: dict[str, str]) -> None:
    servers = [far("one"), far("two")]
    tokens = [server.near.watch_token() for server in servers]
    assert [served(server) for server in servers] == ["shipped", "shipped"]
    far().promote(there["apples"], by="ada")
    assert [served(server) for server in servers] == ["apples", "apples"]
    again = [server.near.watch_token() for server in servers]
    assert not set(tokens) & set(again)
    assert again == [server.near.watch_token() for server in servers]
    far().promote(there["beans"])
    assert served(servers[0]) == "beans"
    far().rollback()
    assert [served(server) for server in servers] == ["apples", "apples"]
    far().rollback()
    assert [served(server) for server in servers] == ["shipped", "shipped"]


def test_a_look_that_finds_nothing_new_is_one_request(objects: MemoryObjects, far: Far, there) -> None:
    server = far("server")
    far().promote(there["apples"])
    server.near.watch_token()
    objects.asked.clear()
    for _ in range(3):
        server.near.watch_token()
    assert objects.asked == [("look", "aliases/serving.json")] * 3


def test_each_bundle_is_fetched_once_and_old_ones_make_room(
    objects: MemoryObjects, far: Far, there: dict[str, str]
) -> None:
    server = far("server")
    for name in ("apples", "beans", "cherries"):
        far().promote(there[name])
        assert served(server) == name
    fetched = [name for verb, name in objects.asked if verb == "fetch"]
    assert fetched == [bundle_name(there[name]) for name in ("apples", "beans", "cherries")]
    kept = {path.stem for path in (server.folder / "bundles").glob("*.leafsight")}
    assert kept == {there["beans"], there["cherries"]}, "the present one and the one before"


def test_with_the_bucket_gone_the_last_model_goes_on_serving(
    objects: MemoryObjects, far: Far, there: dict[str, str]
) -> None:
    server = far("server")
    far().promote(there["apples"])
    assert served(server) == "apples"
    token = server.near.watch_token()
    objects.gone()
    assert server.near.watch_token() == token
    assert served(far("server")) == "apples", "also after a restart"
    for act in (far("server").entries, far("server").history, far("server").aliases):
        with pytest.raises(StateBusyError, match="does not answer"):
            act()
    objects.back()
    far().promote(there["beans"])
    assert served(server) == "beans"


def test_a_new_server_without_the_bucket_serves_no_guess(objects: MemoryObjects, far: Far, there) -> None:
    far().promote(there["apples"])
    objects.gone()
    with pytest.raises(StateBusyError, match="never reached") as caught:
        served(far("server"))
    assert "--model" in caught.value.hint
    objects.back()
    assert served(far("server")) == "apples"


def test_with_the_bucket_gone_nothing_changes(objects: MemoryObjects, far: Far, there, files) -> None:
    registry = far()
    registry.promote(there["apples"])
    before = dict(objects.kept)
    objects.gone()
    for act in (
        lambda: registry.promote(there["beans"]),
        registry.rollback,
        lambda: registry.remove(there["cherries"]),
        lambda: registry.add(files["cherries"], "note"),
        registry.verify,
    ):
        with pytest.raises(StateBusyError, match="does not answer"):
            act()
    assert objects.kept == before


@pytest.mark.parametrize("damage", ["cut", "bent", "another", "gone"])
def test_a_bundle_that_was_altered_in_the_bucket_is_never_served(
    objects: MemoryObjects, far: Far, there, files: dict[str, Path], damage: str
) -> None:
    server = far("server")
    far().promote(there["apples"])
    assert served(server) == "apples"
    name = bundle_name(there["beans"])
    whole = objects.kept[name][0]
    spoiled = {
        "cut": whole[:-100],
        "bent": whole[:4000] + bytes([whole[4000] ^ 1]) + whole[4001:],
        "another": files["cherries"].read_bytes(),
        "gone": b"",
    }[damage]
    far("two").promote(there["beans"])
    objects.delete(name) if damage == "gone" else spoil(objects, name, spoiled)

    before = server.near.watch_token()
    assert server.near.watch_token() == before
    assert served(server) == "apples"
    assert parts_left(server.folder) == []
    with pytest.raises(BundleCorruptError, match=there["beans"][:12]) as caught:
        far("fresh").promote(there["beans"], "canary")
    assert "leafsight models rollback --alias serving" in caught.value.hint
    # The machine that promoted it has a whole copy, and does not trust it: the others would get the damaged.
    with pytest.raises(BundleCorruptError):
        far("two").promote(there["beans"], "canary")
    [found] = [one for one in far("fresh").verify() if one.what == there["beans"]]
    assert found.aliases == ("serving",)
    assert "canary" not in far().aliases()
    assert far("fresh").add(files["beans"]).hash == there["beans"]
    assert far("fresh").verify() == ()
    assert served(far("server")) == "beans"


def test_a_pointer_to_a_bundle_that_is_not_there_yet(objects: MemoryObjects, far: Far, there) -> None:
    """As in a bucket that is copied object by object from another one."""
    server = far("server")
    far().promote(there["apples"])
    assert served(server) == "apples"
    far().promote(there["beans"])
    late = {name: objects.kept.pop(name) for name in list(objects.kept) if there["beans"] in name}
    assert len(late) == 2
    with pytest.raises(BundleCorruptError, match="is not in the bucket"):
        server.near.pull()
    assert served(server) == "apples"
    for name in sorted(late):  # the bundle comes first
        objects.kept[name] = late[name]
        assert served(server) == "beans"
    assert server.near.get("serving").name == "beans"
    assert not server.near.get("serving").damaged


def test_a_damaged_bundle_is_not_fetched_every_second(
    objects: MemoryObjects, far: Far, there, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, steady = far("server"), [100.0]
    monkeypatch.setattr(server.near, "_steady_s", lambda: steady[0])
    whole = objects.kept[bundle_name(there["beans"])][0]
    far().promote(there["beans"])
    spoil(objects, bundle_name(there["beans"]), whole[:-9])
    for _ in range(5):
        assert served(server) == "shipped"
    assert [verb for verb, _ in objects.asked].count("fetch") == 1
    spoil(objects, bundle_name(there["beans"]), whole)
    steady[0] += 11
    assert served(server) == "beans"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"[" * 60_000, b'{"hash": "\\ud800"}'])
def test_a_damaged_alias_breaks_no_other(
    objects: MemoryObjects, far: Far, there: dict[str, str], content: bytes
) -> None:
    registry, server = far(), far("server")
    registry.promote(there["apples"])
    registry.promote(there["beans"])
    registry.promote(there["cherries"], "canary")
    assert served(server) == "beans"
    spoil(objects, "aliases/serving.json", content)
    with pytest.raises(StorageError, match="what 'serving' points to, is damaged"):
        registry.get("serving")
    assert served(server) == "beans"
    assert registry.aliases() == {"canary": there["cherries"]}
    assert [one.what for one in registry.verify()] == ["serving"]
    assert [change.number for change in registry.history()] == [2, 1]
    assert registry.promote(there["beans"]).number == 3
    assert registry.rollback(steps=2).hash == there["apples"]
    assert registry.verify() == ()
    assert served(server) == "apples"


def test_strange_objects_are_passed_over(objects: MemoryObjects, far: Far, there: dict[str, str]) -> None:
    for name in (
        "aliases/Bad Name.json",
        "aliases/x.txt",
        "entries/x.json",
        "bundles/notes.txt",
        "bundles/a/b",
    ):
        objects.put(name, b"hello")
    objects.put(f"entries/{there['beans']}.json", b"{")
    registry = far("fresh")
    assert [entry.name for entry in registry.entries()] == ["cherries", "apples", "shipped"]
    assert [one.what for one in registry.verify()] == [there["beans"]]
    with pytest.raises(BundleCorruptError, match="cannot be used"):
        registry.get(there["beans"])
    assert registry.remove(there["beans"]) == there["beans"]
    assert registry.verify() == ()


def test_a_bundle_without_its_record_is_named_and_mended(
    objects: MemoryObjects, far: Far, there, files: dict[str, Path]
) -> None:
    """What a process leaves that was killed between the two."""
    objects.delete(f"entries/{there['apples']}.json")
    assert [entry.name for entry in far().entries()] == ["cherries", "beans", "shipped"]
    assert [one.what for one in far().verify()] == [there["apples"]]
    assert far().add(files["apples"]).hash == there["apples"]
    assert far().verify() == ()
    objects.delete(f"entries/{there['apples']}.json")
    assert far().remove(there["apples"][:8]) == there["apples"]
    assert bundle_name(there["apples"]) not in objects.kept
    with pytest.raises(NotFoundError):
        far().get(there["apples"])


def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file below a folder can be made safe any more."""
    sync = os.fsync

    def fsync(handle: int) -> None:
        if str(folder) in os.readlink(f"/proc/self/fd/{handle}"):  # noqa: PTH115
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="a disk of this system cannot be made full so")
def test_a_full_disk_while_pulling_changes_nothing(
    objects: MemoryObjects, far: Far, there, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, steady = far("server"), [100.0]
    monkeypatch.setattr(server.near, "_steady_s", lambda: steady[0])
    far().promote(there["apples"])
    assert served(server) == "apples"
    far().promote(there["beans"])
    with monkeypatch.context() as patch:
        full(tmp_path / "server", patch)
        with pytest.raises(DiskFullError, match="no space left"):
            server.near.pull()
        assert served(server) == "apples"
        assert served(far("server")) == "apples"
    assert parts_left(tmp_path / "server") == []
    steady[0] += 11
    assert served(server) == "beans"


def test_a_clock_that_goes_backwards_breaks_no_order(objects: MemoryObjects, far: Far, there) -> None:
    times = iter([9_000_000, 500, 400, 300])
    server = far("server")
    for number, name in enumerate(("apples", "beans", "cherries"), start=1):
        machine = far(f"machine {number}", now=times.__next__)
        assert machine.promote(there[name]).number == number
        assert served(server) == name
    assert far("last", now=times.__next__).rollback().hash == there["beans"]
    assert [change.since_ms for change in far().history()] == [300, 400, 500, 9_000_000]
    assert served(server) == "beans"


def test_an_emptied_bucket_takes_nothing_from_who_serves(objects: MemoryObjects, far: Far, there) -> None:
    server = far("server")
    far().promote(there["apples"])
    assert served(server) == "apples"
    objects.kept.clear()
    assert served(server) == "apples"
    assert served(far("server")) == "apples"


def test_a_bucket_that_began_anew_is_followed(objects: MemoryObjects, far: Far, there, files) -> None:
    server = far("server")
    for name in ("apples", "beans", "cherries"):
        far().promote(there[name])
    assert served(server) == "cherries"
    objects.kept.clear()
    anew = far("anew")
    anew.promote(anew.add(files["beans"]).hash)
    assert anew.history()[0].number == 1
    assert served(server) == "beans"


def test_another_builtin_model_here_than_there(
    objects: MemoryObjects, far: Far, there, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    far().promote(there["beans"])
    far().promote("builtin")
    assert served(far("server")) == "shipped"
    monkeypatch.setattr(builtin_module, "BUILTIN", files["cherries"])
    assert served(far("newer")) == "cherries"


def test_champion_is_another_word_for_serving(registry: Registry, hashes: dict[str, str]) -> None:
    change = registry.promote(hashes["apples"], "champion")
    assert change.alias == "serving"
    assert registry.get("champion") == registry.get("serving") == registry.get(hashes["apples"])
    assert registry.history("champion") == (change,)
    assert registry.watch_token("champion") == registry.watch_token("serving")
    assert registry.promote("champion", "canary").hash == hashes["apples"]
    assert registry.aliases() == {"canary": hashes["apples"], "serving": hashes["apples"]}
    assert registry.rollback("champion").builtin
    with pytest.raises(ConflictError, match="no model 1 step back"):
        registry.rollback("champion")


def test_hundreds_of_models_are_listed_with_few_requests(objects: MemoryObjects, far: Far, there) -> None:
    record = json.loads(objects.kept[f"entries/{there['apples']}.json"][0])
    for number in range(200):
        name = f"{number:064x}"
        objects.put(bundle_name(name), b"x" * record["bytes"])
        objects.put(f"entries/{name}.json", json.dumps(record | {"hash": name}).encode())
    registry = far("fresh")
    objects.asked.clear()
    assert len(registry.entries()) == 204
    assert len([verb for verb, _ in objects.asked if verb == "list"]) == 2
    objects.asked.clear()
    assert len(registry.entries()) == 204
    assert [verb for verb, _ in objects.asked] == ["list", "list"], "a record that stayed is not read again"


def test_trouble_is_logged_once(objects: MemoryObjects, far: Far, caplog: pytest.LogCaptureFixture) -> None:
    server = far("server")
    server.near.watch_token()
    objects.gone()
    for _ in range(3):
        server.near.watch_token()
    assert [record.getMessage() for record in caplog.records] == [
        "the registry in the bucket is not followed"
    ]
    objects.back()
    server.near.watch_token()
    objects.gone()
    server.near.watch_token()
    assert len(caplog.records) == 2
