"""A person has class folders, or a list, or an archive, and wants a model of their own."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from tests.journeys.small_world import World, leafsight, with_settings

from leafsight.dataset import PhotoIndex

CLASSES = {"Roundleaf___healthy": "Blätter gesund", "Roundleaf___Rust": "лист ржавчина"}


def test_check_split_train_predict(world: World, tmp_path: Path) -> None:
    """Each verb takes what the one before it made."""
    index = tmp_path / "split.parquet"
    assert leafsight("check", world.photographs, "--index", tmp_path / "index.parquet", "-q").code == 0
    ratios = "train=0.5,valid=0.15,calibration=0.2,test=0.15"
    assert leafsight("split", world.photographs, "--out", index, "--ratios", ratios, "-q").code == 0
    trained = leafsight(
        "train", "simple-cnn", "--data", index, "--out", tmp_path / "run", "--json", "-q", *with_settings()
    )
    assert trained.code == 0, trained.err
    model = Path(trained.json["model"])
    assert PhotoIndex.load(tmp_path / "run" / "index.parquet").split_counts() == (
        PhotoIndex.load(index).split_counts()
    )
    answers = leafsight("predict", world.photographs, "--model", model, "--json").json
    assert len(answers) == len(PhotoIndex.load(index))
    assert Path(trained.json["report"]).read_text().count("data:image") > 0


def test_an_archive_with_class_names_in_any_script(world: World, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        for name, mine in CLASSES.items():
            archive.add(world.photographs / name, f"photos/{mine}")
    done = leafsight(
        "train", "simple-cnn", "--data", tmp_path / "photos.tar", "--out", tmp_path / "run", "-q",
        "--no-export", *with_settings(),
    )  # fmt: skip
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["data"]["classes"] == sorted(CLASSES.values())


def test_the_split_of_a_run_keeps_leaves_whole(world: World) -> None:
    index = PhotoIndex.load(world.run / "index.parquet")
    leaves = zip(index.column("class_name"), index.column("path"), index.column("split"), strict=True)
    places = {(name, path.rsplit("-view", 1)[0], split) for name, path, split in leaves}
    assert len(places) == len({place[:2] for place in places})
