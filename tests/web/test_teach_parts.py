"""Tab Teach in a real browser: a large file goes in parts, and on where it was, whatever happens."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.made_archives import photo, zipped
from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.looking import LOOKS, PATIENCE_MS, at_rest, expect, looks_until, next_frame, says

from leafsight.state import open_state

LOOK_MS = 1500
"""From one look at what became of the uploads to the next."""
PART = 4_000_000
HELD = "localStorage.getItem('leafsight.uploads')"


@dataclass
class Between:
    """What stands between the page and the parts of uploads, and what has passed it.

    Attributes:
        patches: where each part began that was sent, also those that did not come through.
        begun: how many uploads in parts were begun.
        broken: how many parts from the second on are still to be broken off.
        away: how many requests are still to find nobody there, from the second part on.
        holds: keeps back all parts but the first of a file.
        asks_held: keeps back the question how far it is.
        held: what is kept back.
    """

    patches: list[int] = field(default_factory=list)
    begun: int = 0
    broken: int = 0
    away: int = 0
    holds: bool = False
    asks_held: bool = False
    held: list[Any] = field(default_factory=list)

    def parts(self, route: Any) -> None:
        method = route.request.method
        offset = int(route.request.headers.get("upload-offset", "0"))
        if method == "PATCH":
            self.patches.append(offset)
        if self.patches and self.patches[-1] and self.away:
            self.away -= 1
            route.abort("connectionrefused")
        elif method == "PATCH" and offset and self.broken:
            self.broken -= 1
            route.abort("connectionreset")
        elif (method == "PATCH" and offset and self.holds) or (method == "HEAD" and self.asks_held):
            self.held.append(route)
        else:
            route.continue_()

    def uploads(self, route: Any) -> None:
        self.begun += "upload-length" in route.request.headers
        route.continue_()

    def let_go(self) -> None:
        self.holds = self.asks_held = False
        for route in self.held:
            route.continue_()
        self.held.clear()


@pytest.fixture
def where(untaught_page: RunningPage) -> RunningPage:
    """A service that was sent nothing yet."""
    return untaught_page


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A zip of class folders that is above 8 MB, mostly by what is no photograph."""
    return made_large(tmp_path / "garden.zip")


def made_large(path: Path, seed: int = 0) -> Path:
    notes = random.Random(seed).randbytes(9_400_000)
    path.write_bytes(zipped({"rust/a.jpg": photo(1), "healthy/b.jpg": photo(2), "notes.bin": notes}))
    return path


def opened(page: Any, where: RunningPage, between: Between | None = None) -> Any:
    page.allow("Failed to load resource", "failed: PATCH", "failed: HEAD", "Failed to fetch", "net::")
    if between:
        page.route("**/v1/uploads/*/parts", between.parts)
        page.route("**/v1/uploads", between.uploads)
    page.clock.install()
    page.goto(f"{where.url}/#teach")
    page.get_by_role("heading", name="What was sent").wait_for()
    return at_rest(page)


def choose(page: Any, *files: Path) -> None:
    page.get_by_label("Archives", exact=True).set_input_files(files)


def looked_into(page: Any) -> Any:
    state = page.locator(".teach-state").get_by_text("Looked into", exact=True)
    return looks_until(page, page.locator(".teach-upload", has=state).first, LOOK_MS)


def kept(where: RunningPage) -> list[str]:
    """Hashes of what was sent, newest first."""
    with open_state(f"sqlite:///{where.folder / 'leafsight.db'}") as state:
        return [one.sha256 for one in state.uploads.page().records]


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def stopped_in_the_middle(page: Any, where: RunningPage, large: Path) -> Between:
    """The first part is there, the second is held."""
    between = Between(holds=True)
    opened(page, where, between)
    choose(page, large)
    wait_for_held(page, between)
    says(page.locator(".teach-queue"), "garden.zip", "4.0 MB of 9.4 MB")
    return between


def wait_for_held(page: Any, between: Between, count: int = 1) -> None:
    """A request is shown before it is stopped on its way."""
    end_s = time.monotonic() + PATIENCE_MS / 1000
    while len(between.held) < count and time.monotonic() < end_s:
        next_frame(page)
    assert len(between.held) == count


def test_a_connection_that_breaks_goes_on_where_the_server_says(
    page: Any, where: RunningPage, large: Path, screenshot: Any
) -> None:
    between = Between(broken=1, asks_held=True)
    opened(page, where, between)
    choose(page, large)
    row = page.locator(".teach-queue")
    says(row, "4.0 MB of 9.4 MB. The connection broke; it goes on by itself.")
    expect(page.get_by_role("status").get_by_text("garden.zip: the connection broke")).to_be_attached()
    expect(page.get_by_role("progressbar", name="Sending garden.zip")).to_have_attribute(
        "aria-valuenow", "42"
    )
    screenshot(page, "teach-parts-broken-1280")
    between.let_go()
    says(looked_into(page), "2 photographs in 2 classes", "1 file left out")
    assert between.patches[:3] == [0, PART, PART]
    assert between.patches[3:] == sorted(between.patches[3:])
    assert between.patches[3] < 2 * PART, "a part that broke is halved"
    assert between.begun == 1
    assert kept(where) == [hash_of(large)]
    assert page.evaluate(HELD) is None
    expect(page.get_by_text("1 of 1 upload sent.")).to_be_visible()


def test_the_same_file_goes_on_after_a_reload(
    page: Any, where: RunningPage, large: Path, screenshot: Any
) -> None:
    between = stopped_in_the_middle(page, where, large)
    between.holds = False
    between.patches.clear()
    page.reload()
    card = page.get_by_role("region", name="Not finished")
    says(card, "Choose the same file again", "garden.zip", "4.0 MB of 9.4 MB are there.")
    screenshot(page, "teach-parts-not-finished-1280")
    choose(page, large)
    looked_into(page)
    assert between.patches == [PART, 2 * PART]
    assert between.begun == 1
    assert kept(where) == [hash_of(large)]
    assert page.evaluate(HELD) is None
    expect(card).to_be_hidden()


def test_a_folder_is_the_same_zip_after_a_reload(page: Any, where: RunningPage, tmp_path: Path) -> None:
    made = random.Random(3)
    files = {"rust/a.jpg": photo(1), "healthy/b.jpg": photo(2)} | {
        f"rust/{n}.jpg": photo(3 + n) + made.randbytes(3_000_000) for n in range(3)
    }
    for name, data in files.items():
        (tmp_path / "beans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "beans" / name).write_bytes(data)
    between = Between(holds=True)
    opened(page, where, between)
    page.get_by_label("A folder", exact=True).set_input_files(tmp_path / "beans")
    wait_for_held(page, between)
    between.holds = False
    between.patches.clear()
    page.reload()
    says(page.get_by_role("region", name="Not finished"), "beans: 5 photographs", "4.0 MB of 9")
    page.get_by_label("A folder", exact=True).set_input_files(tmp_path / "beans")
    says(looked_into(page), "5 photographs in 2 classes")
    assert between.patches == [PART, 2 * PART]
    assert len(kept(where)) == 1


def test_another_file_of_the_same_name_begins_anew(page: Any, where: RunningPage, large: Path) -> None:
    between = stopped_in_the_middle(page, where, large)
    between.holds = False
    between.patches.clear()
    page.reload()
    page.get_by_role("region", name="Not finished").wait_for()
    times = large.stat()
    made_large(large, seed=1)
    os.utime(large, ns=(times.st_atime_ns, times.st_mtime_ns))
    choose(page, large)
    looked_into(page)
    assert between.patches == [0, PART, 2 * PART]
    assert kept(where) == [hash_of(large)]
    expect(page.get_by_role("region", name="Not finished")).to_be_visible()


def test_what_the_server_does_not_know_any_more_begins_anew(
    page: Any, where: RunningPage, large: Path
) -> None:
    between = stopped_in_the_middle(page, where, large)
    page.reload()
    page.get_by_text("4.0 MB of 9.4 MB are there.").wait_for()
    (one,) = page.evaluate(f"JSON.parse({HELD})")
    assert page.request.delete(f"{where.url}/v1/uploads/{one['id']}/parts").status == 204
    between.holds = False
    between.patches.clear()
    choose(page, large)
    looked_into(page)
    assert between.patches == [0, PART, 2 * PART]
    assert between.begun == 2
    assert page.evaluate(HELD) is None


def test_a_large_one_can_be_cancelled_and_nothing_of_it_stays(
    page: Any, where: RunningPage, large: Path
) -> None:
    stopped_in_the_middle(page, where, large)
    (one,) = page.evaluate(f"JSON.parse({HELD})")
    button = page.get_by_role("button", name="Cancel garden.zip")
    button.focus()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        page.keyboard.press("Enter")
    assert given_up.value.status == 204
    expect(page.locator(".teach-queue")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose archives")).to_be_focused()
    expect(page.get_by_role("status").get_by_text("garden.zip: cancelled.")).to_be_attached()
    assert page.evaluate(HELD) is None
    assert page.request.head(f"{where.url}/v1/uploads/{one['id']}/parts").status == 404
    assert kept(where) == []


def test_one_of_an_earlier_visit_can_be_given_up(page: Any, where: RunningPage, large: Path) -> None:
    stopped_in_the_middle(page, where, large)
    (one,) = page.evaluate(f"JSON.parse({HELD})")
    page.reload()
    page.get_by_role("button", name="Give up garden.zip").click()
    expect(page.get_by_role("region", name="Not finished")).to_be_hidden()
    assert page.evaluate(HELD) is None
    assert page.request.head(f"{where.url}/v1/uploads/{one['id']}/parts").status == 404


@pytest.mark.parametrize(
    "storage", ["{ get() { throw new DOMException('no', 'SecurityError'); } }", "{ value: null }"]
)
def test_where_the_browser_may_remember_nothing_it_is_sent_all_the_same(
    page: Any, where: RunningPage, large: Path, storage: str
) -> None:
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {storage});")
    between = Between(broken=1)
    opened(page, where, between)
    choose(page, large)
    looked_into(page)
    assert between.patches[:3] == [0, PART, PART]
    assert kept(where) == [hash_of(large)]


def test_a_server_that_is_away_is_waited_for(page: Any, where: RunningPage, large: Path) -> None:
    between = Between(away=12)
    opened(page, where, between)
    choose(page, large)
    looked_into(page)
    assert between.away == 0
    assert between.patches[:3] == [0, PART, PART]
    assert kept(where) == [hash_of(large)]


def test_what_is_not_mended_by_waiting_is_said_and_can_be_gone_on_with(
    page: Any, where: RunningPage, large: Path
) -> None:
    between = Between(broken=8)
    opened(page, where, between)
    choose(page, large)
    again = looks_until(page, page.get_by_role("button", name="Send again"), LOOK_MS)
    says(page.locator(".teach-queue"), "The connection broke 8 times", "What the server has stays there")
    expect(page.get_by_role("region", name="Not finished")).to_be_hidden()
    assert between.patches == [0, *[PART] * 8]
    between.patches.clear()
    again.click()
    looked_into(page)
    assert between.patches == [PART, 2 * PART]
    assert kept(where) == [hash_of(large)]


def test_a_file_that_was_changed_meanwhile_is_not_mixed_up(
    page: Any, where: RunningPage, large: Path
) -> None:
    between = stopped_in_the_middle(page, where, large)
    made_large(large, seed=2)
    for route in between.held:
        route.abort("connectionreset")
    between.held.clear()
    says(page.locator(".teach-queue"), "The file cannot be read any more", "Leave it out and choose it again")
    page.get_by_role("button", name="Leave out").click()
    expect(page.locator(".teach-queue")).to_be_hidden()
    assert kept(where) == []


def test_where_too_many_are_under_way_it_goes_in_one_piece(
    page: Any, where: RunningPage, large: Path
) -> None:
    def refuse(route: Any) -> None:
        if "upload-length" in route.request.headers:
            full = {"type": "x/rate-limit", "detail": "8 uploads in parts are under way already"}
            route.fulfill(
                status=429, content_type="application/problem+json", headers={"retry-after": "60"}, json=full
            )
        else:
            route.continue_()

    opened(page, where)
    page.route("**/v1/uploads", refuse)
    choose(page, large)
    looked_into(page)
    assert kept(where) == [hash_of(large)]


def test_how_long_still_is_told_when_enough_was_seen(page: Any, where: RunningPage) -> None:
    opened(page, where)
    told = page.evaluate("""async () => {
      const { leftWords, makePace } = await import("/page/teach-pace.js");
      let now = 0;
      performance.now = () => now;
      const pace = makePace();
      const at = (ms, bytes) => {
        now = ms;
        pace.told(bytes);
        return pace.left(100);
      };
      const left = [pace.left(100), at(0, 0), at(1000, 10), at(2000, 20), at(10_000, 20), at(31_000, 80)];
      pace.restart();
      return [...left, pace.left(100), ...[4_000, 44_000, 100_000, 3_600_000, 9_000_000].map(leftWords)];
    }""")
    assert told == [
        None, None, None, 8000, 40_000, 7000, None, "a few seconds left", "about 40 s left",
        "about 2 min left", "about 60 min left", "about 3 h left",
    ]  # fmt: skip


def test_it_can_be_read_everywhere(
    make_page: Callable[..., Any], where: RunningPage, tmp_path: Path, screenshot: Any
) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    name = "a collection with a rather long name, as people give them"
    between = Between(holds=True)
    opened(page, where, between)
    choose(page, made_large(tmp_path / f"{name}.zip"))
    wait_for_held(page, between)
    page.reload()
    says(page.get_by_role("region", name="Not finished"), "4.0 MB of 9.4 MB are there.")
    between.held.clear()
    choose(page, made_large(tmp_path / "garden.zip", seed=1), made_large(tmp_path / "field.zip", seed=2))
    wait_for_held(page, between, 2)
    for file in ("garden.zip", "field.zip"):
        says(page.locator(".teach-item", has_text=file), "4.0 MB of 9.4 MB")
    between.broken, between.asks_held = 1, True
    between.held[0].abort("connectionreset")
    says(page.locator(".teach-queue"), "The connection broke; it goes on by itself.")
    page.locator("#reach").get_by_text("cannot be reached").wait_for(state="hidden")
    at_rest(page)
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"teach-parts-{look}")) == {}
