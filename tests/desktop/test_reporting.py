"""What stands in a report."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desktop.reported import MODEL, report, rows_in

from leafsight.desktop.session import Exported, block, first_page


@pytest.fixture
def rows(tmp_path: Path) -> list[Exported]:
    return rows_in(tmp_path)


def texts(row: Exported) -> list[str]:
    return [line.text for line in block(row, MODEL)]


def test_the_first_page_says_what_this_is_and_how_to_read_it(rows: list[Exported]) -> None:
    said = [line.text for line in first_page(report(rows, waiting=2))]
    assert said[0] == "Leaf photographs, diagnosed"
    assert said[1] == "Made on 24 Nov 2026, 09:05 with leafsight."
    assert said[2] == f"Model: fake ({rows[0].prediction.model_hash})."
    assert said[3:9] == [
        "4 photographs",
        "Diagnosis: 2",
        "Not a leaf: 1",
        "Unreadable: 1",
        "A person said of 1 that they are right, and corrected 1.",
        "2 photographs still wait for their answers and are left out.",
    ]
    assert "All of this is from photographs alone; look at the plants before you act on it." in said
    assert any("They say where, not how sure." in line for line in said)
    cold = [replace(row, prediction=replace(row.prediction, heatmap=None)) for row in rows]
    assert not any("warm colours" in line.text for line in first_page(report(cold)))
    assert [line.text for line in first_page(report([]))][2:4] == ["Model: fake (abc).", "0 photographs"]


def test_a_block_says_all_that_is_known(rows: list[Exported]) -> None:
    red = texts(rows[0])
    assert red[:2] == ["1 red.jpg", "Scab of apple"]
    assert re.fullmatch(r"likely, \d\d %", red[2])
    assert "Nothing else that the model knows is about as likely." in red
    assert red[-3:-1] == [
        "A person says: that is right.",
        f"Plant 4, 2 photographs: Scab of apple, {red[2]}.",
    ]
    assert red[-1].startswith("Rests on 1 of 2 photographs.")
    assert "A person says: odd spot of mine." in texts(rows[1])
    grey = texts(rows[2])
    assert grey[0] == "3 葉 <b>&amp;.jpg"
    assert grey[1] == "This does not look like a leaf"
    assert grey[-1] == "Plant 5: no answer yet."
    assert texts(rows[3]) == ["gone.jpg", "The photograph cannot be read", "it is gone"]


def test_what_no_font_can_draw_is_left_out_and_the_endless_is_cut(rows: list[Exported]) -> None:
    odd = replace(rows[3].prediction, reason="a\x00\n\ud800" + "b" * 10_000)
    name = os.fsdecode(b"leaf-\xff\x07.jpg")
    lines = texts(replace(rows[3], path=Path(name), prediction=odd))
    assert lines[0] == "leaf-\\xff .jpg"
    assert lines[2].startswith("a  \\ud800bbb")
    assert len(lines[2]) == 601
