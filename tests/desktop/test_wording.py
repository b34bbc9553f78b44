from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.desktop.page_scripts import HAS_NODE, asked

from leafsight.desktop.session import wording
from leafsight.inference import VERDICTS, Candidate, Combined, Prediction

SCRIPTS = ("words.js", "diagnose-phrases.js", "diagnose-heat.js", "diagnose-shrink.js")
# Reads [file, function, arguments] and says what each function of the page says; null where it says nothing.
ASKING = """
import { readFileSync } from "node:fs";
const asked = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const said = [];
for (const [file, name, args] of asked) {
  const values = name === "hottestPlace" ? [{ ...args[0], values: Float32Array.from(args[0].values) }] : args;
  said.push((await import(`./${file}`))[name](...values));
}
console.log(JSON.stringify(said));
"""
NAMES = {
    "plainConfidence": "plain_confidence",
    "bytes": "in_bytes",
    "verdictName": "verdict_name",
    "alsoPossible": "also_possible",
    "qualityRemarks": "quality_remarks",
    "hottestPlace": "hottest_place",
    "withInterval": "with_interval",
    "plantName": "plant_name",
    "wordSaid": "word_said",
}
DISPLAYS = [
    "Tomato: early blight",
    "Apple: healthy",
    "Background",
    "Pepper: bacterial spot: old",
    ": odd",
    "",
]


def answer(
    verdict: str = "diagnosis",
    probability: float = 0.83,
    others: int = 0,
    named: str = "Tomato: early blight",
):
    possible = tuple(Candidate(f"c{at}", f"crop/c{at}", f"Crop {at}: Spot {at}", 0.1) for at in range(others))
    if verdict != "diagnosis":
        return Prediction(verdict=verdict, reason="So.", model="m", possible=possible)
    own = Candidate("Tomato___Early_blight", "tomato/early_blight", named, probability)
    return Prediction(
        verdict="diagnosis",
        reason="So.",
        model="m",
        class_name=own.class_name,
        key=own.key,
        crop="tomato",
        condition="early_blight",
        display=own.display,
        probability=probability,
        possible=(own, *possible),
    )


def combined(photographs: int, used: int) -> Combined:
    return Combined(verdict="cannot_tell", reason="So.", model="m", photographs=photographs, used=used)


def answers() -> list[Prediction]:
    found = [answer(verdict, others=others) for verdict in VERDICTS for others in (0, 1, 2, 3, 5, 6, 7, 40)]
    found += [answer(probability=share) for share in (0.0004, 0.2, 0.5, 0.7999, 0.8, 0.95, 0.999999, 1.0)]
    return found + [answer(named=display) for display in DISPLAYS]


def numbers() -> list[float]:
    drawn = np.random.default_rng(0)
    shares = [round(float(one), 3) for one in drawn.random(60)] + [float(one) for one in drawn.random(60)]
    ties = [at / 8 for at in range(9)] + [at / 200 for at in range(0, 201, 7)] + [0.005, 0.015, 0.025, 1.005]
    large = [10.0**at * 1.2345 for at in range(15)] + [
        0.5,
        1.5,
        2.5,
        999,
        999.5,
        999_950,
        12345,
        -3,
        -2.5,
        -1234.5,
    ]
    return [*shares, *ties, *large, 0, 1, 1e-9, 1 - 1e-9, 1 - 2**-53, 0.01, 0.99, 0.999, 0.9949]


def heatmaps() -> list[np.ndarray]:
    found = [np.zeros((3, 4), np.float32), np.ones((2, 5), np.float32), np.zeros((0, 0), np.float32)]
    for height, width in ((7, 7), (3, 10), (1, 1), (2, 2), (12, 5), (1, 9)):
        for at in range(height * width):
            spot = np.full((height, width), 0.2, np.float32)
            spot.flat[at] = 0.9
            found.append(spot)
    drawn = np.random.default_rng(1)
    return found + [
        drawn.random((7, 9), np.float32) ** power for power in (0.5, 1, 2, 4, 8) for _ in range(6)
    ]


def questions() -> list[tuple[str, str, list[Any], Callable[[], object]]]:
    found: list[tuple[str, str, list[Any], Callable[[], object]]] = []

    def ask(file: str, name: str, *args: Any, instead: tuple[Any, ...] | None = None) -> None:
        function = getattr(wording, NAMES.get(name, name))
        found.append((file, name, list(args), lambda: function(*(args if instead is None else instead))))

    for value in (*numbers(), None):
        for digits in (0, 1, 2):
            ask("words.js", "percent", value, digits)
            ask("words.js", "number", value, digits)
        for name in ("plainConfidence", "bytes"):
            ask("words.js", name, value)
        ask("words.js", "duration", value)
        ask("words.js", "count", value, "photograph")
        ask("words.js", "count", value, "box", "boxes")
        ask("words.js", "duration", None if value is None else value * 1e6)
        for spread in (None, 0.011, 0.25):
            measured = (
                wording.Measured(
                    value, *((None, None) if spread is None else (value - spread, value + spread))
                )
                if value is not None
                else None
            )
            for kind in ("share", "number"):
                plain = None if measured is None else asdict(measured)
                ask("words.js", "withInterval", plain, kind, instead=(measured, kind))
    for quality in (
        None,
        {},
        {"sharpness": 3.5, "brightness": 0.1, "contrast": 0.01},
        {"brightness": 0.9999},
    ):
        ask("diagnose-phrases.js", "qualityRemarks", quality)
    for at in (0, 1.5, 1_795_529_379_871, -1, 1e12, *(1.7e12 + month * 2.63e9 for month in range(12)), None):
        ask("words.js", "when", at)
    for verdict in (*VERDICTS, "early_blight", "tomato/early_blight", "", "ßharp"):
        ask("words.js", "sentence", verdict)
        ask("words.js", "verdictName", verdict)
        ask("words.js", "plain", verdict)
    for display in DISPLAYS:
        ask("diagnose-phrases.js", "spoken", display)
    for photographs in (2, 3, 32, 1200):
        ask("diagnose-phrases.js", "plantName", photographs - 1, photographs)
        for used in (0, 1, photographs - 1, photographs):
            plant = combined(photographs, used)
            ask("diagnose-phrases.js", "basis", plant.to_dict(), instead=(plant,))
    for display in DISPLAYS[:-1]:
        for right in (True, False):
            ask("diagnose-phrases.js", "wordSaid", right, display)
    for one in answers():
        for name in ("headline", "sureness", "alsoPossible"):
            ask("diagnose-phrases.js", name, one.to_dict(), instead=(one,))
    for heat in heatmaps():
        height, width = heat.shape
        layer = {"values": [float(value) for value in heat.flat], "width": width, "height": height}
        ask("diagnose-heat.js", "hottestPlace", layer, instead=(heat,))
    return found


@pytest.mark.skipif(not HAS_NODE, reason="needs node to run the scripts of the web page")
def test_the_window_says_what_the_web_page_says(tmp_path: Path) -> None:
    wanted = questions()
    said = asked([one[:3] for one in wanted], SCRIPTS, tmp_path, ASKING)
    assert len(said) > 1000
    here = [say() for *_, say in wanted]
    different = [
        (name, args, there, ours)
        for (_, name, args, _), there, ours in zip(wanted, said, here, strict=True)
        if there != ours
    ]
    assert different == []


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [
        (0.999, 0, "over 99 %"),
        (0.99999, 2, "over 99.99 %"),
        (0.001, 0, "under 1 %"),
        (1e-9, 3, "under 0.001 %"),
        (0.0, 0, "0 %"),
        (1.0, 0, "100 %"),
        (0.125, 1, "12.5 %"),
        (0.125, 0, "13 %"),
        (None, 0, "not measured"),
        (math.nan, 0, "not measured"),
        (math.inf, 0, "not measured"),
    ],
)
def test_a_share_never_becomes_certainty(share: float | None, digits: int, said: str) -> None:
    assert wording.percent(share, digits) == said


def test_numbers_of_numpy_are_numbers() -> None:
    assert wording.percent(float(np.float32(0.83))) == "83 %"
    assert wording.percent(np.float64(0.999)) == "over 99 %"
    assert wording.number(np.float64(12345.4)) == "12,345"


def test_numbers_that_are_none() -> None:
    assert wording.number(None) == wording.number(math.nan) == "not measured"
    assert wording.in_bytes(None) == wording.in_bytes(math.inf) == "not known"
    assert wording.plain_confidence(None) == wording.plain_confidence(math.nan) == "not known"


def test_numbers_are_grouped() -> None:
    assert wording.number(12345) == "12,345"
    assert wording.number(10**18) == "1,000,000,000,000,000,000"
    assert wording.count(1, "photograph") == "1 photograph"
    assert wording.count(1200, "photograph") == "1,200 photographs"
    assert wording.count(2, "box", "boxes") == "2 boxes"
    assert wording.in_bytes(2_480_000) == "2.5 MB"


def test_an_answer_in_words() -> None:
    assert wording.headline(answer()) == "Early blight of tomato"
    assert wording.headline(answer(named="Apple: healthy")) == "Healthy apple leaf"
    assert wording.headline(answer("cannot_tell")) == "The model cannot tell"
    assert wording.sureness(answer(probability=0.999)) == "very likely, over 99 %"
    assert wording.sureness(answer("not_a_leaf")) == ""


def test_what_else_is_possible_leaves_out_what_is_named() -> None:
    assert wording.also_possible(answer()) == "Nothing else that the model knows is about as likely."
    assert wording.also_possible(answer(others=2)) == "It could also be Spot 0 of crop 0 or Spot 1 of crop 1."
    assert (
        wording.also_possible(answer("cannot_tell", others=1)) == "What cannot be excluded: Spot 0 of crop 0."
    )
    assert wording.also_possible(answer("unreadable")) == ""
    assert wording.also_possible(answer(others=7)).endswith(" and 2 others.")


def test_measures_that_are_missing_or_no_numbers_are_not_remarked() -> None:
    assert wording.quality_remarks(None) == wording.quality_remarks({}) == ""
    assert wording.quality_remarks({"sharpness": math.nan, "brightness": math.inf}) == ""
    assert wording.quality_remarks({"sharpness": 100.0, "brightness": 0.5, "contrast": 0.2}) == ""
    dark = wording.quality_remarks({"sharpness": 3.0, "brightness": 0.1})
    assert dark.startswith("The photograph is hardly sharp (sharpness 3; ")
    assert dark.endswith("and dark (mean brightness 10 %); that can mislead the model.")


def test_cells_that_are_no_numbers_are_cold() -> None:
    heat = np.full((3, 3), np.nan, np.float32)
    assert wording.hottest_place(heat) is None
    heat[2, 0] = 0.5
    assert wording.hottest_place(heat) == "at the lower left"
    assert wording.hottest_place(np.full((2, 2), -1.0, np.float32)) is None
