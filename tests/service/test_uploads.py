"""Uploads: listed to those who sent them, kept with their job or not at all, and looked into safely."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.fakes.made_archives import leaf_zip, photo, tarred, zipped
from tests.fakes.pictures import picture_bytes
from tests.service.test_access import make_key
from tests.state.talkative_photographs import FORMATS, Told, photograph, told_things

from leafsight.errors import DatasetError, LeafsightError, StateBusyError
from leafsight.images import DecodeLimits, decode, read_header
from leafsight.service import upload_check, upload_job
from leafsight.service.clerk import Clerk
from leafsight.service.upload_check import look_into
from leafsight.service.upload_stripping import strip_upload

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


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("body", "kind", "state"),
    [(picture_bytes(), JPEG, "checked"), (zipped({"loose.jpg": photo(1)}), ZIP, "refused")],
    ids=["checked", "refused"],
)
def test_an_upload_that_is_done_between_its_reading_and_its_jobs_says_so(
    service: TestClient, monkeypatch: pytest.MonkeyPatch, body: bytes, kind: str, state: str, listed: bool
) -> None:
    upload = send(service, body, kind)
    parts = service.app.state.parts  # type: ignore[attr-defined]
    some, clerk = parts.state.jobs.some, Clerk(parts.state, parts.blobs, parts.options, lambda: False)

    def some_later(ids: Any) -> Any:
        clerk.work_one()
        return some(ids)

    monkeypatch.setattr(parts.state.jobs, "some", some_later)
    told = service.get("/v1/uploads" if listed else f"/v1/uploads/{upload}").json()
    one = told["uploads"][0] if listed else told
    assert (one["job"]["state"], one["state"]) == ("done", state)


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


@pytest.mark.slow
def test_a_photograph_is_looked_into(service: TestClient) -> None:
    good = looked_into(service, send(service, picture_bytes(), JPEG, "?label=tomato/rust"))
    assert (good["state"], good["job"]["state"]) == ("checked", "done")
    assert good["job"]["result"]["class_counts"] == {"tomato/rust": 1}
    torn = picture_bytes(side=200, seed=1)
    torn = torn[: len(torn) // 2] + b"\xff\xd9"  # every piece is whole, but for the pixels
    bad = looked_into(service, send(service, torn, JPEG, "?label=x"))
    assert (bad["state"], bad["job"]["state"]) == ("refused", "done")
    assert bad["job"]["result"]["refused"]["message"]
    parts = service.app.state.parts  # type: ignore[attr-defined]
    blob = parts.state.uploads.get(bad["id"]).blob
    assert parts.blobs.get(blob) == torn, "kept, though it cannot be used"


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
    bad = looked_into(service, send(service, zipped({"loose.jpg": photo(1)})))
    assert bad["state"] == "refused"
    said = bad["job"]["result"]["refused"]["message"]
    assert said == "upload.zip holds no photographs in class folders (1 loose files)"
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


SECRET = b"Greta Garden, 12 Beet Lane"
TALK = Told(SECRET, 6, (51, 2, 3), True, True, True, True, True, True)
TYPES = {"JPEG": JPEG, "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff", "BMP": "image/bmp",
         "MPO": JPEG}  # fmt: skip


def plain_tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    """A tar that names its owner, everywhere it can."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname, info.gname = len(data), 1_700_000_000, "greta", "garden"
            info.pax_headers = {"comment": SECRET.decode()}
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def talkative_files(told: Told = TALK) -> dict[str, bytes]:
    return {f"wrap/rust/{kind}.x": photograph(kind, told, 40, 30) for kind in FORMATS}


def talkative_zip(files: dict[str, bytes], squeeze: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", squeeze) as packed:
        packed.comment = SECRET
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 5, 6, 7, 8, 10))
            info.comment = info.extra = b"\x99\x99" + len(SECRET).to_bytes(2, "little") + SECRET
            packed.writestr(info, data, squeeze)
    return out.getvalue()


def unpacked(body: bytes) -> dict[str, bytes]:
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as zipped_files:
            assert zipped_files.testzip() is None
            return {name: zipped_files.read(name) for name in zipped_files.namelist()}
    with tarfile.open(fileobj=io.BytesIO(body)) as packed:
        return {info.name: packed.extractfile(info).read() for info in packed}  # type: ignore[union-attr]


def everything_below(folder: Path) -> list[bytes]:
    """All bytes on the disk, and those inside of archives."""
    found = [one.read_bytes() for one in folder.rglob("*") if one.is_file() and "registry" not in one.parts]
    inside = [
        b"".join(unpacked(one).values())
        for one in found
        if one[:2] in (b"PK", b"\x1f\x8b") or one[257:262] == b"ustar"
    ]
    return [*found, *inside]


def test_no_place_and_no_name_is_on_the_disk_after_an_upload(service: TestClient, tmp_path: Path) -> None:
    bodies = [(TYPES[kind], photograph(kind, TALK, 40, 30)) for kind in FORMATS]
    files = {
        **talkative_files(),
        "wrap/rust/notes.txt": SECRET,
        "wrap/rust/more.zip": talkative_zip(talkative_files()),
    }
    bodies += [(ZIP, talkative_zip(files)), (ZIP, talkative_zip(files, zipfile.ZIP_STORED)),
               ("application/x-tar", plain_tar(files)), (TAR, plain_tar(files, "w:gz"))]  # fmt: skip
    parts = service.app.state.parts  # type: ignore[attr-defined]
    for kind, body in bodies:
        upload = send(service, body, kind)
        record = parts.state.uploads.get(upload)
        stored = parts.blobs.get(record.blob)
        assert record.sha256 == hashlib.sha256(body).hexdigest(), "of what was sent"
        assert record.bytes == len(stored)
        assert b"greta" not in stored
        for one in [stored] if kind.startswith("image/") else unpacked(stored).values():
            assert not read_header(one).has_gps
    blobs = everything_below(tmp_path)
    assert len(blobs) > len(bodies)
    assert not any(SECRET in one for one in blobs)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(told_things, st.sampled_from(["zip", "tar", "tar.gz"]))
def test_a_rewritten_archive_has_the_pixels_and_nothing_else(told: Told, kind: str) -> None:
    files = talkative_files(told)
    makers: dict[str, Callable[[], bytes]] = {
        "zip": lambda: talkative_zip(files), "tar": lambda: plain_tar(files),
        "tar.gz": lambda: plain_tar(files, "w:gz"),
    }  # fmt: skip
    media = {"zip": ZIP, "tar": "application/x-tar", "tar.gz": TAR}[kind]
    kept = strip_upload(makers[kind](), media, DecodeLimits())
    assert (kept.ending, kept.left_out, kept.notes) == (kind, 0, [])
    held = unpacked(kept.body)
    assert set(held) == {f"{name}.png" if "BMP" in name or "TIFF" in name else name for name in files}
    for name, data in files.items():
        now = held.get(name) or held[f"{name}.png"]
        assert told.secret not in now
        assert (decode(now) == decode(data)).all()
    assert told.secret not in kept.body
    assert strip_upload(kept.body, media, DecodeLimits()).body == kept.body


def test_what_is_left_out_is_said_and_the_rest_is_looked_into(service: TestClient) -> None:
    files = {
        "a/x.jpg": photo(1), "a/torn.jpg": photo(2)[:150], "b/notes.txt": SECRET, "b/y.jpg": photo(3),
        "b/more.zip": leaf_zip(), "__MACOSX/a/._x.jpg": b"litter", ".hidden/z.jpg": photo(4),
    }  # fmt: skip
    answer = service.post("/v1/uploads", content=zipped(files), headers={"content-type": ZIP})
    assert answer.json()["left_out"] == 3
    found = looked_into(service, answer.json()["id"])
    result = found["job"]["result"]
    assert (found["state"], result["usable"], result["left_out"]) == ("checked", 2, 3)
    (note,) = [one for one in result["notes"] if "left out and not kept" in one]
    assert note.startswith("3 files were left out")
    assert all(name in note for name in ("a/torn.jpg", "b/notes.txt", "b/more.zip"))


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (picture_bytes()[:200], JPEG, ""),
        (picture_bytes()[:-2], JPEG, "cut off"),
        (zipped({"../../escape.jpg": photo(1)}), ZIP, "leads outside"),
        (zipped({"/etc/x/escape.jpg": photo(1)}), ZIP, "absolute"),
        (zipped({"C:\\x\\escape.jpg": photo(1)}), ZIP, "absolute"),
        (zipped({"a/" + "x" * 5000: photo(1)}), ZIP, "4096 characters"),
        (tarred({"a/x.jpg": photo(1)}, link="a/out"), TAR, "is a link"),
        (leaf_zip()[:-40], ZIP, "damaged"),
        (plain_tar({"a/x.jpg": photo(1)})[:700], "application/x-tar", "damaged"),
        (b"\x1f\x8b" + bytes(40), TAR, "damaged"),
    ],
    ids=[
        "torn",
        "endless",
        "outside",
        "absolute",
        "drive",
        "long",
        "link",
        "torn-zip",
        "torn-tar",
        "no-gzip",
    ],
)
def test_what_cannot_be_stripped_is_refused_and_not_kept(
    service: TestClient, tmp_path: Path, body: bytes, kind: str, why: str
) -> None:
    answer = service.post("/v1/uploads", content=body, headers={"content-type": kind})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]
    assert not list(tmp_path.rglob("uploads/*"))
    assert service.get("/v1/uploads").json()["uploads"] == []


def test_limits_hold_before_anything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = DecodeLimits(max_bytes=10**6, max_pixels=2000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in range(60):
            packed.writestr(f"a/{name}.jpg", bytes(900_000))
    with pytest.raises(DatasetError) as caught:
        strip_upload(out.getvalue(), ZIP, limits)
    assert "bomb" in caught.value.hint
    with pytest.raises(DatasetError):
        strip_upload(plain_tar({f"a/{n}": bytes(900_000) for n in range(60)}, "w:gz"), TAR, limits)
    # Too large for one photograph: left out, not refused.
    files = {"a/long.jpg": photo(1) + bytes(10**6), "a/wide.jpg": photo(1, 50), "a/x.jpg": photo(1)}
    for kind, body in ((ZIP, zipped(files)), ("application/x-tar", plain_tar(files))):
        kept = strip_upload(body, kind, limits)
        assert (kept.left_out, list(unpacked(kept.body))) == (2, ["a/x.jpg"])
    # A TIFF has to be decoded, so of those only so many.
    files = {f"a/{n}.tif": photograph("TIFF", TALK, 50, 40) for n in range(12)}
    assert strip_upload(zipped(files), ZIP, limits).left_out == 2
    monkeypatch.setattr(upload_check, "MOST_ENTRIES", 5)
    for kind, body in ((ZIP, leaf_zip(3)), (TAR, tarred(unpacked(leaf_zip(3))))):
        with pytest.raises(DatasetError, match="more than 5 entries"):
            strip_upload(body, kind, limits)


def test_two_files_of_one_name_are_both_kept() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(3):
            packed.writestr("a/x.jpg", photo(n))
    kept = strip_upload(out.getvalue(), ZIP, DecodeLimits())
    assert list(unpacked(kept.body)) == ["a/x.jpg", "a/x.jpg~2", "a/x.jpg~3"]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["zip", "tar", "tar.gz"]), st.data())
def test_garbled_archives_end_in_our_errors(kind: str, data: st.DataObject) -> None:
    files = {"a/x.jpg": photo(1), "b/y.jpg": photo(2)}
    whole = {"zip": zipped(files), "tar": plain_tar(files), "tar.gz": tarred(files)}[kind]
    at = data.draw(st.integers(0, len(whole) - 1))
    garbled = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 6)) :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        media = {"zip": ZIP, "tar": "application/x-tar", "tar.gz": TAR}[kind]
        with contextlib.suppress(LeafsightError):
            strip_upload(garbled, media, DecodeLimits())
