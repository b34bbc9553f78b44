"""Tab Teach in a real browser: archives, folders and photographs are sent, followed, and never lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.made_archives import leaf_zip, photo, tarred, zipped
from tests.fakes.pictures import picture_bytes
from tests.web.audit import faults_in_all_looks
from tests.web.harness import RunningPage
from tests.web.looking import LONG_MS, LOOKS, at_rest, expect, looks_until, says

from leafsight.state import open_blobs, open_state

LOOK_MS = 1500
"""From one look at what became of the uploads to the next."""
DROP = """async ([selector, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files)
    transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
  const place = document.querySelector(selector);
  for (const kind of ["dragenter", "dragover", "drop"])
    place.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def where(untaught_page: RunningPage) -> RunningPage:
    """A service that was sent nothing yet."""
    return untaught_page


def opened(page: Any, where: RunningPage) -> Any:
    page.clock.install()
    page.goto(f"{where.url}/#teach")
    page.get_by_role("heading", name="What was sent").wait_for()
    return at_rest(page)


def choose(page: Any, label: str, *files: tuple[str, bytes]) -> None:
    payloads = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.get_by_label(label, exact=True).set_input_files(payloads)


def first_upload(page: Any, state: str) -> Any:
    row = page.locator(".teach-upload", has=page.locator(".teach-state").get_by_text(state, exact=True)).first
    return looks_until(page, row, LOOK_MS)


def kept(where: RunningPage) -> list[tuple[Any, bytes]]:
    """What the service has, newest first: record and bytes."""
    blobs = open_blobs(str(where.folder / "blobs"))
    with open_state(f"sqlite:///{where.folder / 'leafsight.db'}") as state:
        return [(one, blobs.get(one.blob)) for one in state.uploads.page().records]


def test_an_archive_is_sent_looked_into_and_told(page: Any, where: RunningPage, screenshot: Any) -> None:
    opened(page, where)
    page.get_by_text("Nothing yet.").wait_for()
    broken = zipped({"rust/a.jpg": photo(1), "rust/b.jpg": photo(1), "healthy/c.jpg": b"no photograph"})
    choose(page, "Archives", ("garden.zip", broken))
    row = first_upload(page, "Looked into")
    says(row, "2 photographs in 1 class", "1 file left out and not kept", "with the same pixels")
    row.get_by_text("Details").click()
    says(row, "healthy/c.jpg")
    choose(page, "Archives", ("loose.zip", zipped({"loose.jpg": photo(1)})))
    says(first_upload(page, "Cannot be used"), "class folders")
    page.allow("Failed to load resource", "422")
    choose(page, "Archives", ("link.tgz", tarred({"a/x.jpg": photo(1)}, link="a/out")))
    page.get_by_text("is a link").wait_for()
    with zipfile.ZipFile(io.BytesIO(kept(where)[1][1])) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {
            "rust/a.jpg": photo(1), "rust/b.jpg": photo(1)
        }  # fmt: skip
    assert len(kept(where)) == 2, "what was refused is not kept"
    screenshot(page, "teach-told-1280")


def test_photographs_of_one_class_go_one_by_one_under_its_key(page: Any, where: RunningPage) -> None:
    opened(page, where)
    page.get_by_role("button", name="Choose photographs").click()
    page.get_by_text("Say first which class").wait_for()
    field = page.get_by_role("combobox", name="Class")
    field.fill("tomato: EARLY blight")
    page.get_by_text("The model knows this class.").wait_for()
    choose(page, "Photographs", *((f"{n}.jpg", picture_bytes(seed=n)) for n in range(7)), ("notes.txt", b"x"))
    page.get_by_text("Taken: 7 photographs. 1 file of another kind was left out.").wait_for()
    page.get_by_text("7 of 7 uploads sent.").wait_for(timeout=LONG_MS)
    field.fill("Tomato: purple  dots")
    page.get_by_text("A new class").wait_for()
    choose(page, "Photographs", ("new.png", picture_bytes(kind="PNG")))
    page.get_by_text("8 of 8 uploads sent.").wait_for(timeout=LONG_MS)
    labels = [record.label for record, _ in kept(where)]
    assert labels == ["Tomato: purple dots", *["tomato/early_blight"] * 7]
    assert len({data for _, data in kept(where)}) == 8
    first_upload(page, "Looked into")


def test_a_folder_becomes_a_zip_of_class_folders(page: Any, where: RunningPage, tmp_path: Path) -> None:
    files = {
        "beans/Rust/a.jpg": photo(1), "beans/Rust/ä ß.jpg": photo(2), "beans/healthy/c.jpg": photo(3),
        "beans/.hidden/d.jpg": photo(4), "beans/notes.txt": b"x", "beans/loose.jpg": photo(5),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    opened(page, where)
    page.get_by_label("A folder", exact=True).set_input_files(tmp_path / "beans")
    says(first_upload(page, "Looked into"), "3 photographs in 2 classes")
    ((record, data),) = kept(where)
    assert record.media_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        held = {name: packed.read(name) for name in packed.namelist()}
    wanted = {name: data for name, data in files.items() if name.endswith(".jpg") and "hidden" not in name}
    assert held == wanted


def test_what_is_read_stays_open_while_others_are_looked_into(page: Any, where: RunningPage) -> None:
    opened(page, where)
    twice = zipped({"rust/a.jpg": photo(1), "rust/b.jpg": photo(1), "healthy/c.jpg": photo(2)})
    choose(page, "Archives", ("garden.zip", twice))
    first_upload(page, "Looked into").get_by_text("Details").click()
    choose(page, "Archives", ("leaves.zip", leaf_zip()))
    looks_until(page, page.get_by_text("6 photographs in 2 classes"), LOOK_MS)
    expect(page.locator(".teach-upload")).to_have_count(2)
    says(page.locator(".teach-upload").nth(1), "The same pixels:", "rust/a.jpg")


def test_a_class_that_is_typed_before_the_list_comes_is_known(page: Any, where: RunningPage) -> None:
    held: list[Any] = []
    page.route("**/v1/conditions", lambda route: held.append(route))
    opened(page, where)
    page.get_by_role("combobox", name="Class").fill("Tomato: early blight")
    page.get_by_text("A new class").wait_for()
    choose(page, "Photographs", ("leaf.jpg", photo(1)))
    for route in held:
        route.continue_()
    page.get_by_text("The model knows this class.").wait_for()
    first_upload(page, "Looked into")
    ((record, _),) = kept(where)
    assert record.label == "tomato/early_blight"


def test_files_can_be_dropped(page: Any, where: RunningPage) -> None:
    import base64

    opened(page, where)
    files = [["leaves.zip", base64.b64encode(leaf_zip()).decode()]]
    page.evaluate(DROP, [".teach-drop", files])
    says(first_upload(page, "Looked into"), "6 photographs in 2 classes")


def test_what_failed_is_kept_and_sent_again_once(page: Any, where: RunningPage, screenshot: Any) -> None:
    opened(page, where)
    page.allow("Failed to load resource", "failed: POST", "507", "500")
    keys: list[str] = []

    def refuse(route: Any) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fulfill(
                status=500, content_type="application/problem+json",
                json={"type": "x/state", "detail": "no room is left", "hint": "ask the operator"},
            )  # fmt: skip
        elif len(keys) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/uploads*", refuse)
    choose(page, "Archives", ("leaves.zip", leaf_zip()))
    page.get_by_text("no room is left").wait_for()
    page.get_by_text("ask the operator").wait_for()
    screenshot(page, "teach-failed-1280")
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("the server cannot be reached").first.wait_for()
    page.get_by_role("button", name="Send again").click()
    first_upload(page, "Looked into")
    assert len(set(keys)) == 1, "the same upload, however often it was sent"
    assert len(kept(where)) == 1


def test_an_upload_that_is_not_taken_says_why_and_can_be_left_out(page: Any, where: RunningPage) -> None:
    opened(page, where)
    page.allow("415")
    choose(page, "Archives", ("lie.zip", b"this is no zip"))
    page.get_by_text("the body is not application/zip").wait_for()
    page.get_by_role("button", name="Leave out").click()
    page.locator(".teach-queue").wait_for(state="hidden")
    assert kept(where) == []


def test_looking_into_it_can_be_stopped_and_it_is_kept(page: Any, where: RunningPage) -> None:
    with open_state(f"sqlite:///{where.folder / 'leafsight.db'}") as state:
        opened(page, where)
        # A job that a clerk somewhere else holds: nobody here ends it.
        held = an_upload_that_another_clerk_holds(state, page)
        page.get_by_role("button", name="Do not look into it").click()
        first_upload(page, "Kept, not looked into")
        job = state.jobs.get(held)
        assert job is not None
        assert job.state == "cancelled"


def an_upload_that_another_clerk_holds(state: Any, page: Any) -> str:
    """An upload that another server's clerk has just begun."""
    from leafsight.state import JobRecord, UploadRecord, new_id

    one, now_ms = new_id(), state.now()
    state.uploads.add(
        UploadRecord(
            id=one, created_ms=now_ms, name=f"{one}.zip", bytes=5, sha256="a" * 64,
            media_type="application/zip", blob=f"uploads/{one}.zip", state="waiting",
        ),
        JobRecord(
            id=one, kind="check-upload", state="running", created_ms=now_ms, updated_ms=now_ms,
            progress={"step": "reading upload", "done": 3, "total": 12, "share": 0.25, "try": 1},
            request={"upload": one, "key": None},
        ),
    )  # fmt: skip
    page.reload()
    page.get_by_text("3 of 12").wait_for()
    return one


def test_older_uploads_are_a_page_further(page: Any, where: RunningPage) -> None:
    from tests.state.made_records import an_upload

    with open_state(f"sqlite:///{where.folder / 'leafsight.db'}") as state:
        for _ in range(23):
            state.uploads.add(an_upload())
    opened(page, where)
    page.get_by_role("button", name="Show older ones").click()
    expect(page.locator(".teach-upload")).to_have_count(23)
    expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()


def test_three_steps_lead_from_a_photograph_to_a_model(page: Any, where: RunningPage) -> None:
    opened(page, where)
    steps = page.get_by_role("list", name="Steps").get_by_role("button")
    expect(steps).to_have_count(3)
    expect(steps.first).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="Look through the photographs").click()
    page.get_by_role("heading", name="Look through").wait_for()
    expect(steps.nth(1)).to_have_attribute("aria-current", "step")
    steps.nth(2).click()
    says(page.get_by_role("tabpanel"), "Nothing is accepted yet, so there is nothing to learn.")
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("tab", name="Teach").click()
    expect(steps.nth(2)).to_have_attribute("aria-current", "step")  # where it was left


def test_it_can_be_read_everywhere(
    make_page: Callable[..., Any], where: RunningPage, screenshot: Any
) -> None:
    page = make_page(viewport={"width": LOOKS[0][0], "height": 900})
    opened(page, where)
    files = {"Roundleaf___a_class_with_a_long_name/a.jpg": photo(1), "b/c.jpg": photo(1), "b/d.jpg": b"x"}
    choose(page, "Archives", ("a collection with a rather long name, as people give them.zip", zipped(files)))
    first_upload(page, "Looked into").get_by_text("Details").click()
    assert faults_in_all_looks(page, lambda look: screenshot(page, f"teach-{look}")) == {}


def test_the_zip_of_the_browser_is_cut_into_parts(page: Any, taught_page: RunningPage) -> None:
    opened(page, taught_page)
    found = page.evaluate("""async () => {
      const { crc32, inParts } = await import("/page/teach-zip.js");
      const files = [60, 60, 10, 200, 5].map((size, at) => ({path: String(at), file: {size: size * 1000}}));
      return [inParts(files, 130_000).map((part) => part.map((one) => one.path)),
              crc32(new TextEncoder().encode("123456789"))];
    }""")
    # The check value of CRC-32 in the catalogue of parametrised CRC algorithms.
    assert found == [[["0", "1"], ["2"], ["3"], ["4"]], 0xCBF43926]
