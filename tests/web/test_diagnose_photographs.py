"""What the browser does with photographs: smaller, upright, without place; the heatmap exactly on them."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.web.harness import RunningPage
from tests.web.looking import expect, says
from tests.web.photographing import as_file, choose, diagnose, jpeg, opened, photograph, row

from leafsight.images import decode, overlay_heatmap, read_header

TURNED = 6
"""EXIF orientation of a telephone held upright: the stored rows are columns."""
GPS_IFD, ORIENTATION, MAKE = 0x8825, 274, 271


@cache
def large_photograph(orientation: int = TURNED, size_px: tuple[int, int] = (4000, 3000)) -> bytes:
    """Twelve megapixels with GPS: upright, the upper third is red, the rest green."""
    width, height = size_px if orientation < 5 else size_px[::-1]
    upright = Image.new("RGB", (width, height), GREEN)
    upright.paste(RED, (0, 0, width, height // 3))
    noise = Image.effect_noise((width, height), 24)
    upright = Image.blend(upright, Image.merge("RGB", [noise] * 3), 0.15)
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = orientation, "a telephone"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    target = io.BytesIO()
    stored.save(target, "JPEG", quality=92, exif=exif)
    return target.getvalue()


WATCH = """() => {
  window.sent = [];
  const own = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    if (body instanceof FormData) window.sent.push(...body.getAll("photo"));
    return own.call(this, body);
  };
}"""
TAKE = """async () => Promise.all(window.sent.map(async (blob) => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}))"""


def sent_photographs(page: Any) -> list[bytes]:
    """The files that leave the page when ``diagnose`` is pressed: Playwright does not see into them."""
    page.evaluate(WATCH)
    with page.expect_response("**/v1/predict*"):
        diagnose(page)
    return [base64.b64decode(text) for text in page.evaluate(TAKE)]


def blobs(where: RunningPage) -> set[Path]:
    return {path for path in where.folder.rglob("*") if path.suffix in (".jpg", ".png")}


@pytest.mark.parametrize("orientation", [1, TURNED])
def test_a_large_one_leaves_small_upright_and_without_place(
    page: Any, running_page: RunningPage, orientation: int
) -> None:
    whole = large_photograph(orientation)
    assert b"a telephone" in whole
    opened(page, running_page)
    choose(page, as_file("large.jpg", whole))
    (sent,) = sent_photographs(page)
    assert len(sent) < len(whole) / 4
    assert b"Exif" not in sent
    assert b"a telephone" not in sent
    header = read_header(sent)
    assert header.orientation == 1
    assert (header.width_px, header.height_px) == ((1000, 750) if orientation == 1 else (750, 1000))
    pixels = decode(sent)
    height = pixels.shape[0]
    upper, lower = pixels[: height // 4].mean((0, 1)), pixels[height // 2 :].mean((0, 1))
    assert upper[0] > upper[1] + 60, "red is above"
    assert lower[1] > lower[0] + 60, "green is below"
    says(row(page, "large.jpg"), "Made smaller in this browser")
    page.get_by_text("The server does not keep the photograph.").wait_for()


def test_small_ones_are_sent_to_the_last_byte(page: Any, running_page: RunningPage) -> None:
    data = photograph(RED)
    opened(page, running_page)
    choose(page, as_file("small.jpg", data))
    assert sent_photographs(page) == [data]


def test_one_that_is_to_be_kept_is_sent_whole_and_kept_without_place(
    page: Any, running_page: RunningPage
) -> None:
    whole = large_photograph()
    before = blobs(running_page)
    opened(page, running_page)
    page.get_by_label("Keep my photographs on the server").check()
    page.get_by_text("The whole photographs are sent").wait_for()
    choose(page, as_file("large.jpg", whole))
    assert sent_photographs(page) == [whole]
    found = row(page, "large.jpg")
    found.get_by_text("The server keeps the photograph, without place, time and camera.").wait_for()
    (kept,) = blobs(running_page) - before
    assert b"a telephone" not in kept.read_bytes()
    header = read_header(kept.read_bytes())
    assert (header.width_px, header.height_px) == (3000, 4000)


def test_a_see_through_one_lies_on_white_as_on_the_server(page: Any, running_page: RunningPage) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1500, 4), np.uint8)
    noise[:, :, 3] = 0
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "PNG", compress_level=1)
    opened(page, running_page)
    choose(page, as_file("clear.png", target.getvalue(), "image/png"))
    (sent,) = sent_photographs(page)
    assert sent.startswith(b"\xff\xd8")
    assert decode(sent).min() > 250


def test_browsers_that_lie_about_canvases_send_the_file_itself(page: Any, running_page: RunningPage) -> None:
    page.add_init_script("""
      const own = OffscreenCanvasRenderingContext2D.prototype.getImageData;
      OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...given) {
        const read = own.apply(this, given);
        read.data[5] ^= 1;
        return read;
      };
    """)
    whole = large_photograph()
    opened(page, running_page)
    choose(page, as_file("large.jpg", whole))
    assert sent_photographs(page) == [whole]


HEAT = """async ([layer, photograph]) => {
  const heat = await import("/page/diagnose-heat.js");
  const read = await heat.readLayer({media_type: "image/png", base64: layer});
  const wide = heat.enlarge(read, ...photograph);
  const canvas = document.createElement("canvas");
  heat.paint(canvas, wide, 0.8);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return {warm: Array.from(wide.values), colours: Array.from(data), place: heat.hottestPlace(read)};
}"""


def drawn(place: Any) -> None:
    """The photograph in ``place`` has come and can be drawn: before, it has no size."""
    place.locator(".picture-photo").evaluate("(image) => image.decode()")


BOXES = """(row) => [".picture-photo", ".picture-heat-layer"]
  .map((name) => row.querySelector(name).getBoundingClientRect().toJSON())"""
"""At one moment: the page may be scrolling."""


def test_the_heatmap_is_the_one_of_the_server(page: Any, running_page: RunningPage) -> None:
    """Laid over black, the canvas gives what ``overlay_heatmap`` gives, up to the rounding of a canvas."""
    grid = np.zeros((8, 8), np.uint8)
    grid[1:4, 5:8] = [[90, 180, 60], [200, 255, 120], [20, 130, 70]]
    target = io.BytesIO()
    Image.fromarray(grid).save(target, "PNG")
    width, height = 90, 60
    opened(page, running_page)
    found = page.evaluate(HEAT, [base64.b64encode(target.getvalue()).decode(), [width, height]])
    by_server = Image.fromarray(grid.astype(np.float32) / 255).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    warm = np.array(found["warm"]).reshape(height, width)
    assert np.abs(warm - np.clip(np.asarray(by_server), 0, 1)).max() < 1e-5
    colours = np.array(found["colours"], np.float64).reshape(height, width, 4)
    laid = colours[:, :, :3] * colours[:, :, 3:] / 255
    expected = overlay_heatmap(np.zeros((height, width, 3), np.uint8), grid.astype(np.float32) / 255, 0.8)
    assert np.abs(laid - expected).max() <= 3
    assert found["place"] == "at the upper right"


def test_the_heatmap_lies_on_the_photograph_and_follows_its_slider(
    page: Any, running_page: RunningPage, screenshot: Any
) -> None:
    """A red corner speaks for scab: there, and nowhere else, does the photograph change."""
    pixels = np.zeros((600, 800, 3), np.uint8)
    pixels[:] = (20, 20, 20)
    pixels[:300, 400:] = RED
    opened(page, running_page)
    choose(page, as_file("corner.jpg", jpeg(pixels, quality=95)))
    diagnose(page)
    found = row(page, "corner.jpg")
    found.get_by_text("most of it is at the upper right").wait_for()
    drawn(found)
    photo, layer = found.evaluate(BOXES)
    assert photo == layer
    slider = found.get_by_role("slider", name="Heatmap")
    frame = found.locator(".picture-frame")
    pictures = {}
    for strength in ("0", "50", "100"):
        slider.fill(strength)
        pictures[strength] = np.asarray(Image.open(io.BytesIO(frame.screenshot())).convert("RGB"), np.int16)
    expect(slider).to_have_attribute("aria-valuetext", "100 per cent")
    change = np.abs(pictures["100"] - pictures["0"]).max(axis=2)
    height, width = change.shape
    corner, opposite = change[: height // 3, 2 * width // 3 :], change[2 * height // 3 :, : width // 3]
    assert corner.mean() > 60
    assert opposite[:-12, 12:].max() <= 2
    half = np.abs(pictures["50"] - pictures["0"]).max(axis=2)
    assert 0.4 < half[: height // 3, 2 * width // 3 :].mean() / corner.mean() < 0.6


def test_it_lies_right_on_a_turned_photograph_too(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("turned.jpg", large_photograph()))
    diagnose(page)
    found = row(page, "turned.jpg")
    found.locator(".heat-scale").wait_for()
    drawn(found)
    box, above_it = found.evaluate(BOXES)
    assert box["height"] > box["width"]
    assert above_it == box
    layer = found.locator(".picture-heat-layer")
    assert layer.evaluate("(canvas) => [canvas.width, canvas.height]") == [288, 384]
    rows = layer.evaluate("""(canvas) => {
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      const alpha = (y) => data[4 * (y * canvas.width + canvas.width / 2) + 3];
      return [alpha(40), alpha(300)];
    }""")
    title = found.get_by_role("heading", level=4).first.inner_text()
    above, below = rows
    assert (above > below) == ("Scab" in title), "red, above, speaks for scab; green, below, for health"
    assert above != below


def test_one_can_look_closer(page: Any, running_page: RunningPage, screenshot: Any) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(BLUE, side=400)))
    diagnose(page)
    row(page, "leaf.jpg").get_by_role("button", name="Look closer").click()
    window = page.get_by_role("dialog", name="leaf.jpg")
    place = window.locator(".closer-place")
    drawn(window)
    width = window.locator(".picture-photo").bounding_box()["width"]
    expect(place).to_be_focused()
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(window.locator("output")).to_have_text("2 times")
    assert window.locator(".picture-photo").bounding_box()["width"] == pytest.approx(2 * width, rel=0.05)
    assert place.evaluate("(frame) => frame.scrollWidth > frame.clientWidth")
    screenshot(page, "diagnose-closer", full_page=False)
    page.keyboard.press("Escape")
    window.wait_for(state="detached")
    expect(row(page, "leaf.jpg")).to_be_visible()
