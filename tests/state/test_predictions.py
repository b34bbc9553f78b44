"""Predictions on both databases: nothing is changed on the way, pages meet without gap or overlap."""

from __future__ import annotations

import numpy as np
import pytest
from tests.state.made_records import DAY, T0, a_contribution, a_correction, a_prediction, a_shadow

from leafsight.errors import ConflictError, UsageError
from leafsight.state import Page, State, new_id


def test_a_prediction_comes_back_as_it_went(state: State) -> None:
    one, bare = a_prediction(photo_blob="photos/1.jpg"), a_prediction(
        embedding=None, class_key=None, probability=None, crop_given=None, plant_id=None, quality={},
        verdict="unreadable", answer={},
    )  # fmt: skip
    state.predictions.add_many([one, bare])
    found = state.predictions.get(one.id)
    assert found == one
    assert found is not None
    assert found.embedding is not None
    assert found.embedding.dtype == np.float16
    np.testing.assert_array_equal(found.embedding, one.embedding)
    assert state.predictions.get(bare.id) == bare
    state.predictions.add_many([])


def test_texts_of_any_script_and_odd_characters_in_the_answer(state: State) -> None:
    odd = {"name": "لورقة 葉 🍂", "nul": "a\x00b", "half": "\ud83c", "deep": [[{"": None}]], "tiny": 5e-324}
    one = a_prediction(answer=odd, plant_id="Beet № 7 — 葉")
    state.predictions.add_many([one])
    assert state.predictions.get(one.id) == one


def test_an_embedding_with_odd_numbers_keeps_its_bits(state: State) -> None:
    odd = np.array([np.inf, -np.inf, np.nan, -0.0, 6e-8], dtype=np.float16)
    one = a_prediction(embedding=odd)
    state.predictions.add_many([one])
    found = state.predictions.get(one.id)
    assert found is not None
    assert found.embedding is not None
    assert found.embedding.tobytes() == odd.tobytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plant_id": "x" * 101}, "plant_id has 101 characters, the most is 100"),
        ({"plant_id": "a\x00"}, "plant_id holds a NUL"),
        ({"plant_id": "\ud800"}, "plant_id holds half a character"),
        ({"answer": {"text": "x" * 300_000}}, "bytes of JSON are too many"),
        ({"answer": {"p": float("nan")}}, "cannot be kept as JSON"),
        ({"embedding": np.zeros(8, np.float32)}, r"embedding is float32\[8\]"),
        ({"embedding": np.zeros(9000, np.float16)}, "embedding has 18000 bytes"),
        ({"created_ms": -1}, "created_ms is -1"),
        ({"id": "x" * 33}, "id has 33 characters"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_kept(state: State, changes: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        state.predictions.add_many([a_prediction(), a_prediction(**changes)])
    assert state.predictions.page() == Page(())


def test_a_batch_with_a_used_id_is_refused_as_a_whole(state: State) -> None:
    one = a_prediction()
    state.predictions.add_many([one])
    with pytest.raises(ConflictError, match="there already"):
        state.predictions.add_many([a_prediction(), one])
    assert len(state.predictions.page().records) == 1


def test_what_is_not_there(state: State) -> None:
    assert state.predictions.get(new_id()) is None
    assert state.predictions.get("'; DROP TABLE predictions; --") is None
    assert state.predictions.page() == Page(())


def test_pages_meet_without_gap_even_when_rows_come_in(state: State) -> None:
    made = [a_prediction() for _ in range(7)]
    state.predictions.add_many(made)
    newest_first = [one.id for one in reversed(made)]
    first = state.predictions.page(limit=3)
    state.predictions.add_many([a_prediction()])
    second = state.predictions.page(first.next, limit=3)
    last = state.predictions.page(second.next, limit=3)
    assert [one.id for page in (first, second, last) for one in page.records] == newest_first
    assert last.next is None
    assert state.predictions.page(first.next, limit=4).next is not None or len(last.records) == 1


def test_a_page_that_ends_exactly_has_no_next(state: State) -> None:
    state.predictions.add_many([a_prediction() for _ in range(4)])
    assert state.predictions.page(limit=4).next is None


@pytest.mark.parametrize(("after", "limit"), [("nonsense", 5), (None, 0), (None, 201)])
def test_a_page_that_cannot_be(state: State, after: str | None, limit: int) -> None:
    with pytest.raises(UsageError):
        state.predictions.page(after, limit)


def test_the_summary_counts_verdicts_classes_days_and_latency(state: State) -> None:
    rows = [a_prediction(latency_ms=float(i), created_ms=T0 + (i % 2) * DAY) for i in range(1, 21)]
    rows += [a_prediction(verdict="cannot_tell", class_key=None, created_ms=T0, latency_ms=0.0)]
    rows += [a_prediction(class_key="apple/scab", latency_ms=100.0)] * 1
    rows += [a_prediction(created_ms=T0 - 1, latency_ms=9999.0)]
    state.predictions.add_many(rows)
    found = state.predictions.summary(T0)
    assert found.predictions == 22
    assert found.verdicts == {"diagnosis": 21, "cannot_tell": 1}
    assert list(found.classes.items()) == [("tomato/early_blight", 20), ("apple/scab", 1)]
    assert [(day.date, dict(day.verdicts)) for day in found.days] == [
        ("2026-09-21", {"cannot_tell": 1, "diagnosis": 11}),
        ("2026-09-22", {"diagnosis": 10}),
    ]
    # 0, 1..20, 100 by nearest rank: the 11th, 21st and 22nd of 22
    assert found.latency_ms == pytest.approx({"mean": 310 / 22, "p50": 10, "p95": 20, "p99": 100, "max": 100})


def test_the_summary_of_nothing(state: State) -> None:
    found = state.predictions.summary(0)
    assert (found.predictions, found.days, found.latency_ms) == (0, (), {})


def test_the_summary_when_every_latency_is_zero(state: State) -> None:
    state.predictions.add_many([a_prediction(latency_ms=0.0), a_prediction(latency_ms=1.0)])
    assert state.predictions.summary(0).latency_ms["p50"] == 0.0


def test_pruning_keeps_what_was_corrected_and_names_photographs_nobody_needs(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leafsight.state.predictions.PRUNED_AT_ONCE", 3)
    old = [a_prediction(created_ms=T0 - DAY - i, photo_blob=f"p/{i}.jpg") for i in range(8)]
    shared = a_prediction(created_ms=T0 - DAY, photo_blob="p/shared.jpg")
    kept = a_prediction(created_ms=T0, photo_blob="p/shared.jpg")
    state.predictions.add_many([*old, shared, kept])
    state.corrections.add(a_correction(old[2].id))
    state.contributions.add_many(
        [a_contribution(prediction_id=old[5].id, blob="p/5.jpg"), a_contribution(blob="p/6.jpg")]
    )
    state.shadows.add_many([a_shadow(one.id) for one in (old[0], old[2], kept)])
    found = state.predictions.prune(T0)
    assert found.rows == {"predictions": 7, "shadows": 1}
    assert found.blobs == tuple(f"p/{i}.jpg" for i in (0, 1, 3, 4, 7))
    assert {one.id for one in state.predictions.page().records} == {old[2].id, old[5].id, kept.id}
    assert state.predictions.prune(T0).rows == {"predictions": 0, "shadows": 0}
