"""The learning side of a client against a real service: what it says, and uploads over a line that breaks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.pictures import picture_bytes
from tests.service.conftest import options_in
from tests.service.running import service_in_thread

from leafsight.client import Client, learning
from leafsight.client.answers import UploadAccepted
from leafsight.client.attempts import Call
from leafsight.client.learning import Learning
from leafsight.errors import ConflictError, NotFoundError, RemoteError, StorageError, UsageError
from leafsight.state import ContributionRecord, JobRecord, new_id, open_blobs, open_state


@pytest.fixture
def client(tmp_path: Path, colour_model: Path) -> Iterator[Client]:
    """A service with one contribution and one retraining, and somebody who asks it."""
    options = options_in(tmp_path / "state", model=colour_model)
    with open_state(options.database_url) as state:
        blobs = open_blobs(options.blob_url)
        blobs.put("contributions/one.jpg", picture_bytes())
        one = ContributionRecord(
            id="0" * 31 + "1", created_ms=5, name="okra/1.jpg", class_name="okra", label="Okra___Leaf_curl",
            photo_sha256="0" * 64, pixel_hash="0" * 64, blob="contributions/one.jpg", group_id="0" * 31 + "1",
        )  # fmt: skip
        state.contributions.add_many([one])
        asked = {"path": "quick", "why": "hand", "by": "ada"}
        job = JobRecord(
            id="0" * 31 + "2", kind="retraining", state="queued", created_ms=5, updated_ms=5, request=asked
        )
        state.jobs.add(job)
        blobs.put(f"retrainings/{job.id}/gate.html", b"<html>the gate")
    with service_in_thread(options) as service, Client(f"http://127.0.0.1:{service.port}") as asking:
        yield asking


def test_contributions_are_listed_shown_and_decided(client: Client) -> None:
    side, one = client.learning, "0" * 31 + "1"
    page = side.contributions({"state": "waiting", "label": None})
    assert ([row["id"] for row in page["contributions"]], page["next"]) == ([one], None)
    assert side.contributions({"state": "accepted"})["contributions"] == []
    assert side.contribution(one)["label"] == "Okra___Leaf_curl"
    assert side.photograph(one).startswith(b"\xff\xd8\xff")
    assert side.contributions_summary()["states"] == {"waiting": 1, "accepted": 0, "rejected": 0}
    refused = side.decide({"ids": [one], "state": "accepted"})
    assert (refused["changed"], "nobody declared it" in refused["skipped"][0]["why"]) == (0, True)
    assert side.declare("Okra___Leaf_curl", "new")["note"] == "new"
    assert [row["name"] for row in side.declared()] == ["Okra___Leaf_curl"]
    assert side.decide({"ids": [one], "state": "accepted"})["changed"] == 1
    assert side.take_back("Okra___Leaf_curl") == []
    with pytest.raises(UsageError, match="a class has a name"):
        side.take_back(" ")
    with pytest.raises(NotFoundError):
        side.contribution("f" * 32)


def test_retrainings_and_promotions(client: Client) -> None:
    side, one = client.learning, "0" * 31 + "2"
    page = side.retrainings(limit=10)
    assert [row["id"] for row in page["retrainings"]] == [one]
    assert side.retraining(one)["by"] == "ada"
    assert side.gate_report(one) == b"<html>the gate"
    assert side.retrain("quick", "again")["job"] == one, "the one that waits is the answer"
    assert side.job(one)["state"] == "queued"
    assert side.cancel(one)["state"] == "cancelled"
    assert side.promote("builtin", alias="canary", reason="r", override=False)["alias"] == "canary"
    assert [row["reason"] for row in side.model_history("canary", 5)] == ["r"]
    with pytest.raises(ConflictError):
        side.roll_back(alias="canary", steps=1, reason="")
    assert side.watch()["state"] == "none"


def archive(path: Path, count: int = 3) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for number in range(count):
            packed.writestr(f"okra/{number}.jpg", picture_bytes(seed=number, side=200))
    path.write_bytes(data.getvalue())
    return path


def test_an_upload_in_parts_goes_on_after_every_broken_line(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part is answered and the answer gets lost, or the part itself does."""
    monkeypatch.setattr(learning, "PART_BYTES", 3000)
    file, side, told = archive(tmp_path / "okra.zip"), client.learning, list[tuple[int, int]]()
    name = side.begin_upload(file, "okra")
    do, sent = side._do, [0]

    def broken(call: Call[object], /) -> object:
        if call.request.method != "PATCH":
            return do(call)
        sent[0] += 1
        if sent[0] % 3 == 1:
            raise RemoteError("the line broke before")
        answer = do(call)
        if sent[0] % 3 == 2 and not isinstance(answer, UploadAccepted):
            raise RemoteError("the line broke after")
        return answer

    made = Learning(broken, lambda: new_id()).send_rest(  # type: ignore[arg-type]
        file, name, lambda done, total: told.append((done, total))
    )
    assert made.id == name
    assert told[-1] == (file.stat().st_size, file.stat().st_size)
    assert sent[0] > 6
    state = client.upload_state(name)
    assert (state["id"], state["label"]) == (name, "okra")


def test_an_upload_that_was_left_goes_on_tomorrow(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "PART_BYTES", 3000)
    file, side = archive(tmp_path / "okra.zip"), client.learning
    name = side.begin_upload(file, None)

    def left(done: int, total: int) -> None:
        if done >= 6000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side.send_rest(file, name, left)
    seen: list[int] = []
    assert client.learning.send_rest(file, name, lambda done, total: seen.append(done)).id == name
    assert seen[0] == 6000
    (tmp_path / "other.zip").write_bytes(file.read_bytes() + b"x")
    again = side.begin_upload(file, None)
    with pytest.raises(UsageError, match=r"has .* bytes, the upload"):
        side.send_rest(tmp_path / "other.zip", again)
    with pytest.raises(StorageError):
        side.begin_upload(tmp_path / "none.zip", None)


def test_a_line_that_stays_broken_is_given_up(client: Client, tmp_path: Path) -> None:
    file, side = archive(tmp_path / "okra.zip"), client.learning
    name, do = side.begin_upload(file, None), side._do

    def broken(call: Call[object], /) -> object:
        if call.request.method == "PATCH":
            raise RemoteError("the line broke")
        return do(call)

    with pytest.raises(RemoteError, match="the line broke"):
        Learning(broken, lambda: "x").send_rest(file, name)  # type: ignore[arg-type]
