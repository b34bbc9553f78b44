"""All checks at once: order, limits, what breaks, and what is never shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from leafsight.doctor import Check, Finding, examine, password_in, verdict_of
from leafsight.doctor.findings import of_error
from leafsight.errors import MissingExtraError, StateBusyError


def fine(name: str) -> Check:
    return Check((name,), lambda: [Finding(f"{name}.works", "ok", "it works")])


def test_findings_come_in_the_order_of_the_checks_whoever_is_quicker() -> None:
    def slow() -> list[Finding]:
        time.sleep(0.2)
        return [Finding("slow.works", "ok", "yes")]

    found = examine([Check(("slow",), slow), fine("quick")], timeout_s=5)
    assert [one.name for one in found] == ["slow.works", "quick.works"]


def test_groups_that_several_checks_share_stand_together() -> None:
    def both() -> Iterator[Finding]:
        yield Finding("one.works", "ok", "")
        yield Finding("clock.one", "ok", "")

    checks = [
        Check(("one", "clock"), both),
        fine("two"),
        Check(("clock",), lambda: [Finding("clock.here", "ok", "")]),
    ]
    names = [one.name for one in examine(checks, timeout_s=5)]
    assert names == ["one.works", "two.works", "clock.one", "clock.here"]


def test_a_check_that_crashes_is_a_finding_and_stops_no_other() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("broken.first", "ok", "this was fine")
        raise ZeroDivisionError("postgresql://ann:secret@db")

    found = examine([Check(("broken",), broken), fine("other")], timeout_s=5)
    assert [(one.name, one.state) for one in found] == [
        ("broken.first", "ok"), ("broken.check", "fail"), ("other.works", "ok"),
    ]  # fmt: skip
    assert "ZeroDivisionError" in found[1].said
    assert "bug of ours" in found[1].said
    assert "secret" not in found[1].said


def test_a_library_that_is_missing_is_named_with_what_to_do() -> None:
    def lacking() -> list[Finding]:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    [one] = examine([Check(("model",), lacking)], timeout_s=5)
    assert (one.state, one.said) == ("fail", "the library numpy is missing")
    assert one.todo.startswith("pip install")


def test_what_hangs_is_left_behind_and_what_it_said_before_is_kept() -> None:
    release = threading.Event()

    def hanging() -> Iterator[Finding]:
        yield Finding("hanging.first", "ok", "so far")
        release.wait(30)

    started = time.monotonic()
    found = examine([Check(("hanging",), hanging), fine("other")], timeout_s=0.4)
    release.set()
    assert time.monotonic() - started < 3
    assert [one.name for one in found] == ["hanging.first", "hanging.check", "other.works"]
    assert (found[1].state, found[1].said) == ("fail", "no answer within 0.4 s")
    assert "--timeout-s" in found[1].todo


def test_only_some() -> None:
    checks = [
        Check(("a",), lambda: [Finding("a.x", "ok", ""), Finding("a.y", "ok", "")]),
        fine("b"),
        fine("c"),
    ]
    assert [one.name for one in examine(checks, timeout_s=5, only=["a.y", "c"])] == ["a.y", "c.works"]


@pytest.mark.parametrize(
    ("said", "secrets", "shown"),
    [
        ("postgresql://ann:hunter2@db/x is away", (), "postgresql://ann:***@db/x is away"),
        ("postgresql://ann@db/x is away", (), "postgresql://ann@db/x is away"),
        ("the key is hunter22", ("hunter22",), "the key is (hidden)"),
        ("leafsight db migrate", ("leafsight",), "leafsight db migrate"),
        ("https://x/?token=abc&a=1", (), "https://x/?token=(hidden)&a=1"),
        ("sent ls_0123456789abcdef_0123456789abcdef", (), "sent (hidden)"),
    ],
)
def test_no_finding_shows_a_secret(said: str, secrets: tuple[str, ...], shown: str) -> None:
    check = Check(("a",), lambda: [Finding("a.x", "fail", said, said)])
    [one] = examine([check], timeout_s=5, secrets=secrets)
    assert (one.said, one.todo) == (shown, shown)


def test_passwords_in_addresses() -> None:
    assert set(password_in("postgresql://ann:se%40cret@db/x")) == {"se%40cret", "se@cret"}
    assert set(password_in("postgresql://ann@/x?host=/run&password=hidden1")) == {"hidden1"}
    assert password_in("sqlite:////var/lib/leafsight.db") == ()


def test_the_verdict_names_the_first_of_the_worst() -> None:
    found = [
        Finding("a.x", "warn", "", "later"), Finding("b.x", "ok", ""), Finding("c.x", "fail", "", "first"),
        Finding("d.x", "fail", "", "second"), Finding("e.x", "skipped", ""),
    ]  # fmt: skip
    verdict = verdict_of(found)
    assert verdict.first == found[2]
    assert (verdict.fails, verdict.warns) == (True, True)
    assert verdict.counts == {"fail": 2, "warn": 1, "skipped": 1, "ok": 1}
    assert verdict_of([found[1]]).first is None


def test_what_errors_become() -> None:
    missing = MissingExtraError("sqlalchemy", "serve")
    assert of_error("a.x", missing).state == "fail"
    assert of_error("a.x", missing, wanted=False).state == "skipped"
    assert "leafsight[serve]" in of_error("a.x", missing, wanted=False).todo
    assert of_error("a.x", StateBusyError("away", hint="again"), busy="start it").todo == "start it"
