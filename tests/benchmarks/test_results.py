"""The page of results says what the tables beside it say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.results import DATA, HERE, MARK, PAGE, collect, page, whole_table

from leafsight.experiments import load_ablation
from leafsight.training import load_recipe

TEMPLATE = (HERE / "template.md").read_text(encoding="utf-8")
TABLES = sorted(path.parent for path in HERE.glob("*/table.json"))


def test_the_page_is_the_template_with_the_numbers_of_the_tables() -> None:
    assert page(TEMPLATE) == PAGE.read_text(encoding="utf-8"), "run: python -m benchmarks.results page"


@pytest.mark.parametrize("folder", TABLES, ids=lambda folder: folder.name)
def test_every_table_is_shown_and_is_one_of_its_recipe(folder: Path) -> None:
    result = load_ablation(folder)
    assert f"{{{{{result.recipe}/{result.name}}}}}" in TEMPLATE
    known = load_recipe(result.recipe).ablations[result.name]
    assert [row.name for row in result.rows] == [variant.name for variant in known.variants]
    assert {row.name: dict(row.change) for row in result.rows} == {
        variant.name: json.loads(json.dumps(dict(known.changes_of(variant)))) for variant in known.variants
    }
    assert any(row.seeds for row in result.rows)


@pytest.mark.parametrize("folder", TABLES, ids=lambda folder: folder.name)
def test_a_recipe_expects_what_was_reached(folder: Path) -> None:
    result, expect = load_ablation(folder), load_recipe(load_ablation(folder).recipe).recipe.expect
    row = next((row for row in result.rows if not row.change and row.views == 1), None)
    if row is None or not row.seeds or result.changes:
        pytest.skip("no row of the recipe as it stands")
    assert expect is not None, f"{result.recipe} was run to its end and says nothing of what to expect"
    split, metric = expect.metric.split()
    assert row.metrics[split][metric].mean.value == pytest.approx(expect.value, abs=expect.spread)


def test_a_table_tells_where_when_and_how(tmp_path: Path) -> None:
    text = whole_table(TABLES[0])
    assert "Machine: " in text
    assert f"--data {DATA[load_ablation(TABLES[0]).recipe]}" in text


def test_a_number_is_one_of_the_table() -> None:
    folder = TABLES[0]
    result = load_ablation(folder)
    row = next(row for row in result.rows if row.seeds)
    value = 100 * row.metrics[result.split][result.metric].mean.value
    told = page(f"{{{{{folder.name} {row.name} {result.metric}}}}}")
    assert told.startswith(f"{value:.1f}")


def test_a_difference_and_another_split_are_those_of_the_table() -> None:
    folder, row = next(
        (folder, row) for folder in TABLES for row in load_ablation(folder).rows if row.differences
    )
    metric = load_ablation(folder).metric
    change, valid = row.differences[metric].mean, row.metrics["valid"][metric].mean
    told = page(f"{{{{{folder.name} {row.name} {metric} against}}}}")
    assert told.startswith(f"{100 * change.value:+.1f}".replace("-", "−") + " [")
    assert "±" not in told
    told = page(f"{{{{{folder.name} {row.name} {metric} valid}}}}")
    assert told.startswith(f"{100 * valid.value:.1f}")


def test_a_time_is_that_of_the_table() -> None:
    folder = TABLES[0]
    row = next(row for row in load_ablation(folder).rows if row.seeds and row.duration_s > 100)
    assert page(f"{{{{{folder.name} {row.name} time}}}}") == f"{row.duration_s / 60:.0f} min"


@pytest.mark.parametrize("mark", ["{{nothing/here}}", "{{file nothing.md}}"])
def test_a_mark_without_a_number_is_an_error(mark: str) -> None:
    assert MARK.search(mark)
    with pytest.raises(KeyError, match="of the template"):
        page(mark)


def test_collecting_keeps_the_table_and_the_day(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "some" / "seed-0").mkdir(parents=True)
    (run / "some" / "seed-0" / "run.json").write_text("{}")
    (run / "table.json").write_bytes((TABLES[0] / "table.json").read_bytes())
    folder = collect(run, tmp_path / "to")
    assert folder.name == TABLES[0].name
    assert (folder / "table.json").read_bytes() == (TABLES[0] / "table.json").read_bytes()
    assert len(json.loads((folder / "when.json").read_text())["ended"]) == 10
