"""Makes diagnosis.png: drawn leaves, where the evidence is, and the answers of the model of `make demo`.

make demo && .venv/bin/python docs/pictures/make_diagnosis.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from leafsight.dataset import draw_leaf
from leafsight.images import overlay_heatmap
from leafsight.inference import BundlePredictor, Prediction

MODEL = Path("runs/demo/model.leafsight")
TARGET = Path(__file__).with_name("diagnosis.png")
# Leaves of a seed that no demo photograph has.
LEAVES = (
    ("Roundleaf", "Leaf_spot", False),
    ("Lanceleaf", "Blight", True),
    ("Roundleaf", "Powdery_mildew", True),
)
SEED, SIDE_PX, GAP_PX, TEXT_PX = 9_000_004, 300, 14, 118


def main() -> None:
    """Draw, ask, lay out, save."""
    photos = [
        draw_leaf(crop, condition, seed=SEED, field=field, side_px=SIDE_PX)
        for crop, condition, field in LEAVES
    ]
    predictions = BundlePredictor(MODEL).predict(photos, heatmap=True)
    columns = [column(*pair) for pair in zip(photos, predictions, strict=True)]
    height, width = columns[0].shape[:2]
    sheet = np.full((height, (width + GAP_PX) * len(columns) - GAP_PX, 3), 255, np.uint8)
    for number, picture in enumerate(columns):
        left = number * (width + GAP_PX)
        sheet[:, left : left + width] = picture
    Image.fromarray(sheet).save(TARGET, optimize=True)
    print(TARGET)


def column(photo: np.ndarray, prediction: Prediction) -> np.ndarray:
    """Photograph and heatmap side by side, the answer below."""
    assert prediction.heatmap is not None
    pair = np.concatenate([photo, overlay_heatmap(photo, prediction.heatmap)], axis=1)
    panel = Image.new("RGB", (pair.shape[1], TEXT_PX), "white")
    pen, large, small = ImageDraw.Draw(panel), ImageFont.load_default(26), ImageFont.load_default(17)
    sure = "" if prediction.probability is None else f"   {prediction.probability:.0%}"
    pen.text((6, 8), (prediction.display or prediction.verdict.replace("_", " ")) + sure, "black", large)
    others = ", ".join(one.display for one in prediction.possible)
    for line, text in enumerate(wrapped(f"Cannot be excluded: {others}", 66)[:3]):
        pen.text((6, 46 + 22 * line), text, "#444444", small)
    return np.concatenate([pair, np.asarray(panel)], axis=0)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters."""
    import textwrap

    return textwrap.wrap(text, width)


if __name__ == "__main__":
    main()
