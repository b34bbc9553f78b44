"""What was found is kept once, whatever dies in between; what a child wrote is not trusted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import GREEN, RED
from tests.feedback.made_uploads import examined, kept, sent_in, upload_in
from tests.feedback.made_world import BACKBONE, HEALTHY, SCAB, World, drawn

from leafsight.errors import StateBusyError, StorageError
from leafsight.feedback import keeping
from leafsight.state import Blobs, State


def files(count: int = 5) -> dict[str, bytes]:
    found = {f"{SCAB}/{n}.png": drawn(RED, n) for n in range(count)}
    return found | {f"{HEALTHY}/{n}.png": drawn(GREEN, n) for n in range(count)}


def test_every_photograph_becomes_a_row_and_a_blob(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    photographs = {
        **files(),
        f"{SCAB}/test.png": learned.remembered["test"][SCAB][0],
        "New/x.png": drawn(RED, 99),
    }
    upload, found = sent_in(state, blobs, learned, tmp_path, photographs, key_id="k")
    assert (found.contributions, found.added, found.refused, found.clean) == (12, 12, 1, 10)
    assert found.findings == {"label_doubt": 1, "new_class": 1, "test_duplicate": 1}
    rows = list(state.contributions.of_upload(upload.id))
    assert [one.name for one in rows] == list(photographs)
    for one in rows:
        data = photographs[one.name]
        sha = hashlib.sha256(data).hexdigest()
        assert (one.photo_sha256, one.blob) == (sha, f"contributions/{sha}.png")
        assert blobs.get(one.blob) == data
        assert (one.key_id, one.embedded_by, one.upload_id) == ("k", BACKBONE, upload.id)
        assert one.embedding is not None
        assert one.embedding.shape == (5,)
        assert one.group_id == one.id
        assert one.quality["said"]["verdict"]
    by_name = {one.name: one for one in rows}
    refused = by_name[f"{SCAB}/test.png"]
    assert (refused.state, refused.decided_by, refused.reason) == (
        "rejected",
        "rule",
        "it is in the locked test",
    )
    assert refused.decided_ms is not None
    assert by_name["New/x.png"].label == "New"


def test_begun_again_nothing_is_doubled(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    upload, first = sent_in(state, blobs, learned, tmp_path, files())
    before = list(state.contributions.of_upload(upload.id))
    examined(state, learned, upload, tmp_path / "again", files())
    again = kept(state, blobs, learned, upload, tmp_path / "again")
    assert (first.added, again.added, again.contributions) == (10, 0, 10)
    after = list(state.contributions.of_upload(upload.id))
    assert after == before
    assert not any(one.findings for one in after), "it is no copy of itself"


@pytest.mark.parametrize("after", [0, 1, 3, 7])
def test_a_store_that_goes_away_in_the_middle_costs_nothing(
    state: State, blobs: Blobs, learned: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    upload = upload_in(state)
    examined(state, learned, upload, tmp_path / "x", files())
    put, count = blobs.put, iter(range(100))

    def failing(name: str, data: bytes) -> None:
        if next(count) >= after:
            raise StateBusyError("the store is gone")
        put(name, data)

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "put", failing)
        with pytest.raises(StateBusyError):
            kept(state, blobs, learned, upload, tmp_path / "x")
    for one in state.contributions.of_upload(upload.id):
        assert blobs.get(one.blob), "no row without its photograph"
    examined(state, learned, upload, tmp_path / "y", files())
    kept(state, blobs, learned, upload, tmp_path / "y")
    rows = list(state.contributions.of_upload(upload.id))
    assert sorted(one.name for one in rows) == sorted(files())
    assert not any(one.findings for one in rows)


def test_copies_point_to_the_first_across_uploads(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    one, _ = sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/a.png": drawn(RED, 1)})
    other, _ = sent_in(
        state, blobs, learned, tmp_path,
        {f"{SCAB}/b.png": drawn(RED, 1), f"{SCAB}/c.png": drawn(RED, 2), f"{SCAB}/d.png": drawn(RED, 2)},
    )  # fmt: skip
    (first,) = state.contributions.of_upload(one.id)
    copy, second, third = state.contributions.of_upload(other.id)
    assert (copy.group_id, second.group_id, third.group_id) == (first.id, second.id, second.id)
    assert [f["of"] for f in copy.findings] == [first.id]


def test_long_names_stay_different(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    long = {f"{SCAB}/{'x' * 600}{n}.png": drawn(RED, n) for n in range(3)}
    upload, found = sent_in(state, blobs, learned, tmp_path, long)
    assert found.added == 3
    assert all(len(one.name) <= 500 for one in state.contributions.of_upload(upload.id))


def changed(folder: Path, **values: Any) -> None:
    path = folder / "examined.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **values}), *rest]) + "\n")


@pytest.mark.parametrize(
    "values",
    [{"file": "../../leafsight.db"}, {"file": "/etc/passwd"}, {"ending": "py"}, {"file": "nothing"}],
    ids=["outside", "absolute", "ending", "missing"],
)
def test_a_child_that_lies_about_files_is_not_believed(
    state: State, blobs: Blobs, learned: World, tmp_path: Path, values: dict[str, Any]
) -> None:
    upload = upload_in(state)
    examined(state, learned, upload, tmp_path / "x", files())
    changed(tmp_path / "x", **values)
    with pytest.raises(StorageError):
        kept(state, blobs, learned, upload, tmp_path / "x")
    assert list(state.contributions.of_upload(upload.id)) == []


def test_a_link_that_leads_out_is_not_followed(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    upload = upload_in(state)
    examined(state, learned, upload, tmp_path / "x", files())
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "x" / "link").symlink_to(tmp_path / "secret")
    changed(tmp_path / "x", file="link")
    with pytest.raises(StorageError):
        kept(state, blobs, learned, upload, tmp_path / "x")


def test_broken_findings_are_errors_of_ours(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    upload = upload_in(state)
    for name, data in (("examined.jsonl", b"[1]\n"), ("examined.jsonl", b"{"), ("embeddings.npy", b"x")):
        examined(state, learned, upload, tmp_path / "x", files(1))
        (tmp_path / "x" / name).write_bytes(data)
        with pytest.raises(StorageError):
            kept(state, blobs, learned, upload, tmp_path / "x")
    examined(state, learned, upload, tmp_path / "x", files(1))
    np.save(tmp_path / "x" / "embeddings.npy", np.zeros((1, 5), np.float16))
    with pytest.raises(StorageError):
        kept(state, blobs, learned, upload, tmp_path / "x")


def test_too_long_a_photograph_is_refused(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    upload = upload_in(state)
    examined(state, learned, upload, tmp_path / "x", files(1))
    with pytest.raises(StorageError):
        keeping.keep_examined(state, blobs, upload, tmp_path / "x", BACKBONE, max_bytes=10)
