"""Tab Teach, second step: a class that was declared is taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.learning_server import Learning
from tests.web.looking import LOOKS, at_rest, expect, says
from tests.web.made_learning import quarantine

Taught = tuple[str, Learning]
BEAN = "Bean___rust"


def opened(page: Any, url: str) -> Any:
    page.goto(f"{url}/#teach/look")
    page.get_by_role("heading", name="Look through").wait_for()
    return at_rest(page)


def bean(page: Any) -> Any:
    return page.locator(".look-section").filter(has=page.locator("h3 > span:text-is('Bean: rust')"))


def test_a_class_that_was_declared_by_mistake_is_taken_back(page: Any, learning: Taught) -> None:
    learning[1].contributions = quarantine(16)
    opened(page, learning[0])
    expect(page.locator(".declared")).to_be_hidden()
    bean(page).get_by_role("button", name="Declare it as a class").click()
    says(page.locator(".declared summary"), "1 declared class")
    bean(page).get_by_role("button", name="Take back Bean: rust as a class").click()
    says(page.locator(".look-bar"), "Bean: rust is declared no more.", "until it is declared again")
    expect(bean(page).get_by_role("button", name="Declare it as a class")).to_be_visible()
    expect(page.locator(".declared")).to_be_hidden()
    assert learning[1].declared == []


def test_also_one_of_which_nothing_waits(page: Any, learning: Taught) -> None:
    learning[1].contributions = quarantine(16)
    learning[1].declared = [BEAN, "Okra: leaf curl"]
    for one in learning[1].contributions:
        one["state"] = "accepted" if one["label"] == BEAN else "waiting"
    opened(page, learning[0])
    page.locator(".declared summary").click()
    rows = page.locator(".declared-list li")
    expect(rows).to_have_count(2)
    says(rows.nth(0), "Bean: rust", "4 accepted", "declared by tests")
    says(rows.nth(1), "Okra: leaf curl", "without photographs")
    button = page.get_by_role("button", name="Take back Bean: rust", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    status = page.get_by_role("status").get_by_text("Bean: rust is declared no more.")
    says(status, "4 photographs of it stay accepted")
    expect(rows).to_have_count(1)
    expect(page.locator(".declared summary")).to_be_focused()
    assert learning[1].declared == ["Okra: leaf curl"]
    assert sum(one["state"] == "accepted" for one in learning[1].contributions) == 4


def test_what_fails_is_said_and_the_class_stays(page: Any, learning: Taught) -> None:
    learning[1].declared = [BEAN]
    opened(page, learning[0])
    page.allow("Failed to load resource")
    page.route(
        "**/v1/classes/declared/*",
        lambda route: route.fulfill(status=500, json={"detail": "the disk is full", "status": 500}),
    )
    page.locator(".declared summary").click()
    page.get_by_role("button", name="Take back Bean: rust").click()
    page.get_by_role("alert").get_by_text("the disk is full").wait_for()
    expect(page.get_by_role("button", name="Take back Bean: rust")).to_be_enabled()


def test_without_the_right_to_decide_it_is_only_shown(page: Any, learning: Taught) -> None:
    page.allow("403")
    learning[1].scopes = frozenset({"predict", "upload"})
    learning[1].declared = [BEAN]
    learning[1].contributions = quarantine(8)
    opened(page, learning[0])
    page.locator(".declared summary").click()
    says(page.locator(".declared-list"), "Bean: rust")
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)


def test_any_name_is_taken_back_from_a_real_service(page: Any, untaught_page: RunningPage) -> None:
    name = "Okra/50 % & more? #1"
    declared = f"{untaught_page.url}/v1/classes/declared"
    assert page.request.post(declared, data={"name": name, "note": "a try"}).status == 201
    opened(page, untaught_page.url)
    page.locator(".declared summary").click()
    row = page.locator(".declared-list li").filter(has_text="a try")
    row.get_by_role("button", name="Take back").click()
    expect(row).to_have_count(0)
    assert name not in {one["name"] for one in page.request.get(declared).json()["classes"]}


def test_it_can_be_read_everywhere(make_page: Callable[..., Any], learning: Taught, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    learning[1].contributions = quarantine(16)
    learning[1].declared = [BEAN, "Okra___A_class_with_a_long_name_as_people_give_them"]
    opened(page, learning[0])
    page.locator(".declared summary").click()
    page.get_by_role("button", name="Take back Okra").click()
    says(page.locator(".declared-list"), "Bean: rust")
    assert (
        faults_in_all_looks(page, lambda look: screenshot(page, f"teach-declared-{look}", full_page=False))
        == {}
    )
