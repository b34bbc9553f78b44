"""The comparison with other programs: curves, weights carried over, parts that are kept, the report."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from benchmarks.pipeline_processes import Place
from benchmarks.side_by_side import Bench
from benchmarks.side_by_side_curves import MARGIN, best, epochs_that_fit, images_per_s, time_to
from benchmarks.side_by_side_judging import by_group, differences, shares
from benchmarks.side_by_side_names import as_keras, layer_parts
from benchmarks.side_by_side_parts import part, peers
from benchmarks.side_by_side_report import text
from benchmarks.side_by_side_work import PROGRAMS, TOLERANCE, Diary, Job, same_start

from leafsight.evaluation import Evaluation, Scores, evaluate
from leafsight.models import ModelOptions, build_network

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
OWN = {f"side_by_side_{part}" for part in ("fastai", "keras", "names", "torchvision", "ultralytics", "work")}


def curve(*accuracies: float, head_s: float = 10.0, each_s: float = 5.0) -> list[dict[str, Any]]:
    """A head epoch that ends after ``head_s`` and whole epochs of ``each_s``."""
    found = [
        {"stage": "head", "epoch": 0, "valid": 0.1, "wall_s": head_s, "cpu_s": head_s, "train_s": head_s}
    ]
    for epoch, accuracy in enumerate(accuracies):
        now_s = head_s + each_s * (epoch + 1)
        told = {"wall_s": now_s, "cpu_s": 2 * now_s, "train_s": each_s * 0.8}
        found.append({"stage": "whole", "epoch": epoch, "valid": accuracy, **told})
    return found


def test_the_schedule_that_fits_ends_in_time_and_one_epoch_more_would_not() -> None:
    epochs = curve(0.2, 0.3, 0.4)
    end_s = epochs[-1]["wall_s"] + 2.0
    for budget_s in (40.0, 63.0, 100.0):
        count = epochs_that_fit(epochs, end_s, budget_s, "wall_s")
        assert 10 + 5 * count + 2 <= budget_s * (1 - MARGIN) < 10 + 5 * (count + 1) + 2


def test_no_schedule_fits_into_less_than_what_comes_before() -> None:
    assert epochs_that_fit(curve(0.2), 15.0, 9.0, "wall_s") == 0


def test_without_an_earlier_stage_starting_up_is_not_counted_for_every_epoch() -> None:
    """The first epoch takes 20 s of which 15 are the start."""
    epochs = [{"stage": "whole", "valid": 0.5, "wall_s": 20.0 + 5 * number} for number in range(4)]
    assert epochs_that_fit(epochs, 35.0, 15 + 5 * 10 / (1 - MARGIN), "wall_s") == 9


def test_one_odd_epoch_does_not_decide() -> None:
    epochs = curve(0.2, 0.3, 0.4, 0.5)
    slow = [*epochs[:3], *({**one, "wall_s": one["wall_s"] + 60} for one in epochs[3:])]
    assert epochs_that_fit(slow, slow[-1]["wall_s"], 200.0, "wall_s") >= 20


def test_the_time_to_an_accuracy_is_the_first_epoch_that_has_it() -> None:
    epochs = curve(0.2, 0.5, 0.4, 0.5)
    assert time_to(epochs, 0.5, "wall_s") == 20.0
    assert time_to(epochs, 0.3, "cpu_s") == 40.0
    assert time_to(epochs, 0.51, "wall_s") is None
    assert time_to(curve(40 / 52), float(np.float32(40 / 52)), "wall_s") == 15.0, "no less for float32"
    assert best(epochs, "wall_s") == (0.5, 20.0)


def test_images_per_second_are_those_of_the_whole_network_without_validation() -> None:
    assert images_per_s(curve(0.2, 0.5), 80) == pytest.approx(20.0)
    told = [{"stage": "whole", "images_per_s": speed} for speed in (5.0, 7.0, 100.0)]
    assert images_per_s(told, 80) == 7.0


def test_every_tensor_of_our_backbone_has_its_place_in_keras_once() -> None:
    ours = build_network(ModelOptions(name="mobilenet_v2"), 2).state_dict()
    wanted = {name for name in ours if name.startswith("features.") and "num_batches" not in name}
    carried = [name for _, parts in layer_parts() for name in parts]
    assert sorted(carried) == sorted(wanted)
    layers = [layer for layer, _ in layer_parts()]
    assert len(layers) == len(set(layers)) == 104


def test_layers_have_the_names_of_keras() -> None:
    parts = dict(layer_parts())
    assert parts["Conv1"] == ["features.0.0.weight"]
    assert parts["expanded_conv_project"] == ["features.1.conv.1.weight"]
    assert parts["block_16_project_BN"][0] == "features.17.conv.3.weight"
    assert parts["Conv_1_bn"][2:] == ["features.18.1.running_mean", "features.18.1.running_var"]


def test_kernels_are_turned() -> None:
    kernel = np.arange(2 * 3 * 5 * 7).reshape(2, 3, 5, 7)  # out, in, height, width
    assert as_keras(kernel).shape == (5, 7, 3, 2)
    assert as_keras(kernel)[4, 6, 1, 0] == kernel[0, 1, 4, 6]
    alone = np.arange(4 * 3 * 3).reshape(4, 1, 3, 3)  # one kernel for each channel
    assert as_keras(alone).shape == (3, 3, 4, 1)
    assert as_keras(alone)[2, 1, 3, 0] == alone[3, 0, 2, 1]
    assert as_keras(np.arange(4)).tolist() == [0, 1, 2, 3]


def test_another_network_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    diary = Diary.__new__(Diary)
    diary.file = sys.stdout
    same_start(TOLERANCE / 2, diary)
    for difference in (TOLERANCE * 2, float("nan")):
        with pytest.raises(SystemExit, match="not the same network"):
            same_start(difference, diary)
    assert capfd.readouterr().out.count('"kind": "start"') == 3


@pytest.mark.parametrize("module", sorted(OWN))
def test_a_peer_knows_nothing_of_leafsight(module: str) -> None:
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "leafsight"
        if isinstance(node, ast.Import):
            assert all(name.name.split(".")[0] != "leafsight" for name in node.names)


def test_peers_that_are_not_installed_are_left_out(tmp_path: Path) -> None:
    assert peers(tmp_path, list(PROGRAMS)) == {}


STUB = """
import json, sys
job = json.loads(sys.argv[1])
say = lambda **line: print(json.dumps(line), flush=True)
say(kind="versions", stub="1")
say(kind="epoch", stage="whole", epoch=0, valid=job["valid"], wall_s=1.0, cpu_s=1.0)
if job["valid"] < 0.5:
    sys.exit("nothing learned")
say(kind="end", wall_s=1.5, cpu_s=1.5, kept=0)
say(kind="done")
with open(job["count"], "a") as file:
    file.write("x")
"""


@pytest.fixture
def stub(tmp_path: Path) -> Place:
    (tmp_path / "stub_contender.py").write_text(STUB)
    return Place("stub_contender", environment={"PYTHONPATH": str(tmp_path)})


def test_a_finished_part_is_not_run_again_unless_it_is_asked_something_else(
    tmp_path: Path, stub: Place
) -> None:
    count, path = tmp_path / "count", tmp_path / "parts" / "stub.json"
    job = {"valid": 0.7, "count": str(count)}
    first = part("stub", stub, job, path, [], 1)
    assert [one["valid"] for one in first["epochs"]] == [0.7]
    assert (first["end"]["kept"], first["versions"]) == (0, {"stub": "1"})
    assert part("stub", stub, job, path, [], 1) == first
    assert count.read_text() == "x"
    assert part("stub", stub, {**job, "valid": 0.8}, path, [], 1)["epochs"][0]["valid"] == 0.8
    assert count.read_text() == "xx"


def test_a_part_that_ends_early_says_why_and_is_not_kept(tmp_path: Path, stub: Place) -> None:
    path = tmp_path / "stub.json"
    with pytest.raises(RuntimeError, match="nothing learned"):
        part("stub", stub, {"valid": 0.1, "count": str(tmp_path / "count")}, path, [], 1)
    assert not path.exists()


class Trained(Bench):
    """Ten seconds before the first epoch, then five for each, whatever was measured before."""

    asked: ClassVar[list[int]] = []
    each_s: ClassVar[float] = 5.0

    def _ours(self, seed: int, epochs: int, common: Any) -> dict[str, Any]:
        self.asked.append(epochs)
        return run_of(epochs, self.each_s)


def run_of(epochs: int, each_s: float = 5.0) -> dict[str, Any]:
    told = curve(*[0.5] * epochs, each_s=each_s)
    return {"epochs": told, "end": {"wall_s": told[-1]["wall_s"]}, "last_epochs": epochs}


def in_time(
    budget_s: float, each_s: float = 5.0, before: Sequence[int] = ()
) -> tuple[dict[str, Any] | None, list[int]]:
    Trained.asked, Trained.each_s = [], each_s
    bench = Trained("flowers", argparse.Namespace(clock="wall"), Path(), {})
    runs = [run_of(20), *map(run_of, before)]
    found = bench._in_time(0, {"end": {"wall_s": budget_s}}, runs, None)  # type: ignore[arg-type]
    assert len(runs) == 1 + len(before) + (found is not None and found not in runs[: 1 + len(before)])
    return found, Trained.asked


def test_a_whole_schedule_is_trained_that_ends_in_the_time_of_a_peer() -> None:
    found, asked = in_time(60.0)
    assert found is not None
    assert found["end"]["wall_s"] <= 60.0
    assert asked == [9]


def test_a_recipe_that_ends_earlier_is_taken_as_it_is() -> None:
    assert in_time(110.0) == (run_of(20), [])


def test_a_schedule_that_took_longer_than_it_should_is_shortened() -> None:
    found, asked = in_time(60.0, each_s=7.0)
    assert found is not None
    assert found["end"]["wall_s"] <= 60.0
    assert asked == [9, 6]


def test_the_schedule_of_a_quicker_peer_does_for_a_slower_one_if_it_takes_nearly_its_time() -> None:
    assert in_time(60.0, before=[8]) == (run_of(8), [])  # 50 of 60 s
    assert in_time(60.0, before=[4, 8, 10]) == (run_of(10), [])
    assert in_time(60.0, before=[4])[1] == [9]  # 30 of 60 s would be too much of a gift
    assert in_time(60.0, before=[11])[1] == [9]  # too slow


def test_the_quickest_peer_is_first_so_that_its_schedule_can_serve_all() -> None:
    Trained.asked, Trained.each_s = [], 5.0
    bench = Trained("flowers", argparse.Namespace(clock="wall"), Path(), {})
    peers = {"slow": {"end": {"wall_s": 70.0}}, "quick": {"end": {"wall_s": 60.0}}}
    found = bench._in_times(0, peers, run_of(20), None)  # type: ignore[arg-type]
    assert found == {"leafsight, time of slow": run_of(9), "leafsight, time of quick": run_of(9)}
    assert Trained.asked == [9]


def test_no_time_is_no_schedule() -> None:
    assert in_time(12.0) == (None, [])


def judged(wrong: int) -> Evaluation:
    """Forty photographs of twenty leaves, the first ones wrong."""
    labels = np.arange(40) % 2
    logits = np.eye(2, dtype=np.float32)[np.where(np.arange(40) < wrong, 1 - labels, labels)] * 4
    return evaluate(Scores(logits), labels, ("a", "b"), groups=[f"leaf {row // 2}" for row in range(40)])


def test_leaf_by_leaf_every_leaf_counts_the_same() -> None:
    assert by_group(judged(3)) == pytest.approx((20 - 1.5) / 20)
    labels = np.array([0, 0, 0, 1])
    lopsided = evaluate(
        Scores(np.eye(2, dtype=np.float32)[[0, 0, 0, 0]]), labels, ("a", "b"), groups=["x", "x", "x", "y"]
    )
    assert by_group(lopsided) == 0.5


def results() -> dict[str, Any]:
    ours, theirs = [judged(2), judged(4)], [judged(10), judged(8)]

    def record(epochs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        end = {"wall_s": epochs[-1]["wall_s"], "cpu_s": epochs[-1]["cpu_s"], "kept": 1}
        told = {"epochs": epochs, "end": end, "versions": {"stub": "1"}, "load_before": 0.1}
        return {**told, "job": {"epochs": len(epochs)}, **more}

    peer = record(curve(0.6, 0.5), start={"difference": 1e-5})
    names = {"keras-tutorial": theirs, "leafsight, time of keras-tutorial": ours, "leafsight": ours}
    return {
        "machine": {"when": "today", "processor": "drawn", "cores": 1, "python": "3"},
        "clock": "wall_s",
        "threads": 1,
        "seeds": [0, 1],
        "left_out": ["fastai"],
        "changed": [],
        "epochs_scale": 1.0,
        "recipes": {
            "flowers": {
                "photographs": {"train": 80, "valid": 10, "test": 40},
                "test_groups": 20,
                "records": {
                    "keras-tutorial": [peer, peer],
                    "leafsight, time of keras-tutorial": [record(curve(0.7)), record(curve(0.7))],
                    "leafsight": [record(curve(0.5, 0.7, 0.8))] * 2,
                },
                "test": {name: shares(runs) for name, runs in names.items()},
                "differences": {
                    "keras-tutorial": {name: differences(ours, theirs) for name in list(names)[1:]}
                },
            }
        },
    }


def test_the_report_says_who_was_better_by_how_much_and_when() -> None:
    found = text(results())
    assert "+15.00 (" in found
    assert "92.50 (" in found
    assert "| leafsight, the recipe | 60.00 in validation | 20 |" in found
    assert "never in 20" in found, "Keras never has what leafsight ends with"
    assert "Not installed: fastai." in found
    assert found.count("ends in that time | 60.00 in validation") == 2, "once for each seed"
    for seed in (0, 1):
        assert f"| {seed} | leafsight, the recipe | 60.00 in validation | 20 |" in found, "and says which"


def test_a_schedule_that_is_the_whole_recipe_is_told_once() -> None:
    found = results()
    records = found["recipes"]["flowers"]["records"]
    records["leafsight, time of keras-tutorial"] = records["leafsight"]
    assert "ends in that time | 60.00 in validation" not in text(found)
    assert text(found).count("the recipe | 60.00 in validation") == 2


def test_one_seed_needs_no_column_for_it() -> None:
    found = results()
    found["seeds"] = [0]
    for runs in found["recipes"]["flowers"]["records"].values():
        del runs[1:]
    assert "\n| leafsight, the recipe | 60.00 in validation | 20 |" in text(found)


def test_a_schedule_that_does_not_fit_is_said() -> None:
    found = results()
    recipe = found["recipes"]["flowers"]
    name = "leafsight, time of keras-tutorial"
    recipe["records"][name] = [None, None]
    del recipe["test"][name], recipe["differences"]["keras-tutorial"][name]
    assert "no whole schedule fits" in text(found)


def test_programs_shrink_to_one_epoch_at_least() -> None:
    small = PROGRAMS["keras-original"].scaled(0.01)
    assert (small.head_epochs, small.epochs, small.rate) == (1, 1, PROGRAMS["keras-original"].rate)
    job = Job(asdict(small), "", "", "", 64, 8, 0.5, 1, 0)
    assert job.settings() == small
