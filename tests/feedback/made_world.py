"""A champion that remembers drawn photographs, and uploads of such photographs, made in a moment.

The tiny network tells colours: red is apple scab, green healthy apple, blue tomato blight, grey no leaf.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, CLASSES, GREEN, GREY, RED, write_tiny_bundle

from leafsight.bundle import MEMORY_SPLITS, Memory, open_bundle
from leafsight.feedback import Asked, Champion, Known, Sent, known_of
from leafsight.feedback.looking import Opened, look
from leafsight.inference import BundlePredictor

COLOURS = (RED, GREEN, BLUE, GREY)
SCAB, HEALTHY, BLIGHT, NO_LEAF = CLASSES
BACKBONE = "ab" * 32
NOTHING = known_of([], None)
SPLITS = ("train", "train", "train", "train", "train", "train", "calibration", "test")


def drawn(colour: Sequence[int], seed: int, side: int = 64) -> bytes:
    """A PNG of one colour with a pattern of its own, so that looks differ as photographs do."""
    generator = np.random.default_rng([seed, *colour])
    coarse = generator.integers(-30, 31, (8, 8, 1))
    pattern = np.kron(coarse, np.ones((side // 8, side // 8, 1)))
    shade = generator.integers(-12, 13, 3)
    pixels = np.clip(
        np.asarray(colour) + shade + pattern + generator.integers(-8, 9, (side, side, 1)), 0, 255
    )
    return png(pixels.astype(np.uint8))


def png(pixels: np.ndarray) -> bytes:
    """Pixels as the bytes of a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    """The bytes of a file as pixels."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@dataclass(frozen=True)
class World:
    """A champion and its photographs.

    Attributes:
        bundle: path.
        remembered: split -> class -> photographs.
    """

    bundle: Path
    remembered: Mapping[str, Mapping[str, list[bytes]]]

    @property
    def champion(self) -> Champion:
        """Opened anew."""
        return Champion(self.bundle)

    @property
    def predictor(self) -> BundlePredictor:
        """It runs the network."""
        return BundlePredictor(self.bundle)


def make_world(folder: Path, per_class: int = 16, name: str = "champion") -> World:
    """Draw photographs, and write a bundle that remembers them."""
    blank = write_tiny_bundle(folder / f"{name}-blank.leafsight")
    remembered: dict[str, dict[str, list[bytes]]] = {split: {} for split in SPLITS}
    sent, splits, labels = [], [], []
    place = folder / f"{name}-photographs"
    place.mkdir()
    for number, class_name in enumerate(CLASSES):
        for at in range(per_class):
            data, split = drawn(COLOURS[number], 1_000_000 + 1000 * number + at), SPLITS[at % len(SPLITS)]
            remembered[split].setdefault(class_name, []).append(data)
            (place / f"{number}-{at}.png").write_bytes(data)
            sent.append(Sent(f"{number}-{at}", class_name, place / f"{number}-{at}.png"))
            splits.append(MEMORY_SPLITS.index(split))
            labels.append(number)
    opened = look(sent, BundlePredictor(blank))
    n = len(sent)
    memory = Memory(
        backbone=BACKBONE, base_classes=len(CLASSES), domain_names=("drawn",),
        embedding=opened.looked.embedding, label=np.array(labels, np.int64), split=np.array(splits, np.int64),
        group=np.arange(n, dtype=np.int64), domain=np.zeros(n, np.int64), contributed=np.zeros(n, bool),
        pixel_hash=np.array([int(one[:16], 16) for one in opened.looked.pixel_hash], np.uint64),
        look_hash=opened.looked.look[:, 0].copy(),
    )  # fmt: skip
    path = write_tiny_bundle(folder / f"{name}.leafsight", memory=memory)
    assert open_bundle(path).memory() is not None
    return World(path, remembered)


def opened(world: World, folder: Path, files: Mapping[str, bytes], **groups: str) -> Opened:
    """Photographs ``CLASS/NAME`` -> bytes, looked at."""
    folder.mkdir(exist_ok=True)
    sent = []
    for number, (name, data) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(data)
        sent.append(Sent(name, name.rpartition("/")[0], path, groups.get(name.rpartition("/")[2])))
    return look(sent, world.predictor)


def judged(
    world: World, folder: Path, files: Mapping[str, bytes], known: Known = NOTHING, **asked: object
) -> dict[str, list[str]]:
    """Name -> kinds of findings."""
    from leafsight.feedback import judge

    seen = opened(world, folder, files)
    found = judge(seen.looked, world.champion, known, Asked(**asked))  # type: ignore[arg-type]
    return {
        name: [one.kind for one in each.findings] for name, each in zip(seen.looked.name, found, strict=True)
    }
