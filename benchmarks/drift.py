"""How often the look for drift calls chance a change, and how often it sees a real one.

    python benchmarks/drift.py --collection FOLDER --other FOLDER [--model FILE] [--photographs 600]
        [--looks 400] [--json]

Every photograph is diagnosed once; then windows are drawn from the answers, many times. Nothing is fitted.

- "alike, one by one": both windows hold photographs of one collection, drawn at random, each alone.
- "alike, in visits": both windows hold visits; a visit is six photographs of one class, so that the
  photographs of a visit are alike, as those of one field are. Judged by visits, as the service does, and for
  comparison as if each photograph stood for itself.
- "other plants": the recent window holds photographs of the other collection, all of them or a part.
- "darker", "blurred": the recent window holds the same collection with half the light, or out of focus.

A false alarm is any difference in photographs that are alike; `drift` counts those that are called large.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import io
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from leafsight.inference import BundlePredictor
from leafsight.registry import SERVING, open_registry
from leafsight.service.drift import compared
from leafsight.state import SampledPrediction

HOUR_MS = 3_600_000
VISIT = 6
AT_ONCE = 16
Rows = list[SampledPrediction]


def files_of(folder: Path, most: int, rng: np.random.Generator) -> list[Path]:
    """Some photographs of every class, in an order of chance."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    return [found[place] for place in rng.permutation(len(found))[:most]]


def changed(data: bytes, change: Callable[[Image.Image], Image.Image]) -> bytes:
    """A photograph after a change, as JPEG again."""
    file = io.BytesIO()
    change(Image.open(io.BytesIO(data)).convert("RGB")).save(file, "JPEG", quality=92)
    return file.getvalue()


def diagnosed(predictor: BundlePredictor, photographs: list[bytes], classes: list[str]) -> Rows:
    """Answers as the service keeps them; the key stands for the class, to draw visits by."""
    rows: Rows = []
    for start in range(0, len(photographs), AT_ONCE):
        some = photographs[start : start + AT_ONCE]
        for one, kind in zip(predictor.predict(some), classes[start : start + AT_ONCE], strict=True):
            embedding = None if one.embedding is None else one.embedding.astype(np.float16)
            answer = one.to_dict()
            rows.append(
                SampledPrediction(
                    created_ms=0, key_id=kind, verdict=one.verdict, class_key=one.key,
                    answer={"top": answer["top"], "unfamiliarity": answer["unfamiliarity"]},
                    quality=dict(one.quality), embedding=embedding,
                )
            )  # fmt: skip
    return rows


def alone(rows: Rows, rng: np.random.Generator, many: int) -> Rows:
    """Photographs drawn at random, each on an occasion of its own."""
    chosen = rng.choice(len(rows), many, replace=False)
    return [replace(rows[place], created_ms=at * HOUR_MS, key_id=None) for at, place in enumerate(chosen)]


def visits(rows: Rows, rng: np.random.Generator, many: int) -> list[Rows]:
    """Visits of one class each, at an hour of their own."""
    classes: dict[str, Rows] = {}
    for row in rows:
        classes.setdefault(str(row.key_id), []).append(row)
    names = sorted(classes)
    drawn = []
    for at in range(many):
        own = classes[names[int(rng.integers(len(names)))]]
        chosen = rng.choice(len(own), VISIT, replace=False)
        drawn.append([replace(own[place], created_ms=at * HOUR_MS, key_id=None) for place in chosen])
    return drawn


def halves(rows: Rows, rng: np.random.Generator, many: int) -> tuple[Rows, Rows]:
    """Two windows without a photograph in both."""
    both = alone(rows, rng, 2 * many)
    return both[:many], both[many:]


def looks(pools: dict[str, Rows], rng: np.random.Generator) -> Iterator[tuple[str, Callable[[], dict]]]:
    """Every kind of look, by name."""
    home, own = pools["collection"], rng

    def in_visits(each_alone: bool) -> dict:
        first, second = visits(home, own, 40), visits(home, own, 20)
        windows = [[row for one in some for row in one] for some in (first, second)]
        if each_alone:
            windows = [
                [replace(row, created_ms=at * HOUR_MS) for at, row in enumerate(rows)] for rows in windows
            ]
        return compared(windows[0], windows[1])

    def alike(many: int) -> dict:
        first, second = halves(home, own, many)
        return compared(first, second)

    def against(name: str, many: int, part: float = 1.0) -> dict:
        first, second = halves(home, own, many)
        new = round(part * many)
        return compared(first, [*second[new:], *alone(pools[name], own, new)] if new < many else
                        alone(pools[name], own, many))  # fmt: skip

    for many in (60, 250):
        yield f"alike, one by one, {many} and {many}", lambda many=many: alike(many)
    yield "alike, in visits, 240 and 120", lambda: in_visits(False)
    yield "alike, in visits, taken one by one", lambda: in_visits(True)
    for part in (1.0, 0.3, 0.1):
        for many in (60, 250):
            yield (
                f"other plants, {part:.0%} of {many}",
                lambda many=many, part=part: against("other", many, part),
            )
    for name in ("darker", "blurred"):
        for many in (60, 250):
            yield f"{name}, all of {many}", lambda name=name, many=many: against(name, many)


def wilson(hits: int, many: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, JASA 22, 1927)."""
    z, share = 1.96, hits / many
    middle = (share + z * z / (2 * many)) / (1 + z * z / many)
    half = z * math.sqrt(share * (1 - share) / many + z * z / (4 * many * many)) / (1 + z * z / many)
    return max(0.0, middle - half), min(1.0, middle + half)


def pools_of(arguments: argparse.Namespace, rng: np.random.Generator) -> dict[str, Rows]:
    """Answers to the photographs of both collections, and to the first one's after a change."""
    model = arguments.model
    if model is None:
        with tempfile.TemporaryDirectory() as empty:  # an empty registry serves the built-in model
            registry = open_registry(Path(empty))
            model = registry.bundle(registry.get(SERVING), keep_network=True)
    predictor = BundlePredictor(model, threads=1, top=5)
    pools = {}
    for name, folder in (("collection", arguments.collection), ("other", arguments.other)):
        files = files_of(folder, arguments.photographs, rng)
        photographs = [path.read_bytes() for path in files]
        classes = [path.parent.name for path in files]
        pools[name] = diagnosed(predictor, photographs, classes)
        if name == "collection":
            dark = [
                changed(data, lambda picture: picture.point(lambda level: level // 2)) for data in photographs
            ]
            soft = [changed(data, _blurred) for data in photographs]
            pools |= {
                "darker": diagnosed(predictor, dark, classes),
                "blurred": diagnosed(predictor, soft, classes),
            }
    return pools


def _blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 256))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--other", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--photographs", type=int, default=600)
    parser.add_argument("--looks", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    table = []
    for name, look in looks(pools_of(arguments, rng), rng):
        many = arguments.looks if name.startswith("alike") else max(1, arguments.looks // 4)
        states = [look()["state"] for _ in range(many)]
        any_, large = sum(one in ("small", "drift") for one in states), states.count("drift")
        low, high = wilson(any_, many)
        table.append(
            {"look": name, "looks": many, "any": any_ / many, "low": low, "high": high, "drift": large / many}
        )
        if not arguments.json:
            row = table[-1]
            print(
                f"{name:40} {many:5} looks  any {row['any']:6.1%} ({low:.1%} - {high:.1%})"
                f"  drift {row['drift']:6.1%}",
                flush=True,
            )
    if arguments.json:
        json.dump(table, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
