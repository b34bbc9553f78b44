"""Uploads: listed to those who sent them, kept with their job or not at all, and looked into safely."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.made_archives import leaf_zip, photo, tarred, zipped
from tests.fakes.pictures import picture_bytes
from tests.service.test_access import make_key

from leafsight.errors import StateBusyError
from leafsight.service import upload_check, upload_job
from leafsight.service.clerk import Clerk
from leafsight.service.upload_check import look_into

LIMITS = {"max_bytes": 10**6, "max_pixels": 10**6}
JPEG, ZIP, TAR = "image/jpeg", "application/zip", "application/gzip"


def send(service: TestClient, body: bytes, kind: str = ZIP, query: str = "", **headers: str) -> str:
    answer = service.post(f"/v1/uploads{query}", content=body, headers={"content-type": kind, **headers})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def looked_into(service: TestClient, upload: str) -> dict[str, Any]:
    """The upload after the clerk was there."""
    parts = service.app.state.parts  # type: ignore[attr-defined]
    clerk = Clerk(parts.state, parts.blobs, parts.options, lambda: False)
    assert clerk.work_one()
    found: dict[str, Any] = service.get(f"/v1/uploads/{upload}").json()
    return found


def test_uploads_are_listed_newest_first_with_their_jobs(service: TestClient) -> None:
    made = [send(service, picture_bytes(), JPEG, f"?label={n}") for n in range(3)]
    first = service.get("/v1/uploads?limit=2").json()
    rest = service.get(f"/v1/uploads?limit=2&after={first['next']}").json()
    listed = [*first["uploads"], *rest["uploads"]]
    assert [one["id"] for one in listed] == made[::-1]
    assert [one["label"] for one in listed] == ["2", "1", "0"]
    assert {one["job"]["state"] for one in listed} == {"queued"}
    assert rest["next"] is None
    assert service.get(f"/v1/uploads/{made[0]}").json() == listed[2]


def test_one_sees_ones_own_and_admin_all(service: TestClient) -> None:
    mine, other, admin, predict = (
        make_key(service, scope) for scope in ("upload", "upload", "admin", "predict")
    )
    one, two = (send(service, picture_bytes(), JPEG, **key) for key in (mine, other))

    def seen(key: dict[str, str]) -> list[str]:
        return [each["id"] for each in service.get("/v1/uploads", headers=key).json()["uploads"]]

    assert (seen(mine), seen(other), seen(admin)) == ([one], [two], [two, one])
    assert service.get("/v1/uploads", headers=predict).status_code == 403
    assert service.get("/v1/uploads").status_code == 401


def test_an_upload_without_its_job_is_not_kept(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = service.app.state.parts  # type: ignore[attr-defined]

    def gone(*_: Any) -> None:
        raise StateBusyError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("leafsight.state.uploads.add_job", gone)
        answer = service.post("/v1/uploads", content=leaf_zip(), headers={"content-type": ZIP})
    assert answer.status_code == 503
    assert parts.state.uploads.page().records == ()


def test_a_photograph_is_looked_into(service: TestClient) -> None:
    good = looked_into(service, send(service, picture_bytes(), JPEG, "?label=tomato/rust"))
    assert (good["state"], good["job"]["state"]) == ("checked", "done")
    assert good["job"]["result"]["class_counts"] == {"tomato/rust": 1}
    bad = looked_into(service, send(service, picture_bytes()[:200], JPEG, "?label=x"))
    assert (bad["state"], bad["job"]["state"]) == ("refused", "done")
    assert bad["job"]["result"]["refused"]["message"]
    parts = service.app.state.parts  # type: ignore[attr-defined]
    blob = parts.state.uploads.get(bad["id"]).blob
    assert parts.blobs.get(blob) == picture_bytes()[:200], "kept as it came"


def test_a_photograph_needs_no_library_of_the_training(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leafsight.service.job_work.find_spec", lambda name: None)
    photograph, archive = send(service, picture_bytes(), JPEG), send(service, leaf_zip())
    assert looked_into(service, photograph)["state"] == "checked"
    waiting = looked_into(service, archive)
    assert (waiting["state"], waiting["job"]["state"]) == ("waiting", "failed")
    assert "pip install 'leafsight[train]'" in waiting["job"]["error"]["hint"]


@pytest.mark.slow
def test_an_archive_is_looked_into_in_a_process_of_its_own(service: TestClient) -> None:
    good = looked_into(service, send(service, leaf_zip()))
    assert (good["state"], good["job"]["result"]["class_counts"]) == ("checked", {"healthy": 3, "rust": 3})
    bad = looked_into(service, send(service, tarred({"a/x.jpg": photo(1)}, link="b/out"), TAR))
    assert bad["state"] == "refused"
    assert "link" in bad["job"]["result"]["refused"]["message"]
    assert "/tmp" not in str(bad)


def found_in(folder: Path, body: bytes, name: str = "upload.zip") -> dict[str, Any]:
    (folder / name).write_bytes(body)
    return look_into(folder / name, **LIMITS)


def test_classes_faults_and_what_is_in_it_twice(tmp_path: Path) -> None:
    files = {
        "wrap/rust/a.jpg": photo(1), "wrap/rust/b.jpg": photo(1), "wrap/rust/c.jpg": b"no photograph",
        "wrap/healthy/d.jpg": photo(2), "wrap/healthy/e.jpg": photo(3)[:150], "wrap/healthy/notes.txt": b"x",
    }  # fmt: skip
    found = found_in(tmp_path, zipped(files))
    assert found["refused"] is None
    assert (found["photographs"], found["usable"], found["classes"]) == (5, 3, 2)
    assert found["class_counts"] == {"rust": 2, "healthy": 1}
    assert sum(found["faults"].values()) == 2
    assert {one["photograph"] for one in found["faulty"]} == {"wrap/rust/c.jpg", "wrap/healthy/e.jpg"}
    assert found["twice"] == {"photographs": 1, "examples": [["wrap/rust/a.jpg", "wrap/rust/b.jpg"]]}
    assert any(".txt" in note for note in found["notes"])
    assert str(tmp_path) not in str(found)


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        (zipped({"../../escape.jpg": photo(1)}), "upload.zip", "leads outside"),
        (zipped({"/etc/x/escape.jpg": photo(1)}), "upload.zip", "absolute"),
        (tarred({"a/x.jpg": photo(1)}, link="a/out"), "upload.tar.gz", "link"),
        (zipped({"loose.jpg": photo(1)}), "upload.zip", "class folders"),
        (leaf_zip()[:-40], "upload.zip", ""),
        (zipped({"a/x.jpg": b"nothing", "b/y.jpg": b"nothing"}), "upload.zip", "none of 2"),
        (b"PK\x05\x06" + b"\0" * 18, "upload.zip", "no photographs"),
    ],
    ids=["outside", "absolute", "link", "loose", "torn", "useless", "empty"],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, body: bytes, name: str, why: str
) -> None:
    found = found_in(tmp_path, body, name)
    assert found["refused"] is not None
    assert why in found["refused"]["message"]
    assert str(tmp_path) not in str(found)
    assert not (tmp_path.parent / "escape.jpg").exists()


def test_a_bomb_is_stopped_before_it_fills_the_disk(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in range(60):
            packed.writestr(f"a/{name}.jpg", bytes(900_000))
    found = found_in(tmp_path, out.getvalue())
    assert "bomb" in found["refused"]["hint"]
    assert sum(one.stat().st_size for one in tmp_path.rglob("*") if one.is_file()) == len(out.getvalue())


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_check, "MOST_ENTRIES", 5)
    assert "more than 5 entries" in found_in(tmp_path, leaf_zip(3))["refused"]["message"]


def test_a_failure_that_is_not_the_uploads_own_is_said_and_it_waits(
    start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start()
    monkeypatch.setattr(upload_job, "PROGRAM", "leafsight.there_is_no_such_program")
    found = looked_into(service, send(service, leaf_zip()))
    assert (found["state"], found["job"]["state"]) == ("waiting", "failed")
    assert found["job"]["error"]["message"] == "the program that did this ended with 1"
