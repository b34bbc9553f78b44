"""Drawn photographs of leaves, for demos, tests and pictures in the docs.

Enters: a seed and a few options. Leaves: pictures, or a folder of class folders with a leaf map. They are
good enough to look at and hard enough to learn from; they are no substitute for photographs, and no number
measured on them says anything about real plants.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset.synth_leaf import SHAPES, healthy_colour, lay_out
from leafsight.dataset.synth_lesions import CONDITIONS
from leafsight.dataset.synth_scene import cast_shadow, field_backdrop, lab_backdrop, photographed, placed
from leafsight.errors import DatasetError
from leafsight.progress import Progress, Silent
from leafsight.storage import os_errors_translated, write_bytes, write_text

NOT_A_LEAF = "Background_without_leaves"
LENGTH_ON_SHEET = 0.92


class SynthOptions(BaseModel):
    """What to draw.

    Every class holds ``leaves_per_class`` leaves, each photographed once to ``views_per_leaf`` times:
    photographs of one leaf belong together, and a split that tears them apart leaks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crops: tuple[str, ...] = ("Roundleaf", "Lanceleaf")
    conditions: tuple[str, ...] = ("healthy", "Leaf_spot", "Rust", "Powdery_mildew", "Blight")
    leaves_per_class: int = Field(24, ge=1, le=100_000)
    views_per_leaf: int = Field(3, ge=1, le=20)
    not_a_leaf: bool = True
    field_share: float = Field(0.5, ge=0, le=1, description="share of leaves photographed in the field")
    side_px: int = Field(192, ge=32, le=4096)
    jpeg_quality: int = Field(90, ge=30, le=100)
    seed: int = 0

    def class_names(self) -> list[str]:
        """The classes in order."""
        names = [f"{crop}___{condition}" for crop in self.crops for condition in self.conditions]
        return sorted([*names, NOT_A_LEAF] if self.not_a_leaf else names)


@dataclass(frozen=True, slots=True)
class Collection:
    """What was written."""

    folder: Path
    classes: tuple[str, ...]
    photographs: int
    leaves: int


def draw_leaf(
    crop: str, condition: str, *, seed: int, view: int = 0, field: bool = False, side_px: int = 192
) -> NDArray[np.uint8]:
    """Draw one photograph; uint8[side, side, 3].

    Args:
        crop: a key of ``SHAPES``.
        condition: a key of ``CONDITIONS``.
        seed: names the leaf; the same leaf has the same outline, veins and lesions in every view.
        view: names the photograph of that leaf.
        field: natural background and light instead of paper and lamp.
        side_px: side of the picture.

    Raises:
        DatasetError: no such crop or condition.
    """
    _require_known(crop, condition)
    leaf = _generator(seed, crop, condition, "leaf")
    camera = _generator(seed, crop, condition, f"view {view}")
    painted, inside = _painted_leaf(crop, condition, leaf, camera, side_px)
    scene = (field_backdrop if field else lab_backdrop)(camera, side_px)
    scene = cast_shadow(scene, inside, camera, camera.uniform(0.1, 0.5))
    scene = scene + inside[..., None] * (painted - scene)
    return photographed(scene.astype(np.float32), camera, field=field)


def _painted_leaf(
    crop: str, condition: str, leaf: np.random.Generator, camera: np.random.Generator, side_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    # Painted upright first, then turned: so every view shows the same lesions in the same places.
    shape, angle_rad = SHAPES[crop], float(camera.uniform(0, 2 * np.pi))
    light_rad = float(camera.uniform(0, 2 * np.pi)) - angle_rad
    blade = lay_out(
        shape, leaf, side_px, centre=(0.5, 0.5), angle_rad=0.0, length=LENGTH_ON_SHEET, light_rad=light_rad
    )
    colour = healthy_colour(shape, blade, leaf)
    colour = CONDITIONS[condition](colour, blade, leaf, float(leaf.uniform(0.15, 1.0)))
    gloss = shape.gloss * camera.uniform(0, 1) * np.clip(blade.relief - 1.02, 0, 1) * 420
    colour = colour * blade.relief[..., None] + gloss[..., None]
    scale = float(camera.uniform(0.75, 1.02))
    shift = (float(camera.uniform(-0.08, 0.08)), float(camera.uniform(-0.08, 0.08)))
    return placed(colour, blade.inside, angle_rad=angle_rad, scale=scale, shift=shift)


def draw_background(*, seed: int, side_px: int = 192) -> NDArray[np.uint8]:
    """Draw a photograph that is not of one leaf: soil, paper, distant plants; uint8[side, side, 3]."""
    rng = _generator(seed, NOT_A_LEAF, "", "scene")
    scene = lab_backdrop(rng, side_px) if rng.random() < 0.3 else field_backdrop(rng, side_px)
    return photographed(scene.astype(np.float32), rng, field=True)


def write_synthetic_collection(
    folder: Path, options: SynthOptions | None = None, *, progress: Progress | None = None
) -> Collection:
    """Write class folders of JPEG files and ``leaf_groups.csv`` (class, file, leaf).

    Files that are already there are left alone, so an interrupted call goes on where it was.

    Raises:
        DatasetError: an unknown crop or condition.
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be written.
    """
    options, progress = options or SynthOptions(), progress or Silent()
    for crop, condition in product(options.crops, options.conditions):
        _require_known(crop, condition)
    plan = _plan(options)
    progress.start("drawing photographs", len(plan))
    for shot in plan:
        path = folder / shot.class_name / shot.file_name
        with os_errors_translated(path):
            there = path.exists()
        if not there:
            write_bytes(path, _jpeg(_draw(shot, options), options.jpeg_quality))
        progress.advance()
    rows = [f"{shot.class_name},{shot.file_name},{shot.leaf}" for shot in plan]
    write_text(folder / "leaf_groups.csv", "\n".join(["class,file,leaf", *rows]) + "\n")
    leaves = len({(shot.class_name, shot.leaf) for shot in plan})
    progress.finish(f"{len(plan)} photographs of {leaves} leaves")
    return Collection(folder, tuple(options.class_names()), len(plan), leaves)


def _require_known(crop: str, condition: str) -> None:
    if crop not in SHAPES or condition not in CONDITIONS:
        raise DatasetError(
            f"cannot draw '{crop}' with '{condition}'",
            hint=f"crops: {', '.join(SHAPES)}; conditions: {', '.join(CONDITIONS)}",
        )


@dataclass(frozen=True, slots=True)
class _Shot:
    class_name: str
    leaf: int
    view: int
    field: bool

    @property
    def file_name(self) -> str:
        place = "field" if self.field else "lab"
        return f"{place}-leaf{self.leaf:04d}-view{self.view}.jpg"


def _plan(options: SynthOptions) -> Sequence[_Shot]:
    shots: list[_Shot] = []
    for class_name in options.class_names():
        rng = _generator(options.seed, class_name, "", "plan")
        for leaf in range(options.leaves_per_class):
            field = bool(rng.random() < options.field_share)
            views = int(rng.integers(1, options.views_per_leaf + 1))
            shots.extend(_Shot(class_name, leaf, view, field) for view in range(views))
    return shots


def _draw(shot: _Shot, options: SynthOptions) -> NDArray[np.uint8]:
    # One number names the leaf, so that collections of another seed share no leaf.
    seed = options.seed * 1_000_003 + shot.leaf
    if shot.class_name == NOT_A_LEAF:
        return draw_background(seed=seed * 31 + shot.view, side_px=options.side_px)
    crop, condition = shot.class_name.split("___")
    return draw_leaf(crop, condition, seed=seed, view=shot.view, field=shot.field, side_px=options.side_px)


def _generator(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join([str(seed), *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()
