"""The page holds what was found, asks for nothing, and no name can break it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from tests.experiments.made_subjects import ASKING, made_index, made_subject

from leafsight.errors import StorageError
from leafsight.evaluation import EvaluationOptions, Interval
from leafsight.experiments import ComparedRuns, compare_runs, comparison_sentences, write_comparison
from leafsight.experiments.comparing_charts import difference_chart
from leafsight.experiments.comparing_page import PHOTOGRAPHS_SHOWN, comparison_page

NASTY = 'a <script>alert(1)</script> & "b"'
HISTORY = tuple(
    {"train_loss": 1.0 / epoch, "valid": {"accuracy": 0.5, "macro_f1": 0.4, "loss": None}}
    for epoch in (1, 2, 3)
)


class Read(HTMLParser):
    """Tags balance, and nothing is asked for from outside."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)
        assert {link[1:] for link in self.links} <= set(self.ids)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        assert name not in {"script", "iframe", "object"}
        assert (values.get("src") or "data:image/jpeg").startswith("data:image/jpeg")
        self.tags.append(name)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if name not in {"meta", "img", "br", "rect", "line", "circle", "polyline"}:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attributes)
        if self.open and self.open[-1] == name:
            self.open.pop()

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.text += [] if self.open and self.open[-1] == "style" else [data]

    @property
    def said(self) -> str:
        return " ".join(self.text)


def leaf(row: int) -> np.ndarray:
    return np.random.default_rng(row).integers(0, 255, (300, 400, 3), dtype=np.uint8)


def nothing(row: int) -> None:
    return None


def compared(*names: str, wrong: int = 40) -> ComparedRuns:
    index = made_index(90, classes=("healthy", NASTY, "scab"))
    subjects = [
        made_subject(
            name, index, wrong=range(wrong * number), classes=("healthy", NASTY, "scab"),
            history=HISTORY, decisive={"seed": number},
            facts={"duration_s": 61.4, "photographs": {"train": 1200}},
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    return compare_runs(subjects, ASKING, options=EvaluationOptions(resamples=100))


def test_the_whole_page(tmp_path: Path) -> None:
    found = compared("plain", NASTY)
    path = write_comparison(found, tmp_path / "deep" / "compare.html", pictures=leaf)
    page = Read(path.read_text(encoding="utf-8"))
    for anchor in (
        "numbers",
        "tests",
        "photographs",
        "wrong",
        "confusions",
        "classes",
        "training",
        "recipes",
        "runs",
        "method",
    ):
        assert anchor in page.ids
        assert f"#{anchor}" in page.links
    assert page.tags.count("img") == PHOTOGRAPHS_SHOWN < len(found.differing)
    assert "is right 44.4 points less often than plain" in page.said
    assert f"Shown are {PHOTOGRAPHS_SHOWN} of 40" in page.said
    assert "single networks, not recipes" in page.said
    assert "1,200 train" in page.said
    assert "61 s" in page.said
    assert page.tags.count("polyline") == 6  # two runs; the loss on validation was never measured
    assert path.stat().st_size < 3_000_000
    assert json.loads(path.with_suffix(".json").read_text()) == json.loads(json.dumps(found.to_dict()))


def test_three_runs() -> None:
    page = Read(comparison_page(compared("a", "b", "c"), nothing))
    assert "3 runs compared" in page.said
    assert page.said.count("right") > 3
    assert "img" not in page.tags
    assert "adjusted" in page.said


def test_what_all_have_wrong_is_shown() -> None:
    index = made_index(90, classes=("healthy", NASTY, "scab"))
    classes = ("healthy", NASTY, "scab")
    subjects = [
        made_subject(name, index, wrong=[5, 6, at], classes=classes) for name, at in (("a", 7), ("b", 8))
    ]
    found = compare_runs(subjects, ASKING, options=EvaluationOptions(resamples=100))
    page = Read(comparison_page(found, leaf))
    told = "Both have 2 photographs of 90 wrong (2.2%): look there for wrong labels"
    assert page.said.count(told) == 2  # on the first screen, and above the pictures
    assert page.tags.count("img") == 2 + 2
    assert any(line.startswith(told) for line in comparison_sentences(found))
    assert [one["photo"] for one in found.to_dict()["all_wrong"]] == ["leaves/0005.jpg", "leaves/0006.jpg"]


def test_runs_that_say_the_same() -> None:
    page = Read(comparison_page(compared("a", "b", wrong=0), leaf))
    assert "All give the same answer to every photograph." in page.said
    assert page.said.count("Every photograph is right by one of them at least.") == 2
    assert "b makes every mistake as often as a." in page.said


def test_model_files_have_no_curves_and_may_have_no_recipe() -> None:
    index = made_index(20)
    files = [made_subject(name, index, kind="model file", wrong=[number]) for number, name in enumerate("ab")]
    page = Read(
        comparison_page(compare_runs(files, ASKING, options=EvaluationOptions(resamples=100)), nothing)
    )
    assert "A model file does not say how it was trained." in page.said
    assert "The recipe of a, b is not known." in page.said
    assert "the seed included" not in page.said


def test_pages_are_reproducible() -> None:
    assert comparison_page(compared("a", "b"), leaf) == comparison_page(compared("a", "b"), leaf)


def test_photographs_stop_at_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.experiments import comparing_page

    monkeypatch.setattr(comparing_page, "PICTURES_BUDGET_CHARACTERS", 40_000)
    page = Read(comparison_page(compared("a", "b"), leaf))
    assert 0 < page.tags.count("img") < PHOTOGRAPHS_SHOWN
    assert page.tags.count("dl") == PHOTOGRAPHS_SHOWN


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        write_comparison(compared("a", "b"), tmp_path / "file" / "c.html", pictures=nothing)


def test_the_chart_says_what_it_shows() -> None:
    rows = [
        ("sure gain", Interval(0.2, 0.1, 0.3)), ("sure loss", Interval(-0.2, -0.3, -0.1)),
        ("a name far too long to be shown whole", Interval(0.0, -0.1, 0.1)),
    ]  # fmt: skip
    drawn = difference_chart(rows, "F1")
    assert 'class="mark"' in drawn
    assert 'class="bad"' in drawn
    assert 'class="track"' in drawn
    assert "sure gain +20.0 points; sure loss -20.0 points" in drawn
    assert "+30" in drawn
    assert "nan" not in difference_chart([], "F1")
