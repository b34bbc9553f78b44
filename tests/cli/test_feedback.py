"""``leafsight feedback``: what a person sees, and what is asked of the state or the server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.fake_desk import FakeDesk, contribution
from tests.cli.run_verb import run_verb
from tests.fakes.pictures import picture_bytes

from leafsight.cli import feedback
from leafsight.cli.feedback import command


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> FakeDesk:
    found = FakeDesk()
    monkeypatch.setattr(feedback, "desk_for", found.opened)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("okra/a.jpg", "okra/b.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "photos"


def test_a_folder_is_sent_and_looked_into(desk: FakeDesk, folder: Path) -> None:
    desk.result = {
        "state": "checked", "photographs": 2, "usable": 2, "refused": None,
        "contributions": {"contributions": 2, "added": 2, "refused": 1, "findings": {"near_duplicate": 1}},
    }  # fmt: skip
    done = run_verb(command, "add", folder, "--server", "http://here", "--key", "k")
    assert done.code == 0
    assert done.out == (
        f"{'b' * 32}: checked, 2 of 2 photographs are usable, 1 are of the locked test, near duplicate 1\n"
    )
    assert desk.asked == [("send", "photographs-1.zip", None, None)]
    assert (desk.flags["server"], desk.flags["key"], desk.flags["new"]) == ("http://here", "k", True)
    assert "upload: looking: started" in done.err
    assert "next: leafsight feedback ls" in done.err


def test_what_was_sent_before_is_said(desk: FakeDesk, folder: Path) -> None:
    desk.again = True
    assert ": checked, sent before, 2 of 2" in run_verb(command, "add", folder, "-q").out
    [told] = run_verb(command, "add", folder, "--label", "okra", "--json").json
    assert (told["again"], told["state"], told["photographs"], told["refused"]) == (True, "checked", 2, None)
    assert desk.asked[-1] == ("send", "photographs-1.zip", None, None)


def test_without_waiting(desk: FakeDesk, folder: Path) -> None:
    done = run_verb(
        command, "add", folder / "okra/a.jpg", "--label", "okra", "--detach", "--resume", "e" * 32
    )
    assert done.out == f"{'b' * 32}: queued\n"
    assert desk.asked == [("send", "a.jpg", "okra", "e" * 32)]


def test_of_several_archives_the_interrupted_one_is_gone_on_with(
    desk: FakeDesk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leafsight.cli import packing

    monkeypatch.setattr(packing, "VOLUME_BYTES", 1)
    resumed = "c" * 32
    desk.again = True  # what was sent whole before the line broke
    run_verb(command, "add", folder, "--resume", resumed)
    assert {one[3] for one in desk.asked} == {resumed}
    desk.asked.clear()
    desk.again = False
    run_verb(command, "add", folder, "--resume", resumed)
    assert len(desk.asked) > 1
    assert [one[3] for one in desk.asked] == [resumed] + [None] * (len(desk.asked) - 1)


def test_what_is_there_already_is_not_gone_on_with(tmp_path: Path) -> None:
    from hashlib import sha256
    from types import SimpleNamespace
    from typing import Any, cast

    from leafsight.cli.desk import RemoteDesk
    from leafsight.cli.packing import Sending

    file = tmp_path / "photographs-1.zip"
    file.write_bytes(b"whole")
    there = SimpleNamespace(
        id="d" * 32, job=None, sha256=sha256(b"whole").hexdigest(), label=None, state="checked"
    )
    client: Any = SimpleNamespace(uploads=lambda limit: iter([[there]]))
    sent = RemoteDesk(cast(Any, client)).send(Sending(file, None), "c" * 32, lambda done, total: None)
    assert (sent["id"], sent["again"]) == ("d" * 32, True)


def test_what_is_refused_is_exit_code_1(desk: FakeDesk, folder: Path) -> None:
    desk.result = {"state": "refused", "photographs": 0, "usable": 0, "refused": {"message": "no archive"}}
    done = run_verb(command, "add", folder, "-q")
    assert (done.code, done.out) == (1, f"{'b' * 32}: refused: no archive\n")
    desk.result, desk.error = None, {"message": "no room", "hint": "free some"}
    done = run_verb(command, "add", folder, "-q")
    assert (done.code, done.error_lines) == (1, ["error: no room", "hint: free some"])


def test_the_list_goes_over_pages(desk: FakeDesk) -> None:
    desk.rows[1] = contribution(
        1,
        findings=[{"kind": "near_duplicate", "said": "it is like 0", "blocks": True}],
        said={"verdict": "diagnosis", "class_key": "okra/x", "display": "Okra: x", "probability": 0.5},
    )
    done = run_verb(command, "ls", "--state", "waiting", "--finding", "near_duplicate")
    header, first, second, *rest = [line.split("\t") for line in done.out.splitlines()]
    assert header == ["id", "state", "label", "said", "findings", "name"]
    assert first == [f"{0:032x}", "waiting", "Okra___Leaf_curl", "", "", "okra/0.jpg"]
    assert second[3:] == ["Okra: x 50%", "near_duplicate", "okra/1.jpg"]
    assert len(rest) == 3
    assert desk.asked[0] == ("contributions", {"state": "waiting", "finding": "near_duplicate"}, None, 50)
    assert len(run_verb(command, "ls", "--limit", 3, "--json").json) == 3


def test_the_summary_says_what_may_be_learned(desk: FakeDesk) -> None:
    done = run_verb(command, "summary")
    assert [line.split("\t") for line in done.out.splitlines()][1:] == [
        ["Okra___Leaf_curl", "5", "0", "0", "no: leafsight feedback classes declare"],
        ["Tomato___healthy", "5", "0", "0", "the model knows it"],
    ]
    assert "accepted since the last retraining: 3" in done.err
    assert run_verb(command, "summary", "--json").json["doubtful"] == 1


def test_one_is_shown_and_saved(desk: FakeDesk, tmp_path: Path) -> None:
    desk.rows[0]["findings"] = [{"kind": "label_doubt", "said": "its neighbours are blight", "blocks": True}]
    done = run_verb(command, "show", f"{0:032x}", "--save", tmp_path / "a.jpg")
    assert "label doubt\tits neighbours are blight" in done.out
    assert (tmp_path / "a.jpg").read_bytes() == b"a picture"
    missing = run_verb(command, "show", "f" * 32)
    assert (missing.code, missing.error_lines[1]) == (1, "hint: look again")


def test_accepting_and_rejecting(desk: FakeDesk) -> None:
    one, two = f"{0:032x}", f"{1:032x}"
    assert run_verb(command, "accept", one, two, "--reason", "seen").out == "changed: 2, skipped: 0\n"
    run_verb(command, "accept", "--upload", "a" * 32, "--label", "okra")
    run_verb(command, "accept", "--clean", "--json")
    run_verb(command, "reject", one)
    assert [wish for _, wish in desk.asked] == [
        {"state": "accepted", "reason": "seen", "ids": [one, two]},
        {"state": "accepted", "reason": "", "label": "okra", "upload": "a" * 32},
        {"state": "accepted", "reason": "", "all": "clean"},
        {"state": "rejected", "reason": "", "ids": [one]},
    ]


def test_thousands_of_ids_go_in_several_decisions(desk: FakeDesk) -> None:
    ids = [f"{number:032x}" for number in range(1001)]
    assert run_verb(command, "accept", *ids).out == "changed: 1001, skipped: 0\n"
    assert [len(wish["ids"]) for _, wish in desk.asked] == [1000, 1]


def test_what_stays_as_it_is_has_a_reason_and_exit_code_1(desk: FakeDesk) -> None:
    desk.skipped = [{"id": f"{number:032x}", "why": "nobody declared it"} for number in range(12)]
    done = run_verb(command, "accept", "--clean")
    assert (done.code, done.out) == (1, "changed: 1, skipped: 12\n")
    assert done.err.count("nobody declared it") == 10
    assert "and 2 more" in done.err


def test_relabelling_keeps_what_was_decided(desk: FakeDesk) -> None:
    desk.rows[1]["state"] = "accepted"
    done = run_verb(command, "relabel", f"{0:032x}", f"{1:032x}", "--label", "Okra___Rust")
    assert done.code == 0
    assert [wish for _, wish in desk.asked] == [
        {"state": "waiting", "reason": "", "label": "Okra___Rust", "ids": [f"{0:032x}"]},
        {"state": "accepted", "reason": "", "label": "Okra___Rust", "ids": [f"{1:032x}"]},
    ]
    assert run_verb(command, "relabel", "--upload", "a" * 32, "--label", "x", "--json").json["changed"] == 5


@pytest.mark.parametrize(
    "words",
    [
        ("accept",),
        ("reject",),
        ("relabel", "--label", "x"),
        ("accept", "0" * 32, "--upload", "a" * 32),
        ("accept", "0" * 32, "--clean"),
        ("relabel", "0" * 32),
    ],
)
def test_what_is_meant_has_to_be_said(desk: FakeDesk, words: tuple[str, ...]) -> None:
    assert run_verb(command, *words).code == 2
    assert desk.asked == []


def test_classes(desk: FakeDesk) -> None:
    assert run_verb(command, "classes", "declare", "Okra___Rust", "--note", "new").out == "Okra___Rust\n"
    assert run_verb(command, "classes", "ls").out.splitlines()[1] == "Okra___Leaf_curl\tada\tnew"
    assert run_verb(command, "classes", "remove", "Okra___Rust", "--json").json == []
    assert desk.asked == [("declare", "Okra___Rust", "new"), ("take back", "Okra___Rust")]


def test_without_a_state_nothing_is_made(tmp_path: Path) -> None:
    done = run_verb(command, "ls", "--state-dir", tmp_path / "none")
    assert done.code == 1
    assert "there is no database" in done.err
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_from_a_folder_to_accepted_photographs_without_a_server(tmp_path: Path) -> None:
    """The real state, the real job, the built-in model."""
    seed = 0
    for label, number in (("Tomato___healthy", 2), ("Okra___Leaf_curl", 2)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for one in range(number):
            path = tmp_path / "photos" / label / f"{one}.jpg"
            path.write_bytes(picture_bytes((40 * one + 30, 160, 60), side=256, seed=seed))
            seed += 1
    (tmp_path / "photos" / "Okra___Leaf_curl" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    state = ("--state-dir", tmp_path / "state")

    [added] = run_verb(command, "add", tmp_path / "photos", *state, "--json").json
    assert (added["state"], added["again"], added["left_out"]) == ("checked", False, 1)
    [again] = run_verb(command, "add", tmp_path / "photos", *state, "--json").json
    assert (again["upload"], again["again"]) == (added["upload"], True)
    rows = run_verb(command, "ls", *state, "--json").json
    assert len(rows) == added["usable"] == 4
    assert {row["state"] for row in rows} == {"waiting"}

    okra = [row["id"] for row in rows if row["label"] == "Okra___Leaf_curl"]
    refused = run_verb(command, "accept", *okra, *state, "--json")
    assert (refused.code, refused.json["changed"]) == (1, 0)
    assert "nobody declared it" in refused.json["skipped"][0]["why"]
    assert run_verb(command, "classes", "declare", "Okra___Leaf_curl", *state).code == 0
    assert run_verb(command, "accept", *okra, *state, "--reason", "mine").out == "changed: 2, skipped: 0\n"
    shown = run_verb(command, "show", okra[0], *state, "--save", tmp_path / "saved.jpg", "--json").json
    assert (shown["state"], shown["reason"]) == ("accepted", "mine")
    assert (tmp_path / "saved.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    run_verb(command, "reject", okra[0], *state)
    told = run_verb(command, "summary", *state, "--json").json
    assert told["states"] == {"waiting": 2, "accepted": 1, "rejected": 1}
    shutil.rmtree(tmp_path / "photos")
    assert json.loads(run_verb(command, "classes", "remove", "Okra___Leaf_curl", *state, "--json").out) == []
