from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe

from leafsight.errors import TrainingError
from leafsight.models import load_network
from leafsight.training import TrainedRun, average_runs, load_run, train
from leafsight.training.averaging import mean_weights


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two finished runs that differ in their seed."""
    for seed in (1, 2):
        recipe = tiny_recipe(seed=seed, stages=[plain_stage(epochs=1)])
        train(recipe, tiny_data(), tmp_path / f"run-{seed}")
    return [tmp_path / "run-1", tmp_path / "run-2"]


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_network(path / "checkpoint" / "best.safetensors")[0].state_dict())


def test_every_weight_is_the_mean(two: list[Path], tmp_path: Path) -> None:
    made = average_runs(two, tiny_data(), tmp_path / "mean")
    one, other = (weights_of(path) for path in two)
    differing = 0
    for name, value in made.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (one[name] + other[name]) / 2)
            differing += not torch.equal(one[name], other[name])
        else:
            assert torch.equal(value, one[name])
    assert differing > 10


def test_the_folder_is_a_finished_run_that_names_its_parts(two: list[Path], tmp_path: Path) -> None:
    average_runs(two, tiny_data(), tmp_path / "mean")
    made, parts = load_run(tmp_path / "mean"), [load_run(path) for path in two]
    assert made.classes == parts[0].classes
    assert made.recipe == parts[0].recipe
    assert [(one["folder"], one["seed"], one["kept"]) for one in made.record["averaged"]] == [
        ("run-1", 1, True),
        ("run-2", 2, True),
    ]
    for one, part in zip(made.record["averaged"], parts, strict=True):
        assert one["recipe_fingerprint"] == part.recipe.fingerprint()
        assert one["valid"]["accuracy"] == part.best["valid"]["accuracy"]
        assert one["valid"]["loss"] == pytest.approx(part.best["valid"]["loss"], rel=1e-4)
    assert made.best["stage_name"] == "mean of 2 runs"
    assert made.record["start"] is None  # both began from random weights
    assert made.record["duration_s"] == sum(part.record["duration_s"] for part in parts)


def spoilt(run: TrainedRun) -> None:
    """Weights so bad that every mean with them is bad."""
    from leafsight.models import save_weights

    with torch.no_grad():
        for parameter in run.network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)) * 50)
    save_weights(run.network, run.folder.best)


def test_greedy_leaves_out_what_makes_it_worse(tmp_path: Path) -> None:
    recipe = tiny_recipe(stages=[plain_stage(epochs=6)])
    good = train(recipe, tiny_data(), tmp_path / "good")
    assert good.best["valid"]["macro_f1"] > 0.6
    bad = train(tiny_recipe(seed=1, stages=[plain_stage(epochs=1)]), tiny_data(), tmp_path / "bad")
    spoilt(bad)
    paths = [tmp_path / "bad", tmp_path / "good"]
    made = average_runs(paths, tiny_data(), tmp_path / "mean", greedy=True)
    assert [one["kept"] for one in made.record["averaged"]] == [False, True]
    for name, value in weights_of(tmp_path / "good").items():
        torch.testing.assert_close(made.network.state_dict()[name], value)
    blind = average_runs(paths, tiny_data(), tmp_path / "blind")
    assert blind.best["valid"]["loss"] > made.best["valid"]["loss"]


def test_what_does_not_belong_together_is_refused(two: list[Path], tmp_path: Path) -> None:
    wide = tiny_recipe(model={"name": "simple_cnn", "width": 0.5}, stages=[plain_stage(epochs=1)])
    train(wide, tiny_data(), tmp_path / "wide")
    with pytest.raises(TrainingError, match=r"wide cannot be averaged with .*run-1: the network differ"):
        average_runs([two[0], tmp_path / "wide"], tiny_data(), tmp_path / "mean")
    with pytest.raises(TrainingError, match="1 run cannot be averaged"):
        average_runs(two[:1], tiny_data(), tmp_path / "mean")
    with pytest.raises(TrainingError, match="no finished run"):
        average_runs([two[0], tmp_path / "nowhere"], tiny_data(), tmp_path / "mean")
    with pytest.raises(TrainingError, match="is one of the runs"):
        average_runs(two, tiny_data(), two[0], force=True)
    assert not (tmp_path / "mean").exists()


def test_an_earlier_run_is_not_overwritten_unasked(two: list[Path], tmp_path: Path) -> None:
    average_runs(two, tiny_data(), tmp_path / "mean")
    with pytest.raises(TrainingError, match="holds an earlier run"):
        average_runs(two, tiny_data(), tmp_path / "mean")
    average_runs(two, tiny_data(), tmp_path / "mean", force=True)


def test_the_mean_is_summed_in_double_precision() -> None:
    small = torch.tensor([1e-4], dtype=torch.float32)
    states = [{"w": torch.tensor([2.0**24]), "n": torch.tensor(3)}, {"w": small, "n": torch.tensor(9)}]
    states += [{"w": torch.tensor([-(2.0**24)]), "n": torch.tensor(9)}]
    mean = mean_weights(states)
    assert mean["w"].item() == pytest.approx(1e-4 / 3, rel=1e-4)
    assert mean["n"].item() == 3
