"""The tab of those who run the service, in a real browser before a real service."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.web.audit import width_faults
from tests.web.harness import RunningPage, make_key
from tests.web.looking import LONG_MS, LOOKS, expect, look_as, looks_until
from tests.web.made_history import write_history

REFUSED = r"Failed to load resource"
ROUND_MS = 5000
"""From one look to the next; the page looks for what was diagnosed each second time."""


def predict(here: RunningPage, colour: tuple[int, int, int] = RED, key: str = "") -> dict[str, Any]:
    """Ask the service as a program does."""
    headers = {"content-type": "image/jpeg", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(f"{here.url}/v1/predict", picture_bytes(colour), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer)["predictions"][0])


def visit(page: Any, here: RunningPage) -> None:
    page.goto(f"{here.url}/#operation")
    page.get_by_role("heading", name="Health").wait_for()


def give_key(page: Any, key: str) -> None:
    field = page.get_by_role("dialog").get_by_role("textbox")
    expect(field).to_be_focused()
    field.fill(key)
    field.press("Enter")


@pytest.fixture(scope="module")
def busy_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service with some days behind it, and a load of some seconds."""
    here = serve_page(colour_model)
    write_history(here.folder, predict(here)["model_hash"])
    for at in range(30):
        predict(here, (RED, GREEN, BLUE)[at % 3])
    return here


@pytest.fixture(scope="module")
def fresh_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service that nobody asked anything yet."""
    return serve_page(colour_model)


def test_load_verdicts_corrections_and_drift_are_told(page: Any, busy_page: RunningPage) -> None:
    visit(page, busy_page)
    page.get_by_text("Drift: more changed than chance makes, namely").wait_for()
    page.get_by_text("People said right 4 of 6 times in the last 30 days.").wait_for()
    expect(page.locator("svg rect.kind-diagnosis").nth(5)).to_be_attached()
    for summary in ("The numbers", "Conditions that were named", "Processes"):
        page.get_by_text(summary, exact=True).click()
    verdicts = page.get_by_role("row").filter(has_text="Verdicts")
    expect(verdicts.get_by_text("changed", exact=True)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Apple: scab").first).to_be_visible()


def test_before_the_first_photograph_and_the_way_of_one(
    page: Any, fresh_page: RunningPage, screenshot: Any
) -> None:
    """Nothing yet; then one is diagnosed, seen, corrected, and the correction is seen."""
    page.clock.install()
    visit(page, fresh_page)
    expect(page.get_by_text("No photograph was diagnosed yet.").filter(visible=True)).to_have_count(2)
    expect(page.get_by_text("Nobody said yet whether a diagnosis was right.")).to_be_visible()
    no_drift = page.get_by_text("There is no earlier time of this model")
    expect(no_drift.or_(page.get_by_text("Too few photographs"))).to_be_visible()
    screenshot(page, "operation-empty")
    said = predict(fresh_page)
    row = page.get_by_role("row").filter(has_text=said["display"])
    opens = row.get_by_role("button", name=f"{said['display']}, details of photo")
    looks_until(page, opens, ROUND_MS)
    opens.click()
    window = page.get_by_role("dialog")
    window.get_by_text(said["id"]).wait_for()
    window.get_by_role("combobox").select_option("apple/healthy")
    window.get_by_role("button", name="Wrong", exact=True).click()
    window.get_by_text("Wrong: Apple: healthy").wait_for()
    screenshot(page, "operation-details", full_page=False)
    window.get_by_role("button", name="Close").click()
    looks_until(page, page.get_by_text("People said right 0 of 1 times in the last 30 days."), ROUND_MS)
    expect(page.get_by_role("row").filter(has_text="Wrong: Apple: healthy")).to_be_visible()
    expect(opens).to_be_focused()  # the keyboard's place is kept


def test_pausing_ends_the_asking(page: Any, busy_page: RunningPage) -> None:
    page.clock.install()
    visit(page, busy_page)
    pause = page.get_by_role("button", name="Pause")
    with page.expect_response("**/v1/load"):  # it asks again by itself
        page.clock.fast_forward(ROUND_MS)
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(12 * ROUND_MS)
    with page.expect_response("**/healthz"):  # what was asked before it is known by now
        page.evaluate("fetch('/healthz')")
    assert not [url for url in asked if "/v1/load" in url]
    with page.expect_request("**/v1/load"):
        pause.click()


def test_after_a_correction_the_counts_are_looked_at_twice(page: Any, busy_page: RunningPage) -> None:
    """The first time the server may still tell what it counted before."""
    page.clock.install()
    page.route("**/correction", lambda route: route.fulfill(json={}))
    visit(page, busy_page)
    page.get_by_role("button", name=re.compile("details of photo")).first.click()
    window = page.get_by_role("dialog")
    window.get_by_role("button", name="Right", exact=True).click()
    expect(window.get_by_role("button", name="Right", exact=True)).to_be_enabled()
    looks = 0

    def count(request: Any) -> None:
        nonlocal looks
        looks += "/v1/load" in request.url

    page.on("request", count)
    with page.expect_event("requestfinished", lambda one: "/v1/insight" in one.url):
        window.get_by_role("button", name="Close").click()
    with page.expect_request("**/v1/insight*"):
        page.clock.fast_forward(ROUND_MS)
    assert looks == 2


def test_no_right_to_look_is_no_error(page: Any, keyed_page: RunningPage) -> None:
    page.allow(REFUSED)
    page.goto(f"{keyed_page.url}/#operation")
    give_key(page, make_key(keyed_page.folder, "predict"))
    page.get_by_text("You may not see the figures of this service.").wait_for()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_on_another_side_it_says_where(
    page: Any, serve_page: Callable[..., RunningPage], colour_model: Path, free_port: int
) -> None:
    here = serve_page(colour_model, "--admin-port", str(free_port))
    page.allow(REFUSED)
    page.goto(f"{here.url}/#operation")
    page.get_by_text("The figures of this service are shown on its admin side.").wait_for()
    page.goto(f"http://127.0.0.1:{free_port}/#operation")
    page.get_by_role("heading", name="Health").wait_for()


def test_a_server_that_is_lost_keeps_what_was_shown(
    page: Any, serve_page: Callable[..., RunningPage], colour_model: Path
) -> None:
    here = serve_page(colour_model)
    page.clock.install()
    visit(page, here)
    page.allow(REFUSED, "failed: ")
    here.service.end()
    page.clock.fast_forward(ROUND_MS)
    page.get_by_text("the server cannot be reached").first.wait_for()
    expect(page.get_by_role("heading", name="Health")).to_be_visible()


def test_the_line_charts_have_points_and_a_table(page: Any, busy_page: RunningPage) -> None:
    """Two looks are ten seconds apart; the service began to look when it started, some tests ago."""
    visit(page, busy_page)
    chart = page.get_by_role("group", name="Time to a diagnosis")
    chart.locator(".chart-drawing .line-2").first.wait_for(state="attached", timeout=LONG_MS)
    chart.get_by_text("As a table").click()
    expect(chart.get_by_role("columnheader")).to_have_text(
        ["Time", "Half within", "95 % within", "99 % within"]
    )
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile("the most is"))


def test_it_fits(make_page: Callable[..., Any], busy_page: RunningPage, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    visit(page, busy_page)
    page.locator(".chart-drawing .line-2").first.wait_for(state="attached", timeout=LONG_MS)
    page.get_by_text("The numbers", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Verdicts")).to_be_visible()
    faults = {}
    for width, scheme in LOOKS:
        name = look_as(page, width, scheme)
        faults[name] = width_faults(page)
        screenshot(page, f"operation-{name}")
    assert faults == {name: [] for name in faults}


@pytest.fixture
def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
