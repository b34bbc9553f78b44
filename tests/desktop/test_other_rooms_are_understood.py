"""What the check, the insight figures, the gate and the answers say reaches a translator to the last word.

The sentences are made by the rooms themselves, on small inputs of which every kind is found; then they are
said in the marked language. Class names are made of Z, so that every other letter outside is a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.desktop.marked_language import outside, write_marked
from tests.evaluation.test_shortcuts import record
from tests.inspection.conftest import SOUND
from tests.inspection.insight_material import make as material
from tests.retraining.test_gate_checks import OPTIONS, pair_of

from leafsight.dataset import PhotoIndex, PhotoRow, table_of
from leafsight.desktop.session.language import Translation, read_translation, translated, use_language
from leafsight.desktop.session.understanding.phrases import KINDS
from leafsight.inspection import find_suspicious_labels, measure_balance
from leafsight.inspection.copies import KIND_WORDS, FoundPair, against_findings, copy_findings, leak_findings
from leafsight.inspection.files import FAULT_WORDS, MODE_WORDS, file_findings
from leafsight.inspection.findings import Finding
from leafsight.inspection.insight import insight_figures
from leafsight.inspection.judged import balance_findings, label_findings, shortcut_findings
from leafsight.inspection.named import name_findings
from leafsight.inspection.quality import quality_findings
from leafsight.retraining.gate_checks import accuracy_check, group_checks, taught_checks
from leafsight.retraining.gate_report import Check, decided

NO_WORDS = re.compile(
    r"“[^”]*”|\b[Zz]+\d*\b|\b(train|valid|test|px|MB|ms|PCA|UMAP|JPEG|PNG|png|lab|x)\b|\d+e-?\d+"
)

LETTERS = re.compile("[A-Za-z]{2,}")


@pytest.fixture(scope="module")
def in_brackets(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    path = tmp_path_factory.mktemp("language") / "marked.po"
    write_marked(path)
    return read_translation(path)


@pytest.fixture(autouse=True)
def spoken(in_english: None, in_brackets: Translation) -> None:
    """English comes back by itself after each test."""
    use_language(in_brackets)


def words_left(text: str) -> list[str]:
    """What of a sentence no translator could have reached."""
    return LETTERS.findall(NO_WORDS.sub(" ", outside(translated(text))))


def index_of(*photographs: dict[str, Any], source: str = "photos") -> PhotoIndex:
    """Rows as an index has them; what is not given is sound."""
    rows = []
    for number, values in enumerate(photographs):
        given = {**SOUND, "class": "Z", **values}
        name = given.pop("class")
        row = PhotoRow(source, "/nowhere", given.pop("path", f"Z/{number:04d}.jpg"), name)
        for key, value in given.items():
            setattr(row, key, None if "fault" in given and key in SOUND else value)
        rows.append(row)
    return PhotoIndex(table_of(rows))


def odd_files() -> Iterator[Finding]:
    """Findings on files and on quality, each kind once."""
    sound: list[dict[str, Any]] = [{}] * 40
    faults = [{"fault": f"{kind}: the file has no bytes"} for kind in FAULT_WORDS]
    modes = [{"mode": mode} for mode in MODE_WORDS]
    yield from file_findings(index_of(*sound, *faults, *modes))
    yield from file_findings(
        index_of(
            *sound,
            {"path": "Z/1.png"},
            {"width_px": 50},
            {"width_px": 1000},
            {"frames": 3},
            {"orientation": 6},
            {"has_gps": True},
        )
    )
    yield from file_findings(index_of({"width_px": 32}))
    bad: tuple[dict[str, Any], ...] = (
        {"sharpness": 3.0}, {"highlight": 0.2}, {"shadow": 0.8}, {"contrast": 0.01}, {"entropy_bits": 1.0},
        {"margin_share": 0.3},
    )  # fmt: skip
    yield from quality_findings(index_of(*sound, *bad))
    yield from quality_findings(index_of({"sharpness": 3.0}))
    names = [{"path": f"Z/{number // 2:03d}_{number}.jpg"} for number in range(8)]
    yield from name_findings(index_of(*names))
    yield from name_findings(
        index_of(*({**one, "split": ("train", "test")[at % 2]} for at, one in enumerate(names)))
    )


def relatives() -> Iterator[Finding]:
    """Findings on copies, leaves and leaks, with every kind of pair."""
    kinds = [kind for kind in KIND_WORDS if kind != "same_leaf"]
    pairs = [FoundPair(0, at, kind, 0.9) for at, kind in enumerate(kinds, 1)]
    pairs.append(FoundPair(0, 9, "same_leaf", 0.9))
    rows = [{"class": f"Z{at % 2}", "split": ("train", "valid", "test")[at % 3]} for at in range(10)]
    index = index_of(*rows)
    yield from copy_findings(index, pairs, [list(range(len(kinds) + 1))])
    yield from leak_findings(index, [*pairs, FoundPair(0, 8, "same_leaf", 0.9)])
    yield from against_findings(index, index_of(*rows, source="other"), pairs, "ZZ")
    yield from against_findings(index, index, [], "ZZ")


def measured() -> Iterator[Finding]:
    """Findings on labels, balance and shortcuts."""
    generator = np.random.default_rng(0)
    labels = np.arange(200) % 4
    features = (np.eye(4)[labels] * 9 + generator.normal(size=(200, 4))).astype(np.float32)
    wrong = labels.copy()
    wrong[:6] = (wrong[:6] + 1) % 4
    names = ["Z0", "Z1", "Z2", "Z3"]
    for given in (wrong, generator.integers(0, 4, 200)):
        report = find_suspicious_labels(given, names, features=features)
        yield from label_findings(report, list(range(200)), [names[one] for one in given])
    for counts in ([50], [30, 20], [900, 40, 12, 9, 9, 0], [9] * 7, [4000, 1900]):
        sorts = np.repeat(np.arange(len(counts)), counts)
        yield from balance_findings(measure_balance(sorts, [f"Z{at}" for at in range(len(counts))]))
    for value, low, green in ((0.05, 0.03, 0.0), (0.15, 0.1, 0.0), (0.35, 0.3, 0.0), (0.49, 0.47, 0.6)):
        found = record(value, low, green=green)
        yield from shortcut_findings(found)
        given_away = replace(found.worst, given_away=("Z",), recall={"Z": found.worst.accuracy})
        yield from shortcut_findings(replace(found, views=(given_away,)))


@pytest.mark.parametrize("made", [odd_files, relatives, measured])
def test_findings_of_the_check(made: Any) -> None:
    found = list(made())
    assert len(found) > 5
    texts = {text for one in found for text in (one.sentence, one.hint, *(case.text for case in one.cases))}
    assert {text: left for text in texts if (left := words_left(text))} == {}


def test_every_kind_of_finding_is_among_them() -> None:
    kinds = {one.kind for made in (odd_files, relatives, measured) for one in made()}
    assert set(KINDS) <= kinds


def collections() -> Iterator[Any]:
    """Collections of which each figure says another of its sentences."""
    generator = np.random.default_rng(1)
    yield material([1])
    yield material([20])
    yield material([4, 4])
    yield material([4, 4, 4], grey=True, pictures=False, embeddings=False)
    yield replace(material([100, 105, 110]), unreadable=3)
    yield replace(material([50, 50, 20, 3, 2, 2, 2]), unreadable=1)
    rows, labels = 60, np.repeat(np.arange(3), 20)
    for noise in (0.01, 0.3, 0.6):
        values = np.clip(np.array([0.2, 0.8, 0.5])[labels] + generator.normal(0, noise, rows), 0.01, 1)
        columns = dict.fromkeys(("brightness", "contrast", "green_share", "mean_red"), values)
        yield material([20, 20, 20], **columns, sharpness=np.where(labels == 1, 1.0, 900.0) + values)
    yield material([20, 20, 1], brightness=np.full(41, 0.5), width_px=np.arange(100, 141))
    wide = np.where(labels == 0, 300, 192)
    yield material(
        [20, 20, 20], width_px=wide, height_px=np.full(rows, 192),
        cameras=["Z1"] * 20 + ["Z2"] * 20 + [None] * 20,
        taken=[f"2024-0{1 + at // 20}-01T10:00:00" for at in range(rows)],
    )  # fmt: skip
    yield material(
        [30, 30],
        cameras=["Z1"] * 60,
        taken=["2024-05-01T10:00:00"] * 60,
        width_px=np.r_[np.full(59, 192), 900.0],
    )
    yield material([5, 5], cameras=["Z1"] + [None] * 9, taken=["2024-05-01T10:00:00"] + [None] * 9)
    days = [f"20{10 + at % 15}-{1 + at % 12:02d}-{1 + at % 28:02d}T10:00:00" for at in range(rows)]
    yield material(
        [20, 40], taken=["2024-05-01T10:00:00"] * 20 + days[20:], cameras=["Z1"] * 20 + ["Z2"] * 40
    )


def test_answers_of_the_insight_figures() -> None:
    left, said = {}, Counter[str]()
    for one in collections():
        for figure in insight_figures(one):
            said[figure.name] += 1
            series = figure.series
            axes = [getattr(series, name, None) for name in ("axis", "x_axis", "y_axis")]
            notes = [tile.note for tile in getattr(series, "tiles", ())]
            for text in (
                figure.title, figure.question, figure.answer, figure.note, *notes,
                *(axis.label for axis in axes if axis is not None),
            ):  # fmt: skip
                words = words_left(text.replace("a made-up model", "Z"))
                if words:
                    left[figure.name, text] = words
    assert len(said) == 15
    assert left == {}


def test_sentences_of_the_gate() -> None:
    sure, worse = [True] * 80, [False] * 6 + [True] * 74
    names = ["Z0"] * 40 + ["Z1"] * 40
    checks: list[Check] = []
    for old, new in ((sure, sure), (sure, worse)):
        pair = pair_of(old, new, names, known=("Z0",))
        checks += [accuracy_check(pair, OPTIONS), *group_checks(pair, OPTIONS)]
        checks += group_checks(pair_of(old[:4], new[:4], names[:4]), OPTIONS)
        checks += [*taught_checks(pair, ("Z1",), OPTIONS), *taught_checks(None, ("Z1",), OPTIONS)]
    of_graphs = (
        "The graph differs from its head by at most 1.0e-01, and from the champion's network by "
        "no more; 1e-03 "
        "is the limit. The proof of its export did not hold.",
        "The graph differs from its head by at most 1.0e-01; 1e-03 is the limit.",
        "One photograph takes 1.50 times as long as with the champion (1.5 ms here); 1.15 times "
        "is the limit.",
        "The file without its memory has 3.04 MB, that of the champion 0.00 MB; 0.16 MB is the limit.",
        "The mean F1 of the classes is 0.900, that of the champion 0.950; it may fall by 0.010.",
        "The share of leaves that are called no leaf is 1.0%, with the champion 2.0%; it may rise by +1.00 "
        "points.",
        "The calibration error is 0.010, that of the champion 0.020; it may rise by 0.010.",
        "The sets of possible conditions hold the truth for 95.0%; they promise 95%, 93% is the limit.",
        "Of its answers 99.0% are right; 98% is promised.",
        "The candidate does not know 2 of the champion's classes: Z1, Z2.",
        "The candidate knows all 5 classes of the champion and 2 more.",
        "The candidate cannot be judged: the model Z remembers no locked test",
    )
    checks += [Check("graph", False, None, None, None, said) for said in of_graphs]
    for one in checks:
        failed = replace(one, passed=False)
        for said in (one.said, decided("", "", [failed]).said, decided("", "", [failed] * 2).said):
            assert words_left(said) == [], said
    assert words_left(decided("", "", [replace(checks[0], passed=True)]).said) == []


@pytest.mark.parametrize(
    "said",
    [
        "The picture shows no leaf, with a probability of 0.93.",
        "The picture is 3.2 times as odd as the oddest known leaves: no leaf, or a plant, camera "
        "or distance that "
        "was never trained on.",
        "The answer has a probability of 0.93; left out: 1 not a leaf, 2 unreadable.",
        "The picture is unlike the training photographs (1.3 times the limit), so the best guess "
        "(probability "
        "0.40) cannot be trusted.",
        "The picture may show no leaf at all (probability 0.40).",
        "The best guess has a probability of only 0.40; left out: 1 too blurred.",
        "3 of 5 photographs together show no leaf, or nothing like the leaves that were trained "
        "on; left out: 2 not "
        "a leaf.",
        "5 photographs together: more than half of them are unlike the training photographs, so "
        "the best guess "
        "(probability 0.40) cannot be trusted.",
        "None of 3 photographs can be used: 1 not a leaf, 2 too blurred.",
        "The photographs contradict each other: 2 say Zz: Zz, 1 say Zz: Zz and 1 say Zz: Zz.",
        "this is a camera raw file (CR2), not a photograph that leafsight reads",
        "this is a file of unknown kind (it begins with 00 01), not a photograph that leafsight reads",
        "a TIFF with 2 samples of 32 bits, photometric 1, is not a common photograph",
        "the photograph is 4 x 5 px, the shortest side allowed is 8 px",
        "there is nothing to learn from: 3 left out: it has no class; 2 left out: its class is "
        "new and has fewer "
        "than 3 photographs that differ",
        "the full path needs the photographs that the model was trained from; there is no Z",
        "The candidate cannot be judged: the model Z remembers no locked test",
    ],
)
def test_answers_and_errors(said: str) -> None:
    assert words_left(said) == [], said
