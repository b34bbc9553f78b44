"""Problem documents, and errors that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leafsight import errors
from leafsight.client.problems import PROBLEM, error_of
from leafsight.client.replies import Reply
from leafsight.errors import LeafsightError, RemoteError


def problem(status: int, document: Any, **headers: str) -> LeafsightError:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return error_of(Reply(status, {"content-type": PROBLEM, **headers}, body), now_s=0.0)


TREE = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, LeafsightError)]


@pytest.mark.parametrize(
    "kind", [one for one in TREE if 400 <= one.http_status < 500], ids=lambda one: one.slug
)
def test_every_error_that_a_caller_can_cause_comes_back_as_itself(kind: type[LeafsightError]) -> None:
    slug = f"https://leafsight.example/problems/{kind.slug}"
    found = problem(kind.http_status, {"type": slug, "detail": "what", "hint": "do", "request_id": "r"})
    assert type(found) is kind
    assert (found.message, found.hint) == ("what (request r)", "do")


@pytest.mark.parametrize("slug", ["internal", "disk-full", "bundle", "missing-extra", "training", "storage"])
def test_a_trouble_inside_the_server_is_a_trouble_with_the_server(slug: str) -> None:
    found = problem(500, {"type": f"x/{slug}", "detail": "what", "hint": "do"})
    assert type(found) is RemoteError
    assert (found.message, found.hint) == ("what", "do")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.UsageError), (401, errors.AuthenticationError), (403, errors.ForbiddenError),
        (404, errors.NotFoundError), (409, errors.ConflictError), (413, errors.RequestTooLargeError),
        (422, errors.UsageError), (429, errors.RateLimitError), (503, errors.OverloadError),
        (405, RemoteError), (408, RemoteError), (418, RemoteError), (500, RemoteError),
    ],
)  # fmt: skip
def test_a_slug_of_the_future_is_known_by_its_status(status: int, kind: type[LeafsightError]) -> None:
    assert type(problem(status, {"type": "x/of-the-future", "detail": "what"})) is kind
    assert type(problem(status, {"type": "about:blank", "title": "What"})) is kind


def test_wrong_fields_are_listed() -> None:
    faults = [{"where": "query.top", "message": "too large"}, {"loc": "b", "msg": "c"}, 7, {}]
    found = problem(422, {"type": "x/validation", "detail": "2 parts are wrong", "errors": faults})
    assert found.message == "2 parts are wrong: query.top: too large; b: c; 7; {}"


def test_the_request_id_of_the_header_does_as_well() -> None:
    headers = {"x-request-id": "abc"}
    assert problem(404, {"detail": "what"}, **headers).message == "what (request abc)"


def test_long_texts_are_cut() -> None:
    found = problem(404, {"detail": "x" * 100_000, "hint": "y" * 100_000, "request_id": "z" * 100_000})
    assert len(found.message) < 3000
    assert len(found.hint) < 3000


@settings(max_examples=40)
@given(
    status=st.integers(300, 599),
    document=st.dictionaries(
        st.sampled_from(["type", "title", "status", "detail", "hint", "request_id", "errors"]),
        st.none() | st.text(max_size=10) | st.integers() | st.lists(st.text(max_size=5), max_size=3),
    )
    | st.binary(max_size=30),
    kind=st.sampled_from([PROBLEM, "application/json", "text/html", "", "\x1b"]),
)
def test_any_document_becomes_an_error_that_can_be_shown(status: int, document: Any, kind: str) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    found = error_of(Reply(status, {"content-type": kind, "location": "\x1b[2J"}, body), now_s=0.0)
    assert isinstance(found, LeafsightError)
    assert found.message.isprintable()
    assert found.hint.isprintable()
