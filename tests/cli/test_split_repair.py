"""``leafsight split --repair``: a plan first, then done, then undone; and what a split says of itself."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.journeys.small_world import leafsight

from leafsight.dataset import PhotoIndex


def paint(path: Path, seed: int, side: int = 40) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """train, val and test of two classes; three of train stand in val too: one copied, two made larger."""
    root = tmp_path / "photos"
    for number, (split, name) in enumerate(
        (split, name)
        for split in ("train",) * 6 + ("val",) * 3 + ("test",) * 3
        for name in ("healthy", "rust")
    ):
        paint(root / split / name / f"{number:03d}.png", number)
    for number, side in ((1, 40), (3, 80), (5, 80)):
        paint(root / "val" / "rust" / f"again {number}.png", number, side)
    return root


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.png")}


def test_a_plan_changes_nothing(leaky: Path, tmp_path: Path) -> None:
    before = files(leaky)
    done = leafsight("split", "--repair", leaky, "--plan", tmp_path / "plan.csv")
    assert done.code == 0
    assert "3 groups are in two splits or more" in done.out
    assert "nothing was changed" in done.err
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert {row["class"] for row in rows} == {"rust"}
    assert files(leaky) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "plan.csv"]


def test_done_means_an_index_and_nothing_else(leaky: Path, tmp_path: Path) -> None:
    before = files(leaky)
    out = tmp_path / "clean.parquet"
    done = leafsight("split", "--repair", leaky, "--out", out, "--yes", "--json", "-q")
    assert done.json["done"] == {"wrote": str(out)}
    assert (done.json["torn_groups"], done.json["moved"], done.json["left_out"]) == (3, 2, 1)
    assert files(leaky) == before
    index = PhotoIndex.load(out)
    assert index.split_record["repair"]["moved"] == 2
    again = leafsight("split", "--repair", out, "--json", "-q")
    assert again.json["is_clean"]
    assert leafsight("split", "--repair", leaky, "--out", tmp_path / "no.parquet", "-q").code == 0
    assert not (tmp_path / "no.parquet").exists()


def test_in_place_and_back(leaky: Path, tmp_path: Path) -> None:
    before = files(leaky)
    assert leafsight("split", "--repair", leaky, "--in-place", "-q").code == 0
    assert files(leaky) == before
    done = leafsight("split", "--repair", leaky, "--in-place", "--yes", "--repair-by", "drop", "--json", "-q")
    journal = done.json["done"]["journal, for --undo"]
    assert len(files(leaky)) == len(before) - 3
    assert leafsight("split", "--repair", leaky, "-q").out.startswith("clean")
    assert leafsight("split", "--finish", journal, "--json", "-q").json["state"] == "done"
    back = leafsight("split", "--undo", journal)
    assert back.out.startswith("undone: 3 files")
    assert files(leaky) == before


def test_flipped_and_turned_copies_are_found(tmp_path: Path) -> None:
    """Like the New Plant Diseases set: what is in valid stands in train, turned or flipped."""
    root = tmp_path / "photos"
    for number in range(8):
        name = ("healthy", "rust")[number % 2]
        paint(root / "train" / name / f"{number:03d}.png", 200 + number, 96)
        paint(root / "test" / name / f"{number:03d}.png", 300 + number, 96)
        paint(root / "valid" / name / f"{number:03d}.png", 400 + number, 96)
    for number in (0, 2, 3):
        name = ("healthy", "rust")[number % 2]
        with Image.open(root / "train" / name / f"{number:03d}.png") as picture:
            turned = picture.transpose(
                Image.Transpose.FLIP_LEFT_RIGHT if number else Image.Transpose.ROTATE_90
            )
            turned.save(root / "valid" / name / f"turned {number}.png")
    done = leafsight("split", "--repair", root, "--keep", "test", "--json", "-q")
    changed = {step["photograph"].rsplit("/", 1)[1] for step in done.json["steps"]}
    assert done.json["torn_groups"] == 3
    assert len(changed) == 3
    out = tmp_path / "s.parquet"
    rules = ("--group-by", "duplicates,copies")
    split = leafsight("split", root, "--out", out, *rules, "--ratios", "5:1", "--json", "-q")
    assert split.json["coverage"]["found"] == 6
    assert leafsight("split", out, "--folds", "2", "--out", out, *rules, "-q").code == 0


def test_two_folders_named_one_by_one_are_two_splits(leaky: Path) -> None:
    done = leafsight("split", "--repair", leaky / "train", leaky / "val", "--keep", "valid", "--json", "-q")
    assert done.json["before"] == {"train": 12, "valid": 9}
    assert {step["to"] for step in done.json["steps"]} == {None}


def test_a_class_is_not_lost_without_being_asked(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 1)):
        for name in ("healthy", "rust"):
            for number in range(count):
                paint(
                    tmp_path / "p" / split / name / f"{split}{number}.png", 100 if name == "rust" else number
                )
    words = ("split", "--repair", tmp_path / "p", "--repair-by", "drop", "--out", tmp_path / "s.parquet")
    refused = leafsight(*words, "--yes", "-q")
    assert refused.code == 1
    assert "no photograph would be left of" in refused.err
    assert not (tmp_path / "s.parquet").exists()
    assert leafsight(*words, "--yes", "--lose-classes", "-q").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--repair", "X", "--yes"),
        ("--repair", "X", "--out", "o.parquet", "--in-place"),
        ("--repair", "X", "--folds", "3"),
        ("--repair", "X", "--exact"),
        ("--repair", "list.csv", "--in-place"),
        ("X", "--out", "o.parquet", "--yes"),
        ("X", "--out", "o.csv"),
        ("X",),
        (),
        ("X", "--undo", "j.json"),
        ("--undo", "j.json", "--finish", "j.json"),
        ("--repair", "X", "--group-by", "astrology"),
    ],
)
def test_what_does_not_go_together_is_refused(leaky: Path, words: tuple[str, ...]) -> None:
    done = leafsight("split", *(leaky if word == "X" else word for word in words))
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert sorted(leaky.parent.iterdir()) == [leaky]


def test_a_split_says_how_far_to_trust_it(leaky: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    done = leafsight("split", leaky, "--out", out, "--ratios", "5:1", "-q")
    assert (
        "Split (seed 0) of 27 photographs: 0 (0%) are kept together by a group column or leaf map, 6 (22%)"
        in done.out
    )
    assert leafsight("split", leaky, "--out", out, "--json", "-q").json["record"]["coverage"]["found"] == 6


def test_exact_is_offered_where_a_share_misses(tmp_path: Path) -> None:
    for name in range(16):
        for number in range(14):
            paint(tmp_path / "p" / f"class{name:02d}" / f"{number}.png", name * 14 + number, 16)
    words = (
        "split",
        tmp_path / "p",
        "--ratios",
        "80/10/10",
        "--out",
        tmp_path / "s.parquet",
        "--seed",
        "0",
        "-q",
    )
    plain, exact = leafsight(*words), leafsight(*words, "--exact")
    assert "--exact moves groups where that helps" in plain.out
    assert "largest group;" not in exact.out
    assert PhotoIndex.load(tmp_path / "s.parquet").split_record["within_one_group"]


def test_patients_stay_on_one_side_by_the_names_of_their_files(tmp_path: Path) -> None:
    for number in range(60):
        name = ("ill", "well")[number % 2]
        paint(tmp_path / "p" / name / f"{number // 4:08d}_{number:03d}.png", number, 16)
    out = tmp_path / "s.parquet"
    words = ("split", tmp_path / "p", "--out", out, "--ratios", "5:1", "--json", "-q")
    record = leafsight(*words, "--name-pattern", r"(\d+)_").json["record"]
    assert record["name_pattern"] == r"(\d+)_"
    assert record["coverage"]["given"] == 60
    index = PhotoIndex.load(out)
    sides: dict[str, set[str | None]] = {}
    for path, split in zip(index.column("path"), index.column("split"), strict=True):
        sides.setdefault(path.split("/")[1][:8], set()).add(split)
    assert len(sides) == 15
    assert all(len(found) == 1 for found in sides.values())
    refused = leafsight(*words, "--name-pattern", r"\d+_")
    assert "one pair of brackets" in refused.err


def test_a_repair_goes_by_the_names_of_files_too(tmp_path: Path) -> None:
    for number in range(24):
        side = ("train", "val")[number % 3 == 0]
        paint(
            tmp_path / "p" / side / ("ill", "well")[number % 2] / f"{number // 4:02d}_{number}.png",
            number,
            16,
        )
    words = ("split", tmp_path / "p", "--repair", "--json", "-q")
    assert leafsight(*words).json["torn_groups"] == 0
    assert leafsight(*words, "--name-pattern", r"(\d+)_", "--lose-classes").json["torn_groups"] == 6
