"""Waiting for a database that is just starting."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.small_world import leafsight

from leafsight.cli.waiting import patiently
from leafsight.errors import StateBusyError, StateError


class Time:
    """A clock that moves when somebody sleeps."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def tried(answers: list[object], wait_s: float) -> tuple[object, int, list[str]]:
    """What came of it, how often it was tried, and what was said."""
    time, said, tries = Time(), list[str](), 0

    def work() -> object:
        nonlocal tries
        tries += 1
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    try:
        return patiently(work, wait_s, said.append, now=time, sleep=time.sleep), tries, said
    except StateError as error:
        return error, tries, said


def test_it_is_tried_until_it_answers_and_said_once() -> None:
    busy = StateBusyError("away", hint="later")
    assert tried([busy, busy, "there"], 60) == ("there", 3, ["waiting: away"])


def test_without_patience_it_is_tried_once() -> None:
    found, tries, said = tried([StateBusyError("away", hint="later")], 0)
    assert isinstance(found, StateBusyError)
    assert (tries, said) == (1, [])


def test_it_is_given_up_in_time() -> None:
    found, tries, _ = tried([StateBusyError("away", hint="later")] * 100, 5)
    assert isinstance(found, StateBusyError)
    assert tries == 6


def test_what_does_not_pass_is_not_waited_for() -> None:
    found, tries, _ = tried([StateError("wrong password", hint="")], 60)
    assert (str(found), tries) == ("wrong password", 1)


def test_the_command_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.cli.waiting.EVERY_S", 0.1)
    told = leafsight("db", "migrate", "--database", "postgresql://a:b@127.0.0.1:1/x", "--wait", "3")
    assert told.code == 1
    assert told.err.startswith("waiting: the database postgresql://a:***@127.0.0.1:1/x does not answer")
