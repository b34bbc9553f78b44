"""The tab of those who run the service, in a real browser before a real service."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.web.harness import RunningPage, is_wider_than_window
from tests.web.made_history import write_history

from leafsight.state import open_state

REFUSED = r"Failed to load resource"


def predict(here: RunningPage, colour: tuple[int, int, int] = RED, key: str = "") -> dict[str, Any]:
    """Ask the service as a program does."""
    headers = {"content-type": "image/jpeg", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(f"{here.url}/v1/predict", picture_bytes(colour), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer)["predictions"][0])


def key_with(folder: Path, *scopes: str) -> str:
    with open_state(f"sqlite:///{folder / 'leafsight.db'}") as state:
        return state.keys.make("test", scopes)[1]


def visit(page: Any, here: RunningPage) -> None:
    page.goto(f"{here.url}/#operation")
    page.get_by_role("heading", name="Health").wait_for()


def give_key(page: Any, key: str) -> None:
    page.get_by_role("dialog").get_by_role("textbox").fill(key)
    page.get_by_role("dialog").get_by_role("textbox").press("Enter")


@pytest.fixture(scope="module")
def fresh_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service that nobody asked anything yet."""
    return serve_page(colour_model)


def test_before_the_first_photograph_and_the_way_of_one(
    page: Any, fresh_page: RunningPage, screenshot: Any
) -> None:
    """Nothing yet; then one is diagnosed, seen, corrected, and the correction is seen."""
    visit(page, fresh_page)
    assert page.get_by_text("No photograph was diagnosed yet.").count() >= 2
    assert page.get_by_text("Nobody said yet whether a diagnosis was right.").is_visible()
    assert (
        page.get_by_text("There is no earlier time of this model")
        .or_(page.get_by_text("Too few photographs"))
        .is_visible()
    )
    screenshot(page, "operation-empty")
    said = predict(fresh_page)
    row = page.get_by_role("row").filter(has_text=said["display"])
    row.get_by_role("button", name=f"{said['display']}, details of photo").click(timeout=30_000)
    window = page.get_by_role("dialog")
    window.get_by_text(said["id"]).wait_for()
    window.get_by_role("combobox").select_option("apple/healthy")
    window.get_by_role("button", name="Wrong", exact=True).click()
    window.get_by_text("Wrong: Apple: healthy").wait_for()
    screenshot(page, "operation-details", full_page=False)
    window.get_by_role("button", name="Close").click()
    page.get_by_text("People said right 0 of 1 times in the last 30 days.").wait_for(timeout=30_000)
    assert page.get_by_role("row").filter(has_text="Wrong: Apple: healthy").is_visible()
    # the keyboard's place is kept
    assert page.evaluate("document.activeElement.textContent") == said["display"]


@pytest.fixture(scope="module")
def busy_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service with some days behind it, and a load of some seconds."""
    here = serve_page(colour_model)
    write_history(here.folder, predict(here)["model_hash"])
    for at in range(30):
        predict(here, (RED, GREEN, BLUE)[at % 3])
    return here


def test_load_verdicts_corrections_and_drift_are_told(page: Any, busy_page: RunningPage) -> None:
    visit(page, busy_page)
    page.get_by_text("Drift: more changed than chance makes, namely").wait_for()
    page.get_by_text("People said right 4 of 6 times in the last 30 days.").wait_for()
    assert page.locator("svg rect.kind-diagnosis").count() > 5
    for summary in ("The numbers", "Conditions that were named", "Processes"):
        page.get_by_text(summary, exact=True).click()
    assert page.get_by_role("row").filter(has_text="Verdicts").get_by_text("changed", exact=True).is_visible()
    assert page.get_by_role("row").filter(has_text="Apple: scab").first.is_visible()


def test_the_line_charts_have_points_and_a_table(page: Any, busy_page: RunningPage) -> None:
    """Two looks are ten seconds apart; the service began to look when it started."""
    visit(page, busy_page)
    chart = page.get_by_role("group", name="Time to a diagnosis")
    chart.locator(".chart-drawing .line-2").first.wait_for(state="attached", timeout=60_000)
    chart.get_by_text("As a table").click()
    assert chart.get_by_role("columnheader").all_inner_texts() == [
        "Time",
        "Half within",
        "95 % within",
        "99 % within",
    ]
    assert "the most is" in str(chart.get_by_role("img").get_attribute("aria-label"))


def test_pausing_ends_the_asking(page: Any, busy_page: RunningPage) -> None:
    visit(page, busy_page)
    asked: list[str] = []
    page.get_by_role("button", name="Pause").click()
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert not [url for url in asked if "/v1/load" in url]
    with page.expect_request("**/v1/load"):
        page.get_by_role("button", name="Pause").click()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"), (320, "light")]
)
def test_it_fits(
    make_page: Callable[..., Any], busy_page: RunningPage, screenshot: Any, width: int, scheme: str
) -> None:
    page = make_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit(page, busy_page)
    page.locator(".chart-drawing .line-2").first.wait_for(state="attached", timeout=60_000)
    page.get_by_text("The numbers", exact=True).click()
    assert not is_wider_than_window(page)
    screenshot(page, f"operation-{width}-{scheme}")


def test_no_right_to_look_is_no_error(
    page: Any, serve_page: Callable[..., RunningPage], colour_model: Path
) -> None:
    here = serve_page(colour_model, prepare=lambda folder: key_with(folder, "predict"))
    page.allow(REFUSED)
    page.goto(f"{here.url}/#operation")
    give_key(page, here.key)
    page.get_by_text("You may not see the figures of this service.").wait_for()
    assert page.get_by_role("alert").count() == 0


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
    visit(page, here)
    page.allow(REFUSED, "failed: ")
    here.service.end()
    page.get_by_text("the server cannot be reached").first.wait_for(timeout=30_000)
    assert page.get_by_role("heading", name="Health").is_visible()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
