"""Marks on both databases: of many who act on the same fact one does."""

from __future__ import annotations

import threading

import pytest

from leafsight.errors import UsageError
from leafsight.state import State


def test_a_mark_is_put_and_read_again(state: State) -> None:
    assert state.marks.get("watch") is None
    assert state.marks.put("watch", {"since": 1, "of": None, "words": ["ä", "\x00"]})
    assert state.marks.get("watch") == {"since": 1, "of": None, "words": ["ä", "\x00"]}
    assert state.marks.put("watch", {})
    assert state.marks.get("watch") == {}
    assert state.marks.get("other") is None


def test_a_mark_is_put_only_where_the_expected_one_is(state: State) -> None:
    assert not state.marks.put("a", {"n": 1}, expected={"n": 0})
    assert not state.marks.put("a", {"n": 1}, expected={})
    assert state.marks.put("a", {"n": 1}, expected=None)
    assert not state.marks.put("a", {"n": 2}, expected=None)
    assert not state.marks.put("a", {"n": 2}, expected={"n": 0})
    assert state.marks.put("a", {"n": 2, "t": (1, 2)}, expected={"n": 1})
    assert state.marks.put("a", {"n": 3}, expected={"t": (1, 2), "n": 2})
    assert state.marks.get("a") == {"n": 3}


def test_a_mark_is_taken_away(state: State) -> None:
    assert not state.marks.remove("a")
    assert not state.marks.remove("a", expected={"n": 1})
    state.marks.put("a", {"n": 1})
    assert not state.marks.remove("a", expected={"n": 2})
    assert state.marks.remove("a", expected={"n": 1})
    assert state.marks.get("a") is None
    state.marks.put("a", {"n": 1})
    assert state.marks.remove("a")


def test_names(state: State) -> None:
    for name in ("parts/b", "parts/a", "Parts/c", "parts_d", "%"):
        state.marks.put(name, {})
    assert state.marks.names("parts/") == ("parts/a", "parts/b")
    assert state.marks.names("%") == ("%",)
    assert len(state.marks.names()) == 5


def test_what_does_not_fit(state: State) -> None:
    for name, value in (("x" * 101, {}), ("a", {"x": "y" * 65_536}), ("a", {"x": float("nan")})):
        with pytest.raises(UsageError):
            state.marks.put(name, value)
    assert state.marks.names() == ()


@pytest.mark.parametrize("old", [None, {"n": 0}])
def test_of_many_who_expect_the_same_one_puts_its_own(state: State, old: dict[str, int] | None) -> None:
    if old is not None:
        state.marks.put("a", old)
    won: list[int] = []
    together = threading.Barrier(5)

    def put(number: int) -> None:
        together.wait()
        if state.marks.put("a", {"n": number}, expected=old):
            won.append(number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert state.marks.get("a") == {"n": won[0]}
