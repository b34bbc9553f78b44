"""``leafsight synth`` and ``split``: from photographs to an index with splits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.small_world import draw, leafsight

from leafsight.dataset import PhotoIndex


def groups_and_splits(path: Path) -> set[tuple[str, str]]:
    """(leaf, split) pairs of a drawn collection; more pairs than leaves mean a leak."""
    index = PhotoIndex.load(path)
    leaves = [name.rsplit("-view", 1)[0] for name in index.column("path")]
    return set(zip(leaves, index.column("split"), strict=True))


def leaks(path: Path) -> list[str]:
    leaves = [leaf for leaf, _ in groups_and_splits(path)]
    return sorted(leaf for leaf in set(leaves) if leaves.count(leaf) > 1)


def test_synth_draws_what_it_says_and_the_same_again(tmp_path: Path) -> None:
    words = ("--leaves", "2", "--views", "2", "--side", "48", "--crop", "Roundleaf", "--condition", "Rust")
    done = leafsight("synth", tmp_path / "a", *words, "--json", "-q")
    assert done.code == 0
    assert done.json["classes"] == ["Background_without_leaves", "Roundleaf___Rust"]
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.jpg"))
    assert len(files) == done.json["photographs"]
    again = leafsight("synth", tmp_path / "b", *words)
    assert str(done.json["photographs"]) in again.out
    assert "drawing" in again.err
    assert all((tmp_path / "a" / one).read_bytes() == (tmp_path / "b" / one).read_bytes() for one in files)


def test_synth_reports_every_fault_of_its_options(tmp_path: Path) -> None:
    done = leafsight("synth", tmp_path / "a", "--field-share", "3")
    assert done.code == 2
    assert "field_share" in done.err
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("ratios", ["5:1", "80/10/10", "train=0.7,test=0.3"])
def test_split_by_any_ratio_keeps_leaves_whole(world, tmp_path: Path, ratios: str) -> None:
    out = tmp_path / "s.parquet"
    done = leafsight("split", world.photographs, "--out", out, "--ratios", ratios, "--json", "-q")
    assert done.code == 0
    assert sum(done.json["splits"].values()) == len(PhotoIndex.load(out))
    assert done.json["leaks"] == []
    assert leaks(out) == []


def test_split_is_the_same_for_the_same_seed(world, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        leafsight("split", world.photographs, "--out", tmp_path / f"{name}.parquet", "--seed", seed, "-q")
    a, b, c = (groups_and_splits(tmp_path / f"{name}.parquet") for name in "abc")
    assert a == b
    assert a != c


def test_splitting_a_saved_index_again_keeps_leaves_whole(world, tmp_path: Path) -> None:
    """The leaf map lies with the photographs, not with the index: what it said must not be forgotten."""
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    rules = ("--group-by", "column,leaf_map")
    assert leafsight("split", world.photographs, "--out", first, *rules, "-q").code == 0
    for seed in range(4):
        assert leafsight("split", first, "--out", second, *rules, "--seed", seed, "-q").code == 0
        assert leaks(second) == []


def test_every_leaf_map_of_several_sources_counts(world, tmp_path: Path) -> None:
    other = draw(tmp_path / "other", seed=7)
    out = tmp_path / "s.parquet"
    done = leafsight(
        "split", world.photographs, other, "--out", out, "--group-by", "leaf_map", "--json", "-q"
    )
    assert done.code == 0
    assert done.json["covered"] == 1.0


def test_folds_are_written_and_named(world, tmp_path: Path) -> None:
    done = leafsight(
        "split", world.photographs, "--out", tmp_path / "f.parquet", "--folds", 3, "--json", "-q"
    )
    assert done.json == [str(tmp_path / f"f.{n}.parquet") for n in range(3)]
    assert all(leaks(Path(path)) == [] for path in done.json)
    held = [
        {
            name
            for name, split in zip(index.column("path"), index.column("split"), strict=True)
            if split == "test"
        }
        for index in map(PhotoIndex.load, map(Path, done.json))
    ]
    assert not held[0] & held[1]
    plain = leafsight("split", world.photographs, "--out", tmp_path / "f.parquet", "--folds", 3, "-q")
    assert plain.out.splitlines() == done.json


def test_a_kept_test_split_stays(world, tmp_path: Path) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    leafsight("split", world.photographs, "--out", first, "-q")
    done = leafsight("split", first, "--out", second, "--keep", "test", "--seed", 9, "-q")
    assert done.code == 0
    tests = [{pair for pair in groups_and_splits(path) if pair[1] == "test"} for path in (first, second)]
    assert tests[0] == tests[1] != set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "s.csv"), "must end in .parquet"),
        (("--out", "s.parquet", "--ratios", "train=x"), "ratios"),
        (("--out", "s.parquet", "--group-by", "bogus,foo"), "2 faults"),
    ],
)
def test_split_refuses_what_it_cannot_do(world, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = leafsight("split", world.photographs, *words, folder=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "s.parquet").exists()


def test_a_leaf_map_that_is_not_there(world, tmp_path: Path) -> None:
    done = leafsight(
        "split", world.photographs, "--out", tmp_path / "s.parquet", "--leaf-map", tmp_path / "no.csv", "-q"
    )
    assert done.code == 1
    assert "no.csv" in done.error_lines[0]
