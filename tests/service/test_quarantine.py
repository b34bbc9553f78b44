"""An upload that was looked into lies in quarantine: each usable photograph once, whatever died meanwhile."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fakes.made_archives import zipped
from tests.fakes.tiny_bundle import GREEN, RED
from tests.feedback.made_world import HEALTHY, SCAB, World, drawn, make_world
from tests.service.test_access import make_key
from tests.service.test_uploads import ZIP, looked_into, plain_tar, send

from leafsight.images import DecodeLimits
from leafsight.service.clerk import Clerk
from leafsight.service.upload_stripping import strip_upload

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A champion that remembers."""
    return make_world(tmp_path_factory.mktemp("champion"))


@pytest.fixture
def teaching(start: Callable[..., TestClient], learned: World) -> TestClient:
    """A service with this champion."""
    return start(model=learned.bundle)


def photographs(count: int = 5) -> dict[str, bytes]:
    found = {f"wrap/apple scab/{n}.png": drawn(RED, n) for n in range(count)}
    return found | {f"wrap/{HEALTHY}/{n}.png": drawn(GREEN, n) for n in range(count)}


def contributions(service: TestClient, upload: str) -> list[Any]:
    return list(service.app.state.parts.state.contributions.of_upload(upload))  # type: ignore[attr-defined]


def test_photographs_of_an_archive_become_contributions(teaching: TestClient, learned: World) -> None:
    files = {**photographs(), "wrap/Dahlia/x.png": drawn(RED, 99),
             f"wrap/{SCAB}/locked.png": learned.remembered["test"][SCAB][0]}  # fmt: skip
    found = looked_into(teaching, send(teaching, zipped(files)))
    assert found["state"] == "checked"
    told = found["job"]["result"]["contributions"]
    assert (told["contributions"], told["added"], told["refused"], told["left_out"]) == (12, 12, 1, 0)
    assert told["findings"]["new_class"] == 1
    assert "accepted" not in told
    rows = {one.name: one for one in contributions(teaching, found["id"])}
    assert {name: one.label for name, one in rows.items() if one.findings == ()} == {
        name: (SCAB if "scab" in name else HEALTHY) for name in photographs()
    }
    assert rows[f"wrap/{SCAB}/locked.png"].state == "rejected"


def test_a_rule_accepts_where_the_operator_says_so(start: Callable[..., TestClient], learned: World) -> None:
    service = start(model=learned.bundle, accept="clean")
    found = looked_into(service, send(service, zipped({**photographs(), "wrap/New/x.png": drawn(RED, 99)})))
    assert found["job"]["result"]["contributions"]["accepted"] == 10
    assert {one.decided_by for one in contributions(service, found["id"]) if one.state == "accepted"} == {
        "rule"
    }


def test_a_single_photograph_with_a_class(teaching: TestClient) -> None:
    key = make_key(teaching, "upload")
    upload = send(teaching, drawn(RED, 1), "image/png", "?label=apple%20scab", **key)
    parts = teaching.app.state.parts  # type: ignore[attr-defined]
    assert Clerk(parts.state, parts.blobs, parts.options, lambda: False).work_one()
    (one,) = contributions(teaching, upload)
    assert (one.label, one.class_name, one.state, one.findings) == (SCAB, "apple scab", "waiting", ())
    assert one.key_id == parts.state.uploads.get(upload).key_id


def test_one_without_a_class_teaches_nothing(teaching: TestClient) -> None:
    found = looked_into(teaching, send(teaching, drawn(RED, 1), "image/png"))
    assert "contributions" not in found["job"]["result"]
    assert contributions(teaching, found["id"]) == []


def test_looked_into_again_nothing_is_doubled(teaching: TestClient) -> None:
    upload = looked_into(teaching, send(teaching, zipped(photographs())))["id"]
    before = contributions(teaching, upload)
    teaching.post(f"/v1/uploads/{upload}/check")
    again = looked_into(teaching, upload)
    assert again["job"]["result"]["contributions"]["added"] == 0
    assert contributions(teaching, upload) == before


def test_progress_is_told_with_counts(teaching: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.state.claims import Claims

    told: list[dict[str, Any]] = []
    beat = Claims.beat

    def heard(self: Claims, job: Any, progress: Any) -> Any:
        told.append(dict(progress))
        return beat(self, job, progress)

    monkeypatch.setattr(Claims, "beat", heard)
    looked_into(teaching, send(teaching, zipped(photographs())))
    assert {"part": "upload", "step": "keeping photographs", "done": 10, "total": 10, "share": 1.0} in [
        {name: one[name] for name in ("part", "step", "done", "total", "share") if name in one}
        for one in told
    ]


@pytest.mark.parametrize(
    ("where", "nth"),
    [("put-before", 1), ("put-after", 1), ("put-after", 6), ("add-before", 1), ("add-after", 1),
     ("add-after", 2), ("add-after", 3), ("decide-before", 1), ("decide-after", 1), ("state-before", 1),
     ("state-after", 1)],
)  # fmt: skip
def test_killed_anywhere_and_begun_again_nothing_is_lost_or_doubled(
    start: Callable[..., TestClient], learned: World, tmp_path: Path, where: str, nth: int
) -> None:
    service = start(model=learned.bundle, accept="clean")
    parts = service.app.state.parts  # type: ignore[attr-defined]
    files = {**photographs(), "wrap/apple scab/copy.png": drawn(RED, 0),
             f"wrap/{SCAB}/locked.png": learned.remembered["test"][SCAB][0]}  # fmt: skip
    upload = send(service, zipped(files))
    options = parts.options
    words = [options.database_url, options.blob_url, str(options.registry_dir), str(learned.bundle)]
    program = Path(__file__).with_name("dying_clerk.py")
    died = subprocess.run(
        [sys.executable, str(program), *words, where, str(nth), "clean"],
        check=False, timeout=120, capture_output=True,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    for one in contributions(service, upload):
        assert parts.blobs.get(one.blob), "no row without its photograph"
    claims = parts.state.claims
    claims._now = lambda: parts.state.now() + 60_000  # the one who died is silent for long enough
    found = looked_into(service, upload)
    assert (found["state"], found["job"]["state"]) == ("checked", "done")
    rows = contributions(service, upload)
    assert sorted(one.name for one in rows) == sorted(files)
    by_name = {one.name: one for one in rows}
    clean = [one for one in rows if one.findings == ()]
    assert {one.name for one in clean} == set(photographs())
    assert {one.state for one in clean} == {"accepted"}
    copy = by_name["wrap/apple scab/copy.png"]
    assert [f["kind"] for f in copy.findings] == ["duplicate"]
    assert copy.group_id == by_name["wrap/apple scab/0.png"].id
    kept = set(parts.blobs.list("contributions"))
    assert kept == {one.blob for one in rows}, "no photograph without a row"


def shard(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def labels(service: TestClient, body: bytes, kind: str = "application/x-tar") -> dict[str, str]:
    found = looked_into(service, send(service, body, kind))
    assert found["state"] == "checked", found
    return {one.name: one.label for one in contributions(service, found["id"])}


def test_labels_of_a_shard_are_kept(teaching: TestClient) -> None:
    files = {
        "a.png": drawn(RED, 1),
        "a.cls": b"apple scab\n",
        "b.png": drawn(GREEN, 1),
        "b.cls": HEALTHY.encode(),
    }
    assert labels(teaching, shard(files)) == {"a.png": SCAB, "b.png": HEALTHY}


def test_numbers_of_a_shard_are_places_in_its_list(teaching: TestClient) -> None:
    files = {"classes.txt": b"apple healthy\napple scab\n", "a.png": drawn(RED, 1), "a.cls": b"1",
             "b.png": drawn(GREEN, 1), "b.cls": b"0"}  # fmt: skip
    assert labels(teaching, shard(files)) == {"a.png": SCAB, "b.png": HEALTHY}


def test_a_list_in_an_archive_names_the_classes(teaching: TestClient) -> None:
    listing = (
        "file,class,plant,photographer,place\nphotos/1.png,apple scab,p1,Greta,Beet Lane\n"
        "photos/2.png,apple scab,p1,Greta,Beet Lane\nphotos/3.png,apple healthy,p2,Greta,Beet Lane\n"
        "photos/gone.png,apple healthy,,,\n"
    )
    files = {f"set/photos/{n}.png": drawn(RED if n < 3 else GREEN, n) for n in range(1, 5)}
    files["set/labels.csv"] = listing.encode()
    found = looked_into(teaching, send(teaching, zipped(files), ZIP))
    assert found["state"] == "checked", found
    rows = {one.name: one for one in contributions(teaching, found["id"])}
    assert {name: one.label for name, one in rows.items()} == {
        "set/photos/1.png": SCAB, "set/photos/2.png": SCAB, "set/photos/3.png": HEALTHY,
    }  # fmt: skip
    assert rows["set/photos/2.png"].group_id == rows["set/photos/1.png"].id
    notes = " ".join(found["job"]["result"]["notes"])
    assert "photos/gone.png" in notes
    assert "1 photographs are in no list" in notes


def test_a_list_that_names_nothing_here_is_passed_over(teaching: TestClient) -> None:
    files = {**photographs(1), "wrap/labels.csv": b"path,label\nelsewhere.png,apple scab\n"}
    assert labels(teaching, zipped(files), ZIP) == {
        "wrap/apple scab/0.png": SCAB, f"wrap/{HEALTHY}/0.png": HEALTHY,
    }  # fmt: skip


def test_of_lists_only_what_says_the_class_is_kept() -> None:
    files = {
        "set/labels.csv": b"path,label,photographer\na.png,scab,Greta Garden\n", "set/a.png": drawn(RED, 1),
        "set/a.cls": b"scab\r\nGreta\x00 Garden" * 2, "set/secret.csv": b"name,street\nGreta,Beet Lane\n",
        "set/classes.txt": b"one\ntwo\n",
    }  # fmt: skip
    for body, kind in ((zipped(files), ZIP), (plain_tar(files), "application/x-tar")):
        kept = strip_upload(body, kind, DecodeLimits())
        assert kept.left_out == 1
        assert "set/secret.csv" in kept.notes[0]
        assert b"Beet Lane" not in kept.body
        assert b"photographer" not in kept.body
        again = strip_upload(kept.body, kind, DecodeLimits())
        assert again.body == kept.body
