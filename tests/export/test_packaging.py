from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.journeys.small_world import World, draw, leafsight

from leafsight.bundle import companion_of, open_bundle
from leafsight.dataset import PhotoIndex, PixelCache
from leafsight.errors import ExportError
from leafsight.evaluation import collect_scores
from leafsight.export import PackagingOptions, package_run, with_memory
from leafsight.export.card import model_card
from leafsight.export.stress import stressed_copies
from leafsight.inference import BundlePredictor
from leafsight.training import Recipe, load_run

FP32 = PackagingOptions.model_validate({"export": {"precision": "fp32"}, "name": "tiny"})


def test_the_numbers_in_the_file_are_those_of_the_graph_in_the_file(world: World, tmp_path: Path) -> None:
    run, index = load_run(world.run), PhotoIndex.load(world.run / "index.parquet")
    package = package_run(run, index, tmp_path / "m.leafsight", cache_folder=tmp_path / "exam", options=FP32)
    predictor = BundlePredictor(package.path)
    test = index.where(split="test").usable()
    cache = PixelCache.build(test, tmp_path / "again", predictor.preprocessing)
    scores = collect_scores(predictor.scores, cache.images)
    right = scores.logits.argmax(axis=1) == test.labels_for(predictor.bundle.classes)
    stored = predictor.bundle.metrics["test"]["overall"]["metrics"]["accuracy"]["value"]
    assert stored == pytest.approx(float(right.mean()))
    assert package.evaluation.overall.photos == len(test)
    assert len(package.test_images) == len(package.test_rows) == len(test)


def test_the_card_begins_with_the_limits_and_names_what_is_abroad(world: World, tmp_path: Path) -> None:
    run, index = load_run(world.run), PhotoIndex.load(world.run / "index.parquet")
    options = FP32.model_copy(update={"card_notes": "Only for drawn leaves.", "stress_copies": 0})
    package = package_run(
        run,
        index,
        tmp_path / "m.leafsight",
        cache_folder=tmp_path / "exam",
        abroad={"elsewhere": index.where(split="train")},
        options=options,
    )
    bundle = open_bundle(package.path)
    card = bundle.card
    assert card.index("## Limits") < card.index("Only for drawn leaves.") < card.index("## Judged on")
    assert "from elsewhere (elsewhere) its first guess is right for" in card
    assert "| abroad: elsewhere |" in card
    assert bundle.metrics["abroad"]["elsewhere"]["overall"]["photos"] == len(
        index.where(split="train").usable()
    )


def test_the_card_says_the_notice_of_the_recipe_first_and_what_the_network_sees(
    world: World, tmp_path: Path
) -> None:
    run, index = load_run(world.run), PhotoIndex.load(world.run / "index.parquet")
    options = FP32.model_copy(update={"stress_copies": 0})
    package = package_run(
        run, index, tmp_path / "m.leafsight", cache_folder=tmp_path / "exam", options=options
    )
    plain = model_card(run, package.evaluation, package.exported, notes="Drawn leaves.")
    assert "instead of the photograph" not in plain
    assert plain.split("## Limits")[1].lstrip().startswith("Drawn leaves.")
    values = run.recipe.model_dump()
    values["recipe"]["notice"] = "No medical device."
    values["model"]["morphology"] = {"operation": "white_top_hat", "size_px": 5, "shape": "disc"}
    noticed = replace(run, recipe=Recipe.model_validate(values))
    card = model_card(noticed, package.evaluation, package.exported, notes="Drawn leaves.")
    assert card.split("## Limits")[1].lstrip().startswith("**No medical device.**\n\nDrawn leaves.")
    assert "it sees the white top hat by a disc of 5 px instead of the photograph" in card
    assert "- start: random weights\n" in plain
    known = {**run.record, "start": {"file": "imagenet.safetensors", "sha256": "ab" * 32}}
    card = model_card(replace(run, record=known), package.evaluation, package.exported)
    assert f"- start: the weights `imagenet.safetensors` (SHA-256 {'ab' * 32})\n" in card
    unsaid = {name: value for name, value in run.record.items() if name != "start"}
    assert "- start:" not in model_card(replace(run, record=unsaid), package.evaluation, package.exported)


def test_it_remembers_the_locked_test_whole_and_a_share_of_every_class(world: World, tmp_path: Path) -> None:
    run, index = load_run(world.run), PhotoIndex.load(world.run / "index.parquet")
    path = tmp_path / "m.leafsight"
    options = FP32.model_copy(update={"memory_photos": 12, "memory_beside": True})
    package_run(run, index, path, cache_folder=tmp_path / "exam", options=options)
    bundle = open_bundle(path)
    memory, head = bundle.memory(), bundle.cam_head()
    assert memory is not None
    assert head is not None
    test = index.where(split="test").usable()
    rows = memory.rows("test")
    # The same photographs as the test split, by their pixels, with the labels of the index.
    hashes = [int(one[:16], 16) for one in test.column("pixel_hash")]
    assert sorted(memory.pixel_hash[rows].tolist()) == sorted(hashes)
    own = dict(zip(hashes, test.labels_for(bundle.classes).tolist(), strict=True))
    assert [own[int(one)] for one in memory.pixel_hash[rows]] == memory.label[rows].tolist()
    right = (memory.embedding[rows] @ head[0].T + head[1]).argmax(axis=1) == memory.label[rows]
    published = bundle.metrics["test"]["overall"]["metrics"]["accuracy"]["value"]
    assert abs(right.mean() - published) <= 1 / len(rows)
    train = memory.label[memory.rows("train")]
    assert len(train) <= 12
    assert set(train.tolist()) == set(range(len(bundle.classes)))
    assert (memory.pixel_hash[memory.rows("stressed")] == 0).all()
    assert not (path.parent / "m.leafsight").read_bytes().count(b"memory/codes.npy")
    # A bundle that was exported without one gets the same memory from the same photographs.
    beside = companion_of(path)
    beside.unlink()
    again = with_memory(open_bundle(path), index, cache_folder=tmp_path / "exam", memory_photos=12).memory
    assert again is not None
    same = again.rows("test")
    np.testing.assert_array_equal(again.pixel_hash[same], memory.pixel_hash[rows])
    np.testing.assert_allclose(again.embedding[same], memory.embedding[rows], atol=0.05)
    other = index.where(split="test")
    with pytest.raises(ExportError, match="not the split"):
        with_memory(open_bundle(path), other, cache_folder=tmp_path / "exam")


def test_a_missing_split_is_named(world: World, tmp_path: Path) -> None:
    index = PhotoIndex.load(world.run / "index.parquet")
    splits = ["train" if split == "calibration" else split for split in index.column("split")]
    with pytest.raises(ExportError, match="no photographs in split calibration"):
        package_run(
            load_run(world.run),
            index.with_column("split", splits),
            tmp_path / "m.leafsight",
            cache_folder=tmp_path / "exam",
            options=FP32,
        )


def test_the_mirror_image_and_the_rounds_of_stress_reach_the_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, index = load_run(world.run), PhotoIndex.load(world.run / "index.parquet")
    rounds = []

    def watched(*images: np.ndarray, **options: Any) -> np.ndarray:
        rounds.append(options["rounds"])
        return stressed_copies(*images, **options)

    monkeypatch.setattr("leafsight.export.packaging.stressed_copies", watched)
    values = {"export": {"precision": "fp32", "mirrored": True}, "stress_rounds": 2, "name": "both"}
    options = PackagingOptions.model_validate(values)
    package = package_run(
        run, index, tmp_path / "m.leafsight", cache_folder=tmp_path / "exam", options=options
    )
    assert rounds == [2]
    assert "mean of the photograph and its mirror image" in open_bundle(package.path).card
    predictor = BundlePredictor(package.path)
    turned = np.ascontiguousarray(package.test_images[:, :, ::-1])
    # Who looks at both sides says the same of a photograph and of its mirror image.
    one, other = (collect_scores(predictor.scores, images) for images in (package.test_images, turned))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-6)
    plain = BundlePredictor(world.model)
    one, other = (collect_scores(plain.scores, images) for images in (package.test_images, turned))
    assert np.abs(one.logits - other.logits).max() > 1e-3  # of a tiny network's logits of 0.05


def test_the_command_takes_options_of_packaging_and_collections_from_elsewhere(
    world: World, tmp_path: Path
) -> None:
    elsewhere = draw(tmp_path / "elsewhere", seed=5, leaves=2)
    said = leafsight(
        "export", world.run, "--out", tmp_path / "m.leafsight", "--precision", "fp32", "--abroad", elsewhere,
        "--set", "calibration.alpha=0.2", "--set", "stress_copies=0", "--weights", "--json", "-q",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert 0 <= said.json["abroad"]["elsewhere"]["accuracy"]["value"] <= 1
    bundle = open_bundle(tmp_path / "m.leafsight")
    assert bundle.calibration["alpha"] == 0.2
    assert bundle.weights() is not None


def test_a_wrong_option_of_packaging_is_a_configuration_fault(world: World) -> None:
    said = leafsight("export", world.run, "--set", "calibration.alfa=0.2")
    assert said.code == 2
    assert "did you mean 'alpha'" in said.err
    assert leafsight("export", world.run, "--set", "alpha").code == 2


def test_stressed_copies_differ_and_are_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (3, 48, 48, 3), dtype=np.uint8)
    labels = np.asarray([0, 1, 1])
    first = stressed_copies(images, labels, not_a_leaf=(), copies=2, side_px=32)
    again = stressed_copies(images, labels, not_a_leaf=(), copies=2, side_px=32)
    assert first.shape == (6, 32, 32, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[:3].astype(int) - first[3:]).mean() > 1


def test_a_second_round_of_stress_is_harder() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (24, 4, 4, 3), dtype=np.uint8)
    images = np.ascontiguousarray(coarse.repeat(10, axis=1).repeat(10, axis=2))
    labels = np.arange(24) % 3

    def likeness(rounds: int) -> float:
        """Mean correlation with the untouched photographs."""
        found = stressed_copies(images, labels, not_a_leaf=(), copies=4, side_px=40, rounds=rounds)
        pairs = zip(found, np.concatenate([images] * 4), strict=True)
        return float(np.mean([np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in pairs]))

    assert likeness(2) < likeness(1) < 1.0
