"""Contributions over HTTP: listed, shown, decided on; declared classes; corrections that teach."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.service.contributed import add_contribution, parts_of

from leafsight.errors import StateBusyError
from leafsight.service.clerk import KINDS, Clerk

SCAB, HEALTHY, OKRA = "Apple___Apple_scab", "Apple___healthy", "Okra___Leaf_curl"
JPEG = {"content-type": "image/jpeg"}


def upload_of(client: TestClient) -> str:
    upload: str = client.post("/v1/uploads?label=x", content=picture_bytes(), headers=JPEG).json()["id"]
    return upload


def shown(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/contributions", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["contributions"]
    return found


def decide(client: TestClient, **wish: Any) -> dict[str, Any]:
    answer = client.post("/v1/contributions/decide", json=wish)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def finding(kind: str, *, blocks: bool) -> dict[str, Any]:
    return {"kind": kind, "said": "something is said of it", "blocks": blocks, "distance": 0.1}


def test_a_contribution_is_shown_as_it_is_known(service: TestClient) -> None:
    upload = upload_of(service)
    one = add_contribution(service, upload, name="apple/1.jpg", class_name="apple scab")
    (found,) = shown(service)
    assert {name: found[name] for name in ("id", "upload", "name", "class_name", "label", "display")} == {
        "id": one, "upload": upload, "name": "apple/1.jpg", "class_name": "apple scab", "label": SCAB,
        "display": "Apple: scab",
    }  # fmt: skip
    assert (found["state"], found["group"], found["quality"]) == ("waiting", one, {"sharpness": 0.5})
    assert found["findings"][0]["kind"] == "near_duplicate"
    assert found["said"] == {
        "verdict": "diagnosis", "class_key": "apple/scab", "display": "Apple: scab", "probability": 0.9,
    }  # fmt: skip
    assert (found["decided_at"], found["decided_by"], found["reason"]) == (None, None, None)
    assert found["photograph"] == f"/v1/contributions/{one}/photograph"


def test_a_list_shows_what_was_asked_for_a_page_at_a_time(service: TestClient) -> None:
    upload = upload_of(service)
    mine = [add_contribution(service, upload) for _ in range(3)]
    healthy = add_contribution(service, label=HEALTHY, findings=[])
    assert [one["id"] for one in shown(service, limit=2)] == [healthy, mine[2]]
    first = service.get("/v1/contributions?limit=3").json()
    rest = service.get("/v1/contributions", params={"after": first["next"], "limit": 3}).json()
    assert ([one["id"] for one in rest["contributions"]], rest["next"]) == ([mine[0]], None)
    assert {one["id"] for one in shown(service, upload=upload)} == set(mine)
    assert [one["id"] for one in shown(service, label="apple/healthy")] == [healthy], "in any spelling"
    assert {one["id"] for one in shown(service, finding="near_duplicate")} == set(mine)
    assert [one["id"] for one in shown(service, finding="none")] == [healthy]
    decide(service, ids=[mine[0]], state="rejected", reason="it is a hand")
    (rejected,) = shown(service, state="rejected")
    assert (rejected["id"], rejected["reason"], rejected["decided_by"]) == (
        mine[0],
        "it is a hand",
        "this computer",
    )
    assert service.get("/v1/contributions?state=lost").status_code == 422
    assert service.get("/v1/contributions?after=nonsense").status_code == 400


def test_a_photograph_is_shown_small_and_made_anew(service: TestClient) -> None:
    large = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (300, 600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(large, "PNG")
    one = add_contribution(service)
    blob = parts_of(service).state.contributions.get(one)
    assert blob is not None
    parts_of(service).blobs.put(blob.blob, large.getvalue() + b"<script>")
    answer = service.get(f"/v1/contributions/{one}/photograph?side=100")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.content)).size == (100, 50)
    assert b"<script>" not in answer.content
    assert "private" in answer.headers["cache-control"]
    assert service.get(f"/v1/contributions/{one}/photograph?side=5000").status_code == 422
    assert service.get(f"/v1/contributions/{'0' * 32}/photograph").status_code == 404
    parts_of(service).blobs.delete(blob.blob)
    assert service.get(f"/v1/contributions/{one}/photograph").status_code == 404


def test_the_summary_counts_by_class(service: TestClient) -> None:
    service.post("/v1/classes/declared", json={"name": OKRA})
    scab = [add_contribution(service) for _ in range(3)]
    add_contribution(service, label=OKRA, findings=[])
    add_contribution(service, label="Unheard of", findings=[])
    decide(service, ids=scab[:2], state="accepted")
    said = service.get("/v1/contributions/summary").json()
    assert said["states"] == {"waiting": 3, "accepted": 2, "rejected": 0}
    assert (said["doubtful"], said["new_since_training"]) == (1, 2)
    labels = {one["label"]: one for one in said["labels"]}
    assert said["labels"][0]["label"] == SCAB
    assert labels[SCAB] == {
        "label": SCAB, "display": "Apple: scab", "known": True, "declared": False, "waiting": 1,
        "accepted": 2, "rejected": 0,
    }  # fmt: skip
    assert (labels[OKRA]["known"], labels[OKRA]["declared"]) == (False, True)
    assert (labels["Unheard of"]["known"], labels["Unheard of"]["declared"]) == (False, False)


def test_what_nobody_knows_and_what_is_locked_is_not_accepted(service: TestClient) -> None:
    fine = add_contribution(service, findings=[finding("label_doubt", blocks=True)])
    new = add_contribution(service, label=OKRA)
    locked = add_contribution(service, findings=[finding("test_duplicate", blocks=True)])
    said = decide(service, ids=[fine, new, locked, "0" * 32], state="accepted")
    assert said["changed"] == 1, "a person may overrule a doubt"
    why = {one["id"]: one["why"] for one in said["skipped"]}
    assert "nobody declared it" in why[new]
    assert "locked test" in why[locked]
    assert "no contribution" in why["0" * 32]
    service.post("/v1/classes/declared", json={"name": OKRA, "note": "three fields"})
    assert decide(service, ids=[new], state="accepted") == {"changed": 1, "skipped": []}
    assert decide(service, ids=[locked], state="rejected")["changed"] == 1
    assert decide(service, ids=[fine], state="waiting")["changed"] == 1, "a decision may be changed"


def test_a_person_may_relabel(service: TestClient) -> None:
    one = add_contribution(service, label="Unheard of")
    assert decide(service, ids=[one], state="accepted", label="apple/healthy")["changed"] == 1
    (found,) = shown(service)
    assert (found["label"], found["class_name"], found["state"]) == (HEALTHY, "Apple scab", "accepted")
    assert decide(service, ids=[one], state="accepted", label="Mango___Rust")["skipped"][0]["id"] == one


def test_all_of_an_upload_and_all_that_are_clean(service: TestClient) -> None:
    upload = upload_of(service)
    mine = {
        add_contribution(service, upload, findings=[finding("label_doubt", blocks=True)]) for _ in range(2)
    }
    clean = {add_contribution(service), add_contribution(service, findings=[])}
    healthy = add_contribution(service, label=HEALTHY)
    new = add_contribution(service, label=OKRA, findings=[])
    assert decide(service, all="clean", label="apple healthy", state="accepted")["changed"] == 1
    assert {one["id"] for one in shown(service, state="accepted")} == {healthy}
    assert decide(service, all="clean", state="accepted") == {"changed": 2, "skipped": []}
    assert {one["id"] for one in shown(service, state="accepted")} == {healthy} | clean
    assert decide(service, upload=upload, state="accepted")["changed"] == 2
    assert {one["id"] for one in shown(service, state="waiting")} == {new}
    assert {one["id"] for one in shown(service, upload=upload, state="accepted")} == mine


def test_what_was_new_when_it_came_is_clean_once_it_is_declared(service: TestClient) -> None:
    new = add_contribution(service, label=OKRA, findings=[finding("new_class", blocks=True)])
    add_contribution(
        service,
        label=OKRA,
        findings=[finding("new_class", blocks=True), finding("bad_picture", blocks=True)],
    )
    assert decide(service, all="clean", state="accepted")["changed"] == 0
    service.post("/v1/classes/declared", json={"name": OKRA})
    assert decide(service, all="clean", state="accepted")["changed"] == 1
    assert [one["id"] for one in shown(service, state="accepted")] == [new]


def test_many_are_decided_in_steps(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.service import contributions

    monkeypatch.setattr(contributions, "AT_ONCE", 3)
    for _ in range(8):
        add_contribution(service, findings=[])
    assert decide(service, all="clean", state="accepted")["changed"] == 8


@pytest.mark.parametrize(
    "wish",
    [
        {"state": "accepted"},
        {"state": "accepted", "ids": []},
        {"state": "accepted", "ids": ["x"]},
        {"state": "accepted", "all": "clean", "upload": "0" * 32},
        {"state": "lost", "all": "clean"},
        {"state": "accepted", "all": "everything"},
        {"state": "accepted", "all": "clean", "more": 1},
    ],
)
def test_a_decision_says_which_and_what(service: TestClient, wish: dict[str, Any]) -> None:
    assert service.post("/v1/contributions/decide", json=wish).status_code == 422


def test_what_is_skipped_and_classes_that_nobody_knows_fill_no_answer_and_no_memory(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.service import contributions as teaching
    from leafsight.service.contribution_listings import Decision

    monkeypatch.setattr(teaching, "MOST_SKIPPED", 2)
    monkeypatch.setattr(teaching, "MOST_LABELS", 3, raising=False)
    for number in range(5):
        add_contribution(service, label=f"Unheard_of_{number}")
    wish = Decision(ids=[one["id"] for one in shown(service)], state="accepted")
    deciding = teaching.Deciding(parts_of(service), wish, "x")
    deciding.run()
    assert (deciding.changed, len(deciding.skipped)) == (0, 2)
    assert len(service.get("/v1/contributions/summary").json()["labels"]) == 3


def test_a_decision_is_taken_once(service: TestClient) -> None:
    one = add_contribution(service)
    key = {"idempotency-key": "1"}
    wish = {"ids": [one], "state": "accepted"}
    first = service.post("/v1/contributions/decide", json=wish, headers=key)
    decide(service, ids=[one], state="rejected")
    again = service.post("/v1/contributions/decide", json=wish, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert [found["state"] for found in shown(service)] == ["rejected"]


def test_each_sees_their_own(start: Callable[..., TestClient]) -> None:
    service = start()
    keys = parts_of(service).state.keys
    made = {name: keys.make(name, [scope]) for name, scope in
            (("mine", "upload"), ("other", "upload"), ("chief", "admin"))}  # fmt: skip
    own = add_contribution(service, key_id=made["mine"][0].id)
    theirs = add_contribution(service, key_id=made["other"][0].id)

    def sees(name: str) -> set[str]:
        service.headers["authorization"] = f"Bearer {made[name][1]}"
        return {one["id"] for one in shown(service)}

    assert (sees("chief"), sees("mine"), sees("other")) == ({own, theirs}, {own}, {theirs})
    assert service.get(f"/v1/contributions/{own}/photograph").status_code == 404
    assert service.get(f"/v1/contributions/{theirs}/photograph").status_code == 200
    assert service.get("/v1/contributions/summary").json()["states"]["waiting"] == 1
    assert service.get("/v1/classes/declared").status_code == 200
    sees("chief")
    assert decide(service, ids=[own], state="accepted")["changed"] == 1
    assert shown(service, state="accepted")[0]["decided_by"] == "chief"


def test_classes_are_declared_and_taken_back(service: TestClient) -> None:
    first = service.post("/v1/classes/declared", json={"name": OKRA, "note": "three fields"})
    assert first.status_code == 201
    assert (first.json()["name"], first.json()["by"]) == (OKRA, "this computer")
    again = service.post("/v1/classes/declared", json={"name": OKRA, "note": "another word"})
    assert again.json()["note"] == "three fields"
    service.post("/v1/classes/declared", json={"name": "okra/rust"})
    assert [one["name"] for one in service.get("/v1/classes/declared").json()["classes"]] == [
        OKRA,
        "okra/rust",
    ]
    assert service.delete("/v1/classes/declared/okra/rust").json()["classes"][0]["name"] == OKRA
    assert service.delete(f"/v1/classes/declared/{OKRA}").json() == {"classes": []}
    assert service.delete(f"/v1/classes/declared/{OKRA}").status_code == 200
    for name in ("", " ", "..", "a\nb", "x" * 201):
        assert service.post("/v1/classes/declared", json={"name": name}).status_code in (400, 422)


def test_enough_of_them_begin_a_retraining_at_once(start: Callable[..., TestClient]) -> None:
    import time

    service = start(retrain_after=2)
    ids = [add_contribution(service) for _ in range(2)]
    decide(service, ids=ids[:1], state="accepted")
    decide(service, ids=ids[1:], state="accepted")
    until = time.monotonic() + 30
    while not (begun := service.get("/v1/retraining").json()["retrainings"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert [(one["why"], one["by"]) for one in begun] == [("count", "leafsight")]


@pytest.fixture
def keeping(start: Callable[..., TestClient]) -> TestClient:
    """A service that keeps photographs."""
    return start(keep_photos="always")


def predicted(client: TestClient) -> str:
    said = client.post("/v1/predict", content=picture_bytes(), headers=JPEG).json()["predictions"][0]
    assert said["stored"]
    one: str = said["id"]
    return one


def correct(client: TestClient, prediction: str, **said: Any) -> Any:
    answer = client.post(f"/v1/predictions/{prediction}/correction", json=said)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def clerk_does(client: TestClient) -> bool:
    """Let the clerk do one job; whether there was one."""
    parts = parts_of(client)
    return Clerk(parts.state, parts.blobs, parts.options, lambda: False, KINDS).work_one()


def test_a_correction_teaches(keeping: TestClient) -> None:
    one = predicted(keeping)
    job = correct(keeping, one, right=False, **{"class": "apple/healthy"})
    assert clerk_does(keeping)
    done = keeping.get(f"/v1/jobs/{job}").json()
    assert done["state"] == "done", done["error"]
    (found,) = shown(keeping)
    assert found["id"] == done["result"]["contribution"]
    assert (found["label"], found["upload"], found["state"]) == (HEALTHY, None, "waiting")
    assert found["said"]["class_key"] == "apple/scab"
    assert keeping.get(found["photograph"]).status_code == 200
    assert keeping.get(f"/v1/contributions/{found['id']}").json() == found
    assert not clerk_does(keeping)


def test_a_correction_comes_with_the_job_that_teaches_it_or_not_at_all(
    keeping: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.state import corrections

    def busy(*_: Any) -> None:
        raise StateBusyError("the database is locked")

    one = predicted(keeping)
    said = {"right": False, "class": "apple/healthy"}
    with monkeypatch.context() as locked:
        locked.setattr(corrections, "add_job", busy)
        answer = keeping.post(f"/v1/predictions/{one}/correction", json=said)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert keeping.get(f"/v1/predictions/{one}").json()["corrections"] == []
    correct(keeping, one, **said)
    assert clerk_does(keeping)
    assert len(shown(keeping)) == 1


def test_a_correction_is_kept_whatever_becomes_of_its_photograph(keeping: TestClient) -> None:
    one = predicted(keeping)
    correct(keeping, one, right=False, **{"class": "apple/healthy"})
    kept = parts_of(keeping).state.predictions.get(one)
    assert kept is not None
    assert kept.photo_blob is not None
    parts_of(keeping).blobs.put(kept.photo_blob, b"damaged")
    assert clerk_does(keeping)
    assert len(keeping.get(f"/v1/predictions/{one}").json()["corrections"]) == 1
    assert shown(keeping) == []


def test_a_photograph_that_is_in_quarantine_already_is_not_judged_again(
    keeping: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import leafsight.feedback as room

    one = predicted(keeping)
    for name in ("apple/healthy", "apple/scab"):
        correct(keeping, one, right=False, **{"class": name})
    assert clerk_does(keeping)

    def costly(*_: Any, **__: Any) -> Any:
        raise AssertionError("a second of computing, each time that somebody says something")

    monkeypatch.setattr(room, "contribution_of_correction", costly)
    assert clerk_does(keeping)
    states = [job["state"] for job in keeping.get("/v1/jobs").json()["jobs"]]
    assert (states, len(shown(keeping))) == (["done", "done"], 1)


def test_what_is_not_stored_teaches_nothing(service: TestClient) -> None:
    said = service.post("/v1/predict", content=picture_bytes(), headers=JPEG).json()["predictions"][0]
    correct(service, said["id"], right=False, **{"class": "apple/healthy"})
    correct(service, said["id"], right=True)
    assert not clerk_does(service)
    assert shown(service) == []
