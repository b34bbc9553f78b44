"""Tab Teach, first step: of each upload it is told what became of its photographs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.made_archives import photo, zipped
from tests.web.harness import RunningPage
from tests.web.looking import at_rest, looks_until, says

LOOK_MS = 1500
"""From one look at what became of the uploads to the next."""
SAID = """async (contributions) => {
  const [{ result }, elements, words] = await Promise.all(
    ["teach-words", "elements", "words"].map((name) => import(`/page/${name}.js`)));
  const found = {photographs: 8, usable: 8, classes: 2, class_counts: {}, faults: {}, faulty: [], notes: [],
    twice: {photographs: 0, examples: []}, contributions};
  return result({job: {state: "done", result: found}}, {elements, words}).children[1]?.textContent ?? "";
}"""


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (None, ""),
        (
            {"contributions": 8, "added": 8, "refused": 0, "clean": 6},
            "8 photographs went on to be looked through, 6 of them without doubts.",
        ),
        (
            {"contributions": 8, "added": 8, "refused": 2, "clean": 0},
            "6 photographs went on to be looked through, none of them without doubts."
            " 2 were rejected at once: they are of the locked test.",
        ),
        (
            {"contributions": 8, "added": 8, "refused": 1, "clean": 5, "accepted": 5},
            "7 photographs went on to be looked through, 5 of them without doubts."
            " 5 of these were accepted by the rule. 1 was rejected at once: it is of the locked test.",
        ),
        (
            {"contributions": 3, "added": 3, "refused": 3, "clean": 0},
            "3 were rejected at once: they are of the locked test.",
        ),
        (
            {"contributions": 8, "added": 2, "refused": 0, "clean": 2},
            "8 photographs went on to be looked through.",
        ),
        (
            {"contributions": 1, "added": 1, "refused": 0, "clean": 0},
            "It went on to be looked through, with a doubt.",
        ),
        (
            {"contributions": 1, "added": 1, "refused": 1, "clean": 0},
            "It was rejected at once: it is of the locked test.",
        ),
    ],
)
def test_what_went_on_is_told_in_words(page: Any, taught_page: RunningPage, made: Any, told: str) -> None:
    page.goto(f"{taught_page.url}/#teach")
    at_rest(page)
    assert page.evaluate(SAID, made) == told


def test_it_is_told_of_what_a_service_looked_into(page: Any, untaught_page: RunningPage) -> None:
    page.clock.install()
    page.goto(f"{untaught_page.url}/#teach")
    at_rest(page)
    files = {"rust/a.jpg": photo(1), "healthy/b.jpg": photo(2)}
    page.get_by_label("Archives", exact=True).set_input_files(
        [{"name": "two.zip", "mimeType": "", "buffer": zipped(files)}]
    )
    state = page.locator(".teach-state").get_by_text("Looked into", exact=True)
    row = looks_until(page, page.locator(".teach-upload", has=state).first, LOOK_MS)
    says(row, "2 photographs went on to be looked through, ")
