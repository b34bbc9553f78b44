"""All figures at once, on collections that break careless code."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.inspection.insight_material import HOSTILE, make

from leafsight.dataset import PhotoIndex, PhotoRow, table_of
from leafsight.errors import DatasetError
from leafsight.inspection.insight import (
    Figure,
    InsightOptions,
    Material,
    Matrix,
    Spreads,
    insight_figures,
    material_of,
)

ODD = {
    "one class": lambda: make([12]),
    "one photograph": lambda: make([1]),
    "a class of one": lambda: make([1, 20, 20]),
    "200 classes": lambda: make([3] * 200),
    "grey": lambda: make([9, 9], grey=True),
    "no pictures, no model": lambda: make([9, 9], pictures=False, embeddings=False),
    "nothing measured": lambda: replace(make([9, 9]), measures={}),
    "hostile": lambda: make([9, 9, 9], classes=[HOSTILE, "$", ""], cameras=[HOSTILE] * 27),
    "all the same": lambda: make([6, 6], brightness=np.zeros(12), sharpness=np.zeros(12)),
}


@pytest.mark.parametrize("kind", ODD)
def test_every_collection_has_every_figure_with_words(kind: str) -> None:
    figures = insight_figures(ODD[kind](), InsightOptions(classes=12))
    names = [figure.name for figure in figures]
    assert len(set(names)) == len(names) == 15
    for figure in figures:
        assert figure.question.endswith("?")
        assert figure.answer.endswith(".")
        assert "nan" not in figure.answer.lower().replace("domin", "")
        json.dumps(figure.to_dict(), allow_nan=False)


def test_nothing_to_show_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no photograph"):
        insight_figures(make([]))


def test_many_classes_never_make_a_figure_long() -> None:
    for figure in insight_figures(make([3] * 60), InsightOptions(classes=10)):
        if isinstance(figure.series, Spreads):
            assert len(figure.series.spreads) <= 10
            assert sum(one.count for one in figure.series.spreads) == 180
        if isinstance(figure.series, Matrix):
            assert len(figure.series.labels) <= 10


def test_the_same_collection_gives_the_same_figures() -> None:
    one, two = (
        json.dumps([figure.to_dict() for figure in insight_figures(make([7, 8, 30]))]) for _ in range(2)
    )
    assert one == two


def test_pictures_become_data_urls_in_plain_values() -> None:
    plain = next(f for f in insight_figures(make([6, 6])) if f.name == "means").to_dict()
    assert plain["kind"] == "tiles"
    assert plain["series"]["tiles"][0]["pixels"].startswith("data:image/jpeg;base64,")


@pytest.fixture(scope="module")
def drawn() -> list[Figure]:
    return insight_figures(make([25, 3, 9], classes=[HOSTILE, "a$b$", "third"]), InsightOptions(outliers=4))


KINDS = {"counts": "bars", "map": "points", "outliers": "tiles", "borders": "matrix", "sharpness": "spreads",
         "cameras": "words"}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_becomes_a_png(drawn: list[Figure], name: str) -> None:
    figure = next(one for one in drawn if one.name == name)
    assert figure.kind == KINDS[name]
    image = Image.open(io.BytesIO(figure.png(width_px=700)))
    assert image.format == "PNG"
    assert image.width == 700
    assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_a_notebook_gets_a_png(drawn: list[Figure]) -> None:
    assert drawn[0]._repr_png_().startswith(b"\x89PNG")


class _Records:
    """Stands in for sketches and embeddings: the number of a record is its content."""

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        return np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], (len(numbers), 64, 64, 3))

    def get(self, numbers: np.ndarray) -> np.ndarray:
        return np.repeat(numbers.astype(np.float32)[:, None], 3, axis=1)


def index_of_four() -> PhotoIndex:
    rows = [PhotoRow("set", "/nowhere", f"{name}/{n}.jpg", name) for n, name in enumerate("abab")]
    for number, row in enumerate(rows):
        row.sketch, row.embedding, row.brightness = 10 + number, 20 + number, number / 10
        row.width_px = row.height_px = 100
    rows[2].fault, rows[2].sketch, rows[2].embedding, rows[2].brightness = (
        "corrupt-image: x",
        None,
        None,
        None,
    )
    rows[3].sketch, rows[3].camera, rows[3].taken = None, "Canon", "2020-01-02T03:04:05"
    return PhotoIndex(table_of(rows))


def test_an_index_becomes_material() -> None:
    material: Material = material_of(index_of_four(), _Records(), embeddings=_Records(), title="t")
    assert material.names == ("a/0.jpg", "b/1.jpg", "b/3.jpg")
    assert material.labels.tolist() == [0, 1, 1]
    assert material.unreadable == 1
    assert material.has_picture.tolist() == [True, True, False]
    assert material.pictures is not None
    assert material.embeddings is not None
    assert material.pictures(np.array([1, 0]))[:, 0, 0, 0].tolist() == [11, 10]
    assert material.embeddings(np.array([2]))[0, 0] == 23
    assert material.cameras == (None, None, "Canon")
    assert material.measure("brightness") == pytest.approx([0.0, 0.1, 0.3])
    assert np.isnan(material.measure("contrast")).all()


def test_names_of_several_sources_carry_their_source() -> None:
    rows = [PhotoRow(source, "/nowhere", "a/0.jpg", "a") for source in ("one", "two")]
    assert material_of(PhotoIndex(table_of(rows))).names == ("one/a/0.jpg", "two/a/0.jpg")


def test_a_sample_keeps_every_class_in_proportion() -> None:
    material = make([100, 10])
    rows = material.sample(22)
    assert len(rows) == 22
    assert len(set(rows.tolist())) == 22
    assert 1 <= (material.labels[rows] == 1).sum() <= 3
    assert make([3]).sample(5).tolist() == [0, 1, 2]
