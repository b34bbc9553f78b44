"""Classes that may be taught, on both databases."""

from __future__ import annotations

import threading

import pytest
from tests.state.conftest import Clock
from tests.state.made_records import T0

from leafsight.errors import UsageError
from leafsight.state import DeclaredClass, State, declared_classes


def test_a_class_is_declared_once_and_taken_back(state: State, clock: Clock) -> None:
    first = state.declared.add("Kürbis___Mehltau", "me", "since August")
    assert first == DeclaredClass(name="Kürbis___Mehltau", created_ms=T0, by="me", note="since August")
    clock.now_ms += 5
    assert state.declared.add("Kürbis___Mehltau", "her", "again") == first
    state.declared.add("Apple", "me")
    assert [one.name for one in state.declared.list()] == ["Apple", "Kürbis___Mehltau"]
    assert state.declared.remove("Kürbis___Mehltau")
    assert not state.declared.remove("Kürbis___Mehltau")
    assert [one.name for one in state.declared.list()] == ["Apple"]


@pytest.mark.parametrize("name", ["", " ", " Apple", "Apple\n", "x" * 201, "a\x00b"])
def test_a_name_that_cannot_be(state: State, name: str) -> None:
    with pytest.raises(UsageError):
        state.declared.add(name, "me")
    assert state.declared.list() == ()


def test_not_more_than_somebody_could_mean(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared_classes, "MOST_DECLARED", 2)
    for name in ("a", "b", "a"):
        state.declared.add(name, "me")
    with pytest.raises(UsageError, match="2 classes are declared"):
        state.declared.add("c", "me")


def test_of_many_at_once_the_first_is_kept(state: State) -> None:
    got: list[DeclaredClass] = []
    threads = [
        threading.Thread(target=lambda by=str(number): got.append(state.declared.add("Apple", by)))
        for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 5
    assert set(got) == set(state.declared.list())
