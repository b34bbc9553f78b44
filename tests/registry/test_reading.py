"""Finding models; and one that is damaged or gone, beside others that are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.registry.kinds import folder_only

from leafsight.bundle import builtin as builtin_module
from leafsight.errors import (
    BundleCorruptError,
    BundleVersionError,
    ConflictError,
    NotFoundError,
    StorageError,
    UsageError,
)
from leafsight.registry import Registry, open_registry
from leafsight.registry import shelf as shelf_module
from leafsight.registry.pointers import Pointers


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def bent(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another(path: Path) -> None:
    write_tiny_bundle(path, name="stranger")


DAMAGES = [cut, bent, gone, a_folder, another]


def test_an_empty_registry_has_the_builtin_model_and_makes_no_folder(
    registry: Registry, shipped: Path
) -> None:
    builtin = registry.builtin
    assert builtin is not None
    assert (builtin.builtin, builtin.created_ms, builtin.name) == (True, 0, "shipped")
    assert registry.entries() == (builtin,)
    assert registry.aliases() == {"serving": builtin.hash}
    for wanted in ("serving", "builtin", builtin.hash, builtin.hash[:4]):
        assert registry.get(wanted) == builtin
    assert registry.path(builtin) == shipped
    assert registry.bundle(builtin).content_hash == builtin.hash
    assert registry.history() == ()
    assert registry.verify() == ()
    assert not registry.folder.exists()


def test_newest_first_and_the_builtin_model_last(registry: Registry, hashes: dict[str, str]) -> None:
    assert [entry.name for entry in registry.entries()] == ["cherries", "beans", "apples", "shipped"]


def test_an_installation_without_builtin_model(folder: Path, files: dict[str, Path], monkeypatch) -> None:
    monkeypatch.setattr(builtin_module, "BUILTIN", folder / "none")
    registry = open_registry(folder)
    assert (registry.builtin, registry.entries(), registry.aliases()) == (None, (), {})
    for wanted in ("serving", "builtin"):
        with pytest.raises(NotFoundError, match="no built-in model") as caught:
            registry.get(wanted)
        assert "leafsight models add" in caught.value.hint
    change = registry.promote(registry.add(files["apples"]).hash)
    assert (change.base, change.former) == (None, None)
    with pytest.raises(ConflictError, match="no model 1 step back"):
        registry.rollback()


def test_a_new_leafsight_brings_a_new_builtin_model(
    folder: Path, registry: Registry, hashes: dict[str, str], files: dict[str, Path], monkeypatch
) -> None:
    registry.promote(hashes["beans"])
    registry.promote("builtin")
    registry.promote("builtin", "canary")
    monkeypatch.setattr(builtin_module, "BUILTIN", files["apples"])
    later = open_registry(folder)
    assert later.get("serving").hash == hashes["apples"]
    assert later.get("serving").builtin
    assert later.aliases() == {"serving": hashes["apples"], "canary": hashes["apples"]}
    assert later.history()[0].hash == hashes["shipped"]
    assert later.rollback().hash == hashes["beans"]
    assert later.verify() == ()
    assert [entry.name for entry in later.entries()] == ["cherries", "beans", "apples"]


def test_an_alias_that_points_nowhere(registry: Registry, hashes: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="nothing was promoted under 'canary'") as caught:
        registry.get("canary")
    assert "--alias canary" in caught.value.hint


@folder_only
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bundle_that_changes_on_disk(
    registry: Registry, hashes: dict[str, str], files: dict[str, Path], damage: Callable[[Path], None]
) -> None:
    registry.promote(hashes["apples"])
    registry.promote(hashes["beans"])
    registry.promote(hashes["cherries"], "canary")
    entry = registry.get("serving")
    damage(registry.path(entry))

    with pytest.raises(BundleCorruptError, match=hashes["beans"][:12]) as caught:
        registry.bundle(registry.get("serving"))
    assert "serving" in caught.value.message
    assert "leafsight models rollback --alias serving" in caught.value.hint
    for wanted in ("canary", hashes["apples"], "builtin"):
        assert registry.bundle(registry.get(wanted)).metrics == {"accuracy": 1.0}
    assert len(registry.entries()) == 4
    assert [one.what for one in registry.verify()] == [hashes["beans"]]
    assert registry.verify()[0].aliases == ("serving",)
    assert open_registry(registry.folder).rollback().hash == hashes["apples"]
    if damage is not a_folder:
        assert not registry.add(files["beans"]).damaged
        assert registry.verify() == ()
        assert registry.get(hashes["beans"]).created_ms == entry.created_ms


@folder_only
@pytest.mark.parametrize("damage", [cut, gone, a_folder])
def test_a_look_at_the_folder_tells_most_damages(
    registry: Registry, hashes: dict[str, str], damage: Callable[[Path], None]
) -> None:
    damage(registry.path(registry.get(hashes["beans"])))
    assert [entry.name for entry in registry.entries() if entry.damaged] == ["beans"]


def test_a_whole_bundle_of_another_size_than_recorded(
    registry: Registry, hashes: dict[str, str], files: dict[str, Path], folder: Path
) -> None:
    record = folder / "entries" / f"{hashes['apples']}.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"bytes": 5}))
    assert registry.get(hashes["apples"]).damaged
    [told] = registry.verify()
    assert (told.what, "another size than recorded" in told.message) == (hashes["apples"], True)
    assert told.hint.startswith("leafsight models add ")
    assert not registry.add(registry.path(registry.get(hashes["apples"]))).damaged
    assert registry.verify() == ()


@folder_only
def test_a_damaged_model_without_an_alias_can_be_replaced_or_removed(
    registry: Registry, hashes: dict[str, str]
) -> None:
    cut(registry.path(registry.get(hashes["beans"])))
    with pytest.raises(BundleCorruptError) as caught:
        registry.bundle(registry.get(hashes["beans"]))
    assert f"leafsight models remove {hashes['beans'][:12]}" in caught.value.hint
    registry.remove(hashes["beans"][:12])
    assert registry.verify() == ()


@folder_only
def test_neither_record_nor_bundle_can_be_read(registry: Registry, hashes: dict[str, str]) -> None:
    registry.promote(hashes["beans"])
    cut(registry.path(registry.get("serving")))
    (registry.folder / "entries" / f"{hashes['beans']}.json").unlink()
    for wanted in ("serving", hashes["beans"], hashes["beans"][:6]):
        with pytest.raises(BundleCorruptError, match="cannot be used") as caught:
            registry.get(wanted)
        assert "rollback --alias serving" in caught.value.hint
    assert [entry.name for entry in registry.entries()] == ["cherries", "apples", "shipped"]
    assert [one.what for one in registry.verify()] == [hashes["beans"]]
    registry.promote(hashes["apples"])
    registry.promote(hashes["cherries"])
    assert registry.remove(hashes["beans"]) == hashes["beans"]
    assert registry.verify() == ()


@folder_only
def test_everything_of_a_model_is_gone(registry: Registry, hashes: dict[str, str]) -> None:
    registry.promote(hashes["apples"])
    registry.promote(hashes["beans"])
    registry.path(registry.get("serving")).unlink()
    (registry.folder / "entries" / f"{hashes['beans']}.json").unlink()
    with pytest.raises(BundleCorruptError, match="neither its bundle nor its record") as caught:
        registry.get("serving")
    assert "rollback" in caught.value.hint
    assert [one.what for one in registry.verify()] == ["serving"]
    assert registry.rollback().hash == hashes["apples"]


def test_a_lost_record_is_made_again(registry: Registry, hashes: dict[str, str], folder: Path) -> None:
    record = folder / "entries" / f"{hashes['apples']}.json"
    for content in (None, "{", "[]", '{"hash": "x"}', "[" * 100_000, "x" * 100_000):
        if content is None:
            record.unlink()
        else:
            record.write_text(content)
        entry = registry.get(hashes["apples"])
        assert (entry.name, entry.classes, entry.damaged) == ("apples", 4, False)
        open_registry(folder)
        assert json.loads(record.read_text())["name"] == "apples"


def test_a_bundle_put_there_by_hand_is_found(
    registry: Registry, hashes: dict[str, str], files, folder
) -> None:
    path = folder / "bundles" / f"{hashes['shipped'][::-1]}.leafsight"
    path.write_bytes(files["beans"].read_bytes())
    (folder / "bundles" / "notes.txt").write_text("hello")
    (folder / "entries" / "x.json").write_text("hello")
    (folder / "aliases").mkdir(exist_ok=True)
    (folder / "aliases" / "Bad Name.json").write_text("hello")
    again = open_registry(folder)
    assert len(again.entries()) == 4
    assert [one.what for one in again.verify()] == [hashes["shipped"][::-1]]


def test_a_bundle_of_a_newer_leafsight_is_named_so(
    registry: Registry, hashes: dict[str, str], monkeypatch
) -> None:
    from leafsight.registry import reading

    def newer(*_: object, **__: object) -> None:
        raise BundleVersionError("format version 2")

    monkeypatch.setattr(reading, "open_bundle", newer)
    with pytest.raises(BundleVersionError):
        registry.bundle(registry.get(hashes["apples"]))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", "[" * 100_000, "x" * 100_000, '{"hash": "\\ud800"}']
)
def test_a_damaged_alias_breaks_no_other(
    registry: Registry, hashes: dict[str, str], folder: Path, content: str
) -> None:
    registry.promote(hashes["apples"])
    registry.promote(hashes["beans"])
    registry.promote(hashes["cherries"], "canary")
    (folder / "aliases" / "serving.json").write_text(content)
    again = open_registry(folder)
    with pytest.raises(StorageError, match="what 'serving' points to, is damaged") as caught:
        again.get("serving")
    assert "leafsight models promote ID --alias serving" in caught.value.hint
    assert again.aliases() == {"canary": hashes["cherries"]}
    assert again.get("canary").name == "cherries"
    assert len(again.entries()) == 4
    assert [one.what for one in again.verify()] == ["serving"]
    with pytest.raises(ConflictError):
        again.remove(hashes["beans"])
    assert [change.number for change in again.history()] == [2, 1]
    assert again.promote(hashes["beans"]).number == 3
    assert again.rollback(steps=2).hash == hashes["apples"]
    assert again.verify() == ()


def test_history_has_a_limit(registry: Registry, hashes: dict[str, str]) -> None:
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    assert [change.number for change in registry.history(limit=2)] == [3, 2]
    with pytest.raises(UsageError, match="cannot list 0"):
        registry.history(limit=0)


def test_a_server_notices_a_promotion_without_reading(registry: Registry, hashes: dict[str, str]) -> None:
    seen = [registry.watch_token()]
    for name in ("apples", "beans", "apples", "beans"):
        registry.promote(hashes[name])
        seen.append(registry.watch_token())
    registry.rollback()
    seen.append(registry.watch_token())
    assert len(set(seen)) == 6
    registry.promote(hashes["cherries"], "canary")
    registry.add(registry.path(registry.get("serving")), "noted")
    assert registry.watch_token() == seen[-1]
    assert open_registry(registry.folder).watch_token() == seen[-1]


def test_changes_within_one_tick_of_the_clock_are_noticed(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    """Two changes later the pointer may have its old inode, size and time again."""
    registry.promote(hashes["apples"])
    pointer = folder / "aliases" / "serving.json"
    seen, old = registry.watch_token(), pointer.stat()
    registry.promote(hashes["beans"])
    stand_in = mock.Mock(st_ino=old.st_ino, st_mtime_ns=old.st_mtime_ns, st_size=old.st_size)
    really = Path.stat
    with mock.patch.object(Path, "stat", lambda path: stand_in if path == pointer else really(path)):
        assert registry.watch_token() != seen


@folder_only
def test_hundreds_of_models_are_listed_without_opening_one(
    registry: Registry, hashes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = registry.folder
    record = json.loads((folder / "entries" / f"{hashes['apples']}.json").read_text())
    for number in range(300):
        name = f"{number:064x}"
        (folder / "bundles" / f"{name}.leafsight").write_bytes(b"x" * record["bytes"])
        (folder / "entries" / f"{name}.json").write_text(json.dumps(record | {"hash": name}))

    def opened(*_: object) -> None:
        raise AssertionError("a bundle was opened")

    monkeypatch.setattr(shelf_module, "open_bundle", opened)
    started = perf_counter()
    assert len(open_registry(folder).entries()) == 304
    print(f"304 entries opened and listed in {perf_counter() - started:.3f} s")
    with pytest.raises(ConflictError, match="fits 300 models"):
        registry.get("0000")


@folder_only
def test_a_history_that_is_read_while_the_alias_moves_has_no_gap(
    registry: Registry, hashes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list(hashes.values())
    registry.promote(names[0])
    read = Pointers._read
    moved: list[str] = []

    def slow_read(pointers: Pointers, *words: Any) -> Any:
        found = read(pointers, *words)
        if not moved:
            moved.extend((names[1], names[0]))
            for one in moved:
                registry.promote(one)
        return found

    monkeypatch.setattr(Pointers, "_read", slow_read)
    numbers = [change.number for change in registry.history()]
    assert moved
    assert numbers == list(range(len(numbers), 0, -1))
