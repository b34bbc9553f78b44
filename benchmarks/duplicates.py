"""How many transformed copies the duplicate finder finds, and how many of its pairs are true.

    python benchmarks/duplicates.py data/plantvillage data/flowers ... [--per-kind 600] [--judged pairs.csv]
        [--leaf-map leaf_groups.csv] [--seed 0] [--threads 1] [--sheet false.png] [--json]

Copies of each kind are made from real photographs of ``<folder>/<class>/<file>`` and put beside all
originals, each photograph being copied at most once in a round. The plants (what stands before ``___`` in a
class, else the collection) are dealt into two halves of about equal size. The threshold is the least, from
0.85, at which 99 % of the pairs of every kind are true on the first half; the table shows the second. A
copy is found when it is paired with its own original. A pair is true when both come from one photograph,
from two that a person judged to be the same (``--judged``: a CSV ``one,other,verdict``; verdict ``same``)
or from one leaf (``--leaf-map``). All others count as false, also those that nobody has looked at;
``--sheet`` writes them as a picture, to be looked at.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

Change = Callable[[Image.Image, np.random.Generator], Image.Image]
TURN = Image.Transpose
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
PRECISION = 0.99
LOWEST = 0.85  # pairs of originals were looked at down to this score, so nothing below can be called precise
FLIPS = [turn for turn in TURN if turn not in (TURN.TRANSPOSE, TURN.TRANSVERSE)]


class Photos(NamedTuple):
    """Originals of one half, or all: names, plants, sketches and hashes."""

    names: list[str]
    files: list[Path]
    grey: np.ndarray
    rgb: np.ndarray
    hashes: list[str]


class Scored(NamedTuple):
    """Pairs of one round: whose kind, the score, whether true, and whether it is a copy with its original."""

    kind: np.ndarray
    score: np.ndarray
    true: np.ndarray
    own: np.ndarray
    named: np.ndarray
    sides: list[tuple[int, int]]


def main() -> int:
    options = _options()
    if options.threads:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(options.threads)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    photos = read_photos(options.folders)
    relatives = read_relatives(options.judged, options.leaf_map)
    halves = dealt([plant_of(name) for name in photos.names])
    rng = np.random.default_rng(options.seed)
    results = []
    for half in (0, 1):
        mine = np.flatnonzero(halves == half)
        results.append(measure(photos, mine, relatives, options.per_kind, rng))
    threshold = choose(results[0][0])
    rows = table(*results[1], threshold)
    first = table(*results[0], threshold)
    if options.sheet:
        write_sheet(options.sheet, photos, [scored for scored, _ in results], threshold)
    if options.json:
        print(json.dumps({"threshold": threshold, "first_half": first, "second_half": rows}, indent=2))
    else:
        print(f"{len(photos.names)} photographs; threshold {threshold:.3f}, chosen on the first half")
        for title, shown in (("first half (chosen on)", first), ("second half (reported)", rows)):
            show(title, shown)
    return 0


def read_photos(folders: list[Path]) -> Photos:
    """Every photograph below the folders, as sketches."""
    names, files, grey, rgb, hashes = [], [], [], [], []
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                picture = opened(file)
                names.append(f"{folder.name}/{file.relative_to(folder).as_posix()}")
                files.append(file)
                luma, colour = sketch(picture)
                grey.append(luma)
                rgb.append(colour)
                hashes.append(hashlib.sha256(picture.tobytes()).hexdigest())
    return Photos(names, files, np.stack(grey), np.stack(rgb), hashes)


def opened(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def sketch(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    box = Image.Resampling.BOX
    return np.asarray(picture.convert("L").resize((64, 64), box)), np.asarray(picture.resize((32, 32), box))


def plant_of(name: str) -> str:
    collection, class_name = name.split("/")[:2]
    return class_name.split("___")[0] if "___" in class_name else collection


def dealt(plants: list[str]) -> np.ndarray:
    """0 or 1 for each photograph; the largest plant first, always to the smaller half."""
    sizes, half = [0, 0], {}
    for plant, count in sorted(Counter(plants).items(), key=lambda item: (-item[1], item[0])):
        half[plant] = int(sizes[1] < sizes[0])
        sizes[half[plant]] += count
    return np.array([half[plant] for plant in plants])


def read_relatives(judged: Path | None, leaf_map: Path | None) -> dict[str, str]:
    """Name of a photograph to the name that stands for all that show the same."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    if judged:
        with judged.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["verdict"] == "same":
                    parent[find(row["one"])] = find(row["other"])
    if leaf_map:
        with leaf_map.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                name = f"{leaf_map.parent.name}/{row['class']}/{row['file']}"
                parent[find(name)] = find(f"leaf {row['class']} {row['leaf']}")
    return {name: find(name) for name in list(parent)}


def measure(
    photos: Photos, mine: np.ndarray, relatives: dict[str, str], per_kind: int, rng: np.random.Generator
) -> tuple[Scored, dict[str, int]]:
    """All pairs that the finder gives at a low threshold, over as many rounds as the copies need."""
    from leafsight.dataset.duplicates import DuplicateOptions, find_duplicates

    order, kinds = rng.permutation(mine), list(KINDS)
    a_round = max(1, min(len(kinds), len(mine) // per_kind))
    found: list[Scored] = []
    made: dict[str, int] = {}
    for at in range(0, len(kinds), a_round):
        grey, rgb, source, kind = [], [], [], []
        for nth, name in enumerate(kinds[at : at + a_round]):
            for place in order[nth * per_kind : (nth + 1) * per_kind].tolist():
                luma, colour = sketch(
                    jpeg(KINDS[name](opened(photos.files[place]), rng), rng.integers(85, 96))
                )
                grey.append(luma)
                rgb.append(colour)
                source.append(place)
                kind.append(name)
        made.update(Counter(kind))
        places = np.concatenate([mine, source])
        hashes = [photos.hashes[place] for place in mine.tolist()] + [None] * len(source)
        started = time.process_time()
        result = find_duplicates(
            np.concatenate([photos.grey[mine], np.stack(grey)]),
            np.concatenate([photos.rgb[mine], np.stack(rgb)]),
            hashes,
            hashes,
            options=DuplicateOptions(least_score=0.5),
        )
        print(f"  {len(places)} rows: {time.process_time() - started:.1f} s of processor time", flush=True)
        family = [relatives.get(photos.names[place], photos.names[place]) for place in places.tolist()]
        found.append(_scored(result.pairs, len(mine), places, kind, family))
        rng.shuffle(order)
    return Scored(
        *(np.concatenate(parts) for parts in zip(*(one[:5] for one in found), strict=True)),
        [side for one in found for side in one.sides],
    ), made


def _scored(
    pairs: tuple[Any, ...], originals: int, places: np.ndarray, kind: list[str], family: list[str]
) -> Scored:
    rows = []
    for pair in pairs:
        which = "originals" if pair.other < originals else kind[pair.other - originals]
        own = pair.one < originals <= pair.other and places[pair.one] == places[pair.other]
        sides = (int(places[pair.one]), int(places[pair.other]))
        rows.append((which, pair.score, family[pair.one] == family[pair.other], own, pair.kind, sides))
    columns = list(zip(*rows, strict=True))
    return Scored(*(np.array(column) for column in columns[:5]), list(columns[5]))


def choose(scored: Scored) -> float:
    """The least threshold at which every kind of copy is as precise as wanted, in steps of 0.005."""
    for threshold in np.arange(LOWEST, 1.0, 0.005).tolist():
        chosen = scored.score >= threshold
        shares = [scored.true[chosen & (scored.kind == name)].mean() for name in KINDS]
        if min(shares) >= PRECISION:
            return round(threshold, 3)
    return 1.0


def table(scored: Scored, made: dict[str, int], threshold: float) -> list[dict[str, Any]]:
    rows = []
    for name in (*KINDS, "originals"):
        chosen = (scored.kind == name) & (scored.score >= threshold)
        own = chosen & scored.own
        named = Counter(scored.named[own].tolist()).most_common(2)
        rows.append(
            {
                "kind": name,
                "copies": made.get(name, 0),
                "recall": round(float(own.sum()) / made[name], 4) if name in made else None,
                "pairs": int(chosen.sum()),
                "false": int((chosen & ~scored.true).sum()),
                "precision": round(float(scored.true[chosen].mean()), 4) if chosen.any() else None,
                "called": {kind: round(count / max(int(own.sum()), 1), 3) for kind, count in named},
            }
        )
    return rows


def show(title: str, rows: list[dict[str, Any]]) -> None:
    print(
        f"\n{title}\n{'kind':18}{'copies':>7}{'recall':>9}{'pairs':>7}{'false':>6}{'precision':>10}  called"
    )
    for row in rows:
        recall = "" if row["recall"] is None else f"{row['recall']:.4f}"
        precision = "" if row["precision"] is None else f"{row['precision']:.4f}"
        called = ", ".join(f"{kind} {share:.0%}" for kind, share in row["called"].items())
        counts = f"{row['copies']:7}{recall:>9}{row['pairs']:7}{row['false']:6}"
        print(f"{row['kind']:18}{counts}{precision:>10}  {called}")


def write_sheet(path: Path, photos: Photos, halves: list[Scored], threshold: float) -> None:
    """Originals behind the pairs that count as false in either half, best score first, at most 120."""
    worst: dict[tuple[int, int], float] = {}
    for scored in halves:
        for at in np.flatnonzero((scored.score >= threshold) & ~scored.true).tolist():
            low, high = sorted(scored.sides[at])
            worst[low, high] = max(worst.get((low, high), 0.0), float(scored.score[at]))
    shown = sorted(worst, key=lambda pair: -worst[pair])[:120]
    sheet = Image.new("RGB", (8 * 210, -(-max(len(shown), 1) // 8) * 116), "white")
    draw = ImageDraw.Draw(sheet)
    for number, pair in enumerate(shown):
        left, top = number % 8 * 210, number // 8 * 116
        for nth, place in enumerate(pair):
            sheet.paste(opened(photos.files[place]).resize((100, 100)), (left + nth * 101, top + 13))
        draw.text((left, top), f"{number} {worst[pair]:.3f} {plant_of(photos.names[pair[0]])[:14]}", "black")
        print(f"  {number}: {photos.names[pair[0]]} | {photos.names[pair[1]]}")
    sheet.save(path)


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(quality))
    return Image.open(file).convert("RGB")


def relit(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Brightness, contrast or gamma changed by 10 to 30 %."""
    shares = np.asarray(picture).astype(np.float32) / 255
    factor = 1 + rng.uniform(0.1, 0.3) * rng.choice([-1, 1])
    which = rng.integers(3)
    changed = (shares * factor, (shares - shares.mean()) * factor + shares.mean(), shares**factor)[which]
    return Image.fromarray((np.clip(changed, 0, 1) * 255 + 0.5).astype(np.uint8))


def resized(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = 2 ** rng.uniform(-1, 1)
    ways = (
        Image.Resampling.NEAREST,
        Image.Resampling.BILINEAR,
        Image.Resampling.BICUBIC,
        Image.Resampling.LANCZOS,
    )
    size = tuple(max(8, round(side * factor)) for side in picture.size)
    return picture.resize(size, ways[rng.integers(len(ways))])  # type: ignore[arg-type]


def cropped(picture: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    width, height = (round(side * share) for side in picture.size)
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def rotated(picture: Image.Image, corners: str, rng: np.random.Generator) -> Image.Image:
    """By 3 to 15 degrees either way; the corners black, white, reflected or cut off."""
    angle = rng.uniform(3, 15) * rng.choice([-1, 1])
    width, height = picture.size
    if corners == "reflected":
        edge = max(picture.size) // 4
        wide = np.pad(np.asarray(picture), ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
        turned = Image.fromarray(wide).rotate(angle, Image.Resampling.BICUBIC)
        return turned.crop((edge, edge, edge + width, edge + height))
    fill = (255, 255, 255) if corners == "white" else (0, 0, 0)
    turned = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=fill)
    if corners != "cut":
        return turned
    cosine, sine = np.cos(np.deg2rad(abs(angle))), np.sin(np.deg2rad(abs(angle)))
    share = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    across, along = int(width * share), int(height * share)
    left, top = (width - across) // 2, (height - along) // 2
    return turned.crop((left, top, left + across, top + along))


def flipped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture.transpose(FLIPS[rng.integers(len(FLIPS))])


KINDS: dict[str, Change] = {
    "mirror": lambda picture, rng: picture.transpose(TURN.FLIP_LEFT_RIGHT),
    "upside-down": lambda picture, rng: picture.transpose(TURN.FLIP_TOP_BOTTOM),
    "turn-90": lambda picture, rng: picture.transpose(TURN.ROTATE_90),
    "turn-180": lambda picture, rng: picture.transpose(TURN.ROTATE_180),
    "turn-270": lambda picture, rng: picture.transpose(TURN.ROTATE_270),
    "re-encode": lambda picture, rng: jpeg(picture, rng.integers(30, 91)),
    "resize": resized,
    "relight": relit,
    "crop-80": lambda picture, rng: cropped(picture, 0.8, rng),
    "crop-80-95": lambda picture, rng: cropped(picture, rng.uniform(0.8, 0.95), rng),
    "rotate-black": lambda picture, rng: rotated(picture, "black", rng),
    "rotate-white": lambda picture, rng: rotated(picture, "white", rng),
    "rotate-reflect": lambda picture, rng: rotated(picture, "reflected", rng),
    "rotate-cut": lambda picture, rng: rotated(picture, "cut", rng),
    "flip+encode+light": lambda picture, rng: relit(jpeg(flipped(picture, rng), rng.integers(30, 91)), rng),
    "crop+flip+light": lambda picture, rng: relit(
        flipped(cropped(picture, rng.uniform(0.85, 0.95), rng), rng), rng
    ),
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="collections of <class>/<file>")
    parser.add_argument("--per-kind", type=int, default=600, help="copies of each kind in each half")
    parser.add_argument("--judged", type=Path, help="CSV one,other,verdict")
    parser.add_argument("--leaf-map", type=Path, help="CSV class,file,leaf in the folder it belongs to")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="cores to use; 0: all")
    parser.add_argument("--sheet", type=Path, help="PNG of the pairs that count as false")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
