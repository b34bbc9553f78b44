"""Several at once in a bucket, answers that get lost, and processes that end in the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.objects import MemoryObjects
from tests.registry.machines import Far, served

from leafsight.errors import (
    BundleCorruptError,
    ConflictError,
    StateBusyError,
)
from leafsight.registry import Registry


@pytest.mark.slow
@pytest.mark.parametrize("act", ["promote", "first", "rollback", "remove", "add", "note"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_ends_at_any_request_leaves_old_or_new(
    objects: MemoryObjects, far: Far, there, files: dict[str, Path], act: str, moment: str
) -> None:
    """Killed before or right after each request that is sent, at each of them in turn."""

    class KilledError(BaseException):
        pass

    far().promote(there["apples"])
    far().promote(there["beans"])
    if act == "add":
        far().remove(there["cherries"])
    acts: dict[str, Callable[[Registry], Any]] = {
        "promote": lambda one: one.promote(there["cherries"], reason="new"),
        "first": lambda one: one.promote(there["cherries"], "canary"),
        "rollback": lambda one: one.rollback(reason="new"),
        "remove": lambda one: one.remove(there["cherries"]),
        "add": lambda one: one.add(files["cherries"]),
        "note": lambda one: one.add(files["apples"], "another note"),
    }
    start, seen = dict(objects.kept), []
    old = told(far("judge"))
    acts[act](far("never killed"))
    new = told(far("judge"))
    assert old != new
    for step in range(200):
        objects.kept = dict(start)
        left = [step]

        def count(verb: str, name: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError

        setattr(objects, moment, count)
        try:
            acts[act](far(f"killed at {step}"))
        except KilledError:
            ended = False
        else:
            ended = True
        objects.back()
        found = told(far("judge"))
        assert found in (old, new), f"killed {moment} request {step}"
        seen.append(found == new)
        assert served(far("server")) in {"apples", "beans", "cherries"}
        acts[act](far("goes on")) if act != "remove" or found == old else None
        if act != "rollback":
            assert told(far("judge")) == new
        numbers = [change.number for change in far().history()]
        assert numbers == list(range(len(numbers), 0, -1))
        assert [one for one in far().verify() if one.aliases] == []
        if ended:
            break
    assert seen == sorted(seen), "there is one moment at which the change happens"
    assert seen[-1] is True
    assert len(seen) > 1


def told(registry: Registry) -> dict[str, Any]:
    """What a registry says, without times."""
    return {
        "aliases": registry.aliases(),
        "names": [(entry.name, entry.note) for entry in registry.entries() if not entry.damaged],
        "numbers": [(change.number, change.hash) for change in registry.history()],
    }


def test_an_answer_that_is_lost_is_no_second_promotion(objects: MemoryObjects, far: Far, there) -> None:
    """The client asks again by itself and is refused for its own writing; or gives up."""
    registry = far()
    registry.promote(there["apples"])
    really = objects.put_if

    def twice(name: str, data: bytes, tag: str | None) -> str | None:
        really(name, data, tag)
        return really(name, data, tag)

    objects.put_if = twice  # type: ignore[method-assign]
    assert registry.promote(there["beans"]).number == 2
    assert registry.rollback().hash == there["apples"]

    def lost(name: str, data: bytes, tag: str | None) -> str | None:
        really(name, data, tag)
        raise StateBusyError("the bucket 'memory' does not answer")

    objects.put_if = lost  # type: ignore[method-assign]
    assert registry.promote(there["cherries"]).number == 4
    objects.put_if = really  # type: ignore[method-assign]
    assert [change.number for change in registry.history()] == [4, 3, 2, 1]
    assert registry.get("serving").name == "cherries"


def test_when_it_cannot_be_known_whether_it_moved_that_is_said(
    objects: MemoryObjects, far: Far, there
) -> None:
    registry = far()
    registry.promote(there["apples"])

    def cut(verb: str, name: str) -> None:
        if (verb, name) == ("put_if", "aliases/serving.json"):
            objects.gone()
            raise StateBusyError("the bucket 'memory' does not answer")

    objects.after = cut
    with pytest.raises(StateBusyError, match="whether the alias has moved is not known") as caught:
        registry.promote(there["beans"])
    assert "leafsight models history" in caught.value.hint


def test_two_operators_at_once_give_one_order_with_both(objects: MemoryObjects, far: Far, there) -> None:
    """The other one comes between every look and every writing, twelve times."""
    first, second, left = far("one"), far("two"), [12]

    def between(verb: str, name: str) -> None:
        if (verb, name) == ("put_if", "aliases/serving.json") and left[0] > 0:
            left[0] -= 1
            hook, objects.before = objects.before, lambda verb, name: None
            second.promote(there["beans" if left[0] % 2 else "cherries"], by="bob")
            objects.before = hook

    objects.before = between
    mine = first.promote(there["apples"], by="ada")
    history = far().history()
    assert history[0] == mine
    assert mine.number == 13
    assert [change.by for change in history] == ["ada", *["bob"] * 12]
    assert all(before.hash == after.former for after, before in pairwise(history))
    assert served(far("server")) == "apples"


def test_many_threads_on_many_machines(objects: MemoryObjects, far: Far, there) -> None:
    machines = [far(f"machine {number}") for number in range(4)]

    def work(number: int) -> list[int]:
        names = ["apples", "beans", "cherries"]
        machine = machines[number % 4]
        done = [
            machine.promote(there[names[(turn + number) % 3]], by=str(number)).number for turn in range(5)
        ]
        return [*done, machine.rollback(by=str(number)).number]

    with ThreadPoolExecutor(8) as pool:
        numbers = {number for done in pool.map(work, range(8)) for number in done}
    history = far().history(limit=1000)
    assert [change.number for change in history] == list(range(len(history), 0, -1))
    assert numbers == {change.number for change in history}
    assert all(before.hash == after.former for after, before in pairwise(history))
    assert far().verify() == ()


def test_one_who_is_never_quick_enough_says_so(objects: MemoryObjects, far: Far, there) -> None:
    first, second = far("one"), far("two")

    def between(verb: str, name: str) -> None:
        if (verb, name) == ("put_if", "aliases/serving.json"):
            hook, objects.before = objects.before, lambda verb, name: None
            second.promote(there["beans"]) if second.get("serving").name != "beans" else second.rollback()
            objects.before = hook

    second.promote(there["cherries"])
    objects.before = between
    with pytest.raises(StateBusyError, match="others move 'serving' all the time"):
        first.promote(there["apples"])


def test_a_model_removed_while_it_is_promoted_does_not_stay_promoted(
    objects: MemoryObjects, far: Far, there, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed right before the alias moves, by one who looked at the aliases before that."""
    far().promote(there["beans"])

    def removed(verb: str, name: str) -> None:
        if (verb, name) == ("put_if", "aliases/serving.json"):
            objects.before = lambda verb, name: None
            far("two").remove(there["apples"])

    objects.before = removed
    with pytest.raises(BundleCorruptError, match="somebody removed it while it was promoted"):
        far("one").promote(there["apples"])
    assert far().get("serving").name == "beans"
    assert [change.kind for change in far().history()] == ["rollback", "promote", "promote"]
    assert served(far("server")) == "beans"
    assert far().verify() == ()


def test_a_model_promoted_while_it_is_removed_stays(objects: MemoryObjects, far: Far, there) -> None:
    """Promoted after the remover looked at the aliases, while the record goes."""

    def promoted(verb: str, name: str) -> None:
        if verb == "delete":
            objects.before = lambda verb, name: None
            far("two").promote(there["apples"])

    objects.before = promoted
    with pytest.raises(ConflictError, match="is what 'serving' points to"):
        far("one").remove(there["apples"])
    assert far().get("serving").name == "apples"
    assert far().verify() == ()
    assert served(far("server")) == "apples"
