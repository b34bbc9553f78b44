"""``leafsight copy``: from a collection or a saved split to a folder or shards that others can use."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.small_world import leafsight, save_collection


def test_a_saved_split_becomes_folders_and_shards(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 12, "healthy": 12})
    split = tmp_path / "split.parquet"
    assert leafsight("split", photos, "--out", split, "--ratios", "train=0.5,test=0.5", "-q").code == 0
    done = leafsight("copy", split, "--out", tmp_path / "a", "--link", "copy")
    assert (done.code, "24 photographs of 2 classes" in done.out) == (0, True)
    assert "copying" in done.err
    assert len(list((tmp_path / "a").glob("*/*/*.jpg"))) == 24
    told = leafsight("copy", split, "--out", tmp_path / "b", "--layout", "shards", "--json", "-q")
    assert (told.code, told.err) == (0, "")
    assert told.json["shards"] == 2
    assert told.json["splits"] == {"test": 12, "train": 12}
    assert (
        leafsight("check", tmp_path / "b", "--json", "-q", "--index", tmp_path / "b.parquet").json["usable"]
        == 24
    )


def test_clean_leaves_out_and_says_why(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    (photos / "rust" / "twin.jpg").write_bytes((photos / "rust" / "000.jpg").read_bytes())
    (photos / "rust" / "torn.jpg").write_bytes((photos / "rust" / "001.jpg").read_bytes()[:100])
    (tmp_path / "list.txt").write_text("healthy/002.jpg\n")
    done = leafsight(
        "copy",
        photos,
        "--out",
        tmp_path / "a",
        "--clean",
        "--leave-out",
        tmp_path / "list.txt",
        "--json",
        "-q",
    )
    assert done.code == 0
    assert done.json["left_out_counts"] == {"duplicate": 1, "faulty": 1, "listed": 1}
    assert done.json["photographs"] == 5
    again = leafsight("copy", photos, "--out", tmp_path / "a", "-q")
    assert (again.code, len(again.error_lines)) == (1, 2)
    assert leafsight("copy", photos, "--out", tmp_path / "a", "--force", "-q").code == 0


def test_what_went_away_is_an_exit_code(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 3})
    index = tmp_path / "index.parquet"
    leafsight("check", photos, "--index", index, "-q")
    (photos / "rust" / "000.jpg").unlink()
    done = leafsight("copy", index, "--out", tmp_path / "a", "-q")
    assert done.code == 1
    assert "left out: 1 are not there any more" in done.out
    assert len(list((tmp_path / "a").glob("*/*.jpg"))) == 2


def test_wrong_words(tmp_path: Path) -> None:
    assert leafsight("copy", tmp_path, "--out", tmp_path / "a", "--layout", "zip").code == 2
    assert leafsight("copy", tmp_path, "--out", tmp_path / "a", "--shard-mb", "0").code == 2
    assert leafsight("copy", tmp_path).code == 2
