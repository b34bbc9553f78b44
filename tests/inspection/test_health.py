"""The report: order, words, JSON and the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from leafsight.inspection.files import file_findings
from leafsight.inspection.findings import Case, Finding, share, worst_first
from leafsight.inspection.health import assembled
from leafsight.inspection.page import CASES_SHOWN, write_health_report


def test_the_worst_comes_first():
    found = [
        Finding("blurred", "quality", "look", "s", count=900),
        Finding("gps", "files", "look", "s", count=1),
        Finding("corrupt-image", "files", "mend", "s", count=2),
        Finding("leak", "leaks", "mend", "s", count=1),
        Finding("animated", "files", "know", "s", count=5000),
        Finding("empty-file", "files", "mend", "s", count=7),
    ]
    assert [finding.kind for finding in worst_first(found)] == [
        "leak", "empty-file", "corrupt-image", "gps", "blurred", "animated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "of", "expected"),
    [
        (0, 9, "0 of 9 (0.0 %)"),
        (1, 3000, "1 of 3000 (less than 0.1 %)"),
        (3, 40, "3 of 40 (7.5 %)"),
        (2, 0, "2"),
    ],
)
def test_a_share_never_rounds_something_to_nothing(count, of, expected):
    assert share(count, of) == expected


def test_a_sound_collection_is_clean(made):
    health = assembled(made({}, {"class": "b"}), [])
    assert health.is_clean
    assert health.lines()[0] == "2 of 2 photographs are usable, in 2 classes"
    assert "nothing was found to mend" in health.lines()


def test_only_what_must_be_mended_makes_it_unclean(made):
    index = made({}, {"has_gps": True})
    assert assembled(index, file_findings(index)).is_clean
    index = made({}, {"fault": "corrupt-image: torn"})
    health = assembled(index, file_findings(index))
    assert not health.is_clean
    assert health.usable == 1
    assert "photos/rust/0001.jpg (torn)" in health.lines()[1]


def test_json_names_every_photograph(made):
    index = made({}, {"has_gps": True}, {"has_gps": True})
    said = json.loads(
        json.dumps(
            assembled(index, file_findings(index), {"balance": {"ratio": 2}}, ["labels: no"]).to_dict()
        )
    )
    assert said["findings"][0]["cases"] == [
        {"photographs": ["photos/rust/0001.jpg"]},
        {"photographs": ["photos/rust/0002.jpg"]},
    ]
    assert said["balance"] == {"ratio": 2}
    assert said["not_looked_at"] == ["labels: no"]


class Page(HTMLParser):
    """Counts elements; fails on nothing by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        values = dict(attrs)
        if tag == "a":
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])


def picture(row: int) -> np.ndarray | None:
    return None if row == 3 else np.full((40, 60, 3), 40 + row % 200, np.uint8)


def test_the_page_shows_pictures_and_escapes_names(made, tmp_path: Path):
    hostile = "<script>alert(1)</script>"
    index = made(*[{"class": hostile, "has_gps": True} for _ in range(40)])
    health = assembled(index, file_findings(index), not_looked=["labels: no network was asked"])
    path = write_health_report(health, tmp_path / "report.html", pictures=picture, title="Health of <b>")
    text = path.read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert "b" not in page.tags or hostile not in text
    assert page.tags["img"] == CASES_SHOWN - 1
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "All 40 by name" in text
    assert "labels: no network was asked" in text
    assert len(json.loads(path.with_suffix(".json").read_text())["findings"][0]["cases"]) == 40


def test_the_page_of_a_sound_collection_says_so(made, tmp_path: Path):
    path = write_health_report(assembled(made({}), []), tmp_path / "r.html", pictures=picture, title="t")
    assert "Nothing was found to mend." in path.read_text()


def test_facts_become_sentences_and_tables(made, tmp_path: Path):
    facts = {
        "shortcuts": {
            "lines": ["49 % without a leaf"],
            "shown": {"views": [{"view": "border", "accuracy": 0.49123}]},
        }
    }
    text = write_health_report(
        assembled(made({}), [], facts), tmp_path / "r.html", pictures=picture, title="t"
    ).read_text()
    assert "49 % without a leaf" in text
    assert "0.491" in text


def test_pictures_stop_at_the_budget(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from leafsight.inspection import page

    monkeypatch.setattr(page, "PICTURES_BUDGET_CHARACTERS", 1000)
    cases = tuple(Case((row,)) for row in range(20) if row != 3)
    finding = Finding("gps", "files", "look", "s", count=19, of=20, cases=cases)
    health = assembled(made(*[{}] * 20), [finding])
    text = write_health_report(health, tmp_path / "r.html", pictures=picture, title="t").read_text()
    assert 0 < Page(text).tags["img"] < 5
    assert "All 19 by name" in text
