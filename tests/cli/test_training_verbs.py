"""``leafsight train``, ``export``, ``evaluate`` on a tiny run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.small_world import SMALL, World, leafsight, save_collection, with_settings

from leafsight.dataset import PhotoIndex


@pytest.fixture
def copied(world: World, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may harm."""
    return Path(shutil.copytree(world.run, tmp_path / "run"))


def test_a_run_leaves_what_the_guide_says(world: World) -> None:
    for name in (
        "model.leafsight", "report.html", "report.json", "recipe.toml", "run.json", "events.jsonl",
        "curves.png", "index.parquet", "checkpoint/best.safetensors",
    ):  # fmt: skip
        assert (world.run / name).stat().st_size > 0, name


def test_train_again_is_at_once_and_the_same(world: World, copied: Path) -> None:
    before = (copied / "checkpoint" / "best.safetensors").read_bytes()
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", copied, "--json", "-q", "--no-export",
        *with_settings(),
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.json["run"] == str(copied)
    assert done.json["best"]["stage_name"] == "whole"
    assert (copied / "checkpoint" / "best.safetensors").read_bytes() == before


def test_the_notice_of_a_recipe_is_said_before_anything_is_done(tmp_path: Path) -> None:
    done = leafsight("train", "chest-xray", "--data", tmp_path / "nothing", "--out", tmp_path / "run", "-q")
    assert done.code == 2
    assert done.err.startswith("note: No medical device.")


def test_people_count_epochs_from_one(world: World, copied: Path) -> None:
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", copied, "-q", "--no-export",
        *with_settings(),
    )  # fmt: skip
    best = leafsight("show", copied, "--json").json["best"]["epoch"]
    assert f"best was epoch {best + 1} of stage whole" in done.out


def test_another_run_in_the_folder_is_refused_and_nothing_of_it_is_touched(
    world: World, copied: Path
) -> None:
    index = (copied / "index.parquet").read_bytes()
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", copied, "-q",
        *with_settings((*SMALL[:-1], "data.ratios={train=0.4,valid=0.2,calibration=0.2,test=0.2}")),
    )  # fmt: skip
    assert done.code == 1
    assert "data.ratios" in done.error_lines[0]
    assert "--force" in done.error_lines[1]
    assert (copied / "index.parquet").read_bytes() == index


def test_missing_splits_are_said_before_training(tmp_path: Path) -> None:
    photos = save_collection(tmp_path / "photos", {"rust": 8, "healthy": 8})
    words = ("train", "simple-cnn", "--data", photos, "--out", tmp_path / "run", "-q")
    few = with_settings((*SMALL[:-1], "data.ratios={train=0.7,valid=0.3}"))
    done = leafsight(*words, *few)
    assert done.code == 2
    assert "calibration and test" in done.error_lines[0]
    assert not (tmp_path / "run" / "run.json").exists()
    assert leafsight(*words, *few, "--no-export").code == 0


@pytest.mark.parametrize(
    "named", [("--pretrained", "no.safetensors"), ("--set", "model.pretrained=no.safetensors")]
)
def test_weights_that_are_not_there_are_an_error_before_any_work(
    world: World, tmp_path: Path, named: tuple[str, str]
) -> None:
    done = leafsight("train", "simple-cnn", "--data", world.photographs, "--out", tmp_path / "run", *named)
    assert done.code == 1
    assert not (tmp_path / "run").exists()


def test_training_goes_on_from_a_model_with_weights(world: World, copied: Path, tmp_path: Path) -> None:
    donor = tmp_path / "donor.leafsight"
    assert leafsight("export", copied, "--out", donor, "--weights", "--precision", "fp32", "-q").code == 0
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", tmp_path / "next", "-q", "--no-export",
        "--pretrained", donor, *with_settings(),
    )  # fmt: skip
    assert done.code == 0
    assert '"pretrained"' in (tmp_path / "next" / "events.jsonl").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("train", "simple-cnn"), 2, "--data FOLDER"),
        (("train", "simpl-cnn", "--data", "x"), 2, "did you mean 'simple-cnn'"),
        (("train", "simple-cnn", "--data", "nowhere"), 1, "nowhere"),
        (("train", "no.toml", "--data", "x"), 1, "no.toml"),
        (("export", "nowhere"), 2, "nowhere"),
        (("evaluate", "nowhere"), 1, ""),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = leafsight(*words, folder=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_a_device_that_is_not_here(world: World, tmp_path: Path) -> None:
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", tmp_path / "run", "-q",
        "--device", "bogus", *with_settings(),
    )  # fmt: skip
    assert done.code == 1
    assert "bogus" in done.error_lines[0]


def test_export_says_what_it_made(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "limits.md").write_text("Only for *round* leaves.\n")
    target = tmp_path / "mine.leafsight"
    done = leafsight(
        "export", copied, "--out", target, "--name", "mine", "--card", tmp_path / "limits.md",
        "--precision", "fp32", "--json", "-q",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.json["bytes"] == target.stat().st_size
    assert done.json["parity"]
    assert 0 <= done.json["test"]["accuracy"]["value"] <= 1
    assert "Only for *round* leaves." in leafsight("show", target).out
    assert leafsight("show", target, "--json").json["name"] == "mine"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_card_that_cannot_be_read(copied: Path, tmp_path: Path, content: bytes | None) -> None:
    card = tmp_path / "card.md"
    if content is not None:
        card.write_bytes(content)
    done = leafsight("export", copied, "--card", card, "-q")
    assert done.code in (1, 2)
    assert "card.md" in done.error_lines[0]


def test_an_unfinished_run_is_not_exported(copied: Path) -> None:
    record = copied / "run.json"
    record.write_text(record.read_text().replace('"finished"', '"running"'))
    done = leafsight("export", copied, "-q")
    assert done.code == 1
    assert "no finished run" in done.error_lines[0]


def test_evaluate_says_the_same_in_both_ways(world: World, tmp_path: Path) -> None:
    words = ("evaluate", world.run / "index.parquet", "--split", "test", "--model", world.model)
    table = leafsight(*words, "-q")
    assert (table.code, table.err) == (0, "")
    header, row = (line.split("\t") for line in table.out.splitlines()[:2])
    found = leafsight(*words, "-q", "--json", "--cache", tmp_path / "pixels").json
    assert row[header.index("accuracy")].startswith(
        f"{found['overall']['metrics']['accuracy']['value']:.3f} ["
    )
    assert "nan" not in table.out
    assert list((tmp_path / "pixels").glob("*.pixels"))
    index = PhotoIndex.load(world.run / "index.parquet")
    assert found["overall"]["photos"] == index.split_counts()["test"]


def test_evaluate_writes_one_page(world: World, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "report.html"
    done = leafsight("evaluate", world.photographs, "--model", world.model, "--report", page)
    assert done.code == 0
    assert f"wrote {page}" in done.err
    text = page.read_text()
    assert "<html" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert page.with_suffix(".json").exists()


def test_evaluate_a_split_that_is_not_there(world: World) -> None:
    done = leafsight("evaluate", world.run / "index.parquet", "--split", "tset", "--model", world.model, "-q")
    assert done.code == 1
    assert "tset" in done.error_lines[0]


def test_a_cache_over_its_limit_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_MAX_CACHE_BYTES", str(1024**2))
    settings = with_settings(("preprocessing.side_px=256", *SMALL[1:]))
    done = leafsight(
        "train", "simple-cnn", "--data", world.photographs, "--out", tmp_path / "run", "-q", *settings
    )
    assert done.code == 1
    assert "1,048,576" in done.error_lines[0]
