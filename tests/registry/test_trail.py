"""The way back, as numbers and letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import ConflictError
from leafsight.registry.records import Change, Entry
from leafsight.registry.trail import below, kept, next_change


def entry(letter: str, *, builtin: bool = False) -> Entry:
    return Entry(letter * 64, letter, 0, 1, 1, builtin=builtin)


BUILTIN = entry("f", builtin=True)


def promoted(history: list[Change], letter: str, alias: str = "serving") -> None:
    latest = history[-1] if history else None
    history.append(next_change("promote", entry(letter), latest, history, alias=alias, builtin=BUILTIN))


def rolled_back(history: list[Change], steps: int = 1) -> None:
    target = below(history[-1], history, steps)
    where = entry(target.hash[0]) if target else BUILTIN
    history.append(
        next_change(
            "rollback", where, history[-1], history, alias=history[-1].alias, builtin=BUILTIN, back_to=target
        )
    )


def letters(history: list[Change]) -> str:
    return "".join(change.hash[0] for change in history)


def test_back_and_further_back_to_the_builtin_model_and_no_further() -> None:
    history: list[Change] = []
    for letter in "abc":
        promoted(history, letter)
    for _ in range(3):
        rolled_back(history)
    assert letters(history) == "abcbaf"
    assert history[-1].builtin
    with pytest.raises(ConflictError, match="no model 1 step back"):
        rolled_back(history)
    assert [change.number for change in history] == [1, 2, 3, 4, 5, 6]
    assert [change.former[0] for change in history if change.former] == list("fabcba")


def test_several_steps_are_the_same_as_one_by_one() -> None:
    history: list[Change] = []
    for letter in "abcd":
        promoted(history, letter)
    rolled_back(history, 3)
    assert letters(history) == "abcda"
    with pytest.raises(ConflictError, match="no model 2 steps back"):
        rolled_back(history, 2)


def test_what_was_rolled_back_from_is_not_on_the_way() -> None:
    history: list[Change] = []
    promoted(history, "a")
    promoted(history, "b")  # bad
    rolled_back(history)
    promoted(history, "c")
    rolled_back(history)
    assert letters(history) == "abaca"


def test_another_alias_has_nothing_below_its_first() -> None:
    history: list[Change] = []
    promoted(history, "a", alias="canary")
    assert (history[0].base, history[0].former) == (None, None)
    with pytest.raises(ConflictError):
        below(history[0], history, 1)


def test_a_gap_in_the_history_is_told() -> None:
    history: list[Change] = []
    for letter in "abc":
        promoted(history, letter)
    with pytest.raises(ConflictError, match="damaged at change 2"):
        below(history[-1], [history[0], history[2]], 1)


def test_what_must_stay() -> None:
    assert kept(None, []) == set()
    history: list[Change] = []
    for letter in "abc":
        promoted(history, letter)
    assert kept(history[-1], history) == {"c" * 64, "b" * 64}
    rolled_back(history)
    assert kept(history[-1], history) == {"b" * 64, "c" * 64, "a" * 64}


@given(st.lists(st.sampled_from("abcde") | st.integers(1, 3), max_size=20))
def test_the_way_back_is_a_stack(moves: list[str | int]) -> None:
    history: list[Change] = []
    stack = ["f"]
    for move in moves:
        if isinstance(move, str):
            promoted(history, move)
            stack.append(move)
        elif history and len(stack) > move:
            rolled_back(history, move)
            del stack[-move:]
        elif history:
            with pytest.raises(ConflictError):
                rolled_back(history, move)
        if history:
            assert history[-1].hash[0] == stack[-1]
