"""Tab Teach, second step: hundreds of photographs are looked through and decided on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.web.audit import faults_in_all_looks, window_faults
from tests.web.learning_server import Learning
from tests.web.looking import LOOKS, at_rest, expect, says
from tests.web.made_learning import contribution, finding, quarantine
from tests.web.made_trainings import a_model

Taught = tuple[str, Learning]
APPLES = "Apple___Apple_scab"


def opened(page: Any, where: Taught, count: int = 0) -> Any:
    url, learning = where
    if count:
        learning.contributions = quarantine(count)
    page.goto(f"{url}/#teach/look")
    page.get_by_role("heading", name="Look through").wait_for()
    return at_rest(page)


def section(page: Any, name: str) -> Any:
    return page.locator(".look-section").filter(has=page.locator(f"h3 > span:text-is('{name}')"))


def tiles(page: Any, name: str = "Apple: scab") -> Any:
    return section(page, name).get_by_role("option")


def scabs(learning: Learning, count: int, **more: Any) -> None:
    """So many of one known class, named 0.jpg and on, in the order in which they are shown."""
    made = [contribution(count - at, APPLES, "Apple: scab", name=f"{at}.jpg", **more) for at in range(count)]
    learning.contributions = made


def state_of(learning: Learning, name: str) -> str:
    return str(next(one["state"] for one in learning.contributions if one["name"] == name))


def decisions(learning: Learning) -> list[Any]:
    return [body for method, path, body in learning.asked if path.endswith("/decide")]


def test_photographs_stand_together_by_class_and_by_upload(page: Any, learning: Taught) -> None:
    opened(page, learning, 40)
    says(page.get_by_role("tabpanel"), "40 photographs of 4 classes wait; something is remarked on")
    expect(page.locator(".look-section h3 > span:first-child")).to_have_text(
        ["Apple: healthy", "Apple: scab", "Bean: rust", "Tomato: early blight"]
    )
    expect(tiles(page)).to_have_count(10)
    expect(tiles(page).first.locator("img")).to_be_visible()
    says(tiles(page).first, "Apple: scab", "The model agrees, 93 %")
    page.get_by_label("Together").select_option("upload")
    expect(page.locator(".look-section")).to_have_count(2)
    expect(page.locator(".look-section h3 > span:first-child").first).to_have_text(re.compile("^Sent "))


def test_by_keyboard_alone(page: Any, learning: Taught) -> None:
    scabs(learning[1], 30)
    opened(page, learning)
    tiles(page).first.focus()
    page.keyboard.press("a")
    expect(page.get_by_text("1 photograph accepted.")).to_be_visible()
    expect(tiles(page)).to_have_count(29)
    expect(tiles(page).first).to_be_focused()
    says(tiles(page).first, "Apple: scab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")
    expect(page.get_by_text("1 photograph rejected.")).to_be_visible()
    assert [state_of(learning[1], f"{at}.jpg") for at in range(4)] == [
        "accepted",
        "waiting",
        "rejected",
        "waiting",
    ]
    page.keyboard.press("z")
    expect(page.get_by_text("Undone: 1 photograph as before.")).to_be_visible()
    assert state_of(learning[1], "2.jpg") == "waiting"
    expect(tiles(page)).to_have_count(29)
    expect(page.get_by_role("option", name=re.compile("^2.jpg"))).to_be_focused()
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.get_by_text("3 chosen")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("3 photographs accepted.")).to_be_visible()
    assert [state_of(learning[1], f"{at}.jpg") for at in (2, 3, 4, 5)] == [*["accepted"] * 3, "waiting"]
    page.keyboard.press("End")
    expect(page.get_by_role("option", name=re.compile("^29.jpg"))).to_be_focused()
    page.keyboard.press("Home")
    expect(page.get_by_role("option", name=re.compile("^1.jpg"))).to_be_focused()
    page.keyboard.press("Control+a")
    expect(page.get_by_text("26 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Choose none")).to_be_hidden()


def test_arrows_go_up_and_down_and_into_the_next_class(page: Any, learning: Taught) -> None:
    opened(page, learning, 8)
    first, other = tiles(page, "Apple: healthy"), tiles(page)
    expect(first).to_have_count(2)
    expect(other).to_have_count(2)
    first.nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(other.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(first.nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(other.first).to_be_focused()


def test_one_a_range_and_all_shown_are_chosen_by_the_mouse(page: Any, learning: Taught) -> None:
    scabs(learning[1], 12)
    opened(page, learning)
    bar = page.locator(".look-bar")
    tiles(page).nth(1).click()
    says(bar, "1 chosen")
    tiles(page).nth(4).click(modifiers=["Shift"])
    says(bar, "4 chosen")
    tiles(page).nth(2).click()
    says(bar, "3 chosen")
    bar.get_by_role("button", name="Choose none").click()
    expect(bar.get_by_role("button", name="Accept")).to_be_disabled()
    page.get_by_role("button", name="Choose all shown of Apple: scab").click()
    says(bar, "12 chosen")
    bar.get_by_role("button", name="Reject").click()
    says(bar, "12 photographs rejected.")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    bar.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(12)
    says(page.get_by_role("tabpanel"), "12 photographs of 1 class wait.")


def test_a_class_that_is_not_known_is_declared_first(page: Any, learning: Taught) -> None:
    opened(page, learning, 16)
    bean = section(page, "Bean: rust")
    says(bean, "Not known yet.")
    tiles(page, "Bean: rust").first.click()
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    says(page.locator(".look-bar"), "1 photograph left as it was", "neither known nor declared")
    bean.get_by_role("button", name="Declare it as a class").click()
    says(bean, "A new class: declared")
    assert learning[1].declared == ["Bean___rust"]
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    says(page.locator(".look-bar"), "1 photograph accepted.")
    expect(tiles(page, "Bean: rust")).to_have_count(3)


def test_the_locked_test_cannot_be_learned_from_and_says_why(page: Any, learning: Taught) -> None:
    scabs(learning[1], 3)
    learning[1].contributions[1]["findings"] = [finding("test_duplicate")]
    opened(page, learning)
    says(tiles(page).nth(1), "the locked test")
    page.get_by_role("button", name="Choose all shown of Apple: scab").click()
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    says(
        page.locator(".look-bar"),
        "2 photographs accepted.",
        "1 photograph left as it was: It is in the locked test.",
    )
    expect(tiles(page)).to_have_count(1)


def test_another_class_is_found_by_a_part_of_its_name_or_is_new(page: Any, learning: Taught) -> None:
    scabs(learning[1], 4)
    opened(page, learning)
    tiles(page).first.focus()
    page.keyboard.press("l")
    window = page.get_by_role("dialog", name="Which class is it?")
    field = window.get_by_role("textbox")
    expect(field).to_be_focused()
    field.fill("blight tom")
    expect(window.locator(".label-choice")).to_have_text(
        ["Tomato: early blight", "New: blight tomis declared as a class"]
    )
    page.keyboard.press("Enter")
    says(page.locator(".look-bar"), "1 photograph accepted as Tomato: early blight.")
    assert learning[1].contributions[0]["label"] == "Tomato___Early_blight"
    tiles(page).first.click()
    page.locator(".look-bar").get_by_role("button", name="Other class").click()
    field.fill("Okra: leaf curl")
    window.get_by_role("button", name="New: Okra: leaf curl").click()
    says(page.locator(".look-bar"), "1 photograph accepted as Okra: leaf curl.")
    assert learning[1].declared == ["Okra: leaf curl"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(3)
    assert learning[1].contributions[1]["label"] == APPLES


def test_everything_without_doubts_is_accepted_and_can_be_taken_back(page: Any, learning: Taught) -> None:
    opened(page, learning, 60)
    page.get_by_role("button", name="Accept everything without doubts").click()
    says(page.locator(".look-bar"), "photographs accepted.")
    waiting = [one for one in learning[1].contributions if one["state"] == "waiting"]
    assert 0 < len(waiting) < 60
    assert all(one["label"] == "Bean___rust" or any(f["blocks"] for f in one["findings"]) for one in waiting)
    page.get_by_role("button", name="Undo").click()
    says(page.get_by_role("tabpanel"), "60 photographs of 4 classes wait")
    assert {one["state"] for one in learning[1].contributions} == {"waiting"}


def test_what_is_shown_can_be_narrowed(page: Any, learning: Taught) -> None:
    opened(page, learning, 80)
    page.get_by_role("button", name="With remarks").click()
    expect(page.locator(".look-tile .look-finding").first).to_be_visible()
    expect(page.locator(".look-tile:not(:has(.look-finding))")).to_have_count(0)
    page.get_by_role("combobox", name="Found").select_option("bad_picture")
    says(page.locator(".look-tile").first, "It is blurred")
    expect(page.locator(".look-tile:not(:has-text('blurred'))")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Waiting")).click()
    page.get_by_role("combobox", name="Found").select_option("")
    page.get_by_role("combobox", name="Class").select_option(APPLES)
    expect(page.locator(".look-section h3 > span:first-child")).to_have_text(["Apple: scab"])
    tiles(page).first.click()
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    page.get_by_role("button", name=re.compile("^Accepted")).click()
    expect(page.locator(".look-tile")).to_have_count(1)
    page.locator(".look-tile").click()
    page.locator(".look-bar").get_by_role("button", name="Put back").click()
    expect(page.get_by_text("Nothing of this kind is left.")).to_be_visible()
    assert {one["state"] for one in learning[1].contributions} == {"waiting"}


def test_one_is_looked_at_closely_and_the_next_comes_by_itself(
    page: Any, learning: Taught, screenshot: Any
) -> None:
    scabs(learning[1], 5, findings=[finding("label_doubt")])
    opened(page, learning)
    tiles(page).nth(1).dblclick()
    window = page.get_by_role("dialog", name="Photograph")
    window.get_by_role("img", name="The photograph 1.jpg").wait_for()
    says(window, "The model and its nearest neighbours say Apple: healthy.", "1.jpg")
    screenshot(page, "teach-look-large", full_page=False)
    page.keyboard.press("ArrowRight")
    window.get_by_role("img", name="The photograph 2.jpg").wait_for()
    window.get_by_role("button", name="Accept").click()
    window.get_by_role("img", name="The photograph 3.jpg").wait_for()
    page.keyboard.press("r")
    window.get_by_role("img", name="The photograph 4.jpg").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option", name=re.compile("^4.jpg"))).to_be_focused()
    assert [state_of(learning[1], f"{at}.jpg") for at in (2, 3, 4)] == ["accepted", "rejected", "waiting"]


def test_hundreds_come_page_by_page_as_they_are_scrolled_to(page: Any, learning: Taught) -> None:
    scabs(learning[1], 500)
    opened(page, learning)
    expect(tiles(page).nth(59)).to_be_attached()

    def pictures() -> int:
        return sum(path.endswith("/photograph") for _, path, _ in learning[1].asked)

    expect(tiles(page).first.locator("img")).to_be_visible()
    assert pictures() < 200, "what nobody sees is not fetched"
    tiles(page).first.focus()
    for shown in (120, 180, 240):
        page.keyboard.press("End")
        expect(tiles(page).nth(shown - 1)).to_be_attached()
    page.mouse.move(600, 500)
    while section(page, "Apple: scab").get_by_role("option", name=re.compile("^499.jpg")).count() == 0:
        page.mouse.wheel(0, 20_000)
        page.evaluate("new Promise((seen) => requestAnimationFrame(seen))")
    expect(tiles(page)).to_have_count(500)
    assert len({one.get("id") for one in learning[1].contributions}) == 500


def test_what_fails_is_said_and_nothing_is_lost(page: Any, learning: Taught) -> None:
    scabs(learning[1], 3)
    opened(page, learning)
    page.allow("Failed to load resource", "500")
    page.route(
        "**/decide",
        lambda route: route.fulfill(status=500, json={"detail": "the disk is full", "status": 500}),
    )
    tiles(page).first.click()
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    page.get_by_role("alert").get_by_text("the disk is full").wait_for()
    expect(tiles(page)).to_have_count(3)
    page.unroute("**/decide")
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    says(page.locator(".look-bar"), "1 photograph accepted.")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_without_the_right_to_decide_it_is_shown_and_said(page: Any, learning: Taught) -> None:
    page.allow("403")
    learning[1].scopes = frozenset({"predict", "upload"})
    opened(page, learning, 12)
    says(page.get_by_role("tabpanel"), "Accepting and rejecting wants a key with the scope admin.")
    expect(page.get_by_role("button", name="Accept everything without doubts")).to_have_count(0)
    expect(page.locator(".look-bar")).to_be_hidden()
    tiles(page).first.click()
    window = page.get_by_role("dialog", name="Photograph")
    window.wait_for()
    expect(window.get_by_role("button", name="Accept")).to_have_count(0)
    assert decisions(learning[1]) == []


def test_before_anything_was_sent(page: Any, learning: Taught) -> None:
    opened(page, learning)
    says(page.get_by_role("tabpanel"), "Nothing was sent yet.")
    page.get_by_role("button", name="Send", exact=False).first.click()
    page.get_by_role("heading", name="What was sent").wait_for()
    expect(page).to_have_url(re.compile("#teach/send$"))
    page.go_back()
    page.get_by_role("heading", name="Look through").wait_for()


def test_it_can_be_read_everywhere(make_page: Callable[..., Any], learning: Taught, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    learning[1].models = [a_model("a" * 64, "m", serving=True)]
    opened(page, learning, 300)
    tiles(page, "Apple: healthy").nth(1).click()
    tiles(page, "Apple: healthy").nth(3).click(modifiers=["Shift"])
    assert (
        faults_in_all_looks(page, lambda look: screenshot(page, f"teach-look-{look}", full_page=False)) == {}
    )
    page.locator(".look-bar").get_by_role("button", name="Accept").click()
    says(page.locator(".look-bar"), "accepted.")
    tiles(page, "Apple: healthy").first.dblclick()
    page.get_by_role("dialog").get_by_role("img").wait_for()
    assert (
        window_faults(page, lambda look: screenshot(page, f"teach-look-large-{look}", full_page=False)) == {}
    )
