"""The tab Operation: the watch after a promotion, drift, triggers, the shadow."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.learning_server import Learning
from tests.web.looking import LOOKS, at_rest, expect, looks_until, says
from tests.web.made_trainings import CHALLENGER, CHAMPION, a_drift, a_model, a_shadow, a_watch

Taught = tuple[str, Learning]
ROUND_MS = 5000


@pytest.fixture
def watched(learning: Taught, running_page: RunningPage) -> Taught:
    """A server with a promotion under watch, drift, and a challenger in the shadow."""
    _, remembered = learning
    now_ms = time.time_ns() // 1_000_000
    with urllib.request.urlopen(f"{running_page.url}/v1/insight?days=30", timeout=60) as answer:
        said = json.load(answer)
    remembered.models = [a_model(CHALLENGER, "plant-leaves", serving=True), a_model(CHAMPION, "plant-leaves")]
    remembered.answers = {
        "GET /v1/watch": a_watch(began_ms=now_ms - 20 * 60_000, until_ms=now_ms + 40 * 60_000),
        "GET /v1/insight": {**said, "reference_drift": a_drift(), "shadow": a_shadow()},
    }
    return learning


def opened(page: Any, where: Taught) -> Any:
    page.goto(f"{where[0]}/#operation")
    page.get_by_role("heading", name="After the last promotion").wait_for()
    return at_rest(page)


def region(page: Any, name: str) -> Any:
    return page.get_by_role("region", name=name, exact=True)


def test_a_watch_is_told_with_its_time_and_its_numbers(page: Any, watched: Taught) -> None:
    opened(page, watched)
    card = region(page, "After the last promotion")
    says(
        card,
        "Being watched",
        "no limit was crossed in 212 photographs",
        "40 minutes left of 60",
        "plant-leaves d2d2d2d2 instead of plant-leaves c1c1c1c1",
    )
    card.get_by_text("Measure by measure").click()
    expect(card.get_by_role("row", name="'cannot tell'").get_by_role("cell")).to_have_text(
        ["12.0 %", "13.0 %", "15 points", "212", "within"]
    )
    says(card.get_by_role("row", name="Corrections that say wrong"), "none", "too few to tell")


def test_a_rollback_by_itself_says_why(page: Any, watched: Taught) -> None:
    page.clock.install()
    opened(page, watched)
    watched[1].answers["GET /v1/watch"] = a_watch("rolled_back")
    card = region(page, "After the last promotion")
    looks_until(page, card.get_by_text("Rolled back by itself"), ROUND_MS)
    says(card, "'cannot tell' rose from 12% to 41%")
    card.get_by_text("Measure by measure").click()
    says(card.get_by_role("row", name="'cannot tell'"), "over the limit")
    expect(card.locator(".watch-left")).to_have_count(0)


def test_before_the_first_promotion(page: Any, watched: Taught) -> None:
    watched[1].answers["GET /v1/watch"] = a_watch("none")
    opened(page, watched)
    says(region(page, "After the last promotion"), "Nothing is watched", "Nothing was promoted yet")


def test_drift_is_held_against_what_chance_allows(page: Any, watched: Taught) -> None:
    opened(page, watched)
    card = region(page, "Drift from the training")
    says(
        card,
        "Drift in the newest 200 photographs",
        "0.61, at most 0.44 by chance: over",
        "0.21, at most 0.24 by chance",
        "on 40 occasions",
    )
    card.get_by_text("Photographs that drifted most").click()
    rows = card.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(11)
    says(rows.nth(1), "Apple: scab", "1.6 times")
    card.get_by_text("What this means").click()
    says(card, "2,100 held-out photographs", "1.0 % of looks", "no drift by itself")


def test_no_drift_and_none_known(page: Any, watched: Taught) -> None:
    insight = watched[1].answers["GET /v1/insight"]
    insight["reference_drift"] = {
        "state": "unknown",
        "said": "This model remembers no photographs.",
        "windows": [],
        "drifted": [],
        "photographs": 0,
    }
    opened(page, watched)
    card = region(page, "Drift from the training")
    says(card, "This model remembers no photographs.")
    expect(card.get_by_text("Photographs that drifted most")).to_be_hidden()


def test_what_trains_by_itself_and_what_the_shadow_says(page: Any, watched: Taught) -> None:
    opened(page, watched)
    card = region(page, "Learning")
    says(
        card,
        "after 500 accepted photographs (112 so far); every 24 hours",
        "asked about 470 photographs without being heard",
        "the same of 92 %",
    )
    card.get_by_text("What the challenger says").click()
    says(card, "Cannot tell", "80", "not the same one, in 12 photographs")


def test_it_can_be_read_everywhere(make_page: Callable[..., Any], watched: Taught, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    opened(page, watched)
    for summary in ("Photographs that drifted most", "What this means", "What the challenger says"):
        page.get_by_text(summary, exact=True).click()
    region(page, "After the last promotion").get_by_text("Measure by measure").click()
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"operation-learning-{look}")) == {}
