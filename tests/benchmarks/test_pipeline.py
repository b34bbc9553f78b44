"""The benchmark of the input pipeline: contenders show every photograph once, and the sums are right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.pipeline_data import prepared
from benchmarks.pipeline_processes import REPOSITORY, Place, Process, family, places
from benchmarks.pipeline_report import break_even, ratio, text
from benchmarks.pipeline_stages import ONCE, STAGES
from benchmarks.pipeline_torch import PEERS
from benchmarks.pipeline_work import TENSORFLOW_PEERS, Setting, take_turn

from leafsight.dataset import SynthOptions, write_synthetic_collection

PHOTOS, SIDE_PX = 21, 32
OURS_ALONE = [name for name in PEERS if name.startswith("DataLoader") and "processes" not in name]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder = tmp_path_factory.mktemp("pipeline")
    options = SynthOptions(leaves_per_class=2, views_per_leaf=1, side_px=96)
    drawn = write_synthetic_collection(folder / "drawn", options).folder
    return prepared(drawn, PHOTOS, folder, side_px=SIDE_PX, batch=8)


def shown(batches: list[tuple[torch.Tensor, torch.Tensor]]) -> list[int]:
    """Labels; training has them as rows that sum to 1."""
    return [int(one.argmax() if one.ndim else one) for _, labels in batches for one in labels]


@pytest.mark.parametrize("name", [*STAGES, *OURS_ALONE])
def test_an_epoch_shows_every_photograph_once_and_augments_anew(setting: Setting, name: str) -> None:
    contender = (STAGES | PEERS)[name](setting)
    epochs = [list(contender.epoch(number)) for number in range(2)]
    for batches in epochs:
        assert Counter(shown(batches)) == Counter(setting.photographs()[1])
        for pictures, labels in batches:
            assert pictures.shape == (len(labels), 3, SIDE_PX, SIDE_PX)
            assert pictures.dtype == torch.float32
            assert 0 <= float(pictures.min()) < float(pictures.max()) <= 255
    first, second = (torch.cat([pictures for pictures, _ in batches]) for batches in epochs)
    assert float(first.mean()) == pytest.approx(float(second.mean()), rel=0.15), "two other collections?"
    assert not torch.equal(first, second)


def test_all_stages_show_the_same_photographs_equally_bright(setting: Setting) -> None:
    means = {
        name: float(torch.cat([pictures for pictures, _ in stage(setting).epoch(0)]).mean())
        for name, stage in STAGES.items()
    }
    # Pillow turns a picture onto black, our warp reflects it: a few per cent of the area.
    assert max(means.values()) / min(means.values()) < 1.25, means


def test_a_turn_counts_photographs_steps_and_time(setting: Setting) -> None:
    contender = STAGES["as in training"](setting)
    plain, bare = take_turn(contender, 0), take_turn(contender, 0, "simple_cnn", bare=True)
    assert (plain["photos"], plain["batches"]) == (PHOTOS, 3)
    assert (bare["photos"], bare["batches"]) == (PHOTOS, 3)
    assert plain["wall_s"] > 0
    assert plain["cpu_s"] > 0


def test_a_step_moves_the_weights(setting: Setting) -> None:
    contender = STAGES["naive"](setting)
    step, (inputs, labels) = contender.step("simple_cnn"), next(contender.epoch(0))
    assert contender.step("simple_cnn") is step, "one network for all epochs"
    parts = [cell.cell_contents for cell in step.__closure__ or ()]
    model = next(part for part in parts if isinstance(part, torch.nn.Module))
    before = [weight.detach().clone() for weight in model.parameters()]
    step(inputs, labels)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("name", ONCE)
def test_what_is_done_once_gives_no_batch_and_leaves_nothing(setting: Setting, name: str) -> None:
    before = set(Path(setting.scratch).iterdir())
    assert take_turn(ONCE[name](setting), 0)["batches"] == 0
    assert set(Path(setting.scratch).iterdir()) == before


def test_peers_that_are_not_installed_are_left_out(tmp_path: Path) -> None:
    modules = {"naive": "benchmarks.pipeline_stages", "torchvision": "benchmarks.pipeline_torch"}
    modules |= dict.fromkeys(TENSORFLOW_PEERS, "benchmarks.pipeline_tensorflow")
    assert list(places(modules, None)) == list(places(modules, tmp_path)) == ["naive"]
    (tmp_path / "torchvision").mkdir()
    found = places(modules, tmp_path)
    assert list(found) == ["naive", "torchvision"]
    assert found["torchvision"].environment == {"PYTHONPATH": str(tmp_path / "torchvision")}


def test_a_contender_that_ends_says_why(setting: Setting, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nobody ended: .*No module named benchmarks\.nobody"):
        Process("nobody", Place("benchmarks.nobody"), setting, tmp_path / "talk.log")


def test_memory_counts_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in family(child.pid)
        assert child.pid in family(os.getpid())
        child.communicate(b"\n")


# --- sums -------------------------------------------------------------------------------------------


def turn(wall_s: float, cpu_s: float = 1.0, photos: int = 100) -> dict[str, float]:
    return {"wall_s": wall_s, "cpu_s": cpu_s, "photos": photos, "batches": 2}


def test_ratios_are_taken_within_a_round() -> None:
    # The second round fell into a slow minute that disturbed both alike.
    assert ratio([turn(8), turn(80), turn(9)], [turn(1), turn(10), turn(1)]) == (8, 8, 9)
    assert ratio([turn(8, 6.0)], [turn(1, 2.0)], "cpu_s") == (3, 3, 3)


@pytest.mark.parametrize(
    ("once_s", "slow_s", "quick_s", "epochs"),
    [(9, 10, 1, 1), (10, 10, 1, 2), (9.1, 10, 1, 2), (5, 1, 1, None), (5, 1, 2, None), (0, 2, 1, 1)],
)
def test_when_packing_has_paid(once_s: float, slow_s: float, quick_s: float, epochs: int | None) -> None:
    assert break_even(once_s, slow_s, quick_s) == epochs


def results(ours_s: float) -> dict[str, Any]:
    turns = {
        "naive": [turn(7.0, 7.0), turn(14.0, 7.0)],
        "as in training": [turn(ours_s, 2.0), turn(2 * ours_s, 2.0)],
        "indexing": [turn(2.0, photos=0)] * 2,
        "packing": [turn(5.0, photos=0)] * 2,
        "tf.data": [turn(3.0)] * 2,
    }
    network = {name: found for name, found in turns.items() if name not in ONCE}
    network["torch, no input"] = [turn(ours_s / 2), turn(ours_s)]
    machine = {"when": "now", "cores": 2, "processor": "x", "load_before": 0.0, "python": "3"}
    memory = {"naive": {"idle_mib": 100.0, "peak_mib": 120.0}}
    setting = {"side_px": 64, "batch": 64, "threads": 0, "rounds": 2, "data": "drawn", "left_out": ["x"]}
    found = {"input": turns, "simple_cnn": network}
    return {"machine": machine, "versions": {"torch": "2"}, "turns": found, "memory": memory, **setting}


def test_the_report_says_ratios_memory_and_whether_the_promise_is_kept() -> None:
    said = text(results(1.0))
    assert "At least 7 times the naive way: 7.0, kept." in said
    assert "| as in training | 1.50 (1.00 to 2.00) |" in said
    assert "7.00 (7.00 to 7.00) | 3.50 (3.50 to 3.50)" in said, "wall and processor time"
    assert "100 -> 120" in said
    assert "Not installed: x." in said
    assert "| packing | naive | 1 |" in said
    assert "| simple_cnn |" in said
    assert "NOT KEPT" in text(results(1.1))


def test_every_table_is_rectangular() -> None:
    widths: list[int] = []
    for line in text(results(1.0)).splitlines():
        widths = [*widths, line.count("|")] if line.startswith("|") else []
        assert len(set(widths)) <= 1, line


@pytest.mark.slow
def test_the_command_itself(tmp_path: Path) -> None:
    folder = write_synthetic_collection(
        tmp_path / "drawn", SynthOptions(leaves_per_class=2, views_per_leaf=1, side_px=64)
    ).folder
    kept = tmp_path / "kept.json"
    contenders = ["naive", "as in training", "DataLoader, Pillow, 2 processes", "packing"]
    command = [sys.executable, "-m", "benchmarks.pipeline", "--data", str(folder), "--photos", "12"]
    command += ["--side", "32", "--batch", "8", "--rounds", "1", "--threads", "1", "--json", str(kept)]
    command += ["--works", "input", "simple_cnn", "--contenders", *contenders]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "12 photographs (drawn) to 32 px" in done.stdout
    assert "| torch, no input |" in done.stdout
    assert kept.exists()
