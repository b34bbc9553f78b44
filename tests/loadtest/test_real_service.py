"""The study and the Locust file against a real service, for some seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leafsight.loadtest import ProcessEngine, Study, StudyFolder, StudyOptions, write_report
from leafsight.loadtest.mix import Size
from leafsight.loadtest.outcomes import read_outcomes
from leafsight.loadtest.photographs import draw_photographs
from leafsight.loadtest.setups import SetUp

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
SMALL = (
    Size("256 px", 256, 256, 90, 2.0, 70, "small"),
    Size("1 MP", 1000, 1000, 85, 2.0, 25, "middle"),
    Size("6 MP", 3000, 2000, 85, 2.0, 5, "large"),
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    draw_photographs(folder, sizes=SMALL, each=3)
    return folder


def test_a_study_on_real_processes_finds_right_answers_and_nothing_lost(tmp_path: Path, photos: Path) -> None:
    what = StudyOptions(
        replicas=(1, 2), users=(3,), rates=(4.0,), seconds=4.0, warm_s=1.0, repeats=1, think_s=0.3,
        photos=str(photos), timeout_s=30.0, out=tmp_path / "study",
    )  # fmt: skip
    folder = StudyFolder(what.out)
    Study(what, ProcessEngine({"LEAFSIGHT_DEADLINE_MS": "20000"}), folder).run()
    found = write_report(folder)
    failures = found["failures"]
    assert failures["failed"] == failures["wrong"] == 0
    assert failures["lost"] == {"predictions": 0, "corrections": 0, "uploads": 0}
    assert failures["not_checked"] == 0
    assert failures["checked"]["predictions"] >= failures["ok"] / 3
    assert found["references"] == ["the service alone, and the same model without a service"]
    rated = [row for row in found["rows"] if row["rate_per_s"]]
    assert len(rated) == 2
    for row in rated:
        assert row["cpus_used_each"] > 0
        assert row["memory_most_bytes"] > 50e6
        assert row["inside_ms"] > 0
        assert row["latency_ms"]["p50"]["value"] > 1
    assert "calibration" in found["study"]
    assert not list(what.out.rglob("order.json"))


def test_locust_runs_the_file_at_the_root_by_hand(tmp_path: Path, photos: Path) -> None:
    cache = tmp_path / "home" / ".cache" / "leafsight" / "loadtest-photographs"
    cache.parent.mkdir(parents=True)
    with ProcessEngine({"LEAFSIGHT_DEADLINE_MS": "20000"}).running(SetUp(1), tmp_path / "servers") as running:
        order = {
            "addresses": [], "key": running.key, "expected": "", "out": str(tmp_path / "rows.jsonl"),
            "seconds": 0.0, "think_s": 0.2, "timeout_s": 30.0,
            "photographs": [
                {"path": str(path), "size": "some", "width_px": 9, "height_px": 9, "size_bytes": 1,
                 "weight": 1.0}
                for path in sorted(photos.glob("*.jpg"))
            ],
        }  # fmt: skip
        (tmp_path / "order.json").write_text(json.dumps(order))
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--users", "4",
             "--spawn-rate", "4", "--run-time", "8s", "--stop-timeout", "20", "--only-summary",
             "--host", f"http://{running.fronts[0]}"],
            cwd=REPOSITORY, env={**os.environ, "LOADTEST_ORDER": str(tmp_path / "order.json")},
            capture_output=True, text=True, timeout=180,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    rows = read_outcomes(tmp_path / "rows.jsonl")
    assert len(rows) > 5, done.stderr[-2000:]
    assert {row.kind for row in rows} == {"ok"}, done.stderr[-2000:]
    assert len({row.deed for row in rows}) >= 2
    cost = json.loads((tmp_path / "rows.jsonl.cost").read_text())
    assert cost["cpu_s"] > 0


def test_the_model_in_full_precision_answers_as_the_one_that_ships(tmp_path: Path, photos: Path) -> None:
    from leafsight.bundle import open_bundle
    from leafsight.loadtest.photographs import take_photographs
    from leafsight.loadtest.reference import compute_here

    made = tmp_path / "fp32.leafsight"
    subprocess.run(
        [sys.executable, "loadtest/full_precision.py", str(made)], cwd=REPOSITORY, check=True, timeout=120
    )
    assert open_bundle(made).network_spec.precision == "fp32"
    photographs = take_photographs(photos)
    (first, ours), (other, theirs) = (
        compute_here("built-in", photographs),
        compute_here(str(made), photographs),
    )
    assert first != other
    same = [ours[one.name]["verdict"] == theirs[one.name]["verdict"] for one in photographs]
    assert sum(same) >= len(same) - 1
