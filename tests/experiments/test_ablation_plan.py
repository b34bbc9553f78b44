"""Which runs a table needs: shared ones once, faults of all variants at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.experiments.tiny_ablation import RECIPE, write_recipe

from leafsight.errors import ConfigError, UsageError
from leafsight.experiments import plan_ablation
from leafsight.experiments.ablation_plan import data_key
from leafsight.training import read_recipe_file


@pytest.fixture
def source(tmp_path: Path):
    return read_recipe_file(write_recipe(tmp_path))


def test_every_row_has_a_cell_for_each_seed_and_equal_recipes_share_a_run(source) -> None:
    plan = plan_ablation(source)
    assert plan.name == "parts"
    assert plan.against == "all"
    assert [row.variant.name for row in plan.rows] == ["all", "smooth", "smooth-mirror", "soup"]
    mirror, smooth = plan.rows[2], plan.rows[1]
    assert [cell.place for cell in mirror.cells] == [cell.place for cell in smooth.cells]
    assert [cell.views for cell in mirror.cells] == [2, 2]
    assert [str(run.place) for run in plan.rows[3].cells[0].runs] == ["all/seed-0", "soup/seed-1000"]
    assert [str(cell.place) for cell in plan.rows[3].cells] == ["soup/mean-0", "soup/mean-1"]
    assert len(plan.runs) == 6
    assert [run.recipe.seed for run in plan.runs] == [0, 0, 1000, 1, 1, 1001]


def test_changes_reach_the_recipes(source) -> None:
    plan = plan_ablation(source, changes={"batch_size": 4})
    assert {run.recipe.batch_size for run in plan.runs} == {4}
    by_place = {str(run.place): run.recipe for run in plan.runs}
    assert by_place["smooth/seed-1"].loss.label_smoothing == 0.1
    assert by_place["all/seed-1"].loss.label_smoothing == 0.0
    assert not by_place["all/seed-1"].ablations


def test_a_grid_stands_for_every_combination(source) -> None:
    plan = plan_ablation(source, grid={"batch_size": [4, 8], "loss.label_smoothing": [0.0, 0.1]}, seeds=[5])
    assert [row.variant.name for row in plan.rows] == [
        "as-it-is",
        "batch_size-4_label_smoothing-0.0",
        "batch_size-4_label_smoothing-0.1",
        "batch_size-8_label_smoothing-0.0",
        "batch_size-8_label_smoothing-0.1",
    ]
    assert plan.rows[1].variant.title == "batch_size = 4, label_smoothing = 0.0"
    # The recipe as it is has batches of 8 and no smoothing: that combination is the same run.
    assert plan.rows[3].cells[0].place == plan.rows[0].cells[0].place
    assert len(plan.runs) == 4


def test_only_some_and_the_one_to_compare_with(source) -> None:
    plan = plan_ablation(source, only=["smooth-mirror"], seeds=[7])
    assert [row.variant.name for row in plan.rows] == ["all", "smooth-mirror"]
    assert plan.rows[1].cells[0].runs[0].recipe.loss.label_smoothing == 0.1
    assert plan.options.changes_of(plan.rows[1].variant) == {"loss.label_smoothing": 0.1}
    with pytest.raises(UsageError, match="no variant 'mirror'"):
        plan_ablation(source, only=["mirror"])


def test_all_faults_of_all_variants_are_told_at_once(tmp_path: Path) -> None:
    text = RECIPE.replace('"loss.label_smoothing" = 0.1', '"loss.label_smoothing" = 3.0').replace(
        "average = 2", 'average = 2\nchange = { "loss.nme" = 1, "stages.hole.epochs" = 2 }'
    )
    with pytest.raises(ConfigError) as caught:
        plan_ablation(read_recipe_file(write_recipe(tmp_path, text)))
    told = str(caught.value)
    assert "variant smooth" in told
    assert "variant soup" in told
    assert "loss.nme" in told
    assert "'hole' leads nowhere" in told


def test_a_recipe_without_tables_shows_how_one_is_written(tmp_path: Path) -> None:
    text = RECIPE[: RECIPE.index("[ablations.parts]")]
    with pytest.raises(UsageError) as caught:
        plan_ablation(read_recipe_file(write_recipe(tmp_path, text)))
    assert "[[ablations.parts.variants]]" in caught.value.hint


def test_an_unknown_table_names_the_nearest(source) -> None:
    with pytest.raises(UsageError, match="no ablation 'part'") as caught:
        plan_ablation(source, "part")
    assert "did you mean parts?" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "smooth"\n', 'name = "all"\n', "not twice all"),
        ("average = 2", "average = 1", "at least 2 runs"),
        ('like = "smooth"', 'like = "soup"', "stands before"),
        ("seeds = [0, 1]", "seeds = [0, 0]", "seeds that differ"),
        ("smallest = 1", 'against = "nobody"', "against one of"),
    ],
)
def test_tables_that_make_no_sense_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RECIPE
    with pytest.raises(ConfigError, match=said):
        plan_ablation(read_recipe_file(write_recipe(tmp_path, RECIPE.replace(old, new, 1))))


def test_variants_share_an_index_unless_they_split_differently(source) -> None:
    recipe = source.recipe()
    assert data_key(recipe) == data_key(source.recipe({"data.train_fraction": 0.5, "data.long_tail": 4.0}))
    assert data_key(recipe) != data_key(source.recipe({"data.seed": 1}))
    assert data_key(recipe) != data_key(source.recipe({"data.classes": ["brown", "green"]}))


def test_experiments_do_not_decide_the_weights(source) -> None:
    recipe = source.recipe()
    bare = recipe.model_copy(update={"ablations": {}, "search": None})
    assert recipe.fingerprint() == bare.fingerprint()
    assert recipe.fingerprint() != source.recipe({"data.train_fraction": 0.5}).fingerprint()
