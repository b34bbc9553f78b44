"""The file of a report."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtCore import QLocale
from PySide6.QtGui import QImage, QPageSize, QPainter, QTextLayout
from PySide6.QtWidgets import QFileDialog
from tests.desktop.reported import answers, report, rows_in
from tests.desktop.windows import PATIENCE_MS, Open, answered, choose
from tests.fakes.tiny_bundle import RED
from tests.journeys.small_world import save_picture

from leafsight.desktop.session import Exported
from leafsight.desktop.window import report as drawing
from leafsight.desktop.window.pictures import pictures_of
from leafsight.desktop.window.report import usual_paper, write_report
from leafsight.errors import DiskFullError
from leafsight.images import DecodeLimits

pytestmark = pytest.mark.gui

A4 = QPageSize(QPageSize.PageSizeId.A4)


@pytest.fixture
def rows(tmp_path: Path) -> list[Exported]:
    return rows_in(tmp_path)


def silent(done: int, total: int) -> None:
    assert 1 <= done <= total


def pages_of(data: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", data))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, qapp: Any) -> dict[str, list[Any]]:
    """What the drawing asked Qt to lay out, and the pictures that it asked to draw."""
    found: dict[str, list[Any]] = {"texts": [], "pictures": []}

    class Layout(QTextLayout):
        def __init__(self, text: str, *rest: Any) -> None:
            found["texts"].append(text)
            super().__init__(text, *rest)

    class Painter(QPainter):
        def drawImage(self, place: Any, picture: QImage) -> None:
            found["pictures"].append((place.toRect().getRect(), picture.size().toTuple()))
            super().drawImage(place, picture)

    monkeypatch.setattr(drawing, "QTextLayout", Layout)
    monkeypatch.setattr(drawing, "QPainter", Painter)
    return found


def test_the_file_is_written_on_a_thread_and_its_text_is_text(
    rows: list[Exported], tmp_path: Path, drawn: dict[str, list[Any]]
) -> None:
    target = tmp_path / "new" / "report.pdf"
    pages: list[int] = []
    told: list[tuple[int, int]] = []
    thread = threading.Thread(
        target=lambda: pages.append(
            write_report(report(rows), target, DecodeLimits(), lambda *how: told.append(how), A4)
        )
    )
    thread.start()
    thread.join()
    data = target.read_bytes()
    assert pages == [2] == [pages_of(data)]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert "Leaf photographs, diagnosed".encode("utf-16-be") in data, "its title"
    assert b"/ToUnicode" in data, "letters can be copied and searched"
    assert b"/MediaBox [0 0 595" in data or b"/MediaBox [0.0000 0.0000 595" in data
    for wanted in ("2 Лист.jpg", "3 葉 <b>&amp;.jpg", "Scab of apple", "Page 2"):
        assert wanted in drawn["texts"]
    assert len(drawn["pictures"]) == 6, "three photographs, each with its heatmap"
    (left, top, wide, high), size = drawn["pictures"][0]
    (right, beside, *_), _ = drawn["pictures"][1]
    assert right > left + wide
    assert beside == top
    assert abs(wide / high - size[0] / size[1]) < 0.02, "not stretched"


def test_long_reports_have_many_pages_and_nothing_lies_over_another(
    tmp_path: Path, drawn: dict[str, list[Any]]
) -> None:
    red = answers()[0]
    row = Exported(save_picture(tmp_path / "1.jpg", RED), replace(red, heatmap=None), None)
    long = replace(row, prediction=replace(red, heatmap=None, reason="word " * 200, verdict="cannot_tell"))
    pages = write_report(report([row, long] * 30), tmp_path / "r.pdf", DecodeLimits(), silent, A4)
    assert pages == pages_of((tmp_path / "r.pdf").read_bytes()) > 10
    tops = [place[1] for place, _ in drawn["pictures"]]
    high = drawn["pictures"][0][0][3]
    assert all(after >= top + high or after == 0 for top, after in pairwise(tops))
    assert max(tops) + high < 1500


def test_a_report_that_is_stopped_or_finds_no_room_is_not_there(
    rows: list[Exported], tmp_path: Path, qapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "report.pdf"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(report(rows), target, DecodeLimits(), stop, A4)
    assert [one.name for one in target.parent.iterdir()] == ["report.pdf"]
    assert target.read_bytes() == b"old"

    @contextmanager
    def full(path: Path) -> Iterator[IO[bytes]]:
        with Path("/dev/full").open("wb", buffering=0) as file:
            yield file

    monkeypatch.setattr(drawing, "replacing", full)
    with pytest.raises(DiskFullError, match=r"no space left while writing .*report\.pdf"):
        write_report(report(rows), target, DecodeLimits(), silent, A4)


def test_paper_is_that_of_the_place() -> None:
    assert usual_paper(QLocale("en_US")).id() == QPageSize.PageSizeId.Letter
    assert usual_paper(QLocale("es_MX")).id() == QPageSize.PageSizeId.Letter
    assert usual_paper(QLocale("de_DE")).id() == QPageSize.PageSizeId.A4
    assert usual_paper(QLocale("en_GB")).id() == QPageSize.PageSizeId.A4
    assert usual_paper(QLocale("C")).id() == QPageSize.PageSizeId.A4


def test_no_photographs_are_one_page(tmp_path: Path, qapp: Any) -> None:
    assert write_report(report([]), tmp_path / "r.pdf", DecodeLimits(), silent, A4) == 1


def test_the_list_as_it_is_shown_is_reported(
    opened: Open, qtbot: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    drawn: dict[str, list[Any]],
) -> None:  # fmt: skip
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    choose(window.page.filters.order, "diagnosis")
    choose(window.page.filters.shown, "diagnosis")
    qtbot.waitUntil(lambda: window.page.rows.rowCount() == 2, timeout=PATIENCE_MS)
    target = tmp_path / "report.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.page.tools.export_report()
    qtbot.waitUntil(lambda: window.page.status.text() == f"2 pages written to {target}.", timeout=PATIENCE_MS)
    names = [text for text in drawn["texts"] if text.endswith(".jpg")]
    assert list(dict.fromkeys(names)) == ["1 red.jpg", "3 blue.jpg"]
    assert pages_of(target.read_bytes()) == 2


def test_closing_stops_a_report(
    opened: Open, qtbot: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened()
    window.add([photos])
    answered(qtbot, window, 4)
    began, may = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> tuple[None, None]:
        began.set()
        assert may.wait(30)
        return None, None

    monkeypatch.setattr(drawing, "pictures_of", slow)
    target = tmp_path / "out" / "report.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.page.tools.export_report()
    assert began.wait(30)
    threading.Timer(0.2, may.set).start()
    window.close()
    assert list(target.parent.iterdir()) == []


def test_a_heatmap_lies_over_the_photograph_not_instead_of_it(tmp_path: Path) -> None:
    photo = save_picture(tmp_path / "1.jpg", RED)
    plain, warm = pictures_of(photo, np.ones((2, 2), np.float32), DecodeLimits(), 40, strength=0.5)
    assert plain is not None
    assert warm is not None
    assert max(plain.size().toTuple()) <= 40
    assert warm.pixelColor(9, 9) != plain.pixelColor(9, 9)
