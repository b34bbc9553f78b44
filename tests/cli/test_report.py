"""``leafsight report``: the page of a run, with the answers of its model file or its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.journeys.small_world import SMALL, World, leafsight, with_settings

from leafsight.cli.report import curves_of


@pytest.fixture
def copied(world: World, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world.run, tmp_path / "run"))


def test_with_its_model_file_the_report_is_that_of_training(world: World, copied: Path) -> None:
    (copied / "report.html").unlink()
    (copied / "report.json").unlink()
    done = leafsight("report", copied)
    assert done.code == 0, done.err
    assert f"wrote {copied / 'report.html'}" in done.err
    made, before = (json.loads((run / "report.json").read_text()) for run in (copied, world.run))
    assert made.keys() == before.keys()
    for part in ("overall", "per_class", "confusion", "calibration", "title", "curves", "data_summary"):
        assert made[part] == before[part], part
    assert "without calibration" not in done.out
    assert (copied / "report.html").read_text() == (world.run / "report.html").read_text()


def test_a_run_without_a_model_file_says_so(copied: Path) -> None:
    (copied / "model.leafsight").unlink()
    (copied / "report.html").unlink()
    done = leafsight("report", copied, "-q")
    assert (done.code, done.err) == (0, "")
    assert "without calibration" in done.out
    page = (copied / "report.html").read_text()
    assert "simple-cnn, without calibration" in page
    assert "No calibration was used" in page
    assert "<img" in page or "There is no mistake." in page
    made = json.loads((copied / "report.json").read_text())
    assert made["calibration"] is None
    assert made["provenance"]["seed"] == 0
    assert "without calibration" in made["data_summary"]["note"]


def test_a_run_that_was_never_exported(world: World, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", run, "-q", "--no-export",
        *with_settings((*SMALL[:1], "stages.whole.epochs=1", *SMALL[2:])),
    )  # fmt: skip
    assert done.code == 0, done.err
    found = leafsight("report", run, "--json", "-q", "--out", tmp_path / "pages" / "mine.html").json
    assert found["report"] == str(tmp_path / "pages" / "mine.html")
    assert found["calibrated"] is False
    assert 0 <= found["accuracy"]["value"] <= 1
    assert (tmp_path / "pages" / "mine.json").exists()
    assert not (run / "report.html").exists()


def test_a_model_file_of_an_earlier_run_is_not_asked(world: World, copied: Path) -> None:
    done = leafsight(
        "train", "simple-cnn", "--data", world.run / "index.parquet", "--out", copied, "-q", "--no-export",
        "--force", *with_settings((*SMALL, "seed=3")),
    )  # fmt: skip
    assert done.code == 0, done.err
    found = leafsight("report", copied)
    assert found.code == 0
    assert "was made of an earlier run" in found.err
    assert "without calibration" in found.out


def test_another_split_has_a_page_of_its_own(copied: Path) -> None:
    before = (copied / "report.html").read_text()
    done = leafsight("report", copied, "--split", "valid", "-q")
    assert done.code == 0
    assert "chose the epoch" in done.out
    assert "chose the epoch" in (copied / "report-valid.html").read_text()
    assert (copied / "report.html").read_text() == before
    trained = leafsight("report", copied, "--split", "train", "-q")
    assert "trained the network" in trained.out


def test_the_calibration_split_fitted_only_a_calibration(copied: Path) -> None:
    assert "fitted the calibration" in leafsight("report", copied, "--split", "calibration", "-q").out
    (copied / "model.leafsight").unlink()
    assert "fitted the calibration" not in leafsight("report", copied, "--split", "calibration", "-q").out


@pytest.mark.parametrize(
    ("gone", "said"), [("index.parquet", "index.parquet"), ("run.json", "no finished run")]
)
def test_what_is_missing_is_named(copied: Path, gone: str, said: str) -> None:
    (copied / gone).unlink()
    done = leafsight("report", copied, "-q")
    assert done.code in (1, 2)
    assert said in done.error_lines[0]


def test_a_split_that_is_not_there(copied: Path) -> None:
    done = leafsight("report", copied, "--split", "tset", "-q")
    assert done.code == 1
    assert "tset" in done.error_lines[0]


def test_curves_leave_out_what_was_not_measured() -> None:
    history = (
        {"train_loss": 2.0, "valid": {"loss": None, "accuracy": 0.5, "macro_f1": 0.4}},
        {"train_loss": 1.0, "valid": {"loss": 1.5, "accuracy": 0.6, "macro_f1": 0.5}},
    )
    assert curves_of(history) == {
        "loss": {"train": [2.0, 1.0]},
        "on validation": {"accuracy": [0.5, 0.6], "macro f1": [0.4, 0.5]},
    }
    assert curves_of(()) == {}
