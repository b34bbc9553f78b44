"""What a rule may accept by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import BLUE, CLASSES, GREEN, RED
from tests.feedback.made_uploads import sent_in
from tests.feedback.made_world import HEALTHY, SCAB, World, drawn

from leafsight.feedback import accept_clean, accepting
from leafsight.state import Blobs, State


def states(state: State, upload: str) -> dict[str, str]:
    return {one.name: one.state for one in state.contributions.of_upload(upload)}


def test_only_what_nothing_speaks_against(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    files = {
        f"{SCAB}/good.png": drawn(RED, 1), f"{SCAB}/doubted.png": drawn(BLUE, 2),
        f"{SCAB}/test.png": learned.remembered["test"][SCAB][0], "New/x.png": drawn(RED, 3),
    }  # fmt: skip
    upload, _ = sent_in(state, blobs, learned, tmp_path, files)
    done = accept_clean(state, CLASSES)
    assert (done.accepted, done.left) == (1, 2)
    assert states(state, upload.id) == {
        f"{SCAB}/good.png": "accepted", f"{SCAB}/doubted.png": "waiting",
        f"{SCAB}/test.png": "rejected", "New/x.png": "waiting",
    }  # fmt: skip
    (accepted,) = state.contributions.page(state="accepted").records
    assert (accepted.decided_by, accepted.reason) == ("rule", "nothing speaks against it")
    assert accept_clean(state, CLASSES).accepted == 0


def test_only_of_one_upload(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    uploads = [sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n)})[0] for n in range(2)]
    assert accept_clean(state, CLASSES, upload_id=uploads[1].id).accepted == 1
    assert [*states(state, uploads[0].id).values()] == ["waiting"]


def test_a_source_never_gets_more_than_its_share_in(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    """Also where two uploads were judged at the same time, so that neither knew of the other."""
    one = sent_in(
        state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n) for n in range(3)}, key_id="k"
    )
    more = {f"{SCAB}/{n}": drawn(RED, 10 + n) for n in range(3)} | {f"{HEALTHY}/a": drawn(GREEN, 1)}
    other = sent_in(state, blobs, learned, tmp_path, more, key_id="k")
    assert accept_clean(state, CLASSES, most_per_source=4).accepted == 5
    assert list(states(state, one[0].id).values()) == ["accepted"] * 3
    assert states(state, other[0].id) == {
        f"{SCAB}/0": "accepted", f"{SCAB}/1": "waiting", f"{SCAB}/2": "waiting", f"{HEALTHY}/a": "accepted",
    }  # fmt: skip


def test_what_was_learned_before_does_not_count(
    state: State, blobs: Blobs, learned: World, tmp_path: Path
) -> None:
    sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n) for n in range(3)}, key_id="k")
    assert accept_clean(state, CLASSES, most_per_source=3).accepted == 3
    rules = {"most_per_source": 3}
    more = {f"{SCAB}/{n}": drawn(RED, 10 + n) for n in range(2)}
    late, _ = sent_in(state, blobs, learned, tmp_path, more, key_id="k", **rules)
    assert [[f["kind"] for f in one.findings] for one in state.contributions.of_upload(late.id)] == [
        ["over_cap"], ["over_cap"],
    ]  # fmt: skip
    since_ms = state.now() + 1
    other = {f"{SCAB}/{n}": drawn(RED, 20 + n) for n in range(2)}
    free, _ = sent_in(state, blobs, learned, tmp_path, other, key_id="k", since_ms=since_ms, **rules)
    assert not any(one.findings for one in state.contributions.of_upload(free.id))


def test_what_a_person_decided_meanwhile_stays(
    state: State, blobs: Blobs, learned: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, _ = sent_in(state, blobs, learned, tmp_path, {f"{SCAB}/{n}": drawn(RED, n) for n in range(3)})
    waiting = accepting._waiting
    first = next(iter(state.contributions.of_upload(upload.id)))

    def meanwhile(*words: object) -> object:
        yield from waiting(*words)  # type: ignore[arg-type]
        state.contributions.decide([first.id], "rejected", by="a person")

    monkeypatch.setattr(accepting, "_waiting", meanwhile)
    assert accept_clean(state, CLASSES).accepted == 2
    assert states(state, upload.id)[first.name] == "rejected"


def test_a_declared_class_is_accepted(state: State, blobs: Blobs, learned: World, tmp_path: Path) -> None:
    state.declared.add("Yellow", by="a person")
    files = {f"Yellow/{n}": drawn((190, 190, 30), n) for n in range(8)}
    files |= {f"Violet/{n}": drawn((170, 40, 170), n) for n in range(8)}
    upload, _ = sent_in(state, blobs, learned, tmp_path, files)
    assert accept_clean(state, CLASSES).accepted >= 6
    assert {name[:6] for name, one in states(state, upload.id).items() if one == "accepted"} == {"Yellow"}
