from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.inspection.insight_material import HOSTILE, colours, make

from leafsight.errors import StorageError
from leafsight.inspection.insight import (
    InsightOptions,
    Material,
    insight_figures,
    insight_page,
    write_insight_page,
    write_pngs,
)
from leafsight.inspection.insight.sprites import make_sprites

VOID = {"meta", "img", "br", "rect", "line", "path", "wbr"}


class Structure(HTMLParser):
    """Fails on unbalanced tags, double ids, event handlers, and anything that asks for something outside."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        assert name not in {"link", "iframe", "object", "base", "form"}
        assert not any(key.startswith("on") for key in values)
        for key in ("src", "href"):
            assert (values.get(key) or "#").startswith(("#", "data:image/jpeg;base64,"))
        if values.get("http-equiv"):
            self.policy = values["content"] or ""
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if name == "script":
            self.scripts.append((values, ""))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self.open.pop()

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif not self.open or self.open[-1] != "style":
            self.text.append(data)

    def data(self, name: str) -> str:
        return next(text for values, text in self.scripts if values.get("id") == name)


def read(text: str) -> Structure:
    page = Structure()
    page.feed(text)
    page.close()
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links} <= set(page.ids)
    return page


def page_of(material: Material, **options: int) -> str:
    chosen = InsightOptions(**options)
    return insight_page(material, insight_figures(material, chosen), chosen)


@pytest.fixture(scope="module")
def material() -> Material:
    return replace(make([30, 12, 20], classes=["a", HOSTILE, "c"]), title=HOSTILE)


@pytest.fixture(scope="module")
def page(material: Material) -> Structure:
    return read(page_of(material))


def test_only_the_script_of_the_house_may_run(page: Structure) -> None:
    assert "default-src 'none'" in page.policy
    allowed = re.findall(r"'sha256-([^']+)'", page.policy)
    programs = [text for values, text in page.scripts if "type" not in values]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in programs] == allowed
    assert len(programs) == 1
    assert {values.get("type") for values, _ in page.scripts} == {None, "application/json", "text/plain"}


def test_nothing_is_asked_from_outside(page: Structure) -> None:
    program = next(text for values, text in page.scripts if "type" not in values)
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|WebSocket|import\(|eval\(|innerHTML", program)


def test_hostile_names_stay_text(page: Structure) -> None:
    said = " ".join(page.text)
    assert '</script><script>alert("1")' in said
    assert "\u202e" not in said
    data = json.loads(page.data("insight-data"))
    assert data["classes"][1].startswith('</script><script>alert("1")</sc')
    assert "<" not in page.data("insight-data")


def test_every_question_and_answer_stands_in_the_page(material: Material, page: Structure) -> None:
    said = " ".join(page.text)
    for figure in insight_figures(material):
        assert figure.question in said
        assert figure.answer in said
        assert figure.name in page.ids


def test_points_lead_to_the_right_thumbnail(material: Material, page: Structure) -> None:
    data, shape = (json.loads(page.data(name)) for name in ("insight-data", "insight-sheets"))
    assert shape == {"side": 64, "columns": 16, "placed": 62}
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(page.data("sheet-0")))).convert("RGB"))
    palette = colours(3)
    for photo in data["figures"]["map"]["photos"]:
        place = data["places"][photo]
        top, left = 64 * (place // 16), 64 * (place % 16)
        mean = sheet[top : top + 64, left : left + 64].mean(axis=(0, 1))
        assert np.abs(mean - palette[data["labels"][photo]]).max() < 12
        assert data["names"][photo].endswith(".jpg")


def test_the_budget_holds_and_what_is_missing_is_said() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (3000, 64, 64, 3), dtype=np.uint8)  # noise is the worst for JPEG
    material = replace(make([1500, 1500]), pictures=lambda rows: noise[rows])
    text = page_of(material, page_bytes=1_000_000)
    assert len(text.encode()) < 1_000_000
    page = read(text)
    shape = json.loads(page.data("insight-sheets"))
    assert shape["side"] == 32
    assert 0 < shape["placed"] < 3000
    assert f"{shape['placed']:,} of 3,000 dots show their photograph" in " ".join(page.text)


def test_photographs_without_a_picture_have_no_place() -> None:
    has = np.ones(20, bool)
    has[3:6] = False
    page = read(page_of(replace(make([10, 10]), has_picture=has)))
    data = json.loads(page.data("insight-data"))
    without = {name for name, place in zip(data["names"], data["places"], strict=True) if place < 0}
    assert without == {"class 000/3.jpg", "class 000/4.jpg", "class 000/5.jpg"}


@pytest.mark.parametrize("counts", [[1], [8], [3] * 200])
def test_odd_collections_have_a_page(counts: list[int]) -> None:
    page = read(page_of(make(counts)))
    assert ("chosen" in page.ids) == (len(counts) > 1)


def test_without_pictures_there_are_no_sheets() -> None:
    page = read(page_of(make([9, 9], pictures=False, embeddings=False)))
    assert json.loads(page.data("insight-sheets"))["placed"] == 0


def test_the_page_is_the_same_twice(material: Material) -> None:
    assert page_of(material) == page_of(material)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, material: Material) -> None:
    figures = insight_figures(material)
    path = write_insight_page(tmp_path / "deep" / "insight.html", material, figures)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    pictures = write_pngs(tmp_path / "png", figures[:2])
    assert [one.name for one in pictures] == ["01-counts.png", "02-map.png"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        write_insight_page(tmp_path / "file" / "insight.html", material, figures)


def test_sprites_become_smaller_before_they_become_fewer() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (300, 64, 64, 3), dtype=np.uint8)
    rows = np.arange(300)
    sides = []
    for budget in (4_000_000, 1_300_000, 500_000, 200_000):
        sprites = make_sprites(rows, lambda chosen: pictures[chosen], budget)
        assert sum(map(len, sprites.sheets)) <= budget
        sides.append((sprites.side_px, sprites.placed))
    assert sides[0] == (64, 300)
    assert [side for side, _ in sides] == sorted((side for side, _ in sides), reverse=True)
    assert sides[1][1] == 300
    assert make_sprites(rows, lambda chosen: pictures[chosen], 0).sheets == ()
