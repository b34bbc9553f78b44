"""The tab Diagnose in a real Chromium, with the tiny model whose answers are known."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.web.harness import RunningPage
from tests.web.looking import at_rest, expect, next_frame, says
from tests.web.photographing import (
    NAMES,
    NO_LEAF,
    as_file,
    asked,
    choose,
    diagnose,
    hand_over,
    open_row,
    opened,
    photograph,
    row,
    tallied,
)


@pytest.mark.parametrize("colour", NAMES)
def test_a_chosen_photograph_is_diagnosed(page: Any, running_page: RunningPage, colour: Any) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(colour)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_role("heading", level=4, name=NAMES[colour]).wait_for()
    expect(found.locator(".verdict-sure")).to_have_text(re.compile("^very likely, "))
    expect(found.locator(".probability:visible")).to_have_count(3)


def test_what_shows_no_leaf_gets_no_condition(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("wall.jpg", photograph(NO_LEAF)))
    diagnose(page)
    found = row(page, "wall.jpg")
    found.get_by_role("heading", level=4, name="This does not look like a leaf").wait_for()
    says(found, "What helps: photograph one leaf so that it fills most of the picture.")
    tallied(page, "1 photograph: 1 not a leaf")
    expect(found.locator(".verdict-sure")).to_have_count(0)
    expect(found.locator(".advice")).to_have_count(0)


def test_what_no_program_can_read_does_not_stop_the_others(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    broken = photograph(RED)[:300]
    choose(
        page,
        as_file("a.jpg", photograph(RED)),
        as_file("broken.jpg", broken),
        as_file("c.jpg", photograph(BLUE)),
    )
    diagnose(page)
    row(page, "a.jpg").get_by_text("Scab of apple").wait_for()
    row(page, "c.jpg").get_by_text("Early blight of tomato").wait_for()
    found = open_row(page, "broken.jpg")
    found.get_by_role("heading", name="The photograph cannot be read").wait_for()
    says(found, "What helps: ", "This browser cannot show it either.")
    expect(found.get_by_role("button", name="Say what it shows")).to_have_count(0)


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_dropped_and_pasted_ones_come_in_too(page: Any, running_page: RunningPage, how: str) -> None:
    opened(page, running_page)
    text = ("notes.txt", b"nothing to see", "text/plain")
    assert hand_over(page, how, ("leaf.jpg", photograph(GREEN), "image/jpeg"), text)
    page.get_by_text("1 file left out").wait_for()
    diagnose(page)
    row(page, "leaf.jpg").get_by_role("heading", level=4, name="Healthy apple leaf").wait_for()


def test_only_the_tab_that_is_shown_takes_drops_and_pastes(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    page.get_by_role("tab", name="Models").click()
    expect(page.locator("#panel-diagnose")).to_be_hidden()
    assert not hand_over(page, "paste", ("leaf.jpg", photograph(GREEN), "image/jpeg"))
    page.get_by_role("tab", name="Diagnose").click()
    expect(page.locator("#panel-diagnose")).to_be_visible()
    next_frame(page)
    expect(page.locator(".tray")).to_be_hidden()
    assert hand_over(page, "paste", ("leaf.jpg", photograph(GREEN), "image/jpeg"))
    expect(page.locator(".tray-send")).to_have_text("Diagnose 1 photograph")


def test_a_folder_comes_in_whole(page: Any, running_page: RunningPage, tmp_path: Path) -> None:
    (tmp_path / "field" / "row").mkdir(parents=True)
    for number in (10, 2):
        (tmp_path / "field" / "row" / f"leaf{number}.jpg").write_bytes(photograph(RED, seed=number))
    (tmp_path / "field" / "readme.txt").write_text("no photograph")
    opened(page, running_page)
    page.get_by_label("A folder of photographs").set_input_files(tmp_path / "field")
    page.get_by_text("1 file left out").wait_for()
    diagnose(page)
    row(page, "field/row/leaf2.jpg")
    expect(page.locator(".photo-name")).to_have_text(["field/row/leaf2.jpg", "field/row/leaf10.jpg"])


def test_the_camera_takes_photographs(page: Any, running_page: RunningPage, screenshot: Any) -> None:
    opened(page, running_page)
    page.get_by_role("button", name="Use the camera").click()
    shutter = page.get_by_role("button", name="Take the photograph")
    page.get_by_text("Hold still").wait_for()
    screenshot(page, "diagnose-camera", full_page=False)
    shutter.click()
    page.get_by_text("1 photograph taken").wait_for()
    page.get_by_role("button", name="Done").click()
    diagnose(page)
    row(page, "camera-1.jpg")
    expect(page.locator("video")).to_have_count(0)


def test_one_can_be_taken_away_before_it_is_sent(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("a.jpg", photograph(RED)), as_file("b.jpg", photograph(RED)))
    page.get_by_role("button", name="Take a.jpg away").click()
    expect(page.locator(".tray-send")).to_have_text("Diagnose 1 photograph")
    diagnose(page)
    row(page, "b.jpg")
    tallied(page, "1 photograph: 1 diagnosed")
    expect(page.locator("li.photo")).to_have_count(1)


def test_the_crop_is_asked_and_remembered(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    crop = page.get_by_label("Crop")
    expect(crop.locator("option")).to_have_text(["I do not know", "Apple", "Tomato"])
    crop.select_option(label="Tomato")
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_text("Probabilities among the conditions of this crop").wait_for()
    page.reload()
    at_rest(page)
    expect(page.locator("li.photo")).to_have_count(0)  # it is another document
    expect(page.get_by_label("Crop")).to_have_value("tomato")


def test_several_of_one_plant_give_one_answer(page: Any, running_page: RunningPage, screenshot: Any) -> None:
    opened(page, running_page)
    page.get_by_label("These show one plant").check()
    choose(
        page,
        *[as_file(f"{n}.jpg", photograph(RED, seed=n)) for n in range(3)],
        as_file("x.jpg", photograph(NO_LEAF)),
    )
    expect(page.locator(".tray-send")).to_have_text("Diagnose one plant from 4 photographs")
    diagnose(page)
    plant = page.get_by_role("region", name="Plant 1, 4 photographs")
    plant.get_by_role("heading", level=3, name="Scab of apple", exact=True).wait_for()
    says(plant, "Rests on 3 of 4 photographs.", "left out: 1 not a leaf")
    screenshot(page, "diagnose-plant")
    choose(page, as_file("late.jpg", photograph(RED, seed=9)))
    plant.get_by_role("button", name="Add the 1 ready photograph to this plant").click()
    page.get_by_role("region", name="Plant 1, 5 photographs").get_by_text(
        "Rests on 4 of 5 photographs."
    ).wait_for()
    expect(page.locator(".tray")).to_be_hidden()


def test_an_answer_is_corrected_and_the_server_knows_it(
    page: Any, running_page: RunningPage, screenshot: Any
) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(BLUE)))
    with page.expect_response("**/v1/predict*") as answer:
        diagnose(page)
    one = answer.value.json()["predictions"][0]["id"]
    found = row(page, "leaf.jpg")
    found.get_by_role("button", name="Yes").click()
    found.get_by_text("You said that this was right.").wait_for()
    found.get_by_role("button", name="Say it again").click()
    found.get_by_role("button", name="No", exact=True).click()
    found.get_by_label("Search").fill("HEAL app")
    expect(found.locator(".truths label:visible")).to_have_text(["Apple: healthy", "It is not in the list"])
    screenshot(page, "diagnose-correction")
    found.get_by_label("Apple: healthy").check()
    found.get_by_label("Note").fill("seen under the glass")
    with page.expect_request("**/correction") as sent:
        found.get_by_role("button", name="Send the correction").click()
    assert len(sent.value.headers["idempotency-key"]) == 32
    found.get_by_text("You said that it shows a healthy apple leaf.").wait_for()
    said = asked(page, f"/v1/predictions/{one}")["corrections"]
    assert [(each["right"], each["class"], each["note"]) for each in said] == [
        (True, None, None), (False, "apple/healthy", "seen under the glass"),
    ]  # fmt: skip


def test_what_is_not_in_the_list_needs_a_note(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(BLUE)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_role("button", name="No", exact=True).click()
    found.get_by_role("button", name="Send the correction").click()
    found.get_by_text("Choose what it shows").wait_for()
    found.get_by_label("It is not in the list").check()
    found.get_by_role("button", name="Send the correction").click()
    found.get_by_text("Say in the note what it shows.").wait_for()
    found.get_by_label("Note").fill("hail")
    found.get_by_role("button", name="Send the correction").click()
    found.get_by_text("You said that it is not in the list.").wait_for()


def test_what_was_not_written_down_cannot_be_corrected(page: Any, running_page: RunningPage) -> None:
    def unrecorded(route: Any) -> None:
        answer = route.fetch()
        said = answer.json()
        said["predictions"][0] |= {"id": None, "recorded": False}
        route.fulfill(response=answer, json=said)

    opened(page, running_page)
    page.route("**/v1/predict*", unrecorded)
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_text("it cannot be corrected").wait_for()
    tallied(page, "1 photograph: 1 diagnosed")
    expect(found.get_by_role("button", name="Yes")).to_have_count(0)


def test_answers_are_saved_as_csv(page: Any, running_page: RunningPage, tmp_path: Path) -> None:
    opened(page, running_page)
    names = ["=HYPERLINK(1).jpg", 'quo"te, comma.jpg', "-1.jpg"]
    choose(page, *[as_file(name, photograph(RED, seed=at)) for at, name in enumerate(names)])
    diagnose(page)
    for name in names:
        row(page, name)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "saved.csv")
    data = (tmp_path / "saved.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert {one["photograph"] for one in rows} == {"'=HYPERLINK(1).jpg", 'quo"te, comma.jpg', "'-1.jpg"}
    assert {one["verdict"] for one in rows} == {"diagnosis"}
    assert all(one["class"] == one["guess_1"] == "apple/scab" for one in rows)
    assert all(float(one["probability"]) == float(one["guess_1_probability"]) > 0.9 for one in rows)
    assert all(len(one["prediction"]) == 32 for one in rows)


def test_answers_stay_when_another_tab_is_looked_at(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    row(page, "leaf.jpg")
    page.get_by_role("tab", name="Models").click()
    page.get_by_role("tab", name="Diagnose").click()
    expect(page.get_by_role("heading", level=4, name="Scab of apple")).to_be_visible()


def test_answers_are_cleared_when_the_person_says_so(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    row(page, "leaf.jpg")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("li.photo")).to_have_count(0)
    expect(page.locator(".summary")).to_be_hidden()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_the_list_of_possible_conditions_promises(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    choose(page, as_file("leaf.jpg", photograph(RED)))
    diagnose(page)
    found = row(page, "leaf.jpg")
    found.get_by_text("What this list promises").click()
    found.get_by_text("is not known for this model").wait_for()


def test_by_the_keyboard_alone(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    hand_over(page, "paste", ("leaf.jpg", photograph(RED), "image/jpeg"))
    expect(page.locator(".primary.tray-send")).to_be_focused()
    page.keyboard.press("Enter")
    found = row(page, "leaf.jpg")
    found.locator(".heat-scale").wait_for()  # the heatmap's slider comes before it
    tallied(page, "1 photograph: 1 diagnosed")  # before, the first button is Stop, which goes
    page.locator(".summary button:visible").first.focus()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.type")
        )
        if reached[-1] == "Yes":
            break
    assert reached[-1] == "Yes", reached
    assert [one for one in reached if one in ("range", "Look closer")] == ["range", "Look closer"]
    page.keyboard.press("Enter")
    page.get_by_text("You said that this was right.").wait_for()


def test_operators_who_keep_nothing_are_believed(
    page: Any, serve_page: Callable[..., RunningPage], colour_model: Path
) -> None:
    where = serve_page(colour_model, "--keep-photos", "never")
    opened(page, where)
    says(page.get_by_role("contentinfo"), "Photographs are not kept.")
    expect(page.get_by_label("Keep my photographs on the server")).to_be_hidden()
