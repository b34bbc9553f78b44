"""How a job looks on the terminal while it is worked off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from leafsight.cli import following
from leafsight.cli.following import note_of, shown_to_its_end
from leafsight.errors import LeafsightError


class Written:
    """Keeps what a progress reporter is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def start(self, label: str, total: int | None = None) -> None:
        self.told.append((label, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.told.append((steps, note))

    def finish(self, note: str = "") -> None:
        self.told.append("end")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    found = Written()
    monkeypatch.setattr(following, "progress", lambda quiet: found)
    return found


def states(*found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from found


def running(**told: Any) -> dict[str, Any]:
    return {"state": "running", "progress": told}


def test_each_step_is_a_bar(written: Written) -> None:
    done = shown_to_its_end(
        states(
            {"state": "queued", "progress": {}},
            running(part="train", step="learning a head", done=1, total=4),
            running(part="train", step="learning a head", done=3, total=4, eta_s=9, metrics={"loss": 0.25}),
            running(part="gate", step="gate"),
            {"state": "done", "progress": {}, "result": {"promoted": True}},
        )
    )
    assert done["result"] == {"promoted": True}
    assert written.told == [
        ("waiting for its turn", None),
        "end",
        ("train: learning a head", 4),
        (1, ""),
        (2, "loss 0.25, 9 s left"),
        "end",
        ("gate", None),
        "end",
    ]


def test_what_has_ended_before_shows_nothing(written: Written) -> None:
    shown_to_its_end(states({"state": "done", "progress": {"part": "gate", "step": "gate"}}))
    assert written.told == []


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"state": "failed", "error": {"message": "no room", "hint": "free some"}}, "no room"),
        ({"state": "failed", "error": None}, "failed without a word"),
        ({"state": "cancelled"}, "it was cancelled"),
    ],
)
def test_what_did_not_end_well_is_an_error(written: Written, last: dict[str, Any], said: str) -> None:
    with pytest.raises(LeafsightError, match=said):
        shown_to_its_end(states(running(step="a"), last))
    assert written.told == [("a", None), "end"]


def test_an_interruption_closes_what_is_followed(written: Written) -> None:
    closed = []

    def endless() -> Iterator[dict[str, Any]]:
        try:
            while True:
                yield running(step="a", done=0)
        finally:
            closed.append(True)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    written.advance = interrupted  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        shown_to_its_end(endless())
    assert closed == [True]


def test_notes_are_short() -> None:
    assert note_of({}) == ""
    assert note_of({"eta_s": 600}) == "10 min left"
    many = dict.fromkeys("abcdef", 1 / 3)
    assert note_of({"metrics": many}) == "a 0.3333, b 0.3333, c 0.3333"
    assert note_of({"metrics": ["x"], "eta_s": "soon"}) == ""
