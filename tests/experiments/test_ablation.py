"""An ablation from photographs to the table: resumed, shared between processes, honest about failures."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.experiments.tiny_ablation import RECIPE, draw_photographs, write_recipe

from leafsight.errors import ConfigError, StorageError, TrainingError
from leafsight.experiments import (
    AblationPlan,
    ablation_cells,
    ablation_headings,
    ablation_method,
    load_ablation,
    plan_ablation,
    run_ablation,
    write_ablation,
)
from leafsight.experiments import ablation as ablation_module
from leafsight.storage import read_json
from leafsight.training import load_run, preparation, read_recipe_file


def none(_: object) -> None:
    return None


def run(plan: AblationPlan, photographs: Path, folder: Path, **more):
    return run_ablation(plan, [photographs], folder, starting=none, workers=1, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    """A finished ablation with its plan, its folder and its photographs."""
    root = tmp_path_factory.mktemp("ablation")
    photographs = draw_photographs(root / "photographs")
    plan = plan_ablation(read_recipe_file(write_recipe(root)))
    return plan, run(plan, photographs, root / "out"), root / "out", photographs


def test_the_table_holds_every_variant_with_its_seeds(world) -> None:
    _, result, folder, _ = world
    assert result.is_complete
    assert [row.name for row in result.rows] == ["all", "smooth", "smooth-mirror", "soup"]
    assert all(row.seeds == (0, 1) for row in result.rows)
    for row in result.rows:
        assert set(row.metrics) == {"valid", "test"}
        accuracy = row.metrics["test"]["accuracy"]
        assert accuracy.mean.low <= accuracy.mean.value <= accuracy.mean.high
        assert accuracy.runs == 2
    assert result.rows[0].differences == {}
    assert result.smallest == ("yellow",)
    assert result.photos[0] == sum(load_run(folder / "all" / "seed-0").record["data"]["photos"].values()) - 35
    assert result.machine["threads"] == 1


def test_differences_are_those_of_the_means(world) -> None:
    _, result, _, _ = world
    base, smooth = result.rows[0], result.rows[1]
    for name in ("accuracy", "macro_f1", "chosen_recall"):
        told = smooth.differences[name].mean.value
        means = smooth.metrics["test"][name].mean.value, base.metrics["test"][name].mean.value
        assert told == pytest.approx(means[0] - means[1])


def test_views_and_means_are_judged_without_more_training(world) -> None:
    plan, _, folder, _ = world
    assert not (folder / "smooth-mirror").exists()
    assert (folder / "smooth" / "seed-0" / "scores-test-views-2.npz").exists()
    assert load_run(folder / "soup" / "mean-0").record["averaged"]
    assert len(list(folder.glob("*/seed-*"))) == len(plan.runs)


def test_a_finished_ablation_trains_nothing_again(world, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, result, folder, photographs = world

    def never(*_: object, **__: object) -> None:
        raise AssertionError("nothing is left to train")

    monkeypatch.setattr(ablation_module, "train", never)
    monkeypatch.setattr(ablation_module, "average_runs", never)
    assert run(plan, photographs, folder).to_dict() == result.to_dict()


def test_photographs_are_indexed_once_when_an_ablation_goes_on(
    world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to refuse runs of other photographs; the training takes that same index."""
    plan, _, folder, photographs = world
    shutil.copytree(folder, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "smooth" / "seed-1")
    real, calls = preparation.read_photographs, []

    def counted(*words, **more):
        calls.append(words)
        return real(*words, **more)

    monkeypatch.setattr(preparation, "read_photographs", counted)
    assert run(plan, photographs, tmp_path / "out").is_complete
    assert len(calls) == 1


def test_an_interrupted_ablation_goes_on(world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, result, _, photographs = world
    real, calls = ablation_module.train, []

    def stops(*words, **more):
        calls.append(words[2])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*words, **more)

    monkeypatch.setattr(ablation_module, "train", stops)
    with pytest.raises(KeyboardInterrupt):
        run(plan, photographs, tmp_path / "out")
    monkeypatch.setattr(ablation_module, "train", real)
    seen: list[int] = []
    again = run(
        plan,
        photographs,
        tmp_path / "out",
        on_result=lambda one: seen.append(sum(len(r.seeds) for r in one.rows)),
    )
    assert seen == sorted(seen)
    assert len(seen) == 1 + 4 + 1  # what was there, the four runs that were left, and the whole table
    assert seen[0] > 0
    same = [row.metrics["test"]["accuracy"].values for row in result.rows]
    assert [row.metrics["test"]["accuracy"].values for row in again.rows] == same


def test_runs_of_another_recipe_start_or_collection_do_not_enter_the_table(world, tmp_path: Path) -> None:
    """The default folder is named by recipe and table only, so that such runs do meet."""
    plan, result, folder, photographs = world
    changed = plan_ablation(read_recipe_file(write_recipe(tmp_path), ["stages.whole.learning_rate=0.02"]))
    with pytest.raises(TrainingError, match=r"stages\.0\.learning_rate was 0\.01, now 0\.02"):
        run(changed, photographs, folder)
    others = draw_photographs(tmp_path / "others", per_class=22)
    with pytest.raises(TrainingError, match="it has other photographs, labels or another split"):
        run(plan, others, folder)
    weights = load_run(folder / "all" / "seed-0").folder.best
    with pytest.raises(TrainingError, match=r"started from random weights, now the weights best"):
        run_ablation(plan, [photographs], folder, starting=lambda _: weights, workers=1)
    assert run(plan, photographs, folder).to_dict() == result.to_dict()


def test_a_finished_table_is_shown_where_its_weights_are_not_at_hand(world) -> None:
    plan, result, folder, photographs = world

    def nowhere(_: object) -> None:
        raise ConfigError("nobody said where the weights are")

    again = run_ablation(plan, [photographs], folder, starting=nowhere, workers=1)
    assert again.to_dict() == result.to_dict()


def test_a_run_that_another_process_trains_is_waited_for(
    world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, _, photographs = world
    plan = plan_ablation(read_recipe_file(write_recipe(tmp_path)), only=["smooth"], seeds=[0])
    folder = tmp_path / "out"
    other = ablation_module._only_here(folder / "all" / "seed-0")
    other.__enter__()
    said: list[str] = []

    def released(_: float) -> None:
        said.append("slept")
        if other is not None and len(said) and said.count("slept") == 2:
            other.__exit__(None, None, None)

    monkeypatch.setattr(ablation_module.time, "sleep", released)
    result = run(plan, photographs, folder, tell=said.append)
    assert said.count("waiting for 1 runs that another process trains") == 2
    assert [len(row.seeds) for row in result.rows] == [1, 1]


def test_a_run_that_fails_is_told_and_leaves_the_others_alone(world, tmp_path: Path) -> None:
    _, _, _, photographs = world
    text = RECIPE.replace('"loss.label_smoothing" = 0.1', '"stages.whole.learning_rate" = 1e9')
    plan = plan_ablation(read_recipe_file(write_recipe(tmp_path, text)), only=["all", "smooth"], seeds=[0])
    result = run(plan, photographs, tmp_path / "out")
    assert result.rows[0].seeds == (0,)
    assert result.rows[1].seeds == ()
    assert "stage whole" in result.rows[1].failure
    assert result.is_complete
    page = write_ablation(result, tmp_path / "out").read_text(encoding="utf-8")
    assert "stage whole" in page
    assert ablation_cells(result)[1][-3:] == ("", "0/1", "")
    assert "failed" in ablation_cells(result)[1]


def test_other_photographs_are_not_compared(world, tmp_path: Path) -> None:
    _, _, _, photographs = world
    text = RECIPE.replace('"loss.label_smoothing" = 0.1', '"data.seed" = 9')
    plan = plan_ablation(read_recipe_file(write_recipe(tmp_path, text)), only=["all", "smooth"], seeds=[0])
    result = run(plan, photographs, tmp_path / "out")
    assert result.rows[1].differences == {}
    assert "other photographs" in ablation_cells(result)[1]


def test_a_stage_on_larger_pictures_gets_pixels_of_its_own(
    world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, _, photographs = world
    real, packed = ablation_module.prepare_data, []

    def seen(*words, **more):
        prepared = real(*words, **more)
        packed.append(prepared.data.side_px)
        return prepared

    monkeypatch.setattr(ablation_module, "prepare_data", seen)
    text = RECIPE.replace('"loss.label_smoothing" = 0.1', '"stages.whole.side_px" = 48')
    plan = plan_ablation(read_recipe_file(write_recipe(tmp_path, text)), only=["all", "smooth"], seeds=[0])
    result = run(plan, photographs, tmp_path / "out")
    assert packed == [24, 56]
    assert result.is_complete
    assert result.rows[1].differences, "the same photographs, so the rows are compared"


def test_nothing_is_said_against_a_row_that_has_not_run_yet(world) -> None:
    _, result, _, _ = world
    rows = [replace(row, differences={}) for row in result.rows]
    at = next(number for number, row in enumerate(rows) if row.name == result.against)
    rows[at] = replace(rows[at], seeds=(), metrics={})
    told = ablation_cells(replace(result, rows=tuple(rows)))
    assert all("other photographs" not in cells for cells in told)


def test_the_files_say_what_the_table_says(world, tmp_path: Path) -> None:
    _, result, _, _ = world
    page = write_ablation(result, tmp_path).read_text(encoding="utf-8")
    told = read_json(tmp_path / "table.json")
    assert load_ablation(tmp_path).to_dict() == result.to_dict()
    assert [row["name"] for row in told["rows"]] == [row.name for row in result.rows]
    json.dumps(told, allow_nan=False)
    markdown = (tmp_path / "table.md").read_text(encoding="utf-8")
    for row in ablation_cells(result):
        assert f"| {' | '.join(row)} |" in markdown
    assert "90.0" in markdown  # what was published
    for line in ablation_method(result):
        assert line in markdown
    assert "everything" in page
    assert "loss.label_smoothing = 0.1" in page
    latex = (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert latex.count(r" \\") == len(result.rows) + 1
    assert latex.count(" & ") == (len(ablation_headings(result)) - 1) * (len(result.rows) + 1)
    assert "$\\pm$" in latex
    assert "_" not in latex.replace(r"\_", "")


def test_the_effect_of_size_is_a_curve(world, tmp_path: Path) -> None:
    _, _, folder, photographs = world
    plan = plan_ablation(read_recipe_file(write_recipe(tmp_path)), "size")
    result = run(plan, photographs, folder)
    counts = [sum(read_json(folder / one.place / "train-counts.json")) for one in plan.runs]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 25
    assert math.isnan(result.rows[0].metrics["test"]["accuracy"].spread)
    page = write_ablation(result, tmp_path).read_text(encoding="utf-8")
    assert "By size" in page
    assert "polyline" in page
    assert "One seed only" in page


def test_a_curve_takes_rows_that_share_their_other_changes(world, tmp_path: Path) -> None:
    _, result, _, _ = world
    row = result.rows[0]
    fixed = {"data.classes": ["brown", "green"]}

    def drawn(*changes: dict[str, object], views: int = 1) -> bool:
        rows = [replace(row, change={**fixed, **change}) for change in changes]
        rows[-1] = replace(rows[-1], views=views)
        return "By size" in write_ablation(replace(result, rows=tuple(rows)), tmp_path).read_text("utf-8")

    half, tenth = {"data.train_fraction": 0.5}, {"data.train_fraction": 0.1}
    assert drawn({}, half, tenth), "a row that names no share has all photographs"
    assert not drawn({}, half), "two points are no curve"
    assert not drawn({}, half, {**tenth, "loss.label_smoothing": 0.1})
    assert not drawn({}, half, tenth, views=2)
    assert not drawn({}, {"loss.label_smoothing": 0.1}, {"loss.label_smoothing": 0.2}), (
        "not known for the first"
    )


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text("[]", encoding="utf-8")
    with pytest.raises(StorageError, match="no table of an ablation"):
        load_ablation(tmp_path)
