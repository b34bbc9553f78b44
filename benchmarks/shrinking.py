"""Does shrinking in the browser change the answer? The page's own module, in a real Chromium.

    python benchmarks/shrinking.py [--photos 210] [--data data] [--ways 720:0.95 ...] [--json]

Enters: a folder of collections. None of them has large photographs, so large ones are made: a real photograph
enlarged to one of seven sizes of telephones (3 to 16 megapixels), with what is finer than it can show taken
from other photographs at their own resolution, and sensor noise; saved as JPEG of quality 95, 92 or 88. What
the network sees is then a real photograph; what shrinking has to get rid of is like a real one, but not real.

Leaves: a table. Each line is a way to change the file; its answers by the built-in model are held against
those of the untouched file: same verdict and class; same set of what is possible; largest difference of any
probability (largest of all photographs, their 95th percentile and median, and the largest where the untouched
file gets a diagnosis); the largest relative difference of the sharpness; and what is left of the bytes.
"saved once more" does not go through a browser: the file is opened and saved again at full size with quality
95, as a gallery does. It is the yardstick: less than that is nothing.
"""

from __future__ import annotations

import argparse
import http.server
import io
import json
import random
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from leafsight.bundle import builtin_bundle_path
from leafsight.inference import BundlePredictor, Prediction
from leafsight.web import page_file

COLLECTIONS = (
    "plantvillage-native-sample", "field-apple", "field-bean", "field-chilli", "field-blackgram",
    "citrus-leaf",
)  # fmt: skip
SIZES_PX = (
    (4032, 3024), (3024, 4032), (4000, 3000), (2592, 1944), (1944, 1600), (4608, 3456), (3072, 4080),
)  # fmt: skip
WAYS = ("512:0.95", "720:0.85", "720:0.92", "720:0.95", "720:0.98", "1440:0.95")
QUALITIES = (95, 92, 88)
TILE_PX, FINE_PX, NOISE_LEVELS = 256, 5, 5
SHRINK = """async ([shortSidePx, quality]) => {
  const { shrink } = await import("/page/diagnose-shrink.js");
  const file = new File([await (await fetch("/photograph")).blob()], "a.jpg");
  const done = await shrink(file, { shortSidePx, quality, untouchedBytes: 0 });
  await fetch("/shrunk", { method: "POST", body: done.blob });
}"""


@dataclass(slots=True)
class Against:
    """How the answers of one way differ from those of the untouched files."""

    way: str
    same: int = 0
    same_set: int = 0
    differences: list[float] = field(default_factory=list)
    diagnosed: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    sent_bytes: int = 0
    whole_bytes: int = 0

    def add(self, before: Prediction, after: Prediction, sent: int, whole: int) -> None:
        self.same += (before.verdict, before.key) == (after.verdict, after.key)
        self.same_set += {one.key for one in before.possible} == {one.key for one in after.possible}
        ours, theirs = ({one.class_name: one.probability for one in each.top} for each in (before, after))
        self.differences.append(max(abs(ours[name] - theirs.get(name, 0.0)) for name in ours))
        if before.is_diagnosis:
            self.diagnosed.append(self.differences[-1])
        sharp = before.quality["sharpness"]
        self.sharpness.append(abs(after.quality["sharpness"] - sharp) / max(sharp, 1e-9))
        self.sent_bytes += sent
        self.whole_bytes += whole

    def row(self) -> dict[str, Any]:
        count = len(self.differences)
        return {
            "way": self.way,
            "photographs": count,
            "same_verdict": self.same,
            "same_set": self.same_set,
            "difference_max": max(self.differences),
            "difference_p95": float(np.quantile(self.differences, 0.95)),
            "difference_median": float(np.median(self.differences)),
            "difference_max_diagnosis": max(self.diagnosed, default=0.0),
            "sharpness_max": max(self.sharpness),
            "bytes_left": self.sent_bytes / self.whole_bytes,
            "mean_bytes": self.sent_bytes // count,
        }


class Exchange(http.server.BaseHTTPRequestHandler):
    """Gives the browser the page's module and one photograph, takes what became of it."""

    photograph, shrunk = b"", b""

    def do_GET(self) -> None:
        """The module, the photograph, or an empty page to run in."""
        name = self.path.removeprefix("/page/")
        found = page_file(name) if name != self.path else None
        if found is not None:
            self._answer(found.body, found.media_type)
        elif self.path == "/photograph":
            self._answer(Exchange.photograph, "image/jpeg")
        else:
            self._answer(b"<!doctype html><link rel=icon href=data:,><title>shrinking</title>", "text/html")

    def do_POST(self) -> None:
        """What is left of the photograph."""
        Exchange.shrunk = self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"", "text/plain")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def browser_page() -> Iterator[Any]:
    """A page of a local server, in Chromium."""
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            yield page
            browser.close()
    finally:
        server.shutdown()


def in_browser(page: Any, side_px: int, quality: float) -> Callable[[bytes], bytes]:
    """A way that goes through the page's module."""

    def way(data: bytes) -> bytes:
        Exchange.photograph = data
        page.evaluate(SHRINK, [side_px, quality])
        return Exchange.shrunk

    return way


def saved_once_more(data: bytes) -> bytes:
    """As a gallery does it."""
    target = io.BytesIO()
    Image.open(io.BytesIO(data)).save(target, "JPEG", quality=95)
    return target.getvalue()


def pick(data: Path, count: int, seed: int = 0) -> list[Path]:
    """As many from each collection."""
    rng = random.Random(seed)
    found = []
    for name in COLLECTIONS:
        paths = sorted(path for path in (data / name).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        rng.shuffle(paths)
        if paths:
            found.append(paths)
    if not found:
        sys.exit(f"{data} has none of {', '.join(COLLECTIONS)}")
    dealt = (path for turn in zip(*found, strict=False) for path in turn)
    return [path for path, _ in zip(dealt, range(count), strict=False)]


def fine_texture(paths: list[Path]) -> np.ndarray:
    """What is finer than ``FINE_PX`` in sixteen photographs, side by side, and noise: int16[h, w, 3]."""
    tiles = []
    for path in paths[:16]:
        picture = Image.open(path).convert("RGB")
        side = min(picture.size)
        picture = picture.crop((0, 0, side, side)).resize((TILE_PX, TILE_PX))
        coarse = picture.filter(ImageFilter.GaussianBlur(FINE_PX))
        tiles.append(np.asarray(picture, np.float32) - np.asarray(coarse, np.float32))
    tiles = [tiles[at % len(tiles)] for at in range(16)]
    sheet = np.concatenate([np.concatenate(tiles[at : at + 4], axis=1) for at in range(0, 16, 4)])
    sheet = np.concatenate([sheet, sheet[:, ::-1]], axis=1)
    sheet = np.concatenate([sheet, sheet[::-1]])
    noise = np.random.default_rng(0).normal(0, NOISE_LEVELS, sheet.shape)
    return np.asarray(sheet + noise).astype(np.int16)


def enlarged(path: Path, number: int, texture: np.ndarray) -> bytes:
    """A large photograph that shows what a small one shows; JPEG."""
    width, height = SIZES_PX[number % len(SIZES_PX)]
    large = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    times = (-(-height // texture.shape[0]), -(-width // texture.shape[1]), 1)
    fine = np.tile(texture, times)[:height, :width]
    pixels = np.clip(np.asarray(large, np.int16) + fine, 0, 255).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=QUALITIES[number % len(QUALITIES)])
    return target.getvalue()


def measure(
    predictor: BundlePredictor, photographs: Iterator[bytes], ways: dict[str, Callable[[bytes], bytes]]
) -> tuple[list[Against], Counter[str]]:
    """Every way against the untouched file, photograph by photograph."""
    found = [Against(way) for way in ways]
    verdicts: Counter[str] = Counter()
    for data in photographs:
        before = predictor.predict([data])[0]
        verdicts[before.verdict] += 1
        for against in found:
            changed = ways[against.way](data)
            against.add(before, predictor.predict([changed])[0], len(changed), len(data))
    return found, verdicts


def print_table(rows: list[dict[str, Any]], verdicts: Counter[str]) -> None:
    print(f"untouched: {', '.join(f'{count} {name}' for name, count in verdicts.most_common())}\n")
    print(
        "| way | same verdict and class | same set | difference: largest, 95 %, median | of a diagnosis "
        "| sharpness | bytes left |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        count = row["photographs"]
        print(
            f"| {row['way']} | {row['same_verdict']} of {count} | {row['same_set']} of {count} | "
            f"{row['difference_max']:.3f}, {row['difference_p95']:.3f}, {row['difference_median']:.4f} | "
            f"{row['difference_max_diagnosis']:.3f} | "
            f"{row['sharpness_max']:.1%} | {row['bytes_left']:.1%}, {row['mean_bytes'] // 1000} kB |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--photos", type=int, default=210)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[1] / "data")
    parser.add_argument("--ways", nargs="*", default=WAYS, metavar="SIDE:QUALITY")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    paths = pick(given.data, given.photos)
    texture = fine_texture(paths)
    predictor = BundlePredictor(builtin_bundle_path(), top=1000)
    with browser_page() as page:
        ways: dict[str, Callable[[bytes], bytes]] = {"saved once more, full size": saved_once_more}
        for one in given.ways:
            side, _, quality = one.partition(":")
            ways[f"halved to {side} px or more, quality {quality}"] = in_browser(
                page, int(side), float(quality)
            )
        large = (enlarged(path, number, texture) for number, path in enumerate(paths))
        found, verdicts = measure(predictor, large, ways)
    rows = [against.row() for against in found]
    if given.json:
        print(json.dumps({"verdicts": verdicts, "rows": rows}, indent=1))
    else:
        print_table(rows, verdicts)


if __name__ == "__main__":
    main()
