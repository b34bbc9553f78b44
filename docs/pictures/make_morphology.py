"""Makes morphology.png: the seven operations of morphology on a drawn leaf, as a network would see it.

.venv/bin/python docs/pictures/make_morphology.py
.venv/bin/python docs/pictures/make_morphology.py leaf.jpg sheet.png --size 5 --shape disc
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from leafsight.dataset import draw_leaf
from leafsight.images import ELEMENT_SHAPES, Preprocessing, morphology_sheet, prepare_bytes, read_photo

TARGET = Path(__file__).with_name("morphology.png")
LEAF, SEED, SIDE_PX, SIZE_PX = ("Roundleaf", "Leaf_spot"), 9_000_004, 224, 5


def main() -> None:
    """Draw or read, lay out, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, help="a photograph instead of the drawn leaf")
    parser.add_argument("target", nargs="?", default=TARGET, type=Path, help="the picture to write")
    parser.add_argument("--size", default=SIZE_PX, type=int, help="side of the element in pixels, odd")
    parser.add_argument("--shape", default="square", choices=ELEMENT_SHAPES)
    parser.add_argument("--side", default=SIDE_PX, type=int, help="side that the network sees")
    words = parser.parse_args()
    if words.photo and words.target == TARGET:
        parser.error("name the picture to write: that of the documents shows a drawn leaf")
    sheet = morphology_sheet(square(words.photo, words.side), words.size, shape=words.shape)
    Image.fromarray(sheet).save(words.target, optimize=True)
    print(words.target)


def square(photo: Path | None, side_px: int) -> np.ndarray:
    """The pixels that a network of this side gets."""
    if photo is None:
        return draw_leaf(*LEAF, seed=SEED, side_px=side_px)
    return prepare_bytes(read_photo(photo), Preprocessing(side_px=side_px))


if __name__ == "__main__":
    main()
