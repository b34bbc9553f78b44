"""How many planted copies of the locked test are found in an upload, and how many false alarms there are.

    python benchmarks/planted_copies.py --data data --photographs 250

Copies of photographs of the built-in model's locked test are planted: encoded again, scaled, mirrored,
turned, cropped, made brighter or warmer. False alarms are counted on photographs of the same collections that
the model does not remember (other leaves, some of the same plants), and on crops that it does not know.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from leafsight.bundle import builtin_bundle_path
from leafsight.feedback import Champion, Sent, known_of
from leafsight.feedback.looking import look, sketched
from leafsight.feedback.twins import find_twins
from leafsight.images import DecodeLimits, decode, read_header
from leafsight.inference import BundlePredictor

HOME = ("plantvillage", "citrus-leaf", "field-bean", "field-blackgram", "field-chilli")
ABROAD = ("field-rice", "field-apple", "flowers")
Change = Callable[[Image.Image], Image.Image]


def cropped(side: float, right: float, down: float) -> Change:
    """Cut to a share of each side; where from."""

    def cut(picture: Image.Image) -> Image.Image:
        width, height = int(picture.width * side), int(picture.height * side)
        left, top = int((picture.width - width) * right), int((picture.height - height) * down)
        return picture.crop((left, top, left + width, top + height))

    return cut


def warmer(picture: Image.Image) -> Image.Image:
    """More red, less blue."""
    factors = np.array([1.1, 1.0, 0.85])
    return Image.fromarray(np.clip(np.asarray(picture) * factors, 0, 255).astype(np.uint8))


MIRROR, QUARTER, HALF = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180
CHANGES: dict[str, Change] = {
    "JPEG of quality 60": lambda one: one,
    "half as large": lambda one: one.resize((one.width // 2, one.height // 2), Image.Resampling.LANCZOS),
    "mirrored": lambda one: one.transpose(MIRROR),
    "turned by 90 degrees": lambda one: one.transpose(QUARTER),
    "turned by 180 degrees": lambda one: one.transpose(HALF),
    "turned by 5 degrees": lambda one: one.rotate(5, Image.Resampling.BICUBIC),
    "20 % brighter": lambda one: ImageEnhance.Brightness(one).enhance(1.2),
    "warmer": warmer,
    "cropped to 95 %": cropped(0.95, 0, 0),
    "cropped to 90 %": cropped(0.9, 0.5, 0.5),
    "cropped to 85 %, mirrored": lambda one: cropped(0.85, 1, 0)(one).transpose(MIRROR),
    "cropped to 80 %": cropped(0.8, 0.3, 0.7),
    "cropped to 70 %": cropped(0.7, 0.5, 0.5),
}


def main() -> None:
    """Plant, search, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--photographs", type=int, default=250)
    parser.add_argument("--others", type=int, default=400, help="of each collection, for false alarms")
    given = parser.parse_args()
    predictor = BundlePredictor(builtin_bundle_path())
    champion, generator = Champion(predictor.bundle), np.random.default_rng(0)
    tested, others = sorted_by_memory(given.data, champion)
    chosen = [tested[at] for at in sorted(generator.permutation(len(tested))[: given.photographs])]
    print("| planted copy | found |\n|---|---|")
    print(f"| the same file | {found(chosen, lambda data: data, predictor, champion):.1%} |")
    for name, change in CHANGES.items():
        quality = 60 if "60" in name else 90

        def changed(data: bytes, change: Change = change, quality: int = quality) -> bytes:
            out = io.BytesIO()
            change(Image.fromarray(decode(data))).save(out, "JPEG", quality=quality)
            return out.getvalue()

        print(f"| {name} | {found(chosen, changed, predictor, champion):.1%} |", flush=True)
    print("\n| not in the locked test | photographs | taken for a copy |\n|---|---|---|")
    for name in (*HOME, *ABROAD):
        files = others[name] if name in others else photographs_in(given.data / name)
        some = [files[at] for at in sorted(generator.permutation(len(files))[: given.others])]
        share = found(some, lambda data: data, predictor, champion)
        print(f"| {name} | {len(some)} | {share:.1%} |", flush=True)


def photographs_in(folder: Path) -> list[Path]:
    """Photographs of class folders, sorted."""
    return sorted(one for one in folder.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg", ".png"))


def sorted_by_memory(data: Path, champion: Champion) -> tuple[list[Path], dict[str, list[Path]]]:
    """Photographs of the locked test, and those that the champion does not remember, by collection."""
    memory = champion.memory
    assert memory is not None
    test = set(memory.pixel_hash[memory.rows("test")].tolist())
    every = set(memory.pixel_hash.tolist())
    tested: list[Path] = []
    others: dict[str, list[Path]] = {name: [] for name in HOME}
    for name in HOME:
        for file in photographs_in(data / name):
            body = file.read_bytes()
            pixels, _ = sketched(body, read_header(body), DecodeLimits())
            short = int(pixels[:16], 16)
            if short in test:
                tested.append(file)
            elif short not in every:
                others[name].append(file)
    return tested, others


def found(
    files: Sequence[Path], change: Callable[[bytes], bytes], predictor: BundlePredictor, champion: Champion
) -> float:
    """Share of photographs that are taken for one of the locked test."""
    with tempfile.TemporaryDirectory() as made:
        sent = []
        for number, file in enumerate(files):
            path = Path(made) / str(number)
            path.write_bytes(change(file.read_bytes()))
            sent.append(Sent(str(number), "x", path))
        looked = look(sent, predictor).looked
    twins = find_twins(looked, ["x"] * len(looked), champion, known_of([], None))
    return float(np.mean([any(f.kind == "test_duplicate" for f in one) for one in twins.findings]))


if __name__ == "__main__":
    main()
