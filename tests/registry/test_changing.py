"""The contract: what add, promote, rollback and remove do, and what each refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import tiny_contents
from tests.registry.kinds import folder_only

from leafsight.bundle import write_bundle
from leafsight.errors import (
    BundleCorruptError,
    BundleError,
    ConflictError,
    NotFoundError,
    RequestTooLargeError,
    UsageError,
)
from leafsight.registry import Change, Registry, open_registry


def left(folder: Path) -> list[str]:
    """Every file of a registry but its lock."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != ".lock")


@folder_only
def test_an_added_bundle_is_the_same_bundle(registry: Registry, files: dict[str, Path]) -> None:
    entry = registry.add(files["apples"], "  first try \n")
    bundle = registry.bundle(entry)
    assert (entry.name, entry.classes, entry.note) == ("apples", 4, "first try")
    assert (entry.created_ms, entry.builtin, entry.damaged) == (1000, False, False)
    assert entry.bytes == files["apples"].stat().st_size
    assert registry.path(entry).read_bytes() == files["apples"].read_bytes()
    assert bundle.content_hash == entry.hash
    assert (bundle.card, bundle.metrics) == ("# tiny\n\nFor tests only.\n", {"accuracy": 1.0})
    assert left(registry.folder) == [f"bundles/{entry.hash}.leafsight", f"entries/{entry.hash}.json"]


@folder_only
def test_adding_again_is_no_error_and_keeps_the_first_time(
    registry: Registry, files: dict[str, Path]
) -> None:
    first = registry.add(files["apples"], "first")
    assert registry.add(files["apples"]) == first
    before = registry.path(first).stat().st_ino
    again = registry.add(files["apples"], "second")
    assert registry.path(again).stat().st_ino == before, "copied once more for a note"
    assert (again.note, again.created_ms) == ("second", first.created_ms)
    assert registry.get(first.hash) == again
    assert len(left(registry.folder)) == 2


def test_a_folder_is_packed_into_the_same_model(
    registry: Registry, files: dict[str, Path], tmp_path: Path
) -> None:
    write_bundle(tmp_path / "laid out", tiny_contents(name="apples"), as_folder=True)
    entry = registry.add(tmp_path / "laid out")
    assert entry == registry.add(files["apples"])
    assert registry.bundle(entry).card.startswith("# tiny")
    assert registry.verify() == ()


def test_adding_the_builtin_model_copies_nothing(registry: Registry, shipped: Path) -> None:
    assert registry.add(shipped, "mine") == registry.builtin
    assert not registry.folder.exists()


def test_what_is_no_bundle_is_refused_with_its_name(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "x.leafsight").write_bytes(b"a photograph")
    for name in ("x.leafsight", "none.leafsight", "."):
        with pytest.raises(BundleError, match=str(tmp_path / name)):
            registry.add(tmp_path / name)
    assert not registry.folder.exists()


def test_a_damaged_bundle_is_refused(registry: Registry, files: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(files["apples"].read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "x.leafsight").write_bytes(data)
    with pytest.raises(BundleCorruptError, match=r"x\.leafsight"):
        registry.add(tmp_path / "x.leafsight")


def test_a_bundle_over_the_limit_is_refused_unread(
    folder: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    size = files["apples"].stat().st_size
    small = open_registry(folder, max_bundle_bytes=size - 1)
    with pytest.raises(RequestTooLargeError, match=f"has {size} bytes; .* up to {size - 1}"):
        small.add(files["apples"])
    write_bundle(tmp_path / "laid out", tiny_contents(), as_folder=True)
    with pytest.raises(RequestTooLargeError, match="laid out"):
        small.add(tmp_path / "laid out")
    assert left(folder) == []
    assert open_registry(folder, max_bundle_bytes=size).add(files["apples"]).bytes == size


def test_a_bundle_that_changes_while_it_is_copied(
    registry: Registry, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copy(files["apples"], tmp_path / "x.leafsight")
    copy = shutil.copyfileobj

    def replaced(*words: object) -> None:
        shutil.copy(files["beans"], source)
        with source.open("rb") as other:
            copy(other, words[1])  # type: ignore[arg-type]

    monkeypatch.setattr(shutil, "copyfileobj", replaced)
    with pytest.raises(BundleCorruptError, match="changed while it was copied"):
        registry.add(source)
    assert left(registry.folder) == []


def test_texts_have_limits(registry: Registry, hashes: dict[str, str], files: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="the note has 2001 characters"):
        registry.add(files["apples"], "x" * 2001)
    with pytest.raises(UsageError, match="the reason has 2001"):
        registry.promote(hashes["apples"], reason="x" * 2001)
    with pytest.raises(UsageError, match="the name has 201"):
        registry.rollback(by="x" * 201)
    assert registry.history() == ()


def test_promotion_moves_the_alias_and_tells_who_and_why(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    change = registry.promote(hashes["apples"], reason="two points better", by="ada")
    assert change == Change(
        "serving",
        1,
        "promote",
        hashes["apples"],
        4000,
        "two points better",
        "ada",
        hashes["shipped"],
        0,
        False,
    )
    assert registry.get("serving").hash == hashes["apples"]
    assert registry.aliases() == {"serving": hashes["apples"]}
    assert registry.history() == (change,)
    pointer = json.loads((folder / "aliases" / "serving.json").read_text())
    assert {key: pointer[key] for key in ("hash", "since_ms", "reason", "by")} == {
        "hash": hashes["apples"], "since_ms": 4000, "reason": "two points better", "by": "ada",
    }  # fmt: skip
    assert [json.loads(line) for line in (folder / "history" / "serving.jsonl").read_text().splitlines()] == [
        pointer
    ]


def test_a_promotion_over_one_model_is_none_over_another(registry: Registry, hashes: dict[str, str]) -> None:
    first, second, third = list(hashes.values())[:3]
    builtin = registry.get("serving").hash
    with pytest.raises(ConflictError, match="another model by now"):
        registry.promote(first, over=second)
    assert registry.get("serving").hash == builtin
    registry.promote(first, over=builtin)
    registry.promote(second)
    with pytest.raises(ConflictError, match="another model by now"):
        registry.promote(third, over=first)
    assert registry.promote(third, over=second).former == second
    assert registry.promote(third, over=first).hash == third, "it points there already"
    with pytest.raises(ConflictError, match="another model by now"):
        registry.promote(first, "challenger", over=second)


def test_a_rollback_that_is_sent_twice_goes_back_once(registry: Registry, hashes: dict[str, str]) -> None:
    first, second, third = list(hashes.values())[:3]
    for model in (first, second, third):
        registry.promote(model)
    change = registry.rollback(over=third)
    assert (change.hash, change.former) == (second, third)
    assert registry.rollback(over=third) == change
    assert registry.get("serving").hash == second
    with pytest.raises(ConflictError, match="another model by now"):
        registry.rollback(over=first)
    assert registry.rollback(over=second).hash == first
    with pytest.raises(ConflictError, match="another model by now"):
        registry.rollback(over=third)
    builtin = registry.rollback(over=first).hash
    assert registry.rollback(over=first).hash == registry.get("serving").hash == builtin


def test_promoting_what_serves_already_is_nothing_new(registry: Registry, hashes: dict[str, str]) -> None:
    first = registry.promote(hashes["apples"], reason="one")
    assert registry.promote(hashes["apples"][:10], reason="two") == first
    assert registry.promote("serving") == first
    assert registry.history() == (first,)


def test_aliases_are_independent(registry: Registry, hashes: dict[str, str]) -> None:
    registry.promote(hashes["apples"])
    registry.promote(hashes["beans"], "canary")
    registry.promote("canary", "shadow")
    assert registry.aliases() == {
        "canary": hashes["beans"], "serving": hashes["apples"], "shadow": hashes["beans"],
    }  # fmt: skip
    assert [change.number for change in registry.history("shadow")] == [1]
    with pytest.raises(ConflictError, match="'canary' has no model 1 step back"):
        registry.rollback("canary")


def test_rollback_goes_back_step_by_step(registry: Registry, hashes: dict[str, str]) -> None:
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    assert registry.rollback(reason="worse", by="ada").hash == hashes["beans"]
    assert registry.rollback().hash == hashes["apples"]
    last = registry.rollback()
    assert (last.hash, last.builtin) == (hashes["shipped"], True)
    assert registry.get("serving") == registry.builtin
    with pytest.raises(ConflictError, match="no model 1 step back"):
        registry.rollback()
    told = [(change.kind, change.reason, change.by) for change in registry.history(limit=3)]
    assert told == [("rollback", "", ""), ("rollback", "", ""), ("rollback", "worse", "ada")]
    assert [change.number for change in registry.history()] == [6, 5, 4, 3, 2, 1]


def test_rollback_over_several_steps(registry: Registry, hashes: dict[str, str]) -> None:
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    with pytest.raises(ConflictError, match="no model 4 steps back"):
        registry.rollback(steps=4)
    with pytest.raises(UsageError, match="cannot go 0 steps back"):
        registry.rollback(steps=0)
    assert registry.rollback(steps=2).hash == hashes["apples"]


def test_nothing_to_roll_back(registry: Registry) -> None:
    for alias in ("serving", "canary"):
        with pytest.raises(ConflictError, match=f"nothing was promoted under '{alias}'"):
            registry.rollback(alias)


@folder_only
def test_a_damaged_model_is_not_promoted(registry: Registry, hashes: dict[str, str]) -> None:
    path = registry.path(registry.get(hashes["apples"]))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(BundleCorruptError, match="cannot be used"):
        registry.promote(hashes["apples"])
    assert registry.get("serving") == registry.builtin


def test_remove_takes_away_what_nobody_needs(
    registry: Registry, hashes: dict[str, str], folder: Path
) -> None:
    assert registry.remove(hashes["apples"][:8]) == hashes["apples"]
    assert not [name for name in left(folder) if hashes["apples"] in name]
    with pytest.raises(NotFoundError):
        registry.get(hashes["apples"])
    with pytest.raises(NotFoundError):
        registry.remove(hashes["apples"])


def test_remove_keeps_what_serves_and_the_way_back(registry: Registry, hashes: dict[str, str]) -> None:
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    for name in ("beans", "cherries"):
        with pytest.raises(ConflictError, match="'serving' points to"):
            registry.remove(hashes[name])
    with pytest.raises(ConflictError):
        registry.remove("serving")
    registry.remove(hashes["apples"])
    assert registry.rollback().hash == hashes["beans"]
    with pytest.raises(BundleCorruptError, match=hashes["apples"][:12]) as caught:
        registry.rollback()
    assert caught.value.hint.startswith("leafsight models rollback --alias serving --steps 2")
    assert registry.rollback(steps=2).builtin


def test_the_builtin_model_cannot_be_removed(registry: Registry, hashes: dict[str, str]) -> None:
    for wanted in ("builtin", hashes["shipped"], "serving"):
        with pytest.raises(ConflictError, match="built-in model cannot be removed"):
            registry.remove(wanted)


def test_a_removed_model_can_come_back(
    registry: Registry, hashes: dict[str, str], files: dict[str, Path]
) -> None:
    registry.remove(hashes["apples"])
    assert registry.add(files["apples"]).hash == hashes["apples"]
    assert registry.promote(hashes["apples"]).hash == hashes["apples"]


@pytest.mark.parametrize("alias", ["../x", "Serving", "builtin", "cafe", ""])
def test_bad_alias_names_are_refused_everywhere(
    registry: Registry, hashes: dict[str, str], alias: str, folder: Path
) -> None:
    before = left(folder)
    for act in (
        lambda: registry.promote(hashes["apples"], alias),
        lambda: registry.rollback(alias),
        lambda: registry.history(alias),
        lambda: registry.watch_token(alias),
    ):
        with pytest.raises(UsageError, match="cannot be an alias"):
            act()
    assert left(folder) == before


def test_a_clock_that_goes_backwards_breaks_no_order(
    folder: Path, files: dict[str, Path], hashes: dict[str, str]
) -> None:
    times = iter([9000, 500, 400])
    back: Callable[[], int] = times.__next__
    registry = open_registry(folder, now=back)
    for name in ("apples", "beans", "cherries"):
        registry.promote(hashes[name])
    assert [change.hash for change in registry.history()] == [
        hashes[name] for name in ("cherries", "beans", "apples")
    ]
    assert registry.get("serving").hash == hashes["cherries"]
