"""A server goes away, a window is killed, in the middle of work that a real mouse and keyboard began.

What was under way goes on by itself, and nothing comes twice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.desktop.drawn import CONDITIONS, EACH, class_of, large_photographs, new_crop
from tests.desktop.on_disk import (
    answered,
    answers,
    given,
    kept,
    models,
    parts,
    sendings,
    trainings,
    upload_so_far,
    uploads,
)
from tests.desktop.screen import FIRST_PHOTOGRAPH, Program, Screen
from tests.fakes.tiny_bundle import BLUE, GREEN, RED
from tests.journeys.small_world import in_another_process, save_picture

from leafsight.client.learning import PART_BYTES

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
pytestmark = [pytest.mark.gui, pytest.mark.slow]

REFUSAL = (150, 229)
"""Words that can be copied get no keyboard; these stand below the address, in the page's first card."""
LARGE = 36
"""Photographs; one archive of them is sent in twelve parts."""
TEACHING_S = 300.0


def small_photographs(folder: Path, number: int) -> Path:
    for at in range(number):
        save_picture(folder / f"{folder.name}-{at:03}.jpg", (RED, GREEN, BLUE)[at % 3], seed=at)
    return folder


def add_folder(screen: Screen, window: Program, folder: Path) -> None:
    """On the page Diagnose."""
    screen.keys("alt+1", "alt+f")
    screen.name_a_place(window, "Folder of photographs", folder)


def give_folder(screen: Screen, window: Program, folder: Path) -> None:
    """On the page Teach."""
    screen.keys("alt+3", "alt+f")
    screen.name_a_place(window, "Folder of labelled photographs", folder)


def has_begun_to_arrive(store: Path, state: Path) -> bool:
    """Whether some parts are in the store; that not all of them are is seen after whoever was killed."""
    return len(parts(store)) >= 2 and bool(sendings(state)[0]["upload"])


@dataclass
class Elsewhere:
    """A server that runs, dies and is started again at the same address."""

    screen: Screen
    store: Path
    model: Path
    port: int = 0

    def start(self) -> Program:
        program = self.screen.start(
            "serve", "--port", self.port, "--workers", "1", "--state-dir", self.store, "--model", self.model
        )
        (port,) = program.until(lambda: re.findall(r"ready on http://\S+:(\d+)", program.said))
        self.port = int(port)
        return program

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def key(self) -> str:
        words = ("--scope", "predict", "--scope", "upload", "--scope", "admin", "--quiet")
        made = in_another_process("keys", "make", "a grower", *words, "--state-dir", self.store)
        assert made.code == 0, made.err
        return made.out.strip()


@pytest.fixture
def elsewhere(screen: Screen, tmp_path: Path, colour_model: Path) -> Elsewhere:
    return Elsewhere(screen, tmp_path / "server", colour_model)


def try_server(screen: Screen, address: str, key: str) -> None:
    """Write both on the page Settings, where something may stand already, and press the button."""
    screen.keys("alt+5", "alt+s", "Tab", "ctrl+a")
    screen.write(address)
    screen.keys("Tab", "ctrl+a")
    screen.write(key)
    screen.keys("alt+a")


def choose_server(screen: Screen, window: Program, state: Path, address: str, key: str) -> None:
    chosen = state / "desktop" / "server.json"
    try_server(screen, address, key)
    window.until(lambda: json.loads(chosen.read_text()) == {"address": address, "key": key})
    assert chosen.stat().st_mode & 0o077 == 0


def test_a_wrong_key_is_refused_and_with_the_right_one_a_server_answers_also_after_it_died(
    screen: Screen, tmp_path: Path, state: Path, elsewhere: Elsewhere
) -> None:
    key = elsewhere.key()
    server = elsewhere.start()
    window = screen.desktop("--state-dir", state, folder=tmp_path)
    wrong = key[:-6] + "".join(reversed(key[-6:]))
    try_server(screen, elsewhere.address, wrong)
    window.until(lambda: "key" in screen.selected(*REFUSAL))
    assert not (state / "desktop" / "server.json").exists()
    few = small_photographs(tmp_path / "few", 3)
    add_folder(screen, window, few)
    window.until(lambda: len(answered(state)) == 3)  # by this computer, as before
    (here,) = {one["model_hash"] for one in answers(state).values()}

    choose_server(screen, window, state, elsewhere.address, key)
    window.until(lambda: {one["model_hash"] for one in answers(state).values()} - {here})
    many = small_photographs(tmp_path / "many", 300)
    add_folder(screen, window, many)
    window.until(lambda: len(answered(state)) > 10, every_s=0.01)
    server.kill(with_children=True)
    assert len(answered(state)) < 303, "it was to die before all were answered"
    window.until(lambda: len(kept(state)) == 303)
    server = elsewhere.start()
    window.until(lambda: len(answered(state)) == 303)
    there = {one["model_hash"] for name, one in answers(state).items() if name.startswith("many")}
    assert len(there) == 1
    assert here not in there
    assert window.end() == 0, window.said
    assert key not in window.said + server.said


def test_a_server_dies_in_the_middle_of_an_upload_and_everything_arrives_once(
    screen: Screen, tmp_path: Path, state: Path, elsewhere: Elsewhere
) -> None:
    key = elsewhere.key()
    server = elsewhere.start()
    window = screen.desktop("--state-dir", state, folder=tmp_path)
    choose_server(screen, window, state, elsewhere.address, key)
    noise = large_photographs(tmp_path / "noise", LARGE)
    give_folder(screen, window, noise)
    window.until(lambda: has_begun_to_arrive(elsewhere.store, state), every_s=0.005)
    server.kill(with_children=True)
    (one,) = sendings(state)
    came, whole = upload_so_far(elsewhere.store, one["upload"])
    assert 0 < came < whole
    few = small_photographs(tmp_path / "few", 3)
    add_folder(screen, window, few)
    window.until(lambda: len(kept(state)) == 3)
    assert not answered(state), "nobody is there who could"

    server = elsewhere.start()  # and nobody touches the window
    window.until(lambda: sendings(state)[0]["stage"] == "done")
    assert [result["id"] for result in sendings(state)[0]["results"]] == [one["upload"]]
    assert given(elsewhere.store) == Counter({("noise", "waiting"): LARGE})
    assert uploads(elsewhere.store) == [one["upload"]]
    left = -(-(whole - came) // PART_BYTES)
    server.until(lambda: server.said.count('"PATCH"') >= left)  # what it says comes by a pipe, and later
    assert server.said.count('"PATCH"') == left, "nothing is sent twice"
    window.until(lambda: len(answered(state)) == 3)
    assert window.end() == 0, window.said


def test_killed_while_it_diagnoses_and_everything_is_there(
    screen: Screen, tmp_path: Path, state: Path
) -> None:
    window = screen.desktop("--state-dir", state, "--threads", "1", folder=tmp_path)
    add_folder(screen, window, small_photographs(tmp_path / "few", 3))
    window.until(lambda: len(answered(state)) == 3)

    def say_what_the_first_shows() -> None:
        screen.click(*FIRST_PHOTOGRAPH)
        screen.keys("Return")
        screen.write("rust apple")
        screen.keys("Return")

    said = screen.until_done(
        window, say_what_the_first_shows, lambda: kept(state)["few-000.jpg"].get("correction")
    )
    add_folder(screen, window, small_photographs(tmp_path / "many", 400))
    window.until(lambda: len(answered(state)) > 10, every_s=0.01)
    window.kill()
    before = answers(state)
    assert len(before) < 403, "it was to be killed before all were answered"
    del before["few-000.jpg"]  # it is chosen, so it is asked about again with a heatmap
    for name in before:
        (tmp_path / name.partition("-")[0] / name).write_bytes(b"asked again, it would be no photograph")

    again = screen.desktop("--state-dir", state, "--threads", "1", folder=tmp_path)
    again.until(lambda: len(answered(state)) == 403)
    assert {name: answers(state)[name] for name in before} == before
    assert kept(state)["few-000.jpg"]["correction"] == said
    assert again.end() == 0, again.said


def test_killed_in_the_middle_of_an_upload_and_everything_arrives_once(
    screen: Screen, tmp_path: Path, state: Path
) -> None:
    window = screen.desktop("--state-dir", state, folder=tmp_path)
    give_folder(screen, window, large_photographs(tmp_path / "noise", LARGE))
    window.until(lambda: has_begun_to_arrive(state, state), every_s=0.005)
    window.kill()
    (one,) = sendings(state)
    came, whole = upload_so_far(state, one["upload"])
    assert 0 < came < whole

    again = screen.desktop("--state-dir", state, folder=tmp_path)
    screen.keys("alt+3")
    again.until(lambda: sendings(state)[0]["stage"] == "done")
    assert [result["id"] for result in sendings(state)[0]["results"]] == [one["upload"]]
    assert given(state) == Counter({("noise", "waiting"): LARGE})
    assert uploads(state) == [one["upload"]]
    assert again.end() == 0, again.said


def test_killed_while_it_learns_and_the_model_comes(screen: Screen, tmp_path: Path, state: Path) -> None:
    crop = new_crop(tmp_path / "new crop")
    for words in (
        ("add", crop), *(("classes", "declare", class_of(one)) for one in CONDITIONS), ("accept", "--clean"),
    ):  # fmt: skip
        done = in_another_process("feedback", *words, "--state-dir", state)
        assert done.code == 0, done.err
    accepted = given(state)
    assert sum(accepted.values()) >= len(CONDITIONS) * EACH
    window = screen.desktop("--state-dir", state, folder=tmp_path)
    screen.keys("alt+3", "alt+h")
    screen.until_done(window, lambda: screen.keys("alt+l"), lambda: trainings(state))
    window.until(lambda: trainings(state)[0].progress.get("part") == "train", every_s=0.02)
    window.kill()
    (before,) = trainings(state)
    assert before.state == "running"
    assert models(state) == []

    again = screen.desktop("--state-dir", state, folder=tmp_path)
    screen.keys("alt+3", "alt+h")
    (new,) = again.until(lambda: models(state), TEACHING_S)
    (after,) = again.until(lambda: [one for one in trainings(state) if one.state == "done"])
    assert after.id == before.id
    assert after.result is not None
    assert after.result["candidate"] == new
    assert given(state) == accepted
    assert again.end() == 0, again.said
