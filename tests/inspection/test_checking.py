"""The whole check on drawn leaves with planted faults: every plant is found and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset import (
    Embedder,
    Embeddings,
    Sketches,
    SynthOptions,
    index_photos,
    write_synthetic_collection,
)
from leafsight.inspection import CheckOptions, Looked, check_collection, checking, relatives
from leafsight.inspection.copies import FoundPair


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two splits of drawn leaves, no leaf in both."""
    root = tmp_path_factory.mktemp("drawn")
    drawn = write_synthetic_collection(
        root / "all", SynthOptions(leaves_per_class=12, side_px=96, views_per_leaf=1)
    )
    for number, file in enumerate(sorted(drawn.folder.rglob("*.jpg"))):
        split = "train" if number % 3 else "valid"
        place = root / "split" / split / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return root / "split"


def looked(root: Path, place: Path, embed: bool = False) -> Looked:
    sketches = Sketches(place / f"{root.name}.sketches")
    embeddings = None
    if embed:
        # What separates drawn classes: mean colours of a coarse grid.
        def square(rgb: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(rgb).resize((8, 8), Image.Resampling.BOX))

        network = Embedder("grid", 192, square, lambda x: x.reshape(len(x), -1).astype(np.float32) / 255)
        embeddings = Embeddings(place / f"{root.name}.embeddings", network)
    return Looked(index_photos(root, sketches=sketches, embeddings=embeddings), sketches, embeddings)


@pytest.fixture
def spoilt(leaves: Path, tmp_path: Path) -> Path:
    root = tmp_path / "spoilt"
    shutil.copytree(leaves, root)
    return root


def some(root: Path, split: str, number: int) -> Path:
    """A leaf; drawn backgrounds hold next to no detail to compare."""
    return [file for file in sorted((root / split).rglob("*.jpg")) if "Background" not in file.parent.name][
        number
    ]


def by_kind(health):
    return {finding.kind: finding for finding in health.findings}


NO_SHORTCUTS = CheckOptions(shortcuts=False)


def test_clean_leaves_leak_nothing(leaves: Path, tmp_path: Path):
    found = by_kind(check_collection(looked(leaves, tmp_path), options=NO_SHORTCUTS))
    assert not {"leak", "copies", "two-labels", "same-leaf-leak"} & set(found)


def test_planted_copies_leak_in_their_true_number(spoilt: Path, tmp_path: Path):
    plants = {
        "copy.jpg": lambda image: image,
        "mirror.jpg": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "turned.jpg": lambda image: image.transpose(Image.Transpose.ROTATE_90),
        "small.jpg": lambda image: image.resize((70, 70)),
        "grey.jpg": lambda image: image.convert("L"),
    }
    for number, (name, change) in enumerate(plants.items()):
        original = some(spoilt, "train", 3 * number)
        copy = spoilt / "valid" / original.parent.name / name
        change(Image.open(original)).save(copy, quality=90)
    before = len(list((spoilt / "valid").rglob("*.jpg")))
    health = check_collection(looked(spoilt, tmp_path), options=NO_SHORTCUTS)
    leak = by_kind(health)["leak"]
    assert (leak.count, leak.of, leak.weight) == (len(plants), before, "mend")
    names = health.names()
    assert {names[case.rows[0]].rsplit("/", 1)[1] for case in leak.cases} == set(plants)
    assert not health.is_clean


def test_one_picture_under_two_labels(spoilt: Path, tmp_path: Path):
    original = some(spoilt, "train", 0)
    other = next(folder for folder in sorted((spoilt / "train").iterdir()) if folder != original.parent)
    Image.open(original).save(other / "again.jpg", quality=80)
    found = by_kind(check_collection(looked(spoilt, tmp_path), options=NO_SHORTCUTS))
    assert found["two-labels"].count == 2
    assert found["copies"].count == 1
    assert "leak" not in found


def test_an_equal_file_leaks_by_what_its_twin_was_compared_with(spoilt: Path, tmp_path: Path):
    """A in valid twice, mirrored into train: both copies in valid leak, though only one was compared."""
    original = some(spoilt, "valid", 0)
    shutil.copy(original, original.with_name("twin.jpg"))
    place = spoilt / "train" / original.parent.name / "mirror.jpg"
    Image.open(original).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(place, quality=92)
    leak = by_kind(check_collection(looked(spoilt, tmp_path), options=NO_SHORTCUTS))["leak"]
    assert leak.count == 2


def test_against_another_collection(leaves: Path, spoilt: Path, tmp_path: Path):
    other = tmp_path / "other"
    for number in range(0, 9, 3):
        original = some(spoilt, "train", number)
        place = other / original.parent.name / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(original).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(place, quality=85)
    health = check_collection(
        looked(other, tmp_path), against=looked(leaves, tmp_path), against_name="split", options=NO_SHORTCUTS
    )
    found = by_kind(health)["elsewhere"]
    assert (found.count, found.of) == (3, 3)
    assert all(case.elsewhere[0].startswith("train/") for case in found.cases)


def test_without_a_network_it_says_what_it_did_not_look_at(leaves: Path, tmp_path: Path):
    health = check_collection(looked(leaves, tmp_path), options=NO_SHORTCUTS)
    assert any("no network was asked" in line for line in health.not_looked)
    assert "labels" not in health.facts


def test_with_embeddings_swapped_labels_come_first(tmp_path: Path):
    root, rng = tmp_path / "coloured", np.random.default_rng(0)
    colours = {"red": (200, 60, 50), "green": (60, 190, 70), "blue": (50, 70, 200)}
    for name, colour in colours.items():
        (root / name).mkdir(parents=True)
        for number in range(14):
            blotches = rng.normal(0, 40, (9, 9, 3)) + colour
            picture = Image.fromarray(np.clip(blotches, 0, 255).astype(np.uint8))
            picture.resize((90, 90), Image.Resampling.BICUBIC).save(root / name / f"{number}.png")
    shutil.move(root / "red" / "3.png", root / "blue" / "swapped.png")
    health = check_collection(looked(root, tmp_path, embed=True), options=NO_SHORTCUTS)
    assert health.facts["labels"]["agreement"] > 0.9
    cases = by_kind(health)["suspicious-labels"].cases
    assert [health.names()[case.rows[0]] for case in cases[:1]] == ["coloured/blue/swapped.png"]
    assert cases[0].text == "labelled blue, looks like red"


def test_shortcuts_are_measured_and_shown(leaves: Path, tmp_path: Path):
    health = check_collection(looked(leaves, tmp_path))
    assert health.facts["shortcuts"]["shown"]["views"]
    finding = next(one for one in health.findings if one.part == "shortcuts")
    assert finding.per_class == {}  # it is about the collection, not about photographs of a class
    assert finding.sentence == health.facts["shortcuts"]["verdict"]


def test_a_collection_too_small_to_measure_is_no_error(tmp_path: Path, made):
    root = tmp_path / "two"
    for name, level in (("a", 60), ("b", 190)):
        (root / name).mkdir(parents=True)
        Image.fromarray(np.full((70, 70, 3), level, np.uint8)).save(root / name / "x.png")
    health = check_collection(looked(root, tmp_path))
    assert any(line.startswith("shortcuts: ") for line in health.not_looked)
    assert by_kind(health)["small-classes"].count == 2


def test_the_same_check_twice_is_the_same(leaves: Path, tmp_path: Path):
    (tmp_path / "2").mkdir()
    first = check_collection(looked(leaves, tmp_path)).to_dict()
    assert first == check_collection(looked(leaves, tmp_path / "2")).to_dict()


@pytest.mark.parametrize(("green", "weight"), [(False, "mend"), (True, "look")])
def test_a_strong_shortcut_must_be_mended_unless_it_may_be_the_leaf(tmp_path: Path, green: bool, weight: str):
    """Classes differ in the colour of their border; green borders may be leaves that fill the picture."""
    root, rng = tmp_path / "borders", np.random.default_rng(0)
    colours = {"a": (40, 150, 50), "b": (90, 190, 60)} if green else {"a": (190, 60, 50), "b": (60, 70, 190)}
    for name, colour in colours.items():
        (root / name).mkdir(parents=True)
        for number in range(25):
            picture = np.clip(rng.normal(0, 8, (80, 80, 3)) + colour, 0, 255)
            picture[16:64, 16:64] = rng.integers(0, 256, (6, 6, 3)).repeat(8, axis=0).repeat(8, axis=1)
            Image.fromarray(picture.astype(np.uint8)).save(root / name / f"{number}.png")
    health = check_collection(looked(root, tmp_path))
    finding = by_kind(health)["shortcut"]
    assert (finding.weight, health.facts["shortcuts"]["strength"]) == (weight, "strong")
    assert health.is_clean == green


def test_large_collections_are_drawn_from_and_say_so(
    leaves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in (checking, relatives):
        monkeypatch.setattr(module, "MOST_EMBEDDED", 50)
    monkeypatch.setattr(checking, "SHORTCUT_PHOTOS", 60)
    health = check_collection(looked(leaves, tmp_path, embed=True))
    assert health.facts["shortcuts"]["photos"] <= 60
    assert health.facts["shortcuts"]["all_photos"] == health.usable
    assert "labels" not in health.facts
    assert any(line.startswith("labels: ") for line in health.not_looked)
    assert any(line.startswith("leaves photographed several times: ") for line in health.not_looked)


def test_a_leaf_leaks_by_its_group_and_is_no_copy_as_well(leaves: Path, tmp_path: Path, monkeypatch):
    at = looked(leaves, tmp_path)
    splits = at.index.column("split")
    seen, judged = splits.index("train"), splits.index("valid")

    def leaks(copies: relatives.Relatives, shots: relatives.Relatives) -> dict[str, int]:
        monkeypatch.setattr(checking, "find_copies", lambda *_: copies)
        monkeypatch.setattr(checking, "find_leaves", lambda *_: shots)
        found = by_kind(check_collection(at, options=NO_SHORTCUTS))
        return {kind: found[kind].count for kind in ("leak", "same-leaf-leak") if kind in found}

    nothing = relatives.Relatives()
    pair, group = (FoundPair(seen, judged, "same_leaf", 0.9),), ((seen, judged),)
    copy = (FoundPair(seen, judged, "near", 0.9),)
    assert leaks(nothing, relatives.Relatives(pair, ())) == {}
    assert leaks(nothing, relatives.Relatives(pair, group)) == {"same-leaf-leak": 1}
    assert leaks(relatives.Relatives(copy, group), relatives.Relatives(pair, group)) == {"leak": 1}
