"""``POST /v1/predict``: every way to send photographs, every answer, and what is kept of them."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import BLUE, GREEN, RED, coloured

from leafsight.service.schemas import PredictAnswer

Colour = tuple[int, int, int]


def photo(colour: Any = RED) -> bytes:
    return picture_bytes(colour)


def picture_of(width: int, height: int) -> bytes:
    """Too large to be diagnosed together with others."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), GREEN).save(file, "JPEG")
    return file.getvalue()


def asked(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    PredictAnswer.model_validate(answer.json())
    said: dict[str, Any] = answer.json()
    return said


def test_one_raw_photograph_is_diagnosed(service: TestClient) -> None:
    said = asked(service.post("/v1/predict", content=photo(), headers={"content-type": "image/jpeg"}))
    (one,) = said["predictions"]
    assert (one["verdict"], one["key"], one["recorded"], one["stored"]) == (
        "diagnosis", "apple/scab", True, False,
    )  # fmt: skip
    assert one["advice"] == ["apple/scab"]
    assert said["model"]["hash"] == one["model_hash"]
    assert said["combined"] is None


def test_several_photographs_of_a_form_are_answered_in_their_order(service: TestClient) -> None:
    files = [("photo", (f"{n}.jpg", photo(c), "image/jpeg")) for n, c in enumerate((RED, GREEN, BLUE))]
    said = asked(service.post("/v1/predict", files=files))
    assert [(one["photo"], one["key"]) for one in said["predictions"]] == [
        ("0.jpg", "apple/scab"),
        ("1.jpg", "apple/healthy"),
        ("2.jpg", "tomato/early_blight"),
    ]


def test_base64_in_json(service: TestClient) -> None:
    body = {"photos": [{"name": "a", "base64": base64.b64encode(photo(GREEN)).decode()}]}
    assert asked(service.post("/v1/predict", json=body))["predictions"][0]["key"] == "apple/healthy"


def test_what_cannot_be_read_is_an_answer_and_does_not_stop_the_others(service: TestClient) -> None:
    files = [("a", ("a.jpg", b"nothing", "image/jpeg")), ("b", ("b.jpg", photo(), "image/jpeg"))]
    first, second = asked(service.post("/v1/predict", files=files))["predictions"]
    assert (first["verdict"], first["error"]["type"]) == ("unreadable", "unsupported-image")
    assert second["verdict"] == "diagnosis"


def test_the_crop_limits_the_answer_and_an_unknown_one_is_a_problem(service: TestClient) -> None:
    headers = {"content-type": "image/jpeg"}
    said = asked(service.post("/v1/predict?crop=Tomato", content=photo(BLUE), headers=headers))
    assert said["predictions"][0]["crop_given"] == "tomato"
    wrong = service.post("/v1/predict?crop=banana", content=photo(), headers=headers)
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert wrong.json()["type"].endswith("/taxonomy")


@pytest.mark.parametrize("kind", ["png", "layer"])
def test_the_heatmap_is_a_picture_of_the_photographs_shape(service: TestClient, kind: str) -> None:
    headers = {"content-type": "image/jpeg"}
    half = np.concatenate([coloured(RED), coloured((128, 128, 128))])
    file = io.BytesIO()
    Image.fromarray(half).save(file, "PNG")
    said = asked(service.post(f"/v1/predict?heatmap={kind}", content=file.getvalue(), headers=headers))
    heatmap = said["predictions"][0]["heatmap"]
    picture = Image.open(io.BytesIO(base64.b64decode(heatmap["base64"])))
    assert picture.mode == ("RGB" if kind == "png" else "L")
    assert np.asarray(picture).std() > 0


def test_what_was_said_of_a_plant_is_kept_with_each_of_its_photographs(service: TestClient) -> None:
    files = [("photo", (f"{n}.jpg", photo(c), "image/jpeg")) for n, c in enumerate((RED, RED, BLUE))]
    said = asked(service.post("/v1/predict?plant_id=row-7", files=files))
    asked(service.post("/v1/predict?plant_id=row-8", content=photo(), headers={"content-type": "image/jpeg"}))
    asked(service.post("/v1/predict", content=photo(), headers={"content-type": "image/jpeg"}))
    ids = [one["id"] for one in said["predictions"]]
    kept = [service.get(f"/v1/predictions/{one}").json() for one in ids]
    assert [one["combined"] for one in kept] == [{**said["combined"], "predictions": ids}] * 3
    listed = service.get("/v1/predictions?plant_id=row-7&limit=2").json()
    rest = service.get(f"/v1/predictions?plant_id=row-7&after={listed['next']}").json()
    assert [one["id"] for one in listed["predictions"] + rest["predictions"]] == ids[::-1]
    (alone,) = service.get("/v1/predictions?limit=1").json()["predictions"]
    assert alone["combined"] is None


def test_top_and_combine(service: TestClient) -> None:
    files = [("photo", (f"{n}.jpg", photo(RED), "image/jpeg")) for n in range(3)]
    said = asked(service.post("/v1/predict?top=1&combine=true", files=files))
    assert [len(one["top"]) for one in said["predictions"]] == [1, 1, 1]
    assert (said["combined"]["verdict"], said["combined"]["key"]) == ("diagnosis", "apple/scab")
    assert (said["combined"]["photographs"], said["combined"]["used"]) == (3, 3)


def test_the_answer_can_be_read_again_later(service: TestClient) -> None:
    said = asked(
        service.post("/v1/predict?plant_id=row-7", content=photo(), headers={"content-type": "image/jpeg"})
    )
    one = said["predictions"][0]
    kept = service.get(f"/v1/predictions/{one['id']}").json()
    assert (kept["key"], kept["plant_id"], kept["corrections"]) == ("apple/scab", "row-7", [])
    page = service.get("/v1/predictions?limit=1").json()
    assert [entry["id"] for entry in page["predictions"]] == [one["id"]]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "image/jpeg", 200),
        (b"x", "text/html", 415),
        (b"x", "", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"photos": []}', "application/json", 400),
        (b'{"photos": [1]}', "application/json", 400),
        (b'{"photos": [{"base64": "&"}]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"no parts", "multipart/form-data; boundary=x", 400),
        (b"no boundary", "multipart/form-data", 400),
    ],
)
def test_bodies_that_are_not_photographs(service: TestClient, body: bytes, kind: str, status: int) -> None:
    answer = service.post("/v1/predict", content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["hint"]
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_too_many_and_too_large(start: Callable[..., TestClient]) -> None:
    service = start(max_photos=2, max_image_bytes=5000, max_request_bytes=20_000)
    many = [("photo", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(3)]
    assert service.post("/v1/predict", files=many).status_code == 413
    large = service.post("/v1/predict", content=b"x" * 5001, headers={"content-type": "image/jpeg"})
    assert large.status_code == 413
    whole = service.post("/v1/predict", content=b"x" * 20_001, headers={"content-type": "image/jpeg"})
    assert (whole.status_code, whole.json()["type"].rpartition("/")[2]) == (413, "request-too-large")


def test_an_idempotency_key_answers_the_same_again_and_refuses_another_body(service: TestClient) -> None:
    headers = {"content-type": "image/jpeg", "idempotency-key": "k1"}
    first = asked(service.post("/v1/predict", content=photo(), headers=headers))
    again = service.post("/v1/predict", content=photo(), headers=headers)
    assert again.json()["predictions"][0]["id"] == first["predictions"][0]["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert service.post("/v1/predict", content=photo(GREEN), headers=headers).status_code == 409
    assert len(service.get("/v1/predictions").json()["predictions"]) == 1


def test_photographs_are_kept_only_when_sender_and_operator_agree(
    start: Callable[..., TestClient], tmp_path: Any
) -> None:
    headers = {"content-type": "image/jpeg"}

    def kept(keep: str, query: str) -> bool:
        service = start(keep_photos=keep)
        said = asked(service.post(f"/v1/predict{query}", content=photo(), headers=headers))
        return bool(said["predictions"][0]["stored"])

    assert not kept("never", "?store=true")
    assert not kept("ask", "")
    assert kept("ask", "?store=true")
    assert kept("always", "")
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert all(Image.open(io.BytesIO(file.read_bytes())).getexif() == {} for file in files)


def test_a_database_that_does_not_answer_does_not_cost_the_diagnosis(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.errors import StateBusyError

    def busy(*_: object) -> None:
        raise StateBusyError("the database is locked")

    monkeypatch.setattr(type(service.app.state.parts.state.predictions), "add_many", busy)  # type: ignore[attr-defined]
    said = asked(service.post("/v1/predict", content=photo(), headers={"content-type": "image/jpeg"}))
    one = said["predictions"][0]
    assert (one["verdict"], one["recorded"], one["id"]) == ("diagnosis", False, None)
    assert b"leafsight_predictions_unrecorded_total 1.0" in service.get("/metrics").content


def test_many_at_once_get_each_their_own_answer(start: Callable[..., TestClient]) -> None:
    """Requests that wait are diagnosed together; what is wrong with one photograph is its sender's."""
    service = start(deadline_s=60)
    queue = service.app.state.parts.queue  # type: ignore[attr-defined]
    bodies = [photo(RED), photo(BLUE), b"\xff\xd8\xff no photograph", photo(GREEN), picture_of(1200, 900)] * 6
    crops = ["", "?crop=tomato", "", "", ""] * 6
    hold = threading.Event()

    async def block() -> None:
        await queue.do(hold.wait, 1)

    def send(number: int) -> Any:
        headers = {"content-type": "image/jpeg"}
        return asked(service.post("/v1/predict" + crops[number], content=bodies[number], headers=headers))

    alone = [send(number)["predictions"][0] for number in range(5)]
    assert service.portal is not None
    blocked = service.portal.start_task_soon(block)
    with ThreadPoolExecutor(len(bodies)) as pool:
        sent = [pool.submit(send, number) for number in range(len(bodies))]
        while queue.pending < len(bodies) + 1:
            time.sleep(0.01)
        hold.set()
        together = [one.result()["predictions"][0] for one in sent]
    blocked.result()
    for number, said in enumerate(together):
        for name in ("verdict", "top", "possible", "quality", "crop_given", "error"):
            assert said[name] == alone[number % 5][name]
    counted = service.get("/metrics").text
    assert float(counted.split('leafsight_batch_photographs_bucket{le="1.0"} ')[1].split()[0]) < len(bodies)
    assert "leafsight_batch_size_chosen 1.0" in counted


def test_json_is_strict(service: TestClient) -> None:
    answer = service.post("/v1/predict", content=photo(), headers={"content-type": "image/jpeg"})
    json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
