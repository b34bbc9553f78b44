from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

import pytest

from leafsight.dataset.fetching import Collection, catalogue, collection_named
from leafsight.errors import ConfigError, StorageError, UsageError

ONE = """
[[collection]]
name = "mine"
title = "Mine"
[collection.licence]
name = "none"
address = "here"
[[collection.files]]
name = "a.zip"
urls = ["https://example.org/a.zip"]
"""


def test_what_the_issue_asks_for_is_there() -> None:
    names = {one.name for one in catalogue()}
    assert names >= {"plantvillage", "plantdoc", "cifar-10", "tf-flowers", "ibean", "new-plant-diseases"}
    assert (
        collection_named("plantvillage-activeloop").hub == "hub://activeloop/plantvillage-with-augmentation"
    )


@pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.name)
def test_every_record_is_complete(one: Collection) -> None:
    assert one.what
    assert one.classes
    assert one.photographs
    assert one.homepage.startswith("https://")
    assert one.licence.notice
    for file in one.files:
        assert urllib.parse.urlsplit(file.urls[0]).scheme == "https"
        # Who states a hash is said; where nobody does, none is made up.
        assert bool(file.sha256) == bool(file.checksum_source)
        if not file.sha256:
            assert all(url.startswith("https:") for url in file.urls)


KEPT = {
    ("plantvillage", "raw/color/Apple___healthy/a.JPG"): "Apple___healthy/a.JPG",
    ("plantvillage", "raw/segmented/Apple___healthy/a.JPG"): None,
    ("plantdoc", "PlantDoc-Dataset-5467f60/train/Apple leaf/a.jpg"): "train/Apple leaf/a.jpg",
    ("plantdoc", "PlantDoc-Dataset-5467f60/PlantDoc_Examples.png"): None,
    ("cifar-10", "cifar-10-batches-bin/test_batch.bin"): "test_batch.bin",
    ("cifar-10", "cifar-10-batches-bin/readme.html"): None,
    ("tf-flowers", "flower_photos/LICENSE.txt"): "LICENSE.txt",
    ("ibean", "train/bean_rust/b.jpg"): "train/bean_rust/b.jpg",
    (
        "new-plant-diseases",
        "New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)/train/a/1.jpg",
    ): "train/a/1.jpg",
    (
        "new-plant-diseases",
        "new plant diseases dataset(augmented)/New Plant Diseases Dataset(Augmented)/valid/a/1.jpg",
    ): "valid/a/1.jpg",
    ("new-plant-diseases", "test/test/1.jpg"): None,
}


@pytest.mark.parametrize(("name", "member"), KEPT)
def test_what_is_kept_of_an_archive(name: str, member: str) -> None:
    match = re.fullmatch(collection_named(name).files[0].keep, member)
    assert (match[1] if match else None) == KEPT[name, member]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no collection") as caught:
        collection_named("plantvilage")
    assert "plantvillage" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        collection_named("zzz")
    assert "cifar-10" in caught.value.hint


def test_a_catalogue_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(ONE)
    assert [one.name for one in catalogue(path)] == ["mine"]
    with pytest.raises(UsageError, match="plantdoc"):
        collection_named("plantdoc", path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[", "valid TOML"),
        (ONE + ONE, "two collections"),
        (ONE.replace('"mine"', '"../mine"'), "name"),
        (ONE.replace('"a.zip"', '"../a.zip"'), "name"),
        (ONE + 'keep = "("', "regular expression"),
        (ONE + 'keep = "x"', "one group"),
        (ONE + 'sha256 = "abc"', "sha256"),
        (ONE + 'adress = "x"', "unknown key"),
        (ONE + '[[collection.files]]\nname = "A.ZIP"\nurls = ["x"]', "different names"),
        (ONE.replace('title = "Mine"', 'title = "Mine"\nhub = "hub://a/b"'), "either files"),
        ('[[collection]]\nname="n"\ntitle="t"\nlicence={name="l",address="a"}', "either files"),
    ],
)
def test_faults_of_a_catalogue(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        catalogue(tmp_path / "c.toml")


def test_a_catalogue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"c\.toml"):
        catalogue(tmp_path / "c.toml")
