"""What does one more JPEG compression of the same strength cost? A copy of a collection to train on.

    python -m benchmarks.compressed_again data/cifar-10-jpeg --out data/cifar-10-again

Every JPEG file is decoded, compressed once more with its own quantisation tables and colour sampling, and
written as PNG, so that nothing is lost after that. The second compression must not fall on the blocks of the
first, where it would change next to nothing: the picture is enlarged by half a block of reflected pixels on
every side before it, and cut back after it. What the first compression cost cannot be measured without the
pictures from before it; what a second one costs shows how much a network minds.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin

from leafsight.errors import UsageError

MARGIN_PX = 4  # half of the 8 x 8 px on which JPEG works
SUFFIXES = {".jpg", ".jpeg"}


def compressed_again(file: bytes) -> np.ndarray:
    """The pixels of a JPEG file after one more compression like its own.

    Returns:
        uint8 ``[h, w, 3]``, as large as the picture of the file.

    Raises:
        UsageError: no JPEG, or narrower than the margin, so that nothing can be reflected.
    """
    with Image.open(io.BytesIO(file)) as once:
        if not isinstance(once, JpegImagePlugin.JpegImageFile) or min(once.size) <= MARGIN_PX:
            raise UsageError(f"not a JPEG of more than {MARGIN_PX} px")
        how = {"qtables": once.quantization, "subsampling": JpegImagePlugin.get_sampling(once)}
        pixels = np.asarray(once.convert("RGB"))
    wide = np.pad(pixels, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)), mode="reflect")
    twice = io.BytesIO()
    Image.fromarray(wide).save(twice, "JPEG", **how)
    with Image.open(twice) as opened:
        return np.asarray(opened.convert("RGB"))[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def write_copy(folder: Path, out: Path) -> Iterator[Path]:
    """Write the copy below ``out``, with the same folders; yields each file that stands there."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        place = (out / path.relative_to(folder)).with_suffix(".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(compressed_again(path.read_bytes())).save(place, compress_level=1)
        yield place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    print(f"{sum(1 for _ in write_copy(given.folder, given.out))} files")


if __name__ == "__main__":
    main()
