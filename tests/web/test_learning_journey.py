"""A new crop in the page of a real service: sent, accepted, learned, diagnosed, rolled back."""

from __future__ import annotations

import io
import itertools
import re
from typing import Any

import pytest
from PIL import Image
from tests.fakes.made_archives import zipped
from tests.web.harness import RunningPage
from tests.web.looking import LONG_MS, at_rest, expect, says
from tests.web.photographing import as_file, choose, diagnose

CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight", "Mosaic"), 30
TRAINING_MS = 300_000
"""Of a quick training on a computer that does something else as well; it takes some 20 s on a free one."""
VISITS = itertools.count()
pytestmark = pytest.mark.slow


def drawn(condition: str, seed: int) -> bytes:
    """A photograph of a drawn leaf in the field."""
    from leafsight.dataset import draw_leaf

    target = io.BytesIO()
    Image.fromarray(draw_leaf(CROP, condition, seed=seed, field=True, side_px=256)).save(
        target, "JPEG", quality=92
    )
    return target.getvalue()


def new_crop() -> bytes:
    """A zip of class folders of a crop that the built-in model was never taught."""
    return zipped(
        {
            f"{CROP}___{one}/leaf-{at}.jpg": drawn(one, 1000 * kind + at)
            for kind, one in enumerate(CONDITIONS)
            for at in range(EACH)
        }
    )


def ask(page: Any, where: RunningPage) -> Any:
    """What the page says of a leaf that nobody sent."""
    page.goto(
        f"{where.url}/?{next(VISITS)}#diagnose"
    )  # another address, so that nothing is left of the visit before
    at_rest(page)
    choose(page, as_file("unseen.jpg", drawn("Rust", 7_000_001)))
    diagnose(page)
    row = page.locator("li.photo-answered")
    expect(
        row.get_by_text("Do you know what it shows?").or_(row.get_by_text("Was this right?"))
    ).to_be_visible()
    return row


def test_a_new_crop_is_learned_and_taken_back(page: Any, serve_page: Any, screenshot: Any) -> None:
    where = serve_page(None)
    expect(ask(page, where)).not_to_contain_text(CROP, ignore_case=True)
    first = page.locator("#serving code").inner_text()

    page.goto(f"{where.url}/#teach")
    at_rest(page)
    page.get_by_label("Archives", exact=True).set_input_files(
        [{"name": "roundleaf.zip", "mimeType": "application/zip", "buffer": new_crop()}]
    )
    state = page.locator(".teach-upload .teach-state").get_by_text("Looked into", exact=True)
    state.wait_for(timeout=TRAINING_MS)
    page.get_by_role("button", name="Look through the photographs").click()

    sections = page.locator(".look-section")
    expect(sections).to_have_count(len(CONDITIONS))
    for at in range(len(CONDITIONS)):
        sections.nth(at).get_by_role("button", name="Declare it as a class").click()
        says(sections.nth(at), "A new class: declared")
    expect(page.locator(".look-tile img").first).to_be_visible()
    sections.first.get_by_role("option").nth(1).click()
    sections.first.get_by_role("option").nth(3).click(modifiers=["Shift"])
    sections.first.evaluate("(one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 130)")
    expect(sections.first.locator(".look-tile img").nth(8)).to_be_visible()
    screenshot(page, "journey-look", full_page=False)
    page.get_by_role("button", name="Choose none").click()
    for at in range(len(CONDITIONS)):
        sections.nth(at).get_by_role("option").first.wait_for()
        sections.nth(at).get_by_role("button", name=re.compile("Choose all shown")).click()
        page.locator(".look-bar").get_by_role("button", name="Accept").click()
        says(page.locator(".look-bar"), f"{EACH} photographs accepted.")
        expect(sections.nth(at).get_by_role("option")).to_have_count(0)

    page.get_by_role("list", name="Steps").get_by_role("button").nth(2).click()
    says(
        page.get_by_role("tabpanel"),
        f"{EACH * len(CONDITIONS)} photographs are accepted and not learned yet.",
    )
    page.get_by_label(re.compile("^Why")).fill("a crop that we grow now")
    page.get_by_role("button", name="Teach the model", exact=True).click()
    page.locator(".teach-running .card").wait_for()
    outcome = page.locator(".teach-outcome")
    outcome.locator(".notice").wait_for(timeout=TRAINING_MS)
    screenshot(page, "journey-gate")
    says(outcome, "The gate held.", f"Recognises {CROP}: Rust", "It was promoted by itself.")
    expect(outcome).to_contain_text("It serves.", use_inner_text=True, timeout=LONG_MS)
    outcome.get_by_role("button", name="Open the whole report").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_be_visible()

    expect(page.locator("#serving")).not_to_be_empty()
    expect(ask(page, where)).to_contain_text("rust of roundleaf", ignore_case=True)
    screenshot(page, "journey-diagnosed")

    page.goto(f"{where.url}/?again#models")
    past = page.get_by_role("region", name="In service, and before")
    says(past, "serves since", "the gate held", "Roll back to plant-leaves")
    past.get_by_role("button", name=re.compile("^Roll back to")).click()
    window = page.get_by_role("dialog", name="Roll back?")
    window.get_by_role("textbox").fill("only tried")
    window.get_by_role("button", name="Roll back").click()
    says(past, "serves again.", "only tried")
    screenshot(page, "journey-rolled-back")
    # The server takes the first model up again in a moment; until then the other one is in service. Its row
    # names the first as well, in the note on where it comes from, so the whole row says nothing.
    expect(page.locator(".models-row[aria-current=true] code")).to_have_text(first, timeout=LONG_MS)
    expect(ask(page, where)).not_to_contain_text(CROP, ignore_case=True)
