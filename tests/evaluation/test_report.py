from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from leafsight.errors import StorageError
from leafsight.evaluation import EvaluationOptions, Scores, evaluate, fit_calibration, write_report
from leafsight.evaluation.report.charts import _round_up

FAST = EvaluationOptions(resamples=100)
NASTY = 'leaf <script>alert(1)</script> & "quotes" \n 葉'
VOID = {"meta", "img", "br", "path", "rect", "line", "circle", "polyline"}


class Structure(HTMLParser):
    """Fails on unbalanced tags, double ids, script, and anything that asks for something outside."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.images_without_words = 0

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        values = dict(attributes)
        assert name not in {"script", "link", "iframe", "object"}
        assert not any(key.startswith("on") for key in values)
        for key in ("src", "href"):
            assert (values.get(key) or "#").startswith(("#", "data:image/jpeg;base64,"))
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        self.images_without_words += name == "img" and not values.get("alt")
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self.open.pop()

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def read(path: Path) -> Structure:
    page = Structure()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert page.images_without_words == 0
    return page


def leaf(row: int) -> np.ndarray:
    return np.random.default_rng(row).integers(0, 255, (300, 400, 3), dtype=np.uint8)


@pytest.fixture
def evaluation(simulate):
    classes = [NASTY, *(f"class {i}" for i in range(5))]
    scores, labels = simulate(600, strength=2.0)
    calibration = fit_calibration(
        scores.logits[:300],
        labels[:300],
        scores.embedding[:300],
        scores.embedding[:300],
        labels[:300],
        classes,
    )
    rest = np.arange(300, 600)
    domains = ["home"] * 200 + [NASTY] * 100
    return evaluate(
        scores.take(rest), labels[rest], classes, calibration, domains=domains, options=FAST,
        known_crops={name: f"crop {i // 2}" for i, name in enumerate(classes)},
    )  # fmt: skip


def test_the_whole_page(evaluation, tmp_path: Path) -> None:
    path = write_report(
        evaluation,
        tmp_path / "deep" / "report.html",
        pictures=leaf,
        heatmaps=leaf,
        title=NASTY,
        provenance={"recipe": NASTY, "versions": {"numpy": np.__version__}},
        curves={"loss": {"train": [2.0, 1.0, float("nan"), 0.5], "valid": [2.1, 1.2, 1.1, 1.0]}},
        data_summary={"photographs": 600, "splits": {"train": 300, "test": 300}},
    )
    page = read(path)
    said = " ".join(page.text)
    assert page.text.count(NASTY) > 5
    assert page.tags.count("img") == 2 * len(evaluation.mistakes)
    for anchor in (
        "domains",
        "classes",
        "confusion",
        "confidence",
        "answers",
        "mistakes",
        "training",
        "numbers",
    ):
        assert anchor in page.ids
    assert "What it does not mean" in said
    assert f"{100 * evaluation.overall.metrics['accuracy'].value:.1f} %" in said
    assert path.stat().st_size < 3_000_000


def test_json_beside(evaluation, tmp_path: Path) -> None:
    write_report(evaluation, tmp_path / "report.html", provenance={"seed": 3})
    plain = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert plain["provenance"] == {"seed": 3}
    assert plain["overall"]["photos"] == 300
    assert plain["classes"][0] == NASTY


def test_pages_are_reproducible(evaluation, tmp_path: Path) -> None:
    one, two = (
        write_report(evaluation, tmp_path / name, pictures=leaf).read_bytes() for name in ("a.html", "b.html")
    )
    assert one == two


def test_many_classes_stay_small_and_unlabelled(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 150, 1500)
    scores = Scores(generator.normal(size=(1500, 150)).astype(np.float32))  # nearly all wrong
    evaluation = evaluate(scores, labels, [f"class {i}" for i in range(150)], options=FAST)
    path = write_report(evaluation, tmp_path / "r.html", pictures=leaf)
    assert path.stat().st_size < 3_000_000
    assert "Point at a cell" in " ".join(read(path).text)


def test_pictures_stop_at_the_budget(simulate, tmp_path: Path) -> None:
    scores, labels = simulate(600, strength=0.0)
    evaluation = evaluate(
        scores, labels, list("abcdef"), options=EvaluationOptions(resamples=100, mistakes=200)
    )
    path = write_report(evaluation, tmp_path / "r.html", pictures=leaf, heatmaps=leaf)
    page = read(path)
    assert path.stat().st_size < 3_000_000
    assert 0 < page.tags.count("img") < 400
    assert page.tags.count("dl") >= 200  # the facts are there for all


def test_without_mistakes_pictures_or_calibration(tmp_path: Path) -> None:
    labels = np.arange(12) % 2
    evaluation = evaluate(
        Scores((np.eye(2) * 9)[labels].astype(np.float32)), labels, ["a", "b"], options=FAST
    )
    page = read(write_report(evaluation, tmp_path / "r.html"))
    said = " ".join(page.text)
    assert "There is no mistake." in said
    assert "No calibration was used" in said
    assert "answers" not in page.ids
    assert "img" not in page.tags


def test_a_row_without_picture_is_skipped(evaluation, tmp_path: Path) -> None:
    first = evaluation.mistakes[0].row
    path = write_report(
        evaluation, tmp_path / "r.html", pictures=lambda row: leaf(row) if row == first else None
    )
    assert read(path).tags.count("img") == 1


def test_limits_name_what_is_weak(evaluation, tmp_path: Path) -> None:
    labels = np.array([0] * 30 + [1] * 5)
    answers = np.array([0] * 30 + [0] * 4 + [1])
    evaluation = evaluate(
        Scores((np.eye(3) * 5)[answers].astype(np.float32)), labels, ["fine", "weak", "unseen"], options=FAST
    )
    said = " ".join(read(write_report(evaluation, tmp_path / "r.html")).text)
    assert "1 class has no test photograph" in said
    assert "nothing is known about unseen" in said
    assert "fewer than 20 test photographs: weak" in said
    assert "More often missed than found: weak" in said
    assert "counted as independent" in said


def test_metadata_of_pictures_does_not_come_along(evaluation, tmp_path: Path) -> None:
    text = write_report(evaluation, tmp_path / "r.html", pictures=leaf).read_text(encoding="utf-8")
    assert "RXhpZg" not in text  # "Exif" in base64
    assert not re.search(r"https?://", text)


def test_an_unwritable_place_keeps_the_old_file(evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        write_report(evaluation, tmp_path / "file" / "r.html")


@pytest.mark.parametrize(
    ("highest", "top"), [(0.43, 0.5), (1.0, 1.0), (0.011, 0.02), (2.3, 2.5), (7, 10), (0, 1e-6)]
)
def test_axes_end_at_round_numbers(highest: float, top: float) -> None:
    assert _round_up(highest) == pytest.approx(top)
