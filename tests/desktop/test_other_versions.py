"""A server that is older or newer than the window, or none of ours: said plainly, and nothing breaks."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.changed_answers import changed, with_more
from tests.desktop.teaching_fakes import MadeUpLearning, until

from leafsight.client import ModelDescription
from leafsight.client.reading import fitted
from leafsight.desktop.session import Errands, Server, learner, tried
from leafsight.desktop.session.learner import Learner
from leafsight.desktop.session.model_comparison import class_differences, comparison
from leafsight.desktop.session.model_words import (
    MEASURES,
    by_class,
    can_name,
    doubts,
    lineage,
    measured,
    mix_ups,
    provenance,
)
from leafsight.desktop.session.model_words import tested_on as groups_of
from leafsight.desktop.session.sending import Sender
from leafsight.desktop.session.teach_answers import (
    contributions_of,
    decision_of,
    differing,
    is_doubtful,
    labels_of,
    outcome_of,
    remarks,
    retrainings_of,
    summary_of,
    upload_of,
)
from leafsight.desktop.session.teach_words import (
    check_numbers,
    check_title,
    decided,
    found_in,
    is_main,
    model_says,
    outcome_words,
    step_words,
    time_left,
)
from leafsight.desktop.session.wording import with_interval
from leafsight.errors import ForbiddenError, NotFoundError, RemoteError, UsageError

CURL = "Okra___Leaf_curl"
SAID = {"verdict": "diagnosis", "display": "Okra: rust", "probability": 0.7}
GONE = "At this address nothing is learned from photographs."


class OfAnotherVersion(MadeUpLearning):
    """Its answers are changed on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, Callable[[Any], Any]] = {}

    def _told(self, name: str, answer: Any) -> Any:
        return self.changes.get(name, lambda same: same)(answer)

    def contributions_summary(self) -> dict[str, Any]:
        return self._told("summary", super().contributions_summary())  # type: ignore[no-any-return]

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        return self._told("retrainings", super().retrainings())  # type: ignore[no-any-return]

    def contributions(
        self, wanted: dict[str, Any], *, after: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        found = super().contributions(wanted, after=after, limit=limit)
        return self._told("contributions", found)  # type: ignore[no-any-return]

    def begin_upload(self, path: Path, label: str | None) -> str:
        return self._told("upload", super().begin_upload(path, label))  # type: ignore[no-any-return]


def taught() -> OfAnotherVersion:
    """A server that has something of everything."""
    server = OfAnotherVersion()
    server.choose(Server("https://leaf.example"))
    server.wait("dark", CURL, "bad_picture")
    server.rows[0]["said"] = dict(SAID)
    server.retrain("quick", "so")
    server.end_training()
    server.trainings[0]["progress"] = {
        "part": "train", "step": "learning", "done": 3, "total": 9, "share": 0.3, "eta_s": 4,
        "metrics": {"loss": 0.4},
    }  # fmt: skip
    server.details["t0"]["snapshot"]["rows"][0]["pixel_hash"] = "00ff00ff00ff00ff"
    return server


def upload_answer() -> dict[str, Any]:
    result = {
        "refused": None, "photographs": 4, "usable": 3, "classes": 1, "class_counts": {CURL: 4},
        "faults": {"too-small": 1}, "faulty": [{"photograph": "a.jpg", "fault": "too small"}],
        "notes": ["a note"], "twice": {"photographs": 1, "examples": [["a.jpg", "b.jpg"]]}, "left_out": 1,
        "contributions": {"contributions": 4, "added": 4, "refused": 1, "clean": 2, "accepted": 0},
    }  # fmt: skip
    return {"id": "u", "state": "checked", "job": {"state": "done", "result": result, "error": None}}


def refusal(call: Callable[[], object]) -> RemoteError | None:
    """What a call is refused with, in words; anything else that it raises is a fault of ours."""
    try:
        call()
    except RemoteError as error:
        return error
    return None


def said_of_contributions(plain: Any) -> None:
    for one in contributions_of(plain)[0]:
        assert isinstance(is_doubtful(one), bool)
        assert all(isinstance(text, str) for text in remarks(one))
        assert model_says(one["said"])


def said_of_trainings(plain: Any) -> None:
    for one in retrainings_of(plain)["retrainings"]:
        assert isinstance(outcome_words(one), str)
        assert step_words(one)
        assert isinstance(time_left(one), str)


def said_of_an_outcome(plain: Any) -> None:
    found = outcome_of(plain)
    differing(found)
    for check in (found["gate"] or {}).get("checks", ()):
        assert all("not measured" not in said for said in check_numbers(check)), check
        assert isinstance(check_title(check), str)
        assert isinstance(is_main(check), bool)


def said_of_an_upload(plain: Any) -> None:
    found = upload_of(plain)
    if found["job"] and found["job"]["result"]:
        assert found_in(found["job"]["result"])


READ: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "summary": (lambda: taught().contributions_summary(), summary_of),
    "contributions": (lambda: taught().contributions({"state": "waiting"}), said_of_contributions),
    "trainings": (lambda: taught().retrainings(), said_of_trainings),
    "outcome": (lambda: taught().retraining("t0"), said_of_an_outcome),
    "upload": (upload_answer, said_of_an_upload),
    "decision": (
        lambda: {"changed": 2, "skipped": [{"id": "a", "why": "new"}]},
        lambda plain: decided(decision_of(plain), "accepted"),
    ),
    "labels": (lambda: [{"class_name": CURL, "display": "Okra"}], labels_of),
}


@pytest.mark.parametrize("name", READ)
def test_whatever_is_missing_or_of_another_type_is_left_out_or_refused_in_words(name: str) -> None:
    answer, read = READ[name]
    read(answer())
    read(with_more(answer()))
    for what, other in changed(answer()):
        error = refusal(lambda other=other: read(other))
        assert error is None or ("can be used" in error.message and error.hint), what


def test_what_is_not_known_here_is_not_said_to_be_something_else() -> None:
    assert outcome_words({"state": "superseded", "result": {}}) == "Superseded"
    assert outcome_words({"state": "done", "result": {"gate": {}}}) == "Ended"
    assert step_words({"state": "running", "progress": {"part": "distil_it"}}) == "Distil it."
    new = {"name": "fairness_of_farms", "passed": True, "value": 0.5, "limit": None, "said": "So."}
    assert check_title(new) == "Fairness of farms"
    outcome = taught().retraining("t0")
    del outcome["gate"]["passed"]
    assert outcome_of(outcome)["gate"] is None


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> Iterator[Errands]:
    monkeypatch.setattr(learner, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(learner, "LOOK_IDLE_S", 0.02)
    made = Errands()
    yield made
    made.close()


def refuse(error: Exception, _: Any) -> Any:
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotFoundError("Not Found (request 17)"), GONE),
        (ForbiddenError("the key opens predict only"), "Teaching wants a key with the scope admin."),
    ],
)
def test_a_server_that_cannot_be_taught_is_no_trouble_and_says_so_once(
    errands: Errands, error: Exception, said: str
) -> None:
    server, told = taught(), list[None]()
    one = Learner(server, errands, lambda: told.append(None))
    server.changes["summary"] = partial(refuse, error)
    until(errands, one.tick, lambda: one.refused)
    assert one.refused is not None
    assert (one.refused.message, one.trouble) == (said, None)
    for _ in range(20):
        one.tick()
        errands.settle()
    assert len(told) == 1  # it is not asked all the time
    del server.changes["summary"]
    one.look_soon()
    until(errands, one.tick, lambda: one.summary)
    assert one.refused is None


def test_a_page_that_leads_on_for_ever_ends(errands: Errands) -> None:
    server = taught()
    server.changes["contributions"] = lambda _: {"contributions": [], "next": "again"}
    one = Learner(server, errands, lambda: None)
    until(errands, one.tick, lambda: one.summary)
    server.changes.clear()
    one.list_again()
    until(errands, one.tick, lambda: len(one.contributions) == 1)


def test_what_is_given_to_a_server_that_learns_nothing_says_that(errands: Errands, tmp_path: Path) -> None:
    server = taught()
    server.changes["upload"] = partial(refuse, UsageError("The upload is empty"))
    folder = tmp_path / CURL
    folder.mkdir()
    (folder / "a.jpg").write_bytes(server.photograph("a"))
    sender = Sender(server, errands, tmp_path / "outbox", lambda: None)
    sender.give([tmp_path / CURL])
    until(errands, sender.tick, lambda: sender.sendings[0].stage == "failed")
    assert sender.sendings[0].trouble is not None
    assert sender.sendings[0].trouble.message == "The upload is empty"  # one that learns: it knows why
    server.changes["summary"] = partial(refuse, NotFoundError("Not Found"))
    sender.try_again()
    until(errands, sender.tick, lambda: sender.sendings[0].stage == "failed")
    assert sender.sendings[0].trouble.message == GONE


NOT_FOUND = ("application/problem+json", b'{"title": "Not Found", "status": 404, "detail": "Not Found"}')
Answers = dict[str, tuple[str, bytes]]


@pytest.fixture
def website() -> Iterator[Callable[[Answers], str]]:
    """Some web server: its address, when told what it answers by path; ``*`` is every other path."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(answers: Answers) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                kind, body = answers.get(path) or answers.get("*") or NOT_FOUND
                self.send_response(200 if path in answers or "*" in answers else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()


def as_json(plain: Any) -> tuple[str, bytes]:
    return "application/json", json.dumps(plain).encode()


@pytest.mark.parametrize(
    "answer",
    [
        ("text/html; charset=utf-8", b"<html><title>Our farm</title></html>"), ("application/json", b"{}"),
        ("application/json", b"[1, 2]"), ("application/json", b"{"), ("application/json", b"null"),
        as_json({"id": 7, "name": []}), ("", b""),
    ],
)  # fmt: skip
def test_a_page_that_is_no_leafsight_is_refused_in_two_sentences(
    website: Callable[[Answers], str], answer: tuple[str, bytes]
) -> None:
    with pytest.raises(RemoteError) as caught:
        tried(Server(website({"*": answer})))
    assert caught.value.message
    assert caught.value.hint


MODEL = {"id": "a" * 64, "name": "leaves", "classes": 3, "labels": [], "of_tomorrow": 1}


@pytest.mark.parametrize(
    ("more", "version", "teaches"),
    [
        ({}, "", False),
        ({"/healthz": as_json({"status": "alive", "version": "9.1.0"})}, "9.1.0", False),
        ({"/healthz": as_json({"version": 9})}, "", False),
        ({"/v1/contributions/summary": as_json({"by_state": {}})}, "", False),
        ({"/v1/contributions/summary": as_json({"states": {"waiting": 1, "new": 2}})}, "", True),
    ],
)
def test_a_server_of_another_version_diagnoses_and_says_which_version_it_is(
    website: Callable[[Answers], str], more: Answers, version: str, teaches: bool
) -> None:
    found = tried(Server(website({"/v1/models/serving": as_json(MODEL), **more})))
    assert (found["model"], found["version"], found["teaches"]) == ("leaves", version, teaches)
    if not teaches and "/v1/contributions/summary" not in more:
        assert found["why_not"] == GONE


def described() -> dict[str, Any]:
    """A model with everything that is read of one."""
    measures = {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}, "mean_set_size": 1.2}
    report = {"name": "all", "photos": 100, "metrics": measures}
    rust = {"class_name": CURL, "key": "okra/curl", "display": "Okra: curl", "crop": "okra", "is_leaf": True}
    result = {"name": CURL, "photos": 9, "recall": {"value": 0.5}, "precision": 0.5, "answered": 4}
    last = {"parent": "b" * 64, "path": "quick", "contributions": {"train": {CURL: 3}},
            "classes_added": [CURL], "classes_removed": [], "snapshot": "c" * 64, "job": "t0"}  # fmt: skip
    return {
        "id": "a" * 64, "name": "leaves", "aliases": ["serving"], "serving": True, "classes": 1, "bytes": 10,
        "created_at": 1, "card": "# leaves", "labels": [rust],
        "metrics": {
            "test": {"overall": report, "domains": [report], "per_class": [result],
                     "confused": [{"true": CURL, "answer": "x", "photos": 2, "share": 0.2}]},
            "abroad": {"field": {"overall": report}},
        },
        "provenance": {
            "retraining": last, "lineage": [last], "seed": 3, "recipe": "r", "sources": ["a", {"name": "b"}],
            "run": {"duration_s": 4, "versions": {"numpy": "2"}}, "photographs": {"train": 3},
            "export": {"precision": {"precision": "int8"}}, "data_fingerprint": "d",
        },
    }  # fmt: skip


FEW = (None, 10**30, "another_word", ["x"], {"x": 1})


def test_whatever_is_said_of_a_model_has_words_or_is_refused() -> None:
    same = ModelDescription.model_validate(described())
    for what, other in [("more", with_more(described())), *changed(described(), FEW)]:
        if refusal(lambda other=other: fitted(ModelDescription, other, "the answer")) is not None:
            continue
        model = fitted(ModelDescription, other, "the answer")
        said = [*provenance(model), *lineage(model), ("", can_name(model)), ("", doubts(model))]
        said += [("", one.said()) for one in mix_ups(model)]
        assert all(isinstance(text, str) for pair in said for text in pair), what
        for group in groups_of(model):
            assert all(with_interval(measured(group, one.key), one.kind) for one in MEASURES), what
        assert all(isinstance(one.name, str) for one in by_class(model)), what
        assert comparison(same, model), what
        assert class_differences(model, same), what
