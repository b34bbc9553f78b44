"""The report holds what was found: every number of the results is in the page, and failures are shown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.loadtest.making import add_cell, outcomes

from leafsight.loadtest import StudyFolder, write_report
from leafsight.loadtest.charts import Dot, Line, curves, standalone
from leafsight.loadtest.report_tables import number, percent
from leafsight.loadtest.setups import Load, SetUp


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    one = StudyFolder(tmp_path)
    one.begin({"replicas": [1, 2], "cpus": 0.4}, resume=False)
    refused = outcomes(60, kind="refused", took_s=0.003, told="overload")
    for repeat in range(2):
        for replicas in (1, 2):
            setup = SetUp(replicas)
            add_cell(one, setup, Load(5), outcomes(50, took_s=0.123, size="12 MP"), repeat=repeat)
            add_cell(
                one, setup, Load(20), [*outcomes(140, took_s=0.777), *refused], repeat=repeat, used=0.395
            )
            add_cell(one, setup, Load(users=8), outcomes(40, took_s=0.222, deed="burst"), repeat=repeat)
            add_cell(one, setup, Load(users=32), outcomes(90, took_s=0.333, deed="plant"), repeat=repeat)
    bad = [*outcomes(70, took_s=0.1), *outcomes(30, kind="status 502", took_s=0.001)]
    add_cell(one, SetUp(1, proxy=True), Load(40), bad, lost=2)
    add_cell(one, SetUp(1, proxy=True), Load(5), outcomes(50, took_s=0.15), others_cpus=0.9)
    return one


def test_every_number_of_the_results_is_in_the_page(folder: StudyFolder) -> None:
    found = write_report(folder)
    assert json.loads((folder.path / "results.json").read_text()) == json.loads(json.dumps(found))
    for name in ("report.html", "report.md"):
        text = (folder.path / name).read_text()
        for row in found["rows"]:
            assert row["load"] in text
            assert str(row["requests"]) in text
            for label in ("p50", "p95", "p99"):
                assert number(row["latency_ms"][label]["value"]) in text
            assert f"{row['answered_per_s']['mean']:.1f}" in text
            assert percent(row["refused_share"]) in text
            assert percent(row["throttled_share"]) in text
            assert number(row["cpu_ms_per_answer"]) in text
        for one in found["saturation"]:
            assert number(one["peak_per_s"]) in text
            for reason in one["reasons"]:
                assert reason in text
        for one in found["scaling"]:
            assert percent(one["efficiency"]) in text
        for kind, count in found["failures"]["kinds"].items():
            assert f"{kind} {count}" in text
        for line in found["in_words"]:
            assert line in text


def test_failures_losses_and_disturbances_are_called_by_their_names(folder: StudyFolder) -> None:
    write_report(folder)
    text = (folder.path / "report.md").read_text()
    assert "| 1 x built-in, proxy | 40 a second | FAILED |" in text
    assert "status 502 30" in text
    assert "30.0 %" in text
    assert "Lost: 2 predictions" in text
    assert "1 loads with wrong answers or losses" in text
    assert "DISTURBED: in 1 of 10 loads other programs used up to 0.9 processors" in text
    assert "over capacity" in text
    assert "~" in text  # extrapolated capacity is marked


def test_the_page_asks_for_nothing_from_outside_and_pictures_are_files(folder: StudyFolder) -> None:
    write_report(folder)
    page = (folder.path / "report.html").read_text()
    assert "default-src &#x27;none&#x27;" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    pictures = sorted(path.name for path in (folder.path / "pictures").iterdir())
    assert "latency-built-in-direct.svg" in pictures
    assert "scaling.svg" in pictures
    assert "people-built-in-direct.svg" in pictures
    for path in (folder.path / "pictures").iterdir():
        root = ET.fromstring(path.read_text())  # a file that a viewer can read
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert f"(pictures/{path.name})" in (folder.path / "report.md").read_text()


def test_a_report_can_be_made_of_half_a_study_and_again(folder: StudyFolder) -> None:
    first = write_report(folder)
    path = folder.path / "cells.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:1]) + "\n")
    half = write_report(folder)
    assert half["loads"] == 1 < first["loads"]
    assert half["scaling"] == []


def test_results_without_their_raw_rows_still_have_counts(folder: StudyFolder) -> None:
    for path in (folder.path / "raw").iterdir():
        path.unlink()
    found = write_report(folder)
    assert all(row["latency_ms"] is None for row in found["rows"])
    assert found["failures"]["failed"] == 30


@pytest.mark.parametrize(("slower", "said"), [(100.0, False), (80.0, True)])
def test_a_machine_that_gets_slower_is_said(tmp_path: Path, slower: float, said: bool) -> None:
    folder = StudyFolder(tmp_path)
    folder.begin({}, resume=False)
    for rate, speed in ((5, 100.0), (10, slower)):
        add_cell(folder, SetUp(1), Load(rate), outcomes(50), speed_mb_s=[speed, speed])
    add_cell(folder, SetUp(1), Load(15), outcomes(50))  # of a study before speeds were measured
    found = write_report(folder)
    assert [row["speed"] for row in found["rows"]] == ([1.1111, 0.8889, None] if said else [1.0, 1.0, None])
    text = "UNSTEADY: a processor of this machine worked at 89 to 111 % of its median speed"
    assert any(line.startswith(text) for line in found["in_words"]) == said
    assert ("88.9 %" in (tmp_path / "report.md").read_text()) == said


def test_curves_show_failed_loads_as_crosses_and_spread_as_bars() -> None:
    dots = (
        Dot(1, 10, 8, 12),
        Dot(2, 100, 90, 5000, "hollow"),
        Dot(3, 7, 7, 7, "cross"),
        Dot(4, 7, 7, 7, "grey"),
    )
    drawing = curves("A title", "x", "y", [Line("one & two", dots, 0, 0)], log_y=True, ideal=1.0)
    assert drawing.count("<circle") == 3
    assert drawing.count("var(--bad)") == 1
    assert "one &amp; two" in drawing
    assert "5000" in drawing  # the axis holds the end of the bar
    ET.fromstring(standalone(drawing))


def written_below(drawing: str) -> list[str]:
    """Numbers of the axis that goes across."""
    texts = [one for one in ET.fromstring(standalone(drawing)).iter() if one.tag.endswith("text")]
    lowest = max(float(one.get("y", "0")) for one in texts if (one.text or "").isdigit())
    return [one.text or "" for one in texts if float(one.get("y", "0")) == lowest]


def test_counts_are_written_below_their_dots_and_the_ideal_may_be_steep() -> None:
    lines = [Line("one", (Dot(1, 10, 10, 10), Dot(4, 30, 30, 30)), 0, 0)]
    drawing = curves("A title", "replicas", "y", lines, ideal=10.0, x_ticks=[1, 4])
    assert written_below(drawing) == ["1", "4"]
    [ideal] = [one for one in ET.fromstring(standalone(drawing)).iter() if one.get("class") == "ideal"]
    wide, tall = (abs(float(ideal.get(f"{one}2", "0")) - float(ideal.get(f"{one}1", "0"))) for one in "xy")
    assert tall / wide == pytest.approx(250 / 460)  # from one corner to the other: 4 replicas, 40 a second
    assert written_below(curves("A title", "x", "y", lines)) == ["0", "0.8", "1.6", "2.4", "3.2", "4"]


def test_numbers_are_never_rounded_to_nothing() -> None:
    assert percent(0.0) == "0.0 %"
    assert percent(0.0004) == "< 0.1 %"
    assert percent(None) == number(None) == "-"
    assert number(1234.5) == "1234"
    assert number(0.01234) == "0.0123"
