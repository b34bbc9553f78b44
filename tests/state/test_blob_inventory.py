"""The database and the photographs held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.state.made_records import a_contribution

from leafsight.state import (
    Blobs,
    PredictionRecord,
    State,
    missing_blobs,
    open_blobs,
    open_state,
    stray_photographs,
)
from leafsight.state.blob_inventory import PHOTOGRAPHS


def name_of(number: int, at_ms: int) -> str:
    return f"{PHOTOGRAPHS}/{at_ms:012x}{number:020x}.jpg"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path}/state.db") as opened:
        yield opened


@pytest.fixture
def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    monkeypatch.setattr("leafsight.state.blob_inventory.NAMES_AT_ONCE", 2)
    return open_blobs(str(tmp_path / "blobs"))


def remember(state: State, number: int, at_ms: int) -> None:
    name = name_of(number, at_ms)
    record = PredictionRecord(
        id=name[len(PHOTOGRAPHS) + 1 : -4], created_ms=at_ms, model_hash="0" * 64, model_name="m",
        verdict="cannot_tell", photo_sha256="0" * 64, photo_blob=name, answer={}, latency_ms=1.0,
    )  # fmt: skip
    state.predictions.add_many([record])


def test_nothing_is_missing_and_nothing_strays_at_first(state: State, blobs: Blobs) -> None:
    assert missing_blobs(state, blobs) == ()
    assert list(stray_photographs(state, blobs, 10**12)) == []


def test_more_than_one_batch(state: State, blobs: Blobs) -> None:
    for number in range(7):
        if number != 3:
            blobs.put(name_of(number, 1000), b"x")
        if number < 5:
            remember(state, number, 1000)
    assert missing_blobs(state, blobs) == (name_of(3, 1000),)
    assert sorted(stray_photographs(state, blobs, 1001)) == [name_of(5, 1000), name_of(6, 1000)]


def test_what_a_contribution_names_is_missed_and_does_not_stray(state: State, blobs: Blobs) -> None:
    """It may be the photograph of a prediction, or one of its own."""
    own, shared = a_contribution(), a_contribution(blob=name_of(7, 1000))
    state.contributions.add_many([own, shared])
    blobs.put(shared.blob, b"x")
    assert missing_blobs(state, blobs) == (own.blob,)
    assert list(stray_photographs(state, blobs, 1001)) == []


def test_only_old_photographs_under_our_names_stray(state: State, blobs: Blobs) -> None:
    for name in (name_of(1, 2000), f"{PHOTOGRAPHS}/mine.jpg", f"other/{'0' * 32}.jpg", name_of(0, 1999)):
        blobs.put(name, b"x")
    assert list(stray_photographs(state, blobs, 2000)) == [name_of(0, 1999)]


def test_what_is_pruned_meanwhile_is_not_missing(state: State, blobs: Blobs) -> None:
    remember(state, 1, 1000)
    remember(state, 2, 3000)

    class Slow:
        """Somebody prunes while the names are listed."""

        def list(self, prefix: str = "") -> Iterator[str]:
            state.predictions.prune(2000)
            yield from blobs.list(prefix)

        put, get, delete, check = blobs.put, blobs.get, blobs.delete, blobs.check

    assert missing_blobs(state, Slow()) == (name_of(2, 3000),)
