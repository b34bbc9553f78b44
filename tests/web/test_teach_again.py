"""Tab Teach in a real browser: what could not be looked into is looked into again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.pictures import picture_bytes
from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.looking import LOOKS, at_rest, expect, looks_until, says

from leafsight.state import JobRecord, UploadRecord, new_id, open_blobs, open_state

LOOK_MS = 1500
"""From one look at what became of the uploads to the next."""
ERROR = {"type": "disk-full", "status": 507, "message": "no space left", "hint": "free some space"}


@pytest.fixture
def failed(untaught_page: RunningPage) -> RunningPage:
    """A service that was sent a photograph while its disk was full."""
    where, one = untaught_page, new_id()
    body = picture_bytes()
    open_blobs(str(where.folder / "blobs")).put(f"uploads/{one}.jpg", body)
    with open_state(f"sqlite:///{where.folder / 'leafsight.db'}") as state:
        now_ms = state.now()
        state.uploads.add(
            UploadRecord(
                id=one, created_ms=now_ms, name=f"{one}.jpg", bytes=len(body), sha256="a" * 64,
                media_type="image/jpeg", label="tomato/rust", blob=f"uploads/{one}.jpg", state="waiting",
            ),
            JobRecord(
                id=one, kind="check-upload", state="failed", created_ms=now_ms, updated_ms=now_ms,
                error=ERROR, request={"upload": one, "key": None},
            ),
        )  # fmt: skip
    return where


def opened(page: Any, where: RunningPage) -> Any:
    page.clock.install()
    page.goto(f"{where.url}/#teach")
    row = page.locator(".teach-upload").first
    says(row, "Could not be looked into", "No space left. Free some space.", "What was sent is kept.")
    return row


def test_a_failed_look_is_made_up_for(page: Any, failed: RunningPage) -> None:
    row = opened(page, failed)
    row.get_by_role("button", name="Check again").click()
    looks_until(page, page.locator(".teach-state").get_by_text("Looked into", exact=True), LOOK_MS)
    says(row, "It can be used.")
    expect(row.get_by_role("button", name="Check again")).to_have_count(0)


def test_what_does_not_work_is_said_and_can_be_tried_again(page: Any, failed: RunningPage) -> None:
    row = opened(page, failed)
    page.allow("Failed to load resource", "Failed to fetch", "ERR_FAILED", "net::")
    button = row.get_by_role("button", name="Check again")
    page.route("**/check", lambda route: route.fulfill(status=500, body="{}"))
    button.click()
    page.locator(".teach-sent [role=alert]").first.wait_for()
    page.unroute("**/check")
    button.click()
    looks_until(page, page.locator(".teach-state").get_by_text("Looked into", exact=True), LOOK_MS)
    expect(page.locator(".teach-sent [role=alert]")).to_have_count(0)


def test_it_can_be_read_everywhere(
    make_page: Callable[..., Any], failed: RunningPage, screenshot: Any
) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    opened(page, failed)
    at_rest(page)
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"teach-again-{look}")) == {}
