"""Tab Teach, third step: what was accepted is learned, held against the champion, promoted."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.web.audit import faults_in_all_looks, window_faults
from tests.web.learning_server import Learning
from tests.web.looking import LOOKS, at_rest, expect, looks_until, says
from tests.web.made_learning import quarantine
from tests.web.made_trainings import CHALLENGER, CHAMPION, a_change, a_gate, a_model, a_progress, a_training

Taught = tuple[str, Learning]
PARTS = ("snapshot", "train", "evaluate", "gate", "publish", "promote")


@pytest.fixture
def accepted(learning: Taught) -> Taught:
    """A server where some was accepted, a class of it new, and two models are kept."""
    _, remembered = learning
    remembered.contributions = quarantine(40)
    remembered.declared = ["Bean___rust"]
    for at, one in enumerate(remembered.contributions):
        one["state"] = "waiting" if at % 2 else "accepted"
    remembered.models = [
        a_model(CHALLENGER, "plant-leaves", aliases=["challenger"]),
        a_model(CHAMPION, "plant-leaves", serving=True, aliases=["serving"]),
    ]
    remembered.changes = [a_change(1, CHAMPION, "e3" * 32)]
    return learning


def opened(page: Any, where: Taught) -> Any:
    page.goto(f"{where[0]}/#teach/model")
    page.get_by_role("heading", name="Trainings so far").wait_for()
    return at_rest(page)


def plays(
    learning: Learning,
    *,
    go_on: threading.Event | None = None,
    at_part: str = "train",
    ended: dict[str, Any] | None = None,
) -> None:
    """A training that is told step by step; it waits in one part until it may go on."""

    def play(training: dict[str, Any]) -> Iterator[dict[str, Any]]:
        training["state"] = "running"
        for at, part in enumerate(PARTS):
            metrics = {"accuracy": 0.934, "loss": 0.231} if at else {}
            yield {**training, "progress": a_progress(part, at, metrics=metrics)}
            if part == at_part and go_on is not None:
                go_on.wait(60)
                if training["state"] == "cancelled":
                    yield training
                    return
        training.update(ended or a_training(9, id=training["id"], created_at=training["created_at"]))
        yield training

    learning.play = play


def test_what_there_is_to_learn_is_said(page: Any, accepted: Taught) -> None:
    opened(page, accepted)
    says(
        page.get_by_role("tabpanel"),
        "20 photographs are accepted and not learned yet.",
        "New class: Bean: rust (10)",
        "20 photographs still wait",
        "after 500 accepted photographs (112 so far)",
        "every 24 hours",
        "drift away",
    )
    page.get_by_role("button", name="Look through them").click()
    expect(page).to_have_url(re.compile("#teach/look$"))


def test_without_anything_accepted_there_is_nothing_to_press(page: Any, learning: Taught) -> None:
    opened(page, learning)
    says(page.get_by_role("tabpanel"), "Nothing is accepted yet, so there is nothing to learn.", "None yet.")
    expect(page.get_by_role("button", name="Teach the model", exact=True)).to_be_hidden()


def test_the_full_way_says_why_it_is_not_here(page: Any, accepted: Taught) -> None:
    accepted[1].paths["full"]["why_not"] = "this server was started without --training-data"
    opened(page, accepted)
    expect(page.get_by_role("radio", name=re.compile("^Full"))).to_be_disabled()
    says(
        page.get_by_role("group", name="Which way"),
        "Not here: this server was started without --training-data",
    )


def test_a_training_is_asked_for_followed_and_ends_with_its_gate(
    page: Any, accepted: Taught, screenshot: Any
) -> None:
    go_on = threading.Event()
    plays(accepted[1], go_on=go_on)
    opened(page, accepted)
    page.get_by_label(re.compile("^Why")).fill("a new crop")
    page.get_by_role("button", name="Teach the model", exact=True).click()
    running = page.locator(".teach-running")
    says(running, "Quick training", "Step 2 of 6: Learning a head, 2 of 4", "about 14 s left", "93.4 %")
    expect(running.locator("[aria-current=step]")).to_have_text("Train")
    expect(page.get_by_role("button", name="Teach again after this one")).to_be_visible()
    screenshot(page, "teach-model-running")
    go_on.set()
    outcome = page.locator(".teach-outcome")
    says(outcome, "The gate held.", "New model", "1,012 accepted photographs")
    expect(running.locator(".card")).to_have_count(0)
    assert ("POST", "/v1/retraining", {"path": "quick", "reason": "a new crop"}) in accepted[1].asked
    says(page.locator(".training-row").first, "Promoted", "1 new class")


def test_a_training_can_be_stopped(page: Any, accepted: Taught) -> None:
    go_on = threading.Event()
    plays(accepted[1], go_on=go_on)
    opened(page, accepted)
    page.get_by_role("button", name="Teach the model", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    go_on.set()
    says(page.locator(".teach-running"), "The training was stopped.", "what was accepted stays accepted")


def test_one_that_fails_says_why(page: Any, accepted: Taught) -> None:
    error = {"message": "the disk is full", "hint": "free some space."}
    plays(accepted[1], ended={"state": "failed", "error": error})
    opened(page, accepted)
    page.get_by_role("button", name="Teach the model", exact=True).click()
    page.get_by_role("alert").get_by_text("The training failed: the disk is full").wait_for()
    says(page.locator(".training-row").first, "Failed", "the disk is full")


def test_one_that_is_under_way_is_followed_when_the_page_is_opened(page: Any, accepted: Taught) -> None:
    go_on = threading.Event()
    plays(accepted[1], go_on=go_on, at_part="gate")
    accepted[1].trainings = [a_training(1, "running")]
    opened(page, accepted)
    says(page.locator(".teach-running"), "Step 4 of 6")
    page.get_by_role("tab", name="Diagnose").click()
    go_on.set()
    page.get_by_role("tab", name="Teach").click()
    says(page.locator(".teach-outcome"), "The gate held.")


def test_where_events_do_not_come_through_it_is_asked(page: Any, accepted: Taught) -> None:
    page.allow("Failed to load resource", "502")
    page.route("**/events", lambda route: route.fulfill(status=502, body="a proxy"))
    accepted[1].trainings = [a_training(1, "running", progress=a_progress("train", 1))]
    opened(page, accepted)
    says(page.locator(".teach-running"), "Step 2 of 6")
    with accepted[1].lock:
        accepted[1].trainings[0].update(a_training(1))
    says(page.locator(".teach-outcome"), "The gate held.")


def test_a_gate_is_read_with_its_numbers_and_its_whole_report(page: Any, accepted: Taught) -> None:
    accepted[1].trainings = [a_training(1)]
    opened(page, accepted)
    outcome = page.locator(".teach-outcome")
    says(outcome, "93.1 %", "93.2 %", "7 right that the champion had wrong, and 6 wrong that it had right")
    checks = outcome.get_by_role("table", name="Conditions with their numbers and limits")
    row = checks.get_by_role("row", name="Not worse on the locked test")
    expect(row.get_by_role("cell")).to_have_text(
        ["+0.06, at worst \u22120.21 points", "at least \u22120.50 points", "\u2713 held"]
    )
    expect(checks.get_by_role("row", name="No class loses much").get_by_role("cell").first).to_have_text(
        "\u22121.00 points"
    )
    says(
        checks.get_by_role("row", name="Recognises Bean: rust"),
        "95.0 %",
        "at least 50 %",
        "38 of 40 held-out",
    )
    outcome.get_by_text("The other 5, which all held").click()
    says(
        outcome.get_by_role("table", name="Other conditions").get_by_role(
            "row", name="Knows every class of the champion"
        ),
        "0 missing",
    )
    says(
        outcome.get_by_role("table", name="On the locked test").get_by_role("row", name="Macro F1"),
        "90.2 %",
        "+0.3 points",
    )
    says(
        outcome.get_by_role("row", name="Bean: rust (sent, held out)"),
        "not known",
        "95.0 % (86 to 100)",
        "new",
    )
    outcome.get_by_text("The other 9").click()
    expect(outcome.get_by_role("table", name="Other classes").get_by_role("row")).to_have_count(10)
    outcome.get_by_role("button", name="Open the whole report").click()
    frame = page.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    expect(page.frame_locator("iframe").get_by_role("heading", name="The gate")).to_be_visible()
    outcome.get_by_role("button", name="Close the report").click()
    expect(frame).to_have_count(0)


def test_a_gate_that_did_not_hold_wants_a_reason(page: Any, accepted: Taught, screenshot: Any) -> None:
    accepted[1].trainings = [a_training(1, gate=a_gate(passed=False))]
    opened(page, accepted)
    outcome = page.locator(".teach-outcome")
    says(
        outcome,
        "The gate did not hold.",
        "The class that changes for the worst is Crop3___rust",
        "It was not promoted.",
    )
    outcome.get_by_role("button", name="Promote all the same").click()
    window = page.get_by_role("dialog", name="Promote all the same?")
    says(
        window, "plant-leaves d2d2d2d2 will answer instead of plant-leaves c1c1c1c1", "Its gate did not hold"
    )
    screenshot(page, "teach-model-override", full_page=False)
    window.get_by_role("button", name="Promote all the same").click()
    window.get_by_label("Why, although the gate did not hold").fill("that class is not grown here")
    assert not any(path.endswith("/promote") for _, path, _ in accepted[1].asked), "not without a reason"
    window.get_by_role("button", name="Promote all the same").click()
    says(outcome, "Promoted.")
    body = {"alias": "serving", "reason": "that class is not grown here", "override": True}
    assert ("POST", f"/v1/models/{CHALLENGER}/promote", body) in accepted[1].asked


def test_one_that_waits_for_a_person_is_promoted_by_one(page: Any, accepted: Taught) -> None:
    training = a_training(1)
    training["result"] |= {"promoted": False, "why_not": "a person is asked"}
    accepted[1].trainings = [training]
    opened(page, accepted)
    outcome = page.locator(".teach-outcome")
    says(outcome, "It waits for a person to promote it.")
    outcome.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it as it is").click()
    outcome.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Promote", exact=True).click()
    says(outcome, "It serves.")


def test_a_promoted_model_that_is_about_to_be_taken_up_is_not_called_replaced(
    page: Any, accepted: Taught
) -> None:
    """The name points to the new model at once; the server that is asked answers with it a moment later."""
    url, remembered = accepted
    remembered.trainings = [a_training(1)]
    challenger, champion = remembered.models
    challenger["aliases"], champion["aliases"] = ["serving"], []
    opened(page, (url, remembered))
    outcome = page.locator(".teach-outcome")
    says(outcome, "It was promoted by itself. Servers take it up within seconds.")
    outcome.get_by_text("The other 9").click()
    challenger["serving"], champion["serving"] = True, False
    says(outcome, "It serves. It was promoted by itself.")
    expect(outcome.get_by_role("table", name="Other classes")).to_be_visible()  # nothing else is drawn anew


def test_a_server_that_never_takes_it_up_says_so(page: Any, accepted: Taught) -> None:
    url, remembered = accepted
    remembered.trainings = [a_training(1)]
    challenger, champion = remembered.models
    challenger["aliases"], champion["aliases"] = ["serving"], []
    page.clock.install()
    opened(page, (url, remembered))
    outcome = page.locator(".teach-outcome")
    says(outcome, "Servers take it up within seconds.")
    looks_until(page, outcome.get_by_text("This server still answers"), 600)
    says(outcome, "It was promoted by itself. This server still answers with another model")


def test_older_trainings_are_opened(page: Any, accepted: Taught) -> None:
    accepted[1].trainings = [
        a_training(3),
        a_training(2, gate=a_gate(passed=False), reason="before the rain"),
        a_training(1, "failed", error={"message": "no room is left", "hint": "free some"}),
        a_training(0, "cancelled"),
    ]
    opened(page, accepted)
    says(
        page.locator(".training-list"),
        "Promoted",
        "Gate did not hold",
        "before the rain",
        "Failed",
        "Stopped",
    )
    page.locator(".training-row").nth(1).get_by_role("button").click()
    says(page.locator(".teach-outcome"), "The gate did not hold.")
    expect(page.locator(".teach-outcome h2")).to_be_focused()
    expect(page.locator(".training-row").nth(1).get_by_role("button")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.locator(".training-row").nth(2).get_by_role("button").click()
    says(page.locator(".teach-outcome"), "It failed: no room is left")


def test_without_the_right_to_teach_it_is_said(page: Any, accepted: Taught) -> None:
    page.allow("403")
    accepted[1].scopes = frozenset({"predict", "upload"})
    page.goto(f"{accepted[0]}/#teach/model")
    says(page.get_by_role("tabpanel"), "Teaching the model wants a key with the scope admin.")
    expect(page.get_by_role("button", name="Teach the model", exact=True)).to_have_count(0)


def test_it_can_be_read_everywhere(make_page: Callable[..., Any], accepted: Taught, screenshot: Any) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    go_on = threading.Event()
    plays(accepted[1], go_on=go_on)
    accepted[1].trainings = [
        a_training(3, "running"),
        a_training(2, gate=a_gate(passed=False)),
        a_training(1),
    ]
    accepted[1].paths["full"]["why_not"] = "this server was started without --training-data"
    opened(page, accepted)
    says(page.locator(".teach-running"), "Step 2 of 6")
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"teach-model-{look}")) == {}
    page.get_by_role("button", name="Promote all the same").click()
    page.get_by_role("dialog").wait_for()
    assert window_faults(page, lambda look: screenshot(page, f"teach-promote-{look}", full_page=False)) == {}
    go_on.set()
