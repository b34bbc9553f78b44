from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leafsight.dataset import (
    GroupOptions,
    PixelCache,
    SplitOptions,
    capture_runs,
    group_photos,
    index_photos,
    read_leaf_map,
    split_photos,
    split_summary,
)
from leafsight.images import Preprocessing


def test_the_main_job_of_this_room_on_citrus_leaves(shared_data: Path, tmp_path: Path) -> None:
    index = index_photos(shared_data / "citrus-leaf")
    assert (len(index), len(index.usable()), len(index.classes)) == (492, 492, 5)
    index = split_photos(index, SplitOptions(ratios="70/10/20", seed=1))  # type: ignore[arg-type]
    summary = split_summary(index)
    assert not summary.leaks
    assert not summary.missing
    assert summary.splits["test"] / 492 == pytest.approx(0.2, abs=0.02)
    cache = PixelCache.build(index, tmp_path, Preprocessing(side_px=32))
    assert cache.images.shape == (492, 32, 32, 3)
    test_rows = index.row_ids(split="test")
    pictures = cache.images[cache.positions(test_rows)]
    assert 20 < float(np.mean(pictures)) < 235
    assert not cache.faults


def test_odd_files_are_indexed_or_say_why(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "odd").symlink_to(shared_data / "odd-files")
    index = index_photos(tmp_path / "photos")
    assert len(index) == 19
    assert not index.faults()
    assert set(index.column("format")) == {"JPEG", "MPO", "PNG"}


def test_consecutive_shots_are_mostly_the_same_leaf(shared_data: Path) -> None:
    """The numbers in docs/dataset.md: the rule finds most pairs of a leaf, near duplicates find none."""
    leaves = read_leaf_map(shared_data / "plantvillage" / "leaf_groups.csv")
    (paths, kinds) = zip(*((f"{kind}/{file}", kind) for kind, file in leaves), strict=True)
    options = GroupOptions()
    runs = capture_runs(paths, kinds, gap=options.run_gap, limit=options.run_limit)
    run_of = {position: number for number, run in enumerate(runs) for position in run}
    truth = list(leaves.values())
    same_leaf = same_run = both = 0
    for one in range(len(truth)):
        for other in range(one + 1, len(truth)):
            leaf = truth[one] == truth[other]
            run = one in run_of and run_of[one] == run_of.get(other)
            same_leaf, same_run, both = same_leaf + leaf, same_run + run, both + (leaf and run)
    assert both / same_leaf == pytest.approx(0.90, abs=0.01)
    assert both / same_run == pytest.approx(0.70, abs=0.01)


@pytest.mark.slow
def test_plantvillage_is_split_by_leaf(shared_data: Path) -> None:
    root = shared_data / "plantvillage"
    options = SplitOptions(
        ratios="train=0.7,valid=0.1,calibration=0.1,test=0.1",  # type: ignore[arg-type]
        group_by=("leaf_map", "duplicates", "near_duplicates", "capture_runs"),
        leaf_map=root / "leaf_groups.csv",
    )
    index = index_photos(root)
    grouped, reports = group_photos(index, options)
    joined = {report.rule: report.photographs for report in reports}
    assert joined["leaf_map"] == 2594
    assert joined["capture_runs"] > 4500
    summary = split_summary(split_photos(index, options))
    assert not summary.leaks
    assert not summary.missing
    assert len(grouped) == 8343
