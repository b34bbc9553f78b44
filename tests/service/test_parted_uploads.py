"""Uploads in parts: begun, broken off, gone on with, joined, forgotten."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.made_archives import leaf_zip, zipped
from tests.fakes.pictures import picture_bytes
from tests.service.contributed import parts_of

from leafsight.errors import StateBusyError
from leafsight.service import parted_uploads, upload_joining
from leafsight.service.parted_routes import PART

ZIP = {"content-type": "application/zip"}


def begin(client: TestClient, body: bytes, **headers: str) -> str:
    """The address of the parts of a new upload."""
    answer = client.post("/v1/uploads", headers={**ZIP, "upload-length": str(len(body)), **headers})
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert answer.headers["location"] == said["parts"] == f"/v1/uploads/{said['id']}/parts"
    assert (said["length"], answer.headers["tus-resumable"]) == (len(body), "1.0.0")
    where: str = said["parts"]
    return where


def send(client: TestClient, where: str, offset: int, data: bytes) -> Any:
    headers = {"content-type": PART, "upload-offset": str(offset), "tus-resumable": "1.0.0"}
    return client.patch(where, content=data, headers=headers)


def id_of(where: str) -> str:
    return where.split("/")[3]


def lying(client: TestClient) -> list[str]:
    """Parts that lie in the store."""
    return list(parts_of(client).blobs.list("parts"))


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Join without a process of its own: it does the same, a second sooner."""
    from leafsight.service.child_process import Ended

    def run(module: str, words: Any, printed: Any, *, environment: Any, **_: Any) -> Ended:
        import contextlib
        import io
        import os

        said, talk = io.StringIO(), io.StringIO()
        os.environ.update(environment)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(talk):
            status = upload_joining.main()
        printed.write_text(said.getvalue())
        return Ended(status, printed, tuple(talk.getvalue().splitlines()))

    monkeypatch.setattr(upload_joining, "run_child", run)


@pytest.fixture(autouse=True)
def joined_here(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "slow" not in request.keywords:
        in_this_process(monkeypatch)


def test_parts_become_the_upload_that_one_piece_would_have_been(service: TestClient) -> None:
    body = leaf_zip()
    where = begin(service, body)
    third = len(body) // 3
    for start in (0, third):
        answer = send(service, where, start, body[start : start + third])
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["upload-offset"] == str(start + third)
        head = service.head(where)
        assert (head.headers["upload-offset"], head.headers["upload-length"]) == (
            str(start + third),
            str(len(body)),
        )
    assert len(lying(service)) == 2
    last = send(service, where, 2 * third, body[2 * third :])
    assert last.status_code == 202, last.text
    assert last.json() == {"id": id_of(where), "job": id_of(where), "left_out": 0}
    assert last.headers["location"] == f"/v1/jobs/{id_of(where)}"
    whole = service.post("/v1/uploads", content=body, headers=ZIP).json()
    one, other = (service.get(f"/v1/uploads/{each}").json() for each in (id_of(where), whole["id"]))
    assert {name: one[name] for name in ("bytes", "sha256", "media_type", "label", "state")} == {
        name: other[name] for name in ("bytes", "sha256", "media_type", "label", "state")
    }
    assert one["job"]["state"] == "queued"
    kept = parts_of(service).state.uploads.get(id_of(where))
    assert kept is not None
    again = parts_of(service).state.uploads.get(whole["id"])
    assert again is not None
    assert parts_of(service).blobs.get(kept.blob) == parts_of(service).blobs.get(again.blob)
    assert lying(service) == [], "parts go: they lie as they were sent"
    assert send(service, where, len(body), b"").json() == last.json(), "asked again, answered again"


@pytest.mark.slow
def test_they_are_joined_by_a_process_of_its_own(service: TestClient) -> None:
    body = leaf_zip()
    where = begin(service, body)
    assert send(service, where, 0, body).status_code == 202
    assert service.get(f"/v1/uploads/{id_of(where)}").json()["state"] == "waiting"
    broken = zipped({"Rust/one.jpg": picture_bytes()})[:-30]
    where = begin(service, broken)
    answer = send(service, where, 0, broken)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "dataset")


def test_a_client_of_tus_is_understood(service: TestClient) -> None:
    spoken = service.options("/v1/uploads")
    assert (spoken.status_code, spoken.headers["tus-version"]) == (204, "1.0.0")
    assert spoken.headers["tus-extension"] == "creation,termination"
    photo = picture_bytes()
    said = {"filetype": "image/jpeg", "label": "Apple scab", "filename": "leaf.jpg"}
    metadata = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {"upload-length": str(len(photo)), "tus-resumable": "1.0.0", "upload-metadata": metadata}
    where = service.post("/v1/uploads", headers=headers).headers["location"]
    assert send(service, where, 0, photo).status_code == 202
    found = service.get(f"/v1/uploads/{id_of(where)}").json()
    assert (found["media_type"], found["label"]) == ("image/jpeg", "Apple scab")
    old = service.post("/v1/uploads", headers={**headers, "tus-resumable": "0.2.2"})
    assert (old.status_code, old.headers["tus-version"]) == (412, "1.0.0")


def test_a_part_goes_on_where_the_last_one_ended(service: TestClient) -> None:
    body = leaf_zip()
    where = begin(service, body)
    assert send(service, where, 0, body[:600]).status_code == 204
    for offset in (0, 300, 601):
        answer = send(service, where, offset, body[offset : offset + 10])
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            f"the upload goes on at 600, not at {offset}",
        )
    assert send(service, where, 600, body[600:] + b"more").status_code == 400
    wrong = service.patch(where, content=b"x", headers={"upload-offset": "600"})
    assert wrong.status_code == 415
    assert service.patch(where, content=b"x", headers={"content-type": PART}).status_code == 422
    assert len(lying(service)) == 1


def test_of_two_who_send_the_same_part_one_is_taken(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = leaf_zip()
    where = begin(service, body)
    parts, both = parts_of(service), threading.Barrier(2)
    put = type(parts.blobs).put

    def together(self: Any, name: str, data: bytes) -> None:
        put(self, name, data)
        both.wait(20)

    monkeypatch.setattr(type(parts.blobs), "put", together)
    mark = parts.state.marks.get(f"upload-parts/{id_of(where)}")
    assert mark is not None
    outcomes: list[str] = []

    def one() -> None:
        try:
            parted_uploads.append(parts, id_of(where), mark, 0, body[:600])
        except Exception as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("taken")

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ConflictError", "taken"]
    assert len(lying(service)) == 1
    assert service.head(where).headers["upload-offset"] == "600"


def test_what_was_acknowledged_outlives_the_process(start: Callable[..., TestClient]) -> None:
    body = leaf_zip()
    first = start()
    where = begin(first, body)
    assert send(first, where, 0, body[:700]).status_code == 204
    # Killed behind the next part: it lies there, and no mark names it.
    parts_of(first).blobs.put(f"parts/{id_of(where)}/0001-abandoned", b"torn")
    second = start()
    assert second.head(where).headers["upload-offset"] == "700"
    assert send(second, where, 700, body[700:]).status_code == 202
    kept = second.get(f"/v1/uploads/{id_of(where)}").json()
    whole = second.post("/v1/uploads", content=body, headers=ZIP).json()
    assert kept["sha256"] == second.get(f"/v1/uploads/{whole['id']}").json()["sha256"]
    assert lying(second) == []


def test_what_is_whole_is_joined_although_its_sender_is_gone(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = leaf_zip()
    where = begin(service, body)
    join = parted_uploads.join

    def busy(*_: Any) -> Any:
        raise StateBusyError("the store does not answer")

    monkeypatch.setattr(parted_uploads, "join", busy)
    assert send(service, where, 0, body).status_code == 503
    assert service.head(where).headers["upload-offset"] == str(len(body))
    monkeypatch.setattr(parted_uploads, "join", join)
    looks = [parted_uploads.look_after(parts_of(service)) for _ in range(3)]
    assert looks == [0, 1, 0], "not before a look saw it twice: somebody may be at it"
    assert service.get(f"/v1/uploads/{id_of(where)}").json()["state"] == "waiting"
    assert lying(service) == []


def test_what_nobody_goes_on_with_is_forgotten_after_a_day_of_looks(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parted_uploads, "FORGOTTEN_AFTER_LOOKS", 3)
    body = leaf_zip()
    left, goes_on = begin(service, body), begin(service, body)
    assert send(service, left, 0, body[:600]).status_code == 204
    for number in range(3):
        parted_uploads.look_after(parts_of(service))
        assert service.head(left).status_code == 200
        assert send(service, goes_on, 10 * number, body[10 * number :][:10]).status_code == 204
    parted_uploads.look_after(parts_of(service))
    assert service.head(left).status_code == 404
    assert [name.split("/")[1] for name in lying(service)] == [id_of(goes_on)] * 3
    assert service.head(goes_on).headers["upload-offset"] == "30"


def test_parts_that_nothing_names_go(service: TestClient) -> None:
    where = begin(service, leaf_zip())
    send(service, where, 0, leaf_zip()[:600])
    parts_of(service).blobs.put(f"parts/{'0' * 32}/0000-killed", b"while it was forgotten")
    parted_uploads.look_after(parts_of(service))
    assert [name.split("/")[1] for name in lying(service)] == [id_of(where)]


def test_it_can_be_given_up(service: TestClient) -> None:
    body = leaf_zip()
    where = begin(service, body)
    send(service, where, 0, body[:600])
    assert service.delete(where).status_code == 204
    assert (service.head(where).status_code, lying(service)) == (404, [])
    assert send(service, where, 600, body[600:]).status_code == 404


def test_what_cannot_be_kept_is_refused_and_gone(service: TestClient) -> None:
    where = begin(service, b"x" * 600)
    answer = send(service, where, 0, b"x" * 600)
    assert (answer.status_code, lying(service)) == (415, [])
    assert service.head(where).headers["upload-offset"] == "0", "seen at the first part: nothing was kept"
    broken = zipped({"Rust/one.jpg": picture_bytes()})[:-30]
    where = begin(service, broken)
    answer = send(service, where, 0, broken)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "dataset")
    assert (lying(service), service.head(where).status_code) == ([], 404)


def test_limits(start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    service = start(max_upload_bytes=1000)
    large = service.post("/v1/uploads", headers={**ZIP, "upload-length": "1001"})
    assert large.status_code == 413
    assert service.post("/v1/uploads", headers={**ZIP, "upload-length": "0"}).status_code == 422
    body = service.post("/v1/uploads", content=b"PK\3\4", headers={**ZIP, "upload-length": "900"})
    assert body.status_code == 400
    kind = {"content-type": "text/plain", "upload-length": "900"}
    assert service.post("/v1/uploads", headers=kind).status_code == 415
    bad = service.post("/v1/uploads", headers={"upload-length": "9", "upload-metadata": "filetype ???"})
    assert bad.status_code == 400
    many = [service.post("/v1/uploads", headers={**ZIP, "upload-length": "900"}) for _ in range(9)]
    assert [one.status_code for one in many] == [201] * 8 + [429]
    monkeypatch.setattr(parted_uploads, "MOST_PARTS", 1)
    where = many[0].json()["parts"]
    send(service, where, 0, b"PK\3\4")
    assert send(service, where, 4, b"more").status_code == 413


def test_anothers_parts_are_not_there(start: Callable[..., TestClient]) -> None:
    service = start()
    keys = parts_of(service).state.keys
    _, mine = keys.make("mine", scopes=("upload",))
    _, other = keys.make("other", scopes=("upload",))
    service.headers["authorization"] = f"Bearer {mine}"
    where = begin(service, leaf_zip())
    service.headers["authorization"] = f"Bearer {other}"
    assert service.head(where).status_code == 404
    assert send(service, where, 0, leaf_zip()).status_code == 404
    assert service.delete(where).status_code == 404


def test_a_long_class_name_goes_with_an_idempotency_key(service: TestClient) -> None:
    photo, label = picture_bytes(), "Tomato___Spider_mites Two-spotted_spider_mite on the lower leaves"
    headers = {"content-type": "image/jpeg", "upload-length": str(len(photo)), "idempotency-key": "once"}
    begun = [service.post("/v1/uploads", params={"label": label}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in begun] == [201, 201], begun[0].text
    assert begun[0].json()["id"] == begun[1].json()["id"]
    other = service.post("/v1/uploads", params={"label": f"{label}s"}, headers=headers)
    assert other.status_code == 409


def test_joining_keeps_no_other_work_waiting(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    # The threads that everything else shares are few: lists, and the look for another model.
    finish, threads = parted_uploads.finish, set()

    def on_which(*words: Any) -> Any:
        threads.add(threading.current_thread().name.partition("_")[0])
        return finish(*words)

    monkeypatch.setattr(parted_uploads, "finish", on_which)
    where = begin(service, leaf_zip())
    assert send(service, where, 0, leaf_zip()).status_code == 202
    assert threads == {"joining"}


def test_many_that_came_to_their_end_keep_no_others_from_being_forgotten(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.state import marks

    monkeypatch.setattr(marks, "MAX_MARK_BYTES", 6000)
    monkeypatch.setattr(parted_uploads, "MOST_DONE", 20, raising=False)
    monkeypatch.setattr(parted_uploads, "FORGOTTEN_AFTER_LOOKS", 2)
    parts, where = parts_of(service), begin(service, leaf_zip())
    assert send(service, where, 0, leaf_zip()[:600]).status_code == 204
    done = {"upload": "x", "job": "x", "left_out": 0}
    for number in range(150):
        mark = {"kind": "application/zip", "length": 9, "offset": 9, "label": None, "key": None, "parts": []}
        parts.state.marks.put(f"upload-parts/{number:032x}", {**mark, "done": done})
    for _ in range(3):
        parted_uploads.look_after(parts)
    assert (service.head(where).status_code, lying(service)) == (404, []), "parts lie as they were sent"
    assert len(parts.state.marks.names("upload-parts/")) <= 20
