"""Tab Data in a real browser: a report is made, read, opened whole in its sandbox; and there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.service.test_reports import keep_report
from tests.web.audit import contrast_faults, faults_in_all_looks
from tests.web.harness import RunningPage, make_key
from tests.web.looking import LONG_MS, LOOKS, at_rest, expect, says

from leafsight.dataset import SynthOptions, write_synthetic_collection
from leafsight.service.report_store import Reports
from leafsight.state import open_blobs


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn leaves, one of them twice, one that is no photograph."""
    folder = tmp_path_factory.mktemp("drawn") / "garden leaves"
    options = SynthOptions(
        crops=("Roundleaf",),
        conditions=("healthy", "Rust"),
        leaves_per_class=8,
        side_px=160,
        not_a_leaf=False,
    )
    write_synthetic_collection(folder, options)
    rust = sorted((folder / "Roundleaf___Rust").iterdir())
    (folder / "Roundleaf___healthy" / "again.jpg").write_bytes(rust[0].read_bytes())
    (folder / "Roundleaf___Rust" / "torn.jpg").write_bytes(rust[1].read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def with_data(
    serve_page: Callable[..., RunningPage],
    colour_model: Path,
    collection: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunningPage:
    """A service that shows a collection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        return serve_page(colour_model, "--data", str(collection))


def opened(page: Any, where: RunningPage) -> Any:
    page.goto(f"{where.url}/#data")
    page.get_by_role("tab", name="Data", selected=True).wait_for()
    return at_rest(page)


def made(page: Any, where: RunningPage) -> None:
    """A report is there; the first test makes it."""
    opened(page, where)
    page.get_by_role("button", name="Make").wait_for()
    first = page.get_by_role("button", name="Make the first report")
    if first.count():
        first.click()
    page.get_by_role("heading", name="Health").wait_for(timeout=LONG_MS)


def with_key(page: Any, where: RunningPage, key: str) -> None:
    """The tab after the page asked for a key."""
    page.goto(f"{where.url}/#data")
    expect(page.get_by_role("dialog").locator("input").first).to_be_focused()
    page.get_by_role("dialog").locator("input").first.fill(key)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")


def seen_to_the_end(page: Any) -> None:
    """Every picture was near the window and is there."""
    figures = page.locator(".data-figure")
    for place in range(figures.count()):
        figures.nth(place).scroll_into_view_if_needed()
        figures.nth(place).locator("img").wait_for()
    page.evaluate("Promise.all([...document.images].map((one) => one.decode()))")
    page.evaluate("scrollTo(0, 0)")


def test_a_report_is_made_with_progress_and_read(page: Any, with_data: RunningPage, screenshot: Any) -> None:
    opened(page, with_data)
    page.get_by_text("No report was made yet. Making one reads").wait_for()
    page.get_by_role("button", name="Make the first report").click()
    page.locator(".data-part-now").wait_for()
    page.locator(".data-part-now", has_text="Drawing the figures").wait_for(timeout=LONG_MS)
    screenshot(page, "data-under-way")
    page.get_by_role("heading", name="Health").wait_for(timeout=LONG_MS)
    says(page.locator(".data-top"), "garden leaves")
    figures = page.locator(".data-figure")
    expect(figures).to_have_count(15)  # the report is drawn in one go
    weights = page.locator(".data-weight").all_inner_texts()
    assert weights == sorted(weights, key=["Mend", "Look", "Know"].index)
    assert "Mend" in weights
    page.locator(".data-finding").first.locator("summary").click()
    expect(page.locator(".data-finding").first.locator("code").first).to_be_visible()
    expect(figures.locator("h3")).to_have_text([re.compile(r"\?$")] * 15)
    expect(figures.locator(".data-answer")).to_have_text([re.compile(r"\S")] * 15)
    seen_to_the_end(page)
    screenshot(page, "data-report-1280")
    expect(page.get_by_role("button", name="Make a new report")).to_be_enabled()


def test_a_picture_is_enlarged_by_mouse_and_keyboard(
    page: Any, with_data: RunningPage, screenshot: Any
) -> None:
    made(page, with_data)
    figure = page.locator(".data-figure").first
    figure.scroll_into_view_if_needed()
    first = figure.locator(".data-enlarge")  # pictures come in any order
    first.wait_for()
    question = figure.locator("h3").inner_text()
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    expect(dialog.get_by_role("heading")).to_have_text(question)
    dialog.locator("img").evaluate("(image) => image.decode()")  # before, it has no size
    assert dialog.locator("img").bounding_box()["width"] > 700
    screenshot(page, "data-enlarged", full_page=False)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    expect(first).to_be_focused()


def test_the_whole_report_opens_in_a_frame_and_can_be_saved(
    page: Any, with_data: RunningPage, screenshot: Any, tmp_path: Path
) -> None:
    made(page, with_data)
    for label, words in (
        ("Open the whole health report", "Health of"),
        ("Open all figures in one page", "garden leaves"),
    ):
        page.get_by_role("button", name=label).click()
        frame = page.frame_locator(".data-page iframe")
        frame.locator("body").get_by_text(words).first.wait_for()
        screenshot(page, f"data-frame-{words.split()[0].lower()}", full_page=False)
        page.locator(".data-page").get_by_role("button", name="Close").click()
        page.locator(".data-page").wait_for(state="detached")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as file").first.click()
    assert download.value.suggested_filename.endswith("-health.html")
    download.value.save_as(tmp_path / "saved.html")
    assert "Health of" in (tmp_path / "saved.html").read_text()


def test_it_can_be_read_everywhere(
    make_page: Callable[..., Any], with_data: RunningPage, screenshot: Any
) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    made(page, with_data)
    seen_to_the_end(page)
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"data-report-{look}")) == {}


def test_a_job_that_fails_and_one_that_is_stopped_are_said(page: Any, with_data: RunningPage) -> None:
    made(page, with_data)
    job = {
        "id": "0" * 32, "kind": "report", "state": "failed", "created_at": 1, "updated_at": 1,
        "progress": {}, "result": None,
        "error": {"message": "this needs 'matplotlib'", "hint": "pip install 'leafsight[train]'"},
    }  # fmt: skip

    def asked(route: Any) -> None:
        if route.request.method == "POST":
            route.fulfill(json={"id": job["id"], "job": job["id"]})
        else:
            route.continue_()

    def told(route: Any) -> None:
        route.fulfill(content_type="text/event-stream", body=f"event: job\ndata: {json.dumps(job)}\n\n")

    page.route("**/v1/reports", asked)
    page.route("**/events", told)
    page.get_by_role("button", name="Make a new report").click()
    page.get_by_text("pip install 'leafsight[train]'").wait_for()
    job.update(state="cancelled", error=None)
    page.get_by_role("button", name="Make a new report").click()
    page.get_by_text("The report was stopped.").wait_for()


def test_a_report_under_way_can_be_stopped(page: Any, with_data: RunningPage) -> None:
    made(page, with_data)
    page.get_by_role("button", name="Make a new report").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("The report was stopped.").wait_for()


SPY = b"""<!doctype html><meta charset="utf-8"><p id="said">nothing yet</p><script>
const tries = {
  storage: () => sessionStorage.length,
  local: () => localStorage.length,
  cookie: () => document.cookie,
  parent: () => parent.document.title,
  frame: () => parent.sessionStorage.length,
  api: async () => (await fetch("/v1/models")).status,
  picture: () => new Promise((yes, no) => {
    const image = new Image();
    Object.assign(image, { onload: yes, onerror: no, src: "/page/icon.svg" });
  }),
  window: () => { if (!open("/healthz")) throw new Error("no"); },
  top: () => { top.location.href = "/healthz"; },
};
(async () => {
  const reached = [];
  for (const [name, attempt] of Object.entries(tries)) {
    try { await attempt(); reached.push(name); } catch { /* as it should be */ }
  }
  const said = `origin ${self.origin}, reached: ${reached.join(" ") || "nothing"}`;
  document.getElementById("said").textContent = said;
})();
</script>"""


def test_a_page_of_a_report_reaches_neither_the_api_nor_the_key(page: Any, keyed_page: RunningPage) -> None:
    reports = Reports(open_blobs(str(keyed_page.folder / "blobs")))
    reports.put(keep_report(reports), {"health.html": SPY})
    page.allow("content policy", "sandbox", "Content Security Policy", "Blocked", "Unsafe", "failed: ", "401")
    with_key(page, keyed_page, make_key(keyed_page.folder, "admin"))
    assert page.evaluate("sessionStorage.length") > 0, "there is a key to be read"
    page.get_by_role("button", name="Open the whole health report").click()
    said = page.frame_locator(".data-page iframe").locator("#said")
    said.filter(has_text="reached").wait_for()
    expect(said).to_have_text("origin null, reached: nothing")
    expect(page).to_have_url(re.compile(f"^{re.escape(keyed_page.url)}/#data"))
    expect(page.locator(".data-page iframe")).to_have_attribute("src", re.compile("ticket="))


def test_without_a_collection_it_says_what_the_model_was_trained_on(
    page: Any, builtin_page: RunningPage, screenshot: Any
) -> None:
    opened(page, builtin_page)
    page.get_by_role("heading", name="What the model in service was trained on").wait_for()
    says(page.locator("#panel-data"), "leafsight serve --data FOLDER", "7,825", "field-bean")
    page.get_by_text("All 49 classes").click()
    screenshot(page, "data-known-1280")
    assert contrast_faults(page) == []


def test_a_model_that_is_in_no_registry_is_not_mistaken_for_another(
    page: Any, running_page: RunningPage
) -> None:
    opened(page, running_page)
    page.get_by_text("The model in service knows 4 classes.").wait_for()
    says(page.locator("#panel-data"), "not known here")


def test_who_may_not_see_reports_sees_what_is_known(page: Any, keyed_page: RunningPage) -> None:
    page.allow("401", "403")
    with_key(page, keyed_page, make_key(keyed_page.folder, "predict"))
    page.get_by_text("shown to keys with the scope admin").wait_for()
    page.get_by_role("heading", name="What the model in service was trained on").wait_for()
