"""The tab Diagnose when not all is well: refusals, a lost server, hundreds of photographs, small windows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.looking import LOOKS, expect, next_frame, says
from tests.web.photographing import NO_LEAF, as_file, choose, diagnose, opened, photograph, row, tallied

REFUSED = r"Failed to load resource.*(429|503|413|422)"
LOST = (r"Failed to load resource.*ERR_", r"failed: POST .*")


def problem(status: int, detail: str, **headers: str) -> dict[str, Any]:
    said = {
        "type": "x/y",
        "title": "t",
        "status": status,
        "detail": detail,
        "hint": "wait",
        "request_id": "r",
    }
    return {
        "status": status, "body": json.dumps(said),
        "headers": {"content-type": "application/problem+json", **headers},
    }  # fmt: skip


def refuse_first(page: Any, times: int, answer: dict[str, Any]) -> list[str]:
    """The first so many requests for a diagnosis get this answer; the idempotency keys of all of them."""
    keys: list[str] = []

    def handle(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) <= times:
            route.fulfill(**answer)
        else:
            route.continue_()

    page.route("**/v1/predict*", handle)
    return keys


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(page: Any, running_page: RunningPage, status: int) -> None:
    page.allow(REFUSED)
    opened(page, running_page)
    keys = refuse_first(page, 5, problem(status, "busy", **{"retry-after": "0.05"}))
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    row(page, "leaf.jpg").get_by_role("heading", level=4, name="Scab of apple").wait_for()
    assert len(keys) == 6
    assert len(set(keys)) == 1, "sent again, it is the same request"


def test_an_allowance_that_is_used_up_stops_the_rest(page: Any, running_page: RunningPage) -> None:
    page.allow(REFUSED)
    opened(page, running_page)
    refuse_first(
        page, 2, problem(429, "the key 'a' may send 2 photographs a day", **{"retry-after": "40000"})
    )
    choose(page, *[as_file(f"{n}.jpg", photograph(RED, seed=n)) for n in range(12)])
    diagnose(page)
    page.get_by_text("may send 2 photographs a day").wait_for()
    expect(page.locator("li.photo-waiting")).to_have_count(12)  # the second one may still be refused
    page.get_by_role("button", name="Try again").click()
    page.locator("li.photo-answered").nth(11).wait_for()


def test_one_that_the_server_will_not_have_does_not_take_others_with_it(
    page: Any, running_page: RunningPage
) -> None:
    page.allow(REFUSED)

    def handle(route: Any) -> None:
        refused = b'filename="bad.jpg"' in route.request.post_data_buffer
        route.fulfill(**problem(413, "bad.jpg has too many bytes")) if refused else route.continue_()

    opened(page, running_page)
    page.route("**/v1/predict*", handle)
    choose(page, *[as_file(name, photograph(RED)) for name in ("a.jpg", "bad.jpg", "c.jpg")])
    diagnose(page)
    row(page, "a.jpg")
    row(page, "c.jpg")
    says(row(page, "bad.jpg", "failed"), "bad.jpg has too many bytes")
    page.unroute("**/v1/predict*")
    page.get_by_role("button", name="Try 1 photograph again").click()
    row(page, "bad.jpg")


def test_a_server_that_goes_in_the_middle_loses_nothing(page: Any, running_page: RunningPage) -> None:
    page.allow(*LOST)
    opened(page, running_page)
    seen: list[str] = []

    def handle(route: Any) -> None:
        seen.append(route.request.headers["idempotency-key"])
        route.abort("connectionreset") if len(seen) in (2, 3) else route.continue_()

    page.route("**/v1/predict*", handle)
    choose(page, *[as_file(f"{n}.jpg", photograph(RED, seed=n)) for n in range(12)])
    diagnose(page)
    # It goes on by itself when the server is there again.
    expect(page.locator("li.photo-answered")).to_have_count(12)
    tallied(page, "12 photographs: 12 diagnosed")
    assert len(seen) > 3
    assert len(set(seen)) == 3, "what was sent again had its old key"


def test_a_server_that_dies_for_good_is_said_and_answers_stay(
    page: Any, serve_page: Callable[..., RunningPage], colour_model: Path
) -> None:
    page.allow(*LOST, r"failed: GET .*")
    where = serve_page(colour_model)
    opened(page, where)
    choose(page, as_file("first.jpg", photograph(RED)))
    diagnose(page)
    row(page, "first.jpg")
    where.service.end()
    choose(page, as_file("second.jpg", photograph(RED)))
    diagnose(page)
    page.locator(".summary").get_by_text("the server cannot be reached").wait_for()
    expect(row(page, "first.jpg")).to_be_visible()
    expect(row(page, "second.jpg", "waiting")).to_be_visible()


def test_it_can_be_stopped_and_gone_on_with(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    held: list[Any] = []
    page.route("**/v1/predict*", lambda route: held.append(route))
    choose(page, *[as_file(f"{n}.jpg", photograph(RED, seed=n)) for n in range(10)])
    diagnose(page)
    page.locator("li.photo-sending").nth(7).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator("li.photo-stopped").nth(9).wait_for()
    tallied(page, "10 photographs: 10 not sent")
    assert len(held) == 2
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Try 10 photographs again").click()
    page.locator("li.photo-answered").nth(9).wait_for()


def test_a_file_that_went_away_is_said(page: Any, running_page: RunningPage, tmp_path: Path) -> None:
    page.allow(r"Failed to load resource", r"failed: GET blob:")
    for name in ("gone.jpg", "here.jpg"):
        (tmp_path / name).write_bytes(photograph(RED))
    opened(page, running_page)
    page.get_by_label("Photographs", exact=True).set_input_files(
        [tmp_path / "gone.jpg", tmp_path / "here.jpg"]
    )
    page.locator(".tray-send").wait_for()
    (tmp_path / "gone.jpg").unlink()
    diagnose(page)
    row(page, "here.jpg")
    says(row(page, "gone.jpg", "failed"), "gone.jpg cannot be read any more")


def test_three_hundred_photographs(page: Any, running_page: RunningPage, screenshot: Any) -> None:
    """All are answered, four in a request; no photograph is held open, and one can look at some of them."""
    opened(page, running_page)
    colours = (RED, GREEN, BLUE, NO_LEAF)
    choose(page, *[as_file(f"{n:03}.jpg", photograph(colours[n % 4], seed=n)) for n in range(300)])
    page.get_by_text("and 276 more photographs").wait_for()
    sent: list[int] = []
    page.on("request", lambda one: sent.append(1) if "/v1/predict" in one.url else None)
    diagnose(page)
    page.locator("li.photo-answered").nth(299).wait_for(timeout=120_000)
    page.get_by_text("300 photographs: 225 diagnosed, 75 not a leaf").wait_for()
    assert len(sent) == 75
    page.get_by_label("Show", exact=True).select_option(label="Not a leaf: 75")
    expect(page.locator("li.photo:visible")).to_have_count(75)
    screenshot(page, "diagnose-many", full_page=False)
    next_frame(page)
    expect(page.locator("img")).to_have_count(0)  # no photograph is held open


def test_at_most_so_many_of_one_plant(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    page.get_by_label("These show one plant").check()
    choose(page, *[as_file(f"{n}.jpg", photograph(RED, seed=n)) for n in range(33)])
    page.get_by_text("At most 32 photographs of one plant").wait_for()
    expect(page.locator(".tray-send")).to_be_disabled()
    page.get_by_role("button", name="Take 0.jpg away").click()
    expect(page.locator(".tray-send")).to_be_enabled()


def test_what_is_begun_before_the_conditions_come_is_not_lost(page: Any, running_page: RunningPage) -> None:
    """On a slow line the answer may be there first: a press on "No", and a fold that is read, stay."""
    held: list[Any] = []
    page.route("**/v1/conditions", lambda route: held.append(route))
    page.goto(f"{running_page.url}/#diagnose")
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_text("What this list promises").click()
    found.get_by_text("is not known for this model").wait_for()
    found.get_by_role("button", name="No", exact=True).click()
    assert held
    for route in held:
        route.continue_()
    expect(found.get_by_label("Search")).to_be_focused()
    expect(found.locator(".advice").first).to_be_visible()
    expect(found.get_by_text("is not known for this model")).to_be_visible()


def test_asked_again_it_shows_the_new_answer(page: Any, running_page: RunningPage) -> None:
    """The button that was pressed has the focus, and the answer around it is exchanged all the same."""
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    page.get_by_label("Crop").select_option(label="Tomato")
    again = found.get_by_role("button", name="Ask again with the choices above")
    again.focus()
    page.keyboard.press("Enter")
    found.get_by_text("Probabilities among the conditions of this crop").wait_for()
    expect(found.locator(".photo-open")).to_be_focused()


def test_how_it_looks(make_page: Callable[..., Any], builtin_page: RunningPage, screenshot: Any) -> None:
    """Readable, reachable, in order, at every width, in both themes; the built-in model on drawn leaves."""
    from tests.web.drawn_leaves import drawn_leaves

    page = make_page(viewport={"width": LOOKS[0][0], "height": 844})
    opened(page, builtin_page)

    def faults_when(state: str) -> dict[str, list[str]]:
        return faults_in_all_looks(
            page,
            lambda look: screenshot(page, f"diagnose-{look}-{state}"),
            looks=(*LOOKS, (320, "dark")),
            height=844,
            fingers_below_px=10_000,
        )

    choose(page, *drawn_leaves(5), as_file("zigzag.jpg", photograph(RED)[:200]))
    page.locator(".thumb-there").nth(4).wait_for()
    assert faults_when("ready") == {}
    diagnose(page)
    page.locator("li.photo-answered").nth(5).wait_for()
    expect(page.locator(".summary").get_by_role("button", name="Stop")).to_be_hidden()
    for one in range(2):
        page.locator("li.photo-answered .photo-open").nth(one).click()
        found = page.locator("li.photo-answered").nth(one)
        found.locator(".correction").wait_for(state="attached")
        found.get_by_role("button", name="Look closer").wait_for()  # the photograph is there
        found.locator(".heat-scale").or_(found.get_by_text("so there is no heatmap")).wait_for()
    page.get_by_role("button", name=re.compile("Say what it shows|No$")).first.click()
    page.get_by_label("Search").wait_for()
    assert faults_when("answered") == {}
