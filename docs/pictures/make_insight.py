"""Makes the three insight-*.png: figures of `leafsight insight` on drawn leaves with planted faults.

.venv/bin/python docs/pictures/make_insight.py

Planted: one class has four times as many leaves as another, one was photographed in the field only while all
others lie on paper, one has every fifth photograph out of focus, one was photographed in poor light.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from leafsight.dataset import Sketches, draw_leaf, index_photos
from leafsight.inspection import insight_figures, material_of

TARGETS = {
    "borders": "insight-borders.png",
    "sharpness": "insight-sharpness.png",
    "means": "insight-means.png",
}
LEAVES = {
    ("Lanceleaf", "Leaf_spot"): 60,
    ("Lanceleaf", "Rust"): 60,
    ("Lanceleaf", "healthy"): 120,
    ("Roundleaf", "Blight"): 60,
    ("Roundleaf", "Powdery_mildew"): 30,
    ("Roundleaf", "healthy"): 60,
}
IN_THE_FIELD, OUT_OF_FOCUS, IN_POOR_LIGHT = (
    ("Lanceleaf", "Rust"),
    ("Roundleaf", "Blight"),
    ("Roundleaf", "healthy"),
)
SIDE_PX, SEED = 160, 9_100_000


def main() -> None:
    """Draw, measure, save three of the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "drawn")
        sketches = Sketches(folder / "drawn.sketches")
        index = index_photos(folder / "drawn", sketches=sketches)
        figures = insight_figures(material_of(index, sketches, title="drawn"))
        for figure in figures:
            if figure.name in TARGETS:
                target = Path(__file__).with_name(TARGETS[figure.name])
                target.write_bytes(figure.png(width_px=1040))
                print(target, figure.answer)


def draw(folder: Path) -> None:
    """One photograph of each leaf, with what was planted."""
    for kind, leaves in LEAVES.items():
        crop, condition = kind
        (folder / f"{crop}___{condition}").mkdir(parents=True)
        for leaf in range(leaves):
            pixels = draw_leaf(crop, condition, seed=SEED + leaf, field=kind == IN_THE_FIELD, side_px=SIDE_PX)
            image = planted(pixels, kind, leaf)
            image.save(folder / f"{crop}___{condition}" / f"{leaf:03d}.jpg", quality=90)


def planted(pixels: np.ndarray, kind: tuple[str, str], leaf: int) -> Image.Image:
    """The photograph with the fault of its class."""
    image = Image.fromarray(pixels)
    if kind == OUT_OF_FOCUS and leaf % 5 == 0:
        image = image.filter(ImageFilter.GaussianBlur(4))
    return ImageEnhance.Brightness(image).enhance(0.75) if kind == IN_POOR_LIGHT else image


if __name__ == "__main__":
    main()
