"""The page Teach says what the web page says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.page_scripts import HAS_NODE, asked

from leafsight.desktop.session import teach_words
from leafsight.desktop.session.teach_answers import is_doubtful, remarks

SCRIPTS = (
    "words.js",
    "teach-words.js",
    "teach-look-words.js",
    "teach-training-words.js",
    "teach-gate-words.js",
)
Question = tuple[str, str, list[Any], Callable[[], object]]


def uploads() -> list[dict[str, Any]]:
    found = []
    for photographs, usable, twice, left in itertools.product(
        (1, 2, 1234), (0, 1, 2, 1200), (0, 1, 7), (0, 1, 3)
    ):
        if usable > photographs or twice > usable:
            continue
        found.append(
            {
                "refused": None, "photographs": photographs, "usable": usable, "classes": min(photographs, 3),
                "class_counts": {"a": photographs}, "faults": {"corrupt-image": photographs - usable},
                "faulty": [], "twice": {"photographs": twice, "examples": []}, "notes": [], "left_out": left,
                "contributions": None,
            }
        )  # fmt: skip
    for every, refused, clean, accepted, added in itertools.product(
        (0, 1, 5), (0, 1, 2), (0, 1, 4), (0, 1, 3), (0, 1, 5)
    ):
        if max(refused, clean, accepted, added) > every:
            continue
        made = {
            "contributions": every,
            "added": added,
            "refused": refused,
            "clean": clean,
            "accepted": accepted,
        }
        found.append({**found[0], "contributions": made})
    return [*found, {"refused": {"message": "the archive is too large", "hint": "divide it"}}]


def checks() -> list[dict[str, Any]]:
    names = [*teach_words.TITLES, "classes", "something_new"]
    values = (None, 0.0, 1.0, 0.5, -0.0031, 0.00004, 0.9999, 12.0, 1.234e-7)
    found = [
        {"name": name, "value": value, "low": low, "limit": limit, "said": "So it is.", "passed": True}
        for name, value, low, limit in itertools.product(
            names, values, (None, -0.02), (0.0, 0.05, 1.15, 1e-3)
        )
    ]
    taught = {**found[0], "name": "taught", "said": "Okra___Leaf_curl was taught: 3 of 3 are right."}
    return [*found, taught]


def contributions() -> list[dict[str, Any]]:
    kinds = ("new_class", "bad_picture", "test_duplicate", "doubted_source")
    found = []
    for kind, blocks, verdict in itertools.product(
        (None, *kinds), (True, False), ("diagnosis", "cannot_tell", None)
    ):
        said = verdict and {
            "verdict": verdict, "display": "Okra: leaf curl" if verdict == "diagnosis" else None,
            "probability": 0.83 if verdict == "diagnosis" else None,
        }  # fmt: skip
        findings = [] if kind is None else [{"kind": kind, "said": f"It is {kind}.", "blocks": blocks}]
        found.append({"findings": findings, "said": said, "display": "Okra: leaf curl", "state": "waiting"})
    return found


def questions() -> list[Question]:
    found: list[Question] = []

    def ask(file: str, name: str, args: list[Any], say: Callable[[], object]) -> None:
        found.append((f"teach-{file}.js", name, args, say))

    for upload in uploads():
        job = {"state": "done", "result": upload}
        ask("words", "result", [{"job": job}], partial(teach_words.found_in, upload))
    for check in checks():
        ask("gate-words", "checkTitle", [check], partial(teach_words.check_title, check))
        ask("gate-words", "isMain", [check], partial(teach_words.is_main, check))
        ask("gate-words", "checkNumbers", [check], partial(numbers, check))
    for value, digits in itertools.product((0, 0.004, -0.004, 0.5, 1.5, -2.005, 1234.5), (0, 1, 2)):
        ask("gate-words", "signed", [value, digits], partial(teach_words.signed, value, digits))
    for name in ("Tomato___Early_blight", "a_b", "", None):
        ask("training-words", "className", [name], partial(teach_words.class_name, name))
    for one in contributions():
        ask("look-words", "isDoubtful", [one], partial(is_doubtful, one))
        for agree in (True, False):
            says = partial(teach_words.model_says, one["said"], agree=agree)
            ask("look-words", "modelSays", [one["said"], agree], says)
    for changed, whys in itertools.product((0, 1, 3), ([], ["it is new"], ["a", "a", "b"])):
        skipped = [{"why": why} for why in whys]
        came = {"changed": changed, "skipped": skipped}
        says = partial(teach_words.decided, came, "accepted")
        ask("look-words", "decided", [changed, "accepted", skipped], says)
    return found


def numbers(check: dict[str, Any]) -> dict[str, str]:
    value, limit = teach_words.check_numbers(check)
    return {"value": value, "limit": limit}


def in_one_line(said: object) -> object:
    return " ".join(said.split()) if isinstance(said, str) else said


@pytest.mark.skipif(not HAS_NODE, reason="needs node to run the scripts of the web page")
def test_the_window_says_what_the_web_page_says(tmp_path: Path) -> None:
    wanted = questions()
    there = asked([(file, name, args) for file, name, args, _ in wanted], SCRIPTS, tmp_path)
    assert len(there) > 1000
    different = []
    for (_, name, args, say), page in zip(wanted, there, strict=True):
        if in_one_line(say()) != in_one_line(page):
            different.append((name, args, page, say()))
    assert different == []


def test_a_remark_is_not_that_a_class_is_new() -> None:
    new = {"kind": "new_class", "said": "It is new.", "blocks": True}
    dark = {"kind": "bad_picture", "said": "It is dark.", "blocks": True}
    assert remarks({"findings": [new, dark]}) == ["It is dark."]


@pytest.mark.parametrize(
    ("job", "said", "left"),
    [
        ({"state": "queued"}, "Waits for its turn: one training runs at a time.", ""),
        ({"state": "running", "progress": {}}, "Begins.", ""),
        (
            {
                "state": "running",
                "progress": {
                    "part": "train",
                    "step": "learning a head",
                    "done": 3,
                    "total": 1200,
                    "eta_s": 40,
                },
            },
            "Step 2 of 6: Learning a head, 3 of 1,200",
            "about 40 s left",
        ),
        (
            {"state": "running", "progress": {"part": "gate", "eta_s": 600.0}},
            "Step 4 of 6: Hold it against the champion",
            "about 10 minutes left",
        ),
    ],
)
def test_where_a_training_is(job: dict[str, Any], said: str, left: str) -> None:
    assert teach_words.step_words(job) == said
    assert teach_words.time_left(job) == left


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"state": "failed"}, "Failed"),
        ({"state": "done", "result": {"gate": {"passed": False}}}, "Gate did not hold"),
        ({"state": "done", "result": {"gate": {"passed": True}, "promoted": True}}, "Promoted"),
        ({"state": "done", "result": {"gate": {"passed": True}, "promoted": False}}, "Gate held"),
    ],
)
def test_how_a_training_ended(one: dict[str, Any], said: str) -> None:
    assert teach_words.outcome_words(one) == said
