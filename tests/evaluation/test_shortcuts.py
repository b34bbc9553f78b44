from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from leafsight.dataset import draw_leaf
from leafsight.errors import EvaluationError
from leafsight.evaluation import Interval, Shortcuts, ShortcutView, measure_shortcuts

CLASSES = ["apple scab", "apple healthy", "bean rust"]
Draw = Callable[..., tuple[np.ndarray, np.ndarray]]


def with_border(n: int, shades: np.ndarray, seed: int = 0, c: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A green disc, darker by class, on a border of shade ``shades[n]`` with noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % c
    rgb = generator.integers(0, 20, (n, 32, 32, 3)).astype(np.uint8) + shades[:, None, None, None].astype(
        np.uint8
    )
    down, right = np.mgrid[:32, :32]
    disc = (down - 15.5) ** 2 + (right - 15.5) ** 2 < 11**2
    rgb[:, disc] = np.array([30, 120, 30], dtype=np.uint8) + (labels * 25).astype(np.uint8)[:, None, None]
    return rgb, labels


def planted(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    shades = 60 + 40 * (np.arange(n) % 3)
    return with_border(n, shades, seed)


def absent(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return with_border(n, np.random.default_rng(seed + 50).integers(60, 200, n), seed)


def test_a_planted_shortcut_is_found() -> None:
    rgb, labels = planted()
    found = measure_shortcuts(rgb, labels, CLASSES)
    assert [view.name for view in found.views] == [
        "eight_pixels", "border", "centre_blurred", "colours", "thumbnail",
    ]  # fmt: skip
    assert found.worst.balanced_accuracy.value > 0.95
    assert found.strength == "strong"
    assert "without looking at a leaf (chance: 33 %)" in found.verdict
    assert set(found.worst.given_away) == set(CLASSES)


def test_a_planted_absence_is_not_called_a_shortcut() -> None:
    rgb, labels = absent()
    found = measure_shortcuts(rgb, labels, CLASSES)
    border = [view for view in found.views if view.without_leaf]
    assert [view.name for view in border] == ["eight_pixels", "border"]
    for view in border:
        assert view.balanced_accuracy.value == pytest.approx(1 / 3, abs=0.12)
    thumbnail = found.views[-1]
    assert thumbnail.balanced_accuracy.low > 0.6  # the leaf itself does tell
    assert found.strength == "none"
    assert found.verdict.startswith("No shortcut found")
    assert found.worst.given_away == ()


def test_leaves_as_the_generator_draws_them_with_and_without_a_shortcut() -> None:
    generator = np.random.default_rng(0)
    leaves = np.stack([draw_leaf("Roundleaf", "healthy", seed=k, side_px=32) for k in range(90)])
    labels = np.arange(90) % 2
    for by_class in (True, False):
        rgb = leaves.copy()
        dark = labels == 1 if by_class else generator.random(90) < 0.5
        rgb[:, :2] = np.where(dark, 40, 200)[:, None, None, None]
        found = measure_shortcuts(rgb, labels, ["a", "b"])
        assert (found.strength != "none") == by_class


def test_only_one_class_is_given_away() -> None:
    n = 240
    shades = np.where(np.arange(n) % 3 == 2, 200, 80)
    rgb, labels = with_border(n, shades)
    found = measure_shortcuts(rgb, labels, CLASSES)
    assert found.worst.given_away == ("bean rust",)
    assert found.worst.recall["bean rust"].value > 0.95
    assert "bean rust 100 %" in "\n".join(found.lines())


def test_the_model_on_the_whole_picture_is_compared() -> None:
    rgb, labels = planted()
    features = np.random.default_rng(0).normal(size=(240, 12)).astype(np.float32)
    features[np.arange(240), labels] += 9
    found = measure_shortcuts(rgb, labels, CLASSES, features=features)
    assert found.views[-1].name == "whole_picture"
    assert found.views[-1].accuracy.value > 0.98
    assert "The model on the whole picture reaches" in found.verdict


def test_groups_stay_together_and_widen_the_interval() -> None:
    # Each leaf has a border of its own, alike in all its photographs: known leaves would be recognised.
    generator = np.random.default_rng(3)
    leaves = np.arange(240) // 6
    labels = (np.arange(240) // 6) % 3
    rgb = generator.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)[leaves]
    apart = measure_shortcuts(rgb, labels, CLASSES, groups=[f"leaf {leaf}" for leaf in leaves])
    mixed = measure_shortcuts(rgb, labels, CLASSES)
    assert mixed.worst.balanced_accuracy.value > 0.95
    assert apart.worst.balanced_accuracy.value < 0.65
    assert apart.groups == 40
    width = apart.views[0].balanced_accuracy.high - apart.views[0].balanced_accuracy.low
    assert width > 0.15


def test_unequal_classes_are_judged_twice() -> None:
    # 10 % rare, the border half gives them away: accuracy alone hides it.
    n = 400
    labels = (np.arange(n) % 10 == 0).astype(np.int64)
    shades = np.where(np.random.default_rng(0).random(n) < 0.8, labels, 1 - labels) * 30 + 90
    rgb, _ = with_border(n, shades)
    found = measure_shortcuts(rgb, labels, ["common", "rare"])
    assert found.majority_share == pytest.approx(0.9)
    assert found.chance == 0.5
    assert found.worst.accuracy.value == pytest.approx(0.9, abs=0.02)
    assert found.worst.balanced_accuracy.value == pytest.approx(0.8, abs=0.1)
    assert found.strength in {"clear", "strong"}


def test_classes_that_cannot_be_measured_are_named() -> None:
    rgb, labels = planted(90)
    groups: list[str | None] = [None] * 90
    for row in np.flatnonzero(labels == 1):
        groups[row] = "one leaf"
    found = measure_shortcuts(rgb, labels, CLASSES, groups=groups)
    assert found.left_out == ("apple healthy",)
    assert found.classes == ("apple scab", "bean rust")
    assert found.photos == 60
    assert "fewer than two independent groups: apple healthy" in "\n".join(found.lines())


def test_more_photographs_than_wanted_are_drawn_from() -> None:
    rgb, labels = planted(300)
    found = measure_shortcuts(rgb, labels, CLASSES, most_photos=150)
    assert (found.photos, found.all_photos) == (150, 300)
    assert "measured on 150 of 300 photographs" in "\n".join(found.lines())


def test_the_same_seed_gives_the_same_record() -> None:
    rgb, labels = absent(120)
    one, again = (measure_shortcuts(rgb, labels, CLASSES, seed=5).to_dict() for _ in range(2))
    assert one == again


def test_the_record_is_json_and_the_table_is_aligned() -> None:
    rgb, labels = planted(90)
    found = measure_shortcuts(rgb, labels, CLASSES)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["verdict"] == found.verdict
    assert plain["views"][0]["recall"]["bean rust"].keys() == {"value", "low", "high"}
    table = found.lines()[:7]
    assert len({len(line) for line in table}) == 1


def record(value: float, low: float, chance: float = 0.05, green: float = 0.0) -> Shortcuts:
    interval = Interval(value, low, value + (value - low))
    view = ShortcutView("border", "the border", True, interval, interval, {"a": interval}, ())
    return Shortcuts((view,), ("a",), (), 100, 100, 100, 0.06, chance, green)


@pytest.mark.parametrize(
    ("value", "low", "strength"),
    [(0.05, 0.03, "none"), (0.2, 0.04, "none"), (0.08, 0.06, "none"), (0.15, 0.1, "weak"),
     (0.35, 0.3, "clear"), (0.49, 0.45, "strong")],
)  # fmt: skip
def test_the_words_follow_the_numbers(value: float, low: float, strength: str) -> None:
    assert record(value, low).strength == strength


def test_the_verdict_is_a_plain_sentence() -> None:
    assert record(0.49, 0.47).verdict == (
        "A model can reach 49 % here from the border alone, without looking at a leaf (chance: 5 %): "
        "a strong shortcut."
    )
    assert "60 % of the border is green" in record(0.49, 0.47, green=0.6).verdict


def test_many_classes_stay_readable() -> None:
    found = record(0.9, 0.8)
    names = tuple(f"class {k}" for k in range(200))
    sure = Interval(0.9, 0.8, 0.95)
    view = ShortcutView("border", "the border", True, sure, sure, dict.fromkeys(names, sure), names)
    lines = Shortcuts((view,), names, names, 100, 100, 100, 0.06, found.chance, 0.0).lines()
    assert all(len(line) < 200 for line in lines)
    assert any("and 195 more" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": np.zeros(0, np.int64), "rgb": np.zeros((0, 32, 32, 3), np.uint8)}, "no photographs"),
        ({"labels": np.arange(60) % 2}, "60 labels"),
        ({"rgb": np.zeros((90, 16, 16, 3), np.uint8)}, "32 by 32"),
        ({"labels": np.arange(90) % 4}, "3 classes"),
        ({"classes": ["a", "a", "b"]}, "same name"),
        ({"folds": 2}, "2 folds"),
        ({"features": np.zeros((9, 3), np.float32)}, "9 rows of features"),
        ({"features": np.full((90, 3), np.nan, np.float32)}, "NaN"),
        ({"labels": np.zeros(90, dtype=np.int64)}, "two classes are the least"),
        ({"groups": ["a", "b", "b"] * 30}, "two classes are the least"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_says_why(change: dict, says: str) -> None:
    rgb, labels = planted(90)
    given = {"rgb": rgb, "labels": labels, "classes": CLASSES} | change
    with pytest.raises(EvaluationError, match=says):
        measure_shortcuts(given.pop("rgb"), given.pop("labels"), given.pop("classes"), **given)


@pytest.mark.slow
def test_eight_pixels_of_plantvillage() -> None:
    from pathlib import Path

    from PIL import Image

    folder = Path(__file__).resolve().parents[2] / "data" / "plantvillage"
    if not folder.is_dir():
        pytest.skip("data/plantvillage is not here")
    paths = [path for one in sorted(folder.iterdir()) if one.is_dir() for path in sorted(one.iterdir())[::4]]
    names = sorted({path.parent.name for path in paths})
    rgb = np.stack(
        [np.asarray(Image.open(path).convert("RGB").resize((32, 32), Image.Resampling.BOX)) for path in paths]
    )
    labels = np.array([names.index(path.parent.name) for path in paths])
    found = measure_shortcuts(rgb, labels, names)
    assert found.strength in {"clear", "strong"}
    assert found.views[0].balanced_accuracy.low > 0.3  # chance: 0.03
