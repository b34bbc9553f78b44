"""Looks at a page that wait for it.

A page shows what it was told in a later frame, or when an answer has come: who looks once, looks too early
on a slow computer. Enters: a page, or what is to be seen on it. Leaves: an assertion that is looked at again
until it holds or patience ends. It does not know what is tested. ``test_looking.py`` sees to it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

PATIENCE_MS = 60_000
"""No test waits this long unless something is wrong; 15 seconds were too few once on a loaded machine."""
LONG_MS = 180_000
"""The same of what the service does in processes that it starts."""

AT_REST = """() => {
  const panel = document.querySelector("[role=tabpanel]:not([hidden])");
  const serving = document.querySelector("#serving strong");
  return Boolean(serving && panel?.hasChildNodes() && !panel.querySelector(".busy"));
}"""
"""The header says what serves, and no part of the tab that is shown waits for an answer."""

DIAGNOSE_AT_REST = """() => {
  const panel = document.querySelector("#panel-diagnose");
  const camera = [...panel.querySelectorAll("button")].find((one) => one.textContent === "Use the camera");
  return panel.querySelectorAll(".choice-crop option").length > 1 && camera.checkVisibility();
}"""
"""The crops have come, and the computer has said that it has a camera."""

NEXT_FRAME = "() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => seen())))"


def expect(seen: Any) -> Any:
    """Playwright's ``expect``, with the patience of this room; a page, a locator or an answer."""
    from playwright.sync_api import expect as patient

    patient.set_options(timeout=PATIENCE_MS)
    return patient(seen)


def says(locator: Any, *words: str) -> None:
    """What a person can read there has all of ``words`` in it."""
    for one in words:
        expect(locator).to_contain_text(one, use_inner_text=True)


def at_rest(page: Any) -> Any:
    """The page, when nothing that it asked for is still to come."""
    from playwright.sync_api import TimeoutError as NeverCame

    try:
        page.wait_for_function(AT_REST)
    except NeverCame as late:
        raise AssertionError(
            f"the page still waits, and shows: {page.locator('body').inner_text()}"
        ) from late
    if page.get_by_role("tab", name="Diagnose", selected=True).count():
        page.wait_for_function(DIAGNOSE_AT_REST)
    return page


def looks_until(page: Any, sight: Any, every_ms: int) -> Any:
    """``sight``, when it is there: the clock of a page that looks now and then is put forward to each look.

    The clock is the test's since ``page.clock.install()``, which comes before the page is opened.
    """
    from playwright.sync_api import TimeoutError as NotYet

    end_s = time.monotonic() + LONG_MS / 1000
    while time.monotonic() < end_s:
        page.clock.fast_forward(every_ms)
        with suppress(NotYet):
            sight.wait_for(timeout=100)  # a look takes about as long
            return sight
    expect(sight).to_be_visible()
    return sight


LOOKS = ((320, "light"), (390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
"""Widths in pixels and themes in which everything is read; a page is opened as the first, as on a phone."""


def look_as(page: Any, width: int, scheme: str, height: int = 900) -> str:
    """The page in a window of this width, for a system of this theme; both in one word."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    next_frame(page)
    return f"{width}-{scheme}"


def next_frame(page: Any) -> None:
    """What the page puts off to its next frame is done: the waiting point of what never shows."""
    page.evaluate(NEXT_FRAME)
