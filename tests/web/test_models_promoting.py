"""The tab of models: promoting, the way back, history and lineage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.web.audit import faults_in_all_looks, window_faults
from tests.web.harness import RunningPage
from tests.web.learning_server import Learning
from tests.web.looking import LOOKS, at_rest, expect, says
from tests.web.made_trainings import CHALLENGER, CHAMPION, a_change, a_gate, a_model, a_training

Taught = tuple[str, Learning]
FIRST = "e3" * 32
LABELS = [
    {
        "class_name": "Bean___rust",
        "key": "bean/rust",
        "crop": "bean",
        "condition": "rust",
        "display": "Bean: rust",
        "is_leaf": True,
    }
]


@pytest.fixture
def kept(learning: Taught) -> Taught:
    """Three models: the first, the champion that came after it, and a challenger that a retraining made."""
    _, remembered = learning
    remembered.models = [
        a_model(
            CHALLENGER, "plant-leaves", aliases=["challenger"], note="retraining by the quick path; " * 9
        ),
        a_model(CHAMPION, "plant-leaves", serving=True, aliases=["serving"]),
        a_model(FIRST, "first", builtin=True),
    ]
    remembered.changes = [a_change(1, CHAMPION, FIRST)]
    lineage = [
        {"parent": FIRST, "snapshot": "5b" * 32, "path": "quick"},
        {"parent": CHAMPION, "snapshot": "5a" * 32, "path": "quick"},
    ]
    made = {
        **lineage[1],
        "job": "1" * 32,
        "classes_added": ["Bean___rust"],
        "contributions": {"train": 800, "calibration": 100, "probe": 112},
    }
    for one in remembered.models:
        came = (
            {"provenance": {"retraining": made, "lineage": lineage}}
            if one["id"] == CHALLENGER
            else {"provenance": {}}
        )
        remembered.answers[f"GET /v1/models/{one['id']}"] = {
            **one,
            "card": "# A card",
            "metrics": {},
            "labels": LABELS,
            **came,
        }
    return learning


def opened(page: Any, where: Taught) -> Any:
    page.goto(f"{where[0]}/#models")
    page.get_by_role("heading", name="In service, and before").wait_for()
    page.locator(".panel-models .fold").first.wait_for()
    return at_rest(page)


def test_a_model_is_promoted_and_taken_back_with_a_window_that_names_both(
    page: Any, kept: Taught, screenshot: Any
) -> None:
    opened(page, kept)
    past = page.get_by_role("region", name="In service, and before")
    says(past, "plant-leaves c1c1c1c1 serves since", "Roll back to first e3e3e3e3", "the gate held")
    expect(page.get_by_role("button", name="Promote plant-leaves c1c1c1c1")).to_have_count(0)
    page.get_by_role("button", name="Promote plant-leaves d2d2d2d2").click()
    window = page.get_by_role("dialog", name="Promote this model?")
    says(window, "plant-leaves d2d2d2d2 will answer instead of plant-leaves c1c1c1c1")
    window.get_by_role("textbox").fill("it knows beans")
    window.get_by_role("button", name="Promote").click()
    says(past, "plant-leaves d2d2d2d2 serves since", "it knows beans", "d2d2d2d2 was promoted")
    expect(page.locator(".models-row").first.get_by_text("In service")).to_be_visible()
    past.get_by_role("button", name="Roll back to plant-leaves c1c1c1c1").click()
    window = page.get_by_role("dialog", name="Roll back?")
    says(window, "plant-leaves c1c1c1c1 will answer again instead of plant-leaves d2d2d2d2")
    screenshot(page, "models-roll-back", full_page=False)
    window.get_by_role("button", name="Leave it as it is").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(kept[1].changes) == 2
    past.get_by_role("button", name="Roll back to").click()
    window.get_by_role("button", name="Roll back").click()
    says(past, "plant-leaves c1c1c1c1 serves again.", "Rolled back to plant-leaves c1c1c1c1")
    says(past.get_by_role("button"), "Roll back to first e3e3e3e3")
    wish = {"alias": "serving", "steps": 1, "reason": "", "over": "d2" * 32}
    assert ("POST", "/v1/models/rollback", wish) in kept[1].asked


def test_the_server_knows_of_a_gate_that_did_not_hold(page: Any, kept: Taught) -> None:
    page.allow("409")
    kept[1].trainings = [a_training(1, gate=a_gate(passed=False))]
    opened(page, kept)
    page.get_by_role("button", name="Promote plant-leaves d2d2d2d2").click()
    window = page.get_by_role("dialog")
    window.get_by_role("button", name="Promote", exact=True).click()
    says(window, "The gate of this model did not hold", "wants a reason")
    window.get_by_role("textbox").fill("we grow no such crop")
    window.get_by_role("button", name="Promote all the same").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    says(page.get_by_role("region", name="In service, and before"), "we grow no such crop")


def test_where_a_model_comes_from_is_told(page: Any, kept: Taught) -> None:
    opened(page, kept)
    says(page.locator(".models-row").first, "\u2026")
    page.get_by_role("button", name="Show plant-leaves d2d2d2d2").click()
    page.get_by_text("Lineage", exact=True).click()
    says(
        page.locator(".fold", has_text="Lineage"),
        "quick training",
        "800 to learn from",
        "112 held out",
        "Bean: rust",
        "e3e3e3e3",
    )
    page.get_by_role("link", name=CHAMPION[:16]).click()
    expect(page.locator(".panel-models h2").last).to_have_text("plant-leaves")
    says(page.locator(".panel-models .card").last, f"Model {CHAMPION[:16]}")


WAYS = [
    ([], None),
    ([a_change(1, "b", "a")], "a"),
    ([a_change(2, "c", "b"), a_change(1, "b", "a")], "b"),
    ([a_change(3, "b", "c", "rollback"), a_change(2, "c", "b"), a_change(1, "b", "a")], "a"),
    (
        [
            a_change(4, "a", "b", "rollback"),
            a_change(3, "b", "c", "rollback"),
            a_change(2, "c", "b"),
            a_change(1, "b", "a"),
        ],
        None,
    ),
    (
        [
            a_change(4, "d", "b"),
            a_change(3, "b", "c", "rollback"),
            a_change(2, "c", "b"),
            a_change(1, "b", "a"),
        ],
        "b",
    ),
    ([a_change(1, "b", None)], None),
]


def test_the_way_back_is_that_of_the_registry(page: Any, running_page: RunningPage) -> None:
    page.goto(running_page.url)
    found = page.evaluate(
        "(all) => import('/page/models-history.js').then(({wayBack}) => all.map(wayBack))",
        [changes for changes, _ in WAYS],
    )
    assert found == [to for _, to in WAYS]


def test_without_the_right_to_promote_it_is_said(page: Any, kept: Taught) -> None:
    page.allow("403")
    kept[1].scopes = frozenset({"predict"})
    opened(page, kept)
    says(
        page.get_by_role("region", name="In service, and before"),
        "plant-leaves c1c1c1c1 serves.",
        "wants a key with the scope admin",
    )
    expect(page.locator(".models-row").get_by_role("button", name="Promote")).to_have_count(0)


def test_it_can_be_read_everywhere(make_page: Callable[..., Any], kept: Taught, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    kept[1].changes = [
        a_change(
            3,
            CHAMPION,
            CHALLENGER,
            "rollback",
            reason="Rolled back: 'cannot tell' rose from 12% to 41%.",
            by="watch",
        ),
        a_change(2, CHALLENGER, CHAMPION),
        *kept[1].changes,
    ]
    opened(page, kept)
    page.get_by_role("button", name="Show plant-leaves d2d2d2d2").click()
    page.get_by_text("Lineage", exact=True).click()
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"models-history-{look}")) == {}
    page.get_by_role("button", name="Roll back to").click()
    page.get_by_role("dialog").wait_for()
    assert (
        window_faults(page, lambda look: screenshot(page, f"models-roll-back-{look}", full_page=False)) == {}
    )
