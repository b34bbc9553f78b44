"""The frame of the page: header, tabs, theme, key, lost server; and what holds for every tab."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.web.audit import contrast_faults, small_targets, structure_faults, width_faults
from tests.web.harness import RunningPage
from tests.web.looking import at_rest, expect, look_as, says

TABS = ("Diagnose", "Data", "Teach", "Models", "Operation")
TEXT = ("ink", "quiet", "accent", "good", "warn", "bad")
GROUNDS = ("paper", "card")
TINTS = {
    "good-tint": ("ink", "good"),
    "warn-tint": ("ink", "warn"),
    "bad-tint": ("ink", "bad"),
    "tint": ("ink", "accent"),
}
Make = Callable[..., Any]
Shoot = Callable[..., Path]
OPEN_FOLDS = """() => Promise.all([...document.querySelectorAll("details:not([open])")].map((fold) =>
  new Promise((drawn) => {
    fold.addEventListener("toggle", drawn, {once: true});
    fold.open = true;
  })))"""
"""What is in a fold may be drawn when it is opened."""
GO_TO = """(fragment) => new Promise((heard) => {
  addEventListener("hashchange", heard, {once: true});
  location.hash = fragment;
})"""
"""The page heard of it before: its own listener is older."""
RESOLVE = """(name) => {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found.match(/[\\d.]+/g).slice(0, 3).map(Number);
}"""


def opened(page: Any, where: RunningPage, tab: str = "") -> Any:
    """The page at a tab, when it is at rest."""
    page.goto(f"{where.url}/#{tab.lower()}" if tab else where.url)
    page.get_by_role("tab", name=tab or TABS[0], selected=True).wait_for()
    return at_rest(page)


def is_selected(page: Any, tab: str) -> None:
    """This tab is, and no other."""
    expect(page.get_by_role("tab", selected=True)).to_have_text([tab])


def test_it_opens_with_five_tabs_and_says_what_serves(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    expect(page.get_by_role("tab")).to_have_text(list(TABS))
    is_selected(page, "Diagnose")
    expect(page).to_have_title("Diagnose \u00b7 leafsight")
    expect(page.locator("#serving")).to_have_text(re.compile("^Model tiny "))
    says(page.get_by_role("contentinfo"), "remembered for 90 days")
    assert page.context.cookies() == []


def test_tabs_go_by_the_keyboard(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    page.get_by_role("tab", name="Diagnose").focus()
    presses = ("ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home")
    for key, tab in zip(presses, ("Data", "Operation", "Diagnose", "Operation", "Diagnose"), strict=True):
        page.keyboard.press(key)
        is_selected(page, tab)
        expect(page.get_by_role("tab", selected=True)).to_be_focused()
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", f"tab-{tab.lower()}")
    for stop, tab in zip((0, -1, -1, -1, -1), TABS, strict=True):
        expect(page.get_by_role("tab", name=tab)).to_have_js_property("tabIndex", stop)
    page.keyboard.press("Tab")
    expect(page.locator("#panel-diagnose")).to_be_focused()


def test_the_fragment_names_the_tab_and_back_goes_back(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page, "Models")
    is_selected(page, "Models")
    page.get_by_role("tab", name="Operation").click()
    expect(page).to_have_url(re.compile("#operation$"))
    is_selected(page, "Operation")
    page.go_back()
    is_selected(page, "Models")
    page.evaluate(GO_TO, "#data/anything")
    is_selected(page, "Data")
    page.evaluate(GO_TO, "#nowhere")
    is_selected(page, "Data")


def test_the_content_can_be_skipped_to(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page, "Models")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    is_selected(page, "Models")


def test_a_theme_is_remembered(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    button = page.get_by_role("button", name="Theme")
    light = page.evaluate(RESOLVE, "paper")
    for theme in ("light", "dark"):
        button.click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        expect(button).to_have_attribute("aria-label", f"Theme: {theme}")
    dark = page.evaluate(RESOLVE, "paper")
    assert dark != light
    page.reload()
    assert page.evaluate(RESOLVE, "paper") == dark  # before anything of the page is drawn
    page.get_by_role("button", name="Theme: dark").click()
    page.get_by_role("button", name="Theme: as the system").wait_for()
    expect(page.locator("html[data-theme]")).to_have_count(0)
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(make_page: Make, running_page: RunningPage, scheme: str) -> None:
    page = opened(make_page(color_scheme=scheme), running_page)
    texts = [*itertools.product(TEXT, GROUNDS), ("on-accent", "accent")]
    texts += [(text, tint) for tint, words in TINTS.items() for text in words]
    shapes = [*itertools.product(("edge", "accent"), GROUNDS), ("accent", "line"), ("edge", "tint")]
    colours = {name: page.evaluate(RESOLVE, name) for pair in texts + shapes for name in pair}
    found = {(a, b): ratio(colours[a], colours[b]) for a, b in texts + shapes}
    assert {pair: found[pair] for pair in texts if found[pair] < 4.5} == {}
    assert {pair: found[pair] for pair in shapes if found[pair] < 3} == {}


def test_the_chosen_dark_is_the_systems_dark(make_page: Make, running_page: RunningPage) -> None:
    """The tokens of dark stand twice in the stylesheet: they must not drift apart."""
    names = (*TEXT, *GROUNDS, *TINTS, "line", "edge", "on-accent")
    system = opened(make_page(color_scheme="dark"), running_page)
    chosen = opened(make_page(color_scheme="light"), running_page)
    chosen.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert [chosen.evaluate(RESOLVE, name) for name in names] == [
        system.evaluate(RESOLVE, name) for name in names
    ]


@pytest.mark.parametrize("tab", TABS)
def test_all_text_can_be_read(page: Any, builtin_page: RunningPage, screenshot: Shoot, tab: str) -> None:
    opened(page, builtin_page, tab)
    page.evaluate(OPEN_FOLDS)
    faults = {}
    for scheme in ("light", "dark"):
        name = look_as(page, 1280, scheme)
        screenshot(page, f"{tab.lower()}-{name}")
        faults[name] = contrast_faults(page)
    assert faults == {name: [] for name in faults}


@pytest.mark.parametrize("tab", TABS)
def test_everything_has_a_name_and_a_place(page: Any, builtin_page: RunningPage, tab: str) -> None:
    opened(page, builtin_page, tab)
    page.evaluate(OPEN_FOLDS)
    assert structure_faults(page) == []


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_is_wide_enough(
    make_page: Make,
    builtin_page: RunningPage,
    screenshot: Shoot,
    tab: str,
    width: int,
) -> None:
    page = opened(
        make_page(viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True), builtin_page, tab
    )
    page.evaluate(OPEN_FOLDS)
    screenshot(page, f"{tab.lower()}-{width}")
    assert width_faults(page) == []
    assert small_targets(page) == []
    box = page.get_by_role("tab", selected=True).bounding_box()
    assert box["x"] >= -1, "the tab that is open is not seen"
    assert box["x"] + box["width"] <= width + 1, "the tab that is open is not seen"


def test_forced_colours_and_less_motion(
    make_page: Make, running_page: RunningPage, screenshot: Shoot
) -> None:
    page = opened(make_page(forced_colors="active", reduced_motion="reduce"), running_page, "Models")
    screenshot(page, "forced-colours")
    chosen = page.get_by_role("tab", selected=True).evaluate("(e) => getComputedStyle(e).borderBottomColor")
    other = page.get_by_role("tab", name="Data").evaluate("(e) => getComputedStyle(e).borderBottomColor")
    assert chosen != other
    page.evaluate("document.body.append(Object.assign(document.createElement('i'), {className: 'spinner'}))")
    assert (
        float(
            page.locator(".spinner").last.evaluate("(e) => parseFloat(getComputedStyle(e).animationDuration)")
        )
        < 0.001
    )


def test_a_lost_server_is_said_and_taken_back(page: Any, running_page: RunningPage) -> None:
    page.allow("ERR_INTERNET_DISCONNECTED")
    opened(page, running_page)
    page.context.set_offline(True)
    page.evaluate("import('/page/api.js').then((api) => api.ask('/healthz').catch(() => 0))")
    page.get_by_text("The server cannot be reached.").wait_for()
    page.context.set_offline(False)
    page.get_by_text("The server cannot be reached.").wait_for(state="detached")


def test_a_tab_that_cannot_be_loaded_does_no_harm_to_others(page: Any, running_page: RunningPage) -> None:
    page.allow("data.js", "Failed to load", "404")
    page.route("**/page/data.js", lambda route: route.fulfill(status=404, body="gone"))
    opened(page, running_page, "Data")
    page.get_by_role("alert").get_by_text("could not be loaded").wait_for()
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("heading", name="Models on this server").wait_for()


def test_refusals_are_waited_out(page: Any, running_page: RunningPage) -> None:
    page.allow("503")
    opened(page, running_page)
    refusals: list[int] = []

    def refuse_twice(route: Any) -> None:
        if len(refusals) == 2:
            route.continue_()
            return
        refusals.append(1)
        route.fulfill(
            status=503, headers={"retry-after": "0"}, json={"title": "Busy", "status": 503, "detail": "full"}
        )

    page.route("**/v1/about", refuse_twice)
    assert (
        page.evaluate(
            "import('/page/api.js').then((api) => api.ask('/v1/about')).then((one) => one.model.name)"
        )
        == "tiny"
    )
    assert len(refusals) == 2


def test_a_problem_is_told_in_the_servers_words(page: Any, running_page: RunningPage) -> None:
    page.allow("404", "422")
    opened(page, running_page)
    said = page.evaluate(
        """import('/page/api.js').then((api) => api.ask('/v1/models/nothing-like-it'))
        .catch(({name, status, slug, detail, hint, requestId}) =>
          ({name, status, slug, detail, hint, requestId}))"""
    )
    assert (said["name"], said["status"], said["slug"]) == ("Problem", 404, "not-found")
    assert "nothing-like-it" in said["detail"]
    assert said["hint"]
    assert said["requestId"]


def test_an_upload_says_how_far_it_is_and_its_job_is_followed(page: Any, taught_page: RunningPage) -> None:
    opened(page, taught_page)  # uploads stay
    said = page.evaluate(
        """async () => {
          const api = await import('/page/api.js');
          const canvas = new OffscreenCanvas(64, 64);
          canvas.getContext('2d').fillRect(0, 0, 32, 64);
          const photograph = await canvas.convertToBlob();
          const steps = [], states = [];
          const upload = await api.upload('/v1/uploads', photograph, {type: 'image/png',
            query: {label: 'apple/scab'}, onProgress: (sent, total) => steps.push([sent, total])});
          const job = await api.follow(`/v1/jobs/${upload.job}`, (one) => states.push(one.state));
          return {upload, steps, states, size: photograph.size, end: job.state};
        }"""
    )
    assert re.fullmatch("[0-9a-f]{32}", said["upload"]["id"])
    assert said["steps"][-1] == [said["size"], said["size"]]
    assert said["end"] == said["states"][-1] == "done"


def test_other_servers_are_never_asked(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    said = page.evaluate(
        "import('/page/api.js').then((api) => api.ask('https://leaf.example/v1/models')).catch(String)"
    )
    assert "not of this server" in said


def give_key(page: Any, key: str, *, remember: bool = False) -> None:
    window = page.get_by_role("dialog", name="Key of this server")
    window.get_by_label("Key", exact=True).fill(key)
    if remember:
        window.get_by_label("Remember on this device").check()
    window.get_by_role("button", name="Use this key").click()


def test_a_key_is_asked_for_tried_and_forgotten(
    page: Any, keyed_page: RunningPage, screenshot: Shoot
) -> None:
    page.allow("401")
    page.goto(f"{keyed_page.url}/#models")
    window = page.get_by_role("dialog", name="Key of this server")
    expect(window.get_by_label("Key", exact=True)).to_be_focused()
    give_key(page, "ls_wrong")
    window.get_by_text("The server does not know this key.").wait_for()
    screenshot(page, "key-wrong", full_page=False)
    assert contrast_faults(page) == []
    give_key(page, keyed_page.key)
    page.get_by_role("heading", name="Models on this server").wait_for()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
    page.reload()
    page.get_by_role("heading", name="Models on this server").wait_for()
    page.get_by_role("button", name="Key: one is in use").click()
    page.get_by_role("button", name="Forget my key").click()
    page.get_by_text("The key is forgotten.").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Key: none is in use").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]


def test_a_key_stays_on_the_device_where_that_is_wanted(page: Any, keyed_page: RunningPage) -> None:
    page.allow("401")
    page.goto(f"{keyed_page.url}/#models")
    give_key(page, keyed_page.key, remember=True)
    page.get_by_role("heading", name="Models on this server").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 1]


def test_a_closed_window_comes_back_when_the_person_asks(page: Any, keyed_page: RunningPage) -> None:
    page.allow("401")
    page.goto(f"{keyed_page.url}/#models")
    window = page.get_by_role("dialog", name="Key of this server")
    window.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tabpanel").get_by_text("this service wants a key").wait_for()
    quiet = "import('/page/api.js').then((api) => api.ask('/v1/models')).catch((one) => one.status)"
    assert page.evaluate(quiet) == 401  # as a timer would ask: no window
    expect(window).to_have_count(0)
    page.get_by_role("tabpanel").get_by_role("button", name="Try again").click()
    window.wait_for()
    give_key(page, keyed_page.key)
    page.get_by_role("heading", name="Models on this server").wait_for()


def test_an_answer_that_takes_long_opens_the_window_all_the_same(page: Any, keyed_page: RunningPage) -> None:
    """What counts is that the person pressed when it was asked, not how slow the line is."""
    page.allow("401")
    page.clock.install()
    page.goto(f"{keyed_page.url}/#models")
    window = page.get_by_role("dialog", name="Key of this server")
    expect(window.get_by_label("Key", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("tabpanel").get_by_text("this service wants a key").wait_for()
    held: list[Any] = []
    page.route("**/v1/models*", lambda route: held.append(route))
    with page.expect_request("**/v1/models*"):
        page.get_by_role("tabpanel").get_by_role("button", name="Try again").click()
    page.clock.fast_forward(5000)
    for route in held:
        route.continue_()
    window.wait_for()


def ratio(one: list[float], other: list[float]) -> float:
    """Contrast by WCAG 2.2."""
    high, low = sorted((light_of(one), light_of(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def light_of(colour: list[float]) -> float:
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
