"""Photographs for tests of the tab Diagnose, and how a person brings them in.

Enters: a page of Chromium, colours. Leaves: JPEGs whose diagnosis by the tiny model is known, and a page that
has them. It does not know what is tested.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED, coloured
from tests.web.harness import RunningPage
from tests.web.looking import at_rest, expect, next_frame

NAMES = {RED: "Scab of apple", GREEN: "Healthy apple leaf", BLUE: "Early blight of tomato"}
NO_LEAF = GREY
HAND_OVER = """([how, files]) => {
  const transfer = new DataTransfer();
  const bytes = (data) => Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  for (const {name, kind, data} of files) transfer.items.add(new File([bytes(data)], name, {type: kind}));
  const event = how === "paste"
    ? new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent(how, {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    """Pixels as a JPEG."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", **{"quality": 92, **options})
    return target.getvalue()


def photograph(colour: tuple[int, int, int], side: int = 64, seed: int = 0) -> bytes:
    """A JPEG of one colour, with noise."""
    return jpeg(coloured(colour, side, seed))


def as_file(name: str, data: bytes, kind: str = "image/jpeg") -> Any:
    """As Playwright hands it to a file field."""
    return {"name": name, "mimeType": kind, "buffer": data}


def opened(page: Any, where: RunningPage) -> Any:
    """The tab, when it knows what the model knows."""
    page.goto(f"{where.url}/#diagnose")
    expect(page.get_by_role("tab", name="Diagnose", selected=True)).to_be_visible()
    return at_rest(page)


def choose(page: Any, *files: Any) -> None:
    """By the file button."""
    page.get_by_label("Photographs", exact=True).set_input_files(list(files))


def hand_over(page: Any, how: str, *files: tuple[str, bytes, str]) -> bool:
    """By drop or paste; whether the page took them."""
    given = [
        {"name": name, "kind": kind, "data": base64.b64encode(data).decode()} for name, data, kind in files
    ]
    return bool(page.evaluate(HAND_OVER, [how, given]))


def diagnose(page: Any) -> None:
    """Send what is ready."""
    page.locator(".tray-send").click()


def row(page: Any, name: str, state: str = "answered") -> Any:
    """The line of a photograph, when it is in that state."""
    found = page.locator(f"li.photo-{state}").filter(has=page.get_by_text(name, exact=True))
    found.wait_for()
    return found


def open_row(page: Any, name: str) -> Any:
    """The same, opened."""
    found = row(page, name)
    button = found.locator(".photo-open")
    next_frame(page)  # one that was sent alone is opened by the page
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    return found


def tallied(page: Any, said: str) -> None:
    """Nothing is under way, and the line above the answers says so: it is drawn a frame later than they."""
    expect(page.locator(".summary-said")).to_have_text(said)
    expect(page.locator(".summary").get_by_role("button", name="Stop")).to_be_hidden()


def asked(page: Any, path: str) -> Any:
    """JSON of the API, without a browser between."""
    origin = page.evaluate("location.origin")
    return page.request.get(origin + path).json()
