"""Contributions on both databases: nothing lost, nothing twice, decided as a whole, read some at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.state.conftest import Clock
from tests.state.made_records import T0, a_contribution, a_prediction, an_upload

from leafsight.errors import LeafsightError, NotFoundError, UsageError
from leafsight.state import ContributionRecord, State, contributions, deciding, new_id, open_state
from leafsight.state.deciding import AT_ONCE, MOST_DECIDED


def added(to: State, count: int, **changes: Any) -> list[ContributionRecord]:
    made = [a_contribution(**changes) for _ in range(count)]
    assert to.contributions.add_many(made) == tuple(one.id for one in made)
    return made


def test_it_comes_back_as_it_went(state: State) -> None:
    upload, prediction = an_upload(), a_prediction()
    state.uploads.add(upload)
    state.predictions.add_many([prediction])
    full = a_contribution(
        upload_id=upload.id, prediction_id=prediction.id, key_id=new_id(), state="rejected",
        decided_ms=T0 + 5, decided_by="the greenhouse", reason="not a leaf 🍅",
    )  # fmt: skip
    bare = a_contribution(look_hash=None, embedding=None, embedded_by=None, findings=(), quality={})
    state.contributions.add_many([full, bare])
    for one in (full, bare):
        found = state.contributions.get(one.id)
        assert found == one
        if one.embedding is not None:
            assert found.embedding is not None
            assert found.embedding.dtype == np.float16
            assert found.embedding.tobytes() == one.embedding.tobytes()
    assert state.contributions.get(new_id()) is None
    assert state.contributions.get("nonsense") is None
    assert state.contributions.add_many([]) == ()


def test_a_job_that_begins_again_adds_nothing_twice(state: State) -> None:
    """Not of one upload and name, nor of one prediction, nor of one id; and what was decided stays."""
    upload, other, prediction = an_upload(), an_upload(), a_prediction()
    for one in (upload, other):
        state.uploads.add(one)
    state.predictions.add_many([prediction])
    first = [a_contribution(upload_id=upload.id, name=f"{i}.jpg") for i in range(3)]
    first.append(a_contribution(prediction_id=prediction.id))
    state.contributions.add_many(first)
    state.contributions.decide([first[0].id], "accepted", by="me")
    again = [replace(one, id=new_id(), label="another") for one in first]
    new = [
        a_contribution(upload_id=upload.id, name="3.jpg"),
        a_contribution(upload_id=other.id, name="0.jpg"),
        a_contribution(name="0.jpg"),
        a_contribution(name="0.jpg"),
    ]
    assert state.contributions.add_many([*again, *first, *new]) == tuple(one.id for one in new)
    assert len(state.contributions.page().records) == 8
    kept = state.contributions.get(first[0].id)
    assert kept is not None
    assert (kept.state, kept.label) == ("accepted", first[0].label)


def test_what_it_refers_to_must_be_there(state: State) -> None:
    for name in ("upload_id", "prediction_id"):
        with pytest.raises(NotFoundError):
            state.contributions.add_many([a_contribution(), a_contribution(**{name: new_id()})])
    assert state.contributions.page().records == ()


FINDING = {"kind": "blurred", "said": "x", "blocks": False}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "x"}, "id is no id"),
        ({"group_id": "x"}, "group_id is no id"),
        ({"name": "x" * 501}, "name has 501 characters"),
        ({"name": "a\x00b"}, "NUL"),
        ({"label": "x" * 201}, "label has 201"),
        ({"class_name": "x" * 201}, "class_name has 201"),
        ({"reason": "x" * 2001}, "reason has 2001"),
        ({"look_hash": 2**64}, "64 bits"),
        ({"look_hash": -1}, "64 bits"),
        ({"embedding": np.zeros(8, np.float32)}, "float16"),
        ({"embedding": np.zeros(9000, np.float16)}, "embedding has 18000 bytes"),
        ({"findings": [FINDING] * 21}, "21 findings"),
        ({"findings": [{**FINDING, "more": "x" * 17_000}]}, "findings has .* bytes of JSON"),
        ({"findings": [{**FINDING, "more": float("nan")}]}, "JSON"),
        ({"findings": [{**FINDING, "kind": "Two Words"}]}, "has no kind"),
        ({"findings": [{**FINDING, "kind": "any"}]}, "has no kind"),
        ({"findings": [{"kind": "blurred"}]}, "needs 'said'"),
        ({"findings": [{**FINDING, "blocks": 1}]}, "needs 'said'"),
        ({"quality": {"more": "x" * 17_000}}, "quality has .* bytes of JSON"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    state: State, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        state.contributions.add_many([a_contribution(), a_contribution(**changes)])
    assert state.contributions.page().records == ()


def test_pages_of_what_is_asked_for(state: State) -> None:
    upload, key = an_upload(), new_id()
    state.uploads.add(upload)
    small = {"kind": "too_small", "said": "x", "blocks": True}
    made = [
        a_contribution(state="accepted", upload_id=upload.id),
        a_contribution(findings=[]),
        a_contribution(label="Apple", findings=[small, FINDING]),
        a_contribution(key_id=key, label="Apple", findings=[small]),
    ]
    state.contributions.add_many(made)

    def places(**asked: Any) -> list[int]:
        found = [one.id for one in state.contributions.page(**asked).records]
        assert sorted(state.contributions.ids(**asked)) == sorted(found)
        return [place for place, one in enumerate(made) if one.id in found]

    assert places() == [0, 1, 2, 3]
    assert places(state="accepted") == places(upload_id=upload.id) == [0]
    assert places(label="Apple") == [2, 3]
    assert places(label="Apple", key_id=key) == [3]
    assert places(finding="blurred") == [0, 2]
    assert places(finding="too_small") == [2, 3]
    assert places(finding="too%small") == places(finding="small") == places(finding="blur") == []
    assert places(finding="any") == [0, 2, 3]
    assert places(finding="any", state="waiting") == [2, 3]
    assert places(finding="none") == [1]
    first = state.contributions.page(limit=1, label="Apple")
    assert [one.id for one in first.records] == [made[3].id]
    assert [one.id for one in state.contributions.page(first.next, 1, label="Apple").records] == [made[2].id]
    with pytest.raises(UsageError, match="cannot be 'done'"):
        state.contributions.page(state="done")


def test_counts(state: State) -> None:
    key = new_id()
    assert state.contributions.counts() == {"states": {}, "labels": {}, "doubtful": 0}
    added(state, 3)
    added(state, 2, label="Apple", state="accepted")
    added(state, 1, label="Apple", key_id=key, findings=[])
    labels = {"Apple": {"accepted": 2, "waiting": 1}, "Tomato___Early_blight": {"waiting": 3}}
    found = state.contributions.counts()
    assert found == {"states": {"accepted": 2, "waiting": 4}, "labels": labels, "doubtful": 3}
    assert list(found["labels"]) == sorted(labels)
    of_key = {"states": {"waiting": 1}, "labels": {"Apple": {"waiting": 1}}, "doubtful": 0}
    assert state.contributions.counts(key_id=key) == of_key


def test_deciding_and_deciding_otherwise_later(state: State, clock: Clock) -> None:
    one, other = added(state, 2)
    clock.now_ms = T0 + 5
    found = state.contributions.decide([other.id, one.id], "accepted", label="Apple", by="me", reason="seen")
    assert [record.id for record in found] == [other.id, one.id]
    for record in found:
        assert record == state.contributions.get(record.id)
        assert (record.state, record.label, record.class_name) == ("accepted", "Apple", "Tomate")
        assert (record.decided_ms, record.decided_by, record.reason) == (T0 + 5, "me", "seen")
    clock.now_ms = T0 + 9
    (rejected,) = state.contributions.decide([one.id], "rejected", by="her")
    assert (rejected.state, rejected.label, rejected.decided_ms) == ("rejected", "Apple", T0 + 9)
    (accepted,) = state.contributions.decide([one.id], "accepted")
    assert (accepted.state, accepted.decided_by) == ("accepted", "")
    (waiting,) = state.contributions.decide([one.id], "waiting")
    assert waiting.state == "waiting"


def test_a_decision_that_changes_nothing_keeps_who_decided_and_when(state: State, clock: Clock) -> None:
    """Else what is accepted twice would count as new, and begin a retraining."""
    (one,) = added(state, 1)
    first = state.contributions.decide([one.id], "accepted", label="Apple", by="me", reason="seen")
    clock.now_ms = T0 + 5
    assert state.contributions.decide([one.id], "accepted", by="her") == first
    assert state.contributions.decide([one.id, one.id], "accepted", label="Apple", by="her") == first * 2
    assert state.contributions.accepted_since(T0 + 1) == 0
    (relabelled,) = state.contributions.decide([one.id], "accepted", label="Pear", by="her")
    assert (relabelled.label, relabelled.decided_by, relabelled.decided_ms) == ("Pear", "her", T0 + 5)
    assert state.contributions.accepted_since(T0 + 1) == 1


def test_an_unknown_id_is_named_and_nothing_is_decided(state: State) -> None:
    one, other = added(state, 2)
    missing = new_id()
    for wrong in (missing, "nonsense"):
        with pytest.raises(NotFoundError, match=wrong):
            state.contributions.decide([one.id, wrong, other.id, "also"], "accepted")
    assert state.contributions.counts()["states"] == {"waiting": 2}
    for bad, said in (
        ({"state": "done"}, "cannot be"),
        ({"by": "x" * 201}, "decided_by has"),
        ({"label": "x" * 201}, "label has"),
        ({"ids": [one.id] * (MOST_DECIDED + 1)}, "too many at once"),
    ):
        words: dict[str, Any] = {"ids": [one.id], "state": "accepted", **bad}
        with pytest.raises(UsageError, match=said):
            state.contributions.decide(**words)
    assert state.contributions.decide([], "accepted") == ()


def test_more_than_one_statement_takes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (contributions, deciding):
        monkeypatch.setattr(place, "AT_ONCE", 7)
    made = added(state, 40)
    ids = [one.id for one in made][::-1]
    with pytest.raises(NotFoundError):
        state.contributions.decide([*ids, new_id()], "accepted")
    assert state.contributions.counts()["states"] == {"waiting": 40}
    assert [one.id for one in state.contributions.decide(ids, "accepted")] == ids
    assert [one.id for one in state.contributions.all_accepted()] == ids[::-1]
    assert [one.id for one in state.contributions.look_alikes()] == ids[::-1]


@pytest.mark.slow
def test_some_thousand_at_once(state: State) -> None:
    made = added(state, 4 * AT_ONCE + 1)
    found = state.contributions.decide([one.id for one in made], "accepted", by="me")
    assert [one.id for one in found] == [one.id for one in made]
    assert state.contributions.accepted_since(0) == len(made)


def test_who_decide_about_the_same_ones_at_once_wait_for_each_other(state: State) -> None:
    ids = [one.id for one in added(state, 60)]
    said: list[object] = []

    def decide(number: int) -> None:
        mine = ids if number % 2 else ids[::-1]
        try:
            said.append(len(state.contributions.decide(mine, "accepted", label=f"class {number}")))
        except LeafsightError as error:
            said.append(error)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [60] * 4
    assert len(state.contributions.counts()["labels"]) == 1


def test_jobs_that_add_the_same_at_once_add_it_once(state: State) -> None:
    upload = an_upload()
    state.uploads.add(upload)
    names = [f"{number}.jpg" for number in range(40)]
    got: list[object] = []

    def add(order: int) -> None:
        made = [a_contribution(upload_id=upload.id, name=name) for name in names[::order]]
        try:
            got.append(len(state.contributions.add_many(made)))
        except LeafsightError as error:
            got.append(error)

    threads = [threading.Thread(target=add, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.name for one in state.contributions.of_upload(upload.id)) == sorted(names)
    assert sum(one for one in got if isinstance(one, int)) == 40
    assert [one for one in got if not isinstance(one, int)] == []


def test_all_accepted_is_read_some_at_a_time_while_others_write(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read holds nobody up, and what comes meanwhile, being newer, is seen at the end."""
    monkeypatch.setattr(contributions, "AT_ONCE", 3)
    added(state, 7, state="accepted")
    added(state, 2, state="rejected")
    reading = state.contributions.all_accepted()
    seen = [next(reading).id]
    added(state, 1, state="accepted")
    seen += [one.id for one in reading]
    assert seen == sorted(seen)
    assert len(seen) == 8


def test_no_more_than_a_few_hundred_are_read_at_once(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a million rows are never in memory: each statement says how many it wants."""
    from sqlalchemy import event

    added(state, 5, state="accepted")
    monkeypatch.setattr(contributions, "AT_ONCE", 2)
    asked: list[str] = []
    listen = lambda *words: asked.append(words[2])  # noqa: E731
    event.listen(state.database._engine, "before_cursor_execute", listen)
    for read in (state.contributions.all_accepted, state.contributions.look_alikes):
        asked.clear()
        assert len(list(read())) == 5
        assert len(asked) == 3
        assert all("LIMIT" in one for one in asked)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "sqlite_autoindex_contributions_1"),
        ({"state": "waiting"}, "state_id"),
        ({"label": "Apple"}, "label_id_state"),
        ({"label": "Apple", "state": "waiting"}, "label_id_state"),
        ({"upload_id": "u"}, "upload_id_id"),
        ({"upload_id": "u", "state": "waiting"}, "upload_id_id"),
        ({"key_id": "k"}, "key_id_id"),
    ],
)
def test_no_page_sorts_or_looks_through_what_is_not_on_it(
    tmp_path: Path, asked: dict[str, str], index: str
) -> None:
    """SQLite chooses by what it knows of the question, so its choice is the same in a small database."""
    from sqlalchemy import event

    plans: list[str] = []

    def plan(connection: Any, cursor: Any, statement: str, values: Any, *rest: object) -> None:
        asked = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        plans.extend(row[3] for row in asked)

    with open_state(f"sqlite:///{tmp_path}/x.db") as state:
        event.listen(state.database._engine, "before_cursor_execute", plan)
        state.contributions.page(**asked)
        state.contributions.page(new_id(), **asked)
    assert len(plans) == 2
    assert all(one.startswith("SEARCH") and index in one for one in plans)


def test_look_alikes_are_light(state: State) -> None:
    first, second = added(state, 2)
    found = list(state.contributions.look_alikes())
    assert [one.id for one in found] == [first.id, second.id]
    assert found[0].embedding is not None
    assert first.embedding is not None
    assert found[0].embedding.tobytes() == first.embedding.tobytes()
    for one, whole in zip(found, (first, second), strict=True):
        for name in ("group_id", "state", "label", "pixel_hash", "look_hash", "embedded_by"):
            assert getattr(one, name) == getattr(whole, name)


def test_what_is_found_later_is_noted(state: State) -> None:
    one, other = added(state, 2)
    embedding = np.linspace(0, 1, 16).astype(np.float16)
    small = {"kind": "too_small", "said": "it is small", "blocks": True}
    noted = state.contributions.annotate(
        one.id, findings=[small], embedding=embedding, embedded_by="f" * 64, group_id=other.id
    )
    assert noted == state.contributions.get(one.id)
    assert noted.embedding is not None
    assert noted.embedding.tobytes() == embedding.tobytes()
    assert (noted.findings, noted.embedded_by, noted.group_id) == ((small,), "f" * 64, other.id)
    assert replace(noted, findings=one.findings, embedded_by=one.embedded_by, group_id=one.group_id) == one
    assert list(state.contributions.ids(finding="too_small")) == [one.id]
    assert state.contributions.annotate(one.id) == noted
    assert state.contributions.annotate(one.id, findings=()).findings == ()
    for missing in (new_id(), "nonsense"):
        with pytest.raises(NotFoundError):
            state.contributions.annotate(missing, findings=())
    with pytest.raises(UsageError, match="belong together"):
        state.contributions.annotate(one.id, embedding=embedding)
    with pytest.raises(UsageError, match="group_id is no id"):
        state.contributions.annotate(one.id, group_id="x")
