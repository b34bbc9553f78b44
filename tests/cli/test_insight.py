"""``leafsight insight``: a page and pictures from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.journeys.small_world import leafsight

COLOURS = {"green": (60, 140, 60), "rust": (150, 90, 40)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("insight") / "leaves"
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(12 if name == "rust" else 6):
            grid = np.clip(rng.normal(colour, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(grid).resize((96, 72)).save(folder / name / f"{number}.jpg")
    (folder / "rust" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photograph")
    return folder


@pytest.fixture(scope="module")
def done(photos: Path, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("out")
    words = ("insight", photos, "--out", out / "page.html", "--png", out / "png", "--no-model")
    return leafsight(*words, "--json", "-q"), out


def test_questions_and_answers_are_the_result(done) -> None:
    outcome, out = done
    assert outcome.code == 0, outcome.err
    assert (outcome.json["photographs"], outcome.json["unreadable"]) == (18, 1)
    answers = {figure["name"]: figure["answer"] for figure in outcome.json["figures"]}
    assert len(answers) == 15
    assert (
        "“rust”, has 2.0 times as many photographs as the smallest, “green” (12 against 6)"
        in answers["counts"]
    )
    assert "The greenest class is “green”" in answers["green"]
    assert outcome.json["page"] == str(out / "page.html")


def test_page_and_pictures_are_on_the_disk(done) -> None:
    outcome, out = done
    assert "leaves" in (out / "page.html").read_text(encoding="utf-8")
    assert len(list((out / "png").glob("*.png"))) == len(outcome.json["pictures"]) == 15


def test_without_json_it_reads_as_text(photos: Path, tmp_path: Path) -> None:
    outcome = leafsight("insight", photos, "--out", tmp_path / "i.html", "--no-model")
    assert outcome.code == 0
    assert outcome.out.startswith("How many photographs has each class?\n  The largest class, “rust”")
    assert outcome.out.endswith(f"page: {tmp_path / 'i.html'}\n")
    assert "drawing insight" in outcome.err


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    outcome = leafsight("insight", tmp_path / "nowhere", "--out", tmp_path / "i.html", "--no-model")
    assert outcome.code == 1
    assert len(outcome.error_lines) == 2
    assert not (tmp_path / "i.html").exists()
