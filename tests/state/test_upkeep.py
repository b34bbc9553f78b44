"""Counting and pruning on both databases."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from tests.state.conftest import Clock
from tests.state.made_records import (
    DAY,
    FILLED,
    T0,
    a_contribution,
    a_correction,
    a_job,
    a_prediction,
    a_shadow,
    an_upload,
    fill,
)

from leafsight.state import (
    State,
    database_clock_ms,
    describe,
    has_predictions_between,
    open_state,
    prune,
)
from leafsight.state.tables import REVISION


def test_a_description_counts_every_table(state: State, kind: str) -> None:
    fill(state)
    found = describe(state)
    assert (found.kind, found.revision) == (kind, REVISION)
    assert found.rows == {**FILLED, "secrets": 0}
    assert found.size_bytes > 10_000
    assert found.where.startswith("/" if kind == "sqlite" else "postgresql://leafsight@/")


def test_pruning_takes_predictions_and_what_lives_for_two_days(state: State, clock: Clock) -> None:
    clock.now_ms = T0
    old, corrected = (a_prediction(created_ms=T0 - 90 * DAY, photo_blob=f"p/{i}.jpg") for i in range(2))
    new = a_prediction(created_ms=T0 - DAY)
    state.predictions.add_many([old, corrected, new])
    state.corrections.add(a_correction(corrected.id, created_ms=T0 - 90 * DAY))
    state.jobs.add(a_job(created_ms=0, updated_ms=0))
    upload = an_upload(created_ms=0)
    state.uploads.add(upload)
    state.contributions.add_many([a_contribution(created_ms=0, upload_id=upload.id)])
    state.shadows.add_many([a_shadow(one.id) for one in (old, corrected, new)])
    clock.now_ms = 0
    state.declared.add("Kürbis", "somebody")
    state.marks.put("watch", {})
    clock.now_ms = T0
    _, token = state.keys.make("n", ["predict"])
    for day in range(5):
        state.usage.count("a", "minute", 1, T0 - day * DAY)
    clock.now_ms = T0 - 3 * DAY
    state.answers.begin("old", None, "r", "x")
    clock.now_ms = T0
    state.answers.begin("new", None, "r", "x")
    found = prune(state, T0 - 30 * DAY)
    assert found.rows == {"predictions": 1, "shadows": 1, "usage": 3, "answers": 1}
    assert found.blobs == ("p/0.jpg",)
    assert describe(state).rows == {**FILLED, "secrets": 0, "shadows": 2, "usage": 2}
    assert state.keys.verify(token) is not None


def test_whether_a_window_has_predictions(state: State) -> None:
    state.predictions.add_many([a_prediction(created_ms=T0)])
    windows = [(T0, T0 + 1), (T0 - 5, T0), (T0 + 1, T0 + 5), (0, 2 * T0)]
    assert [has_predictions_between(state, *window) for window in windows] == [True, False, False, True]


def test_the_clock_of_a_database(state: State, clock: Clock, kind: str) -> None:
    """That of the file is ours, which stands still here; that of the server goes by itself."""
    found = database_clock_ms(state)
    assert (found == clock.now_ms) == (kind == "sqlite")
    assert found > T0 - 10 * 365 * DAY


def test_pruned_room_is_used_again(tmp_path: Path, clock: Clock) -> None:
    with open_state(f"sqlite:///{tmp_path}/x.db", now=clock) as state:
        pages = []
        for _ in range(3):
            state.predictions.add_many([a_prediction(created_ms=1) for _ in range(300)])
            with state.database.reading() as connection:
                pages.append(connection.execute(text("PRAGMA page_count")).scalar_one())
            prune(state, 2)
        assert pages[1] == pages[2] <= pages[0] * 1.1
