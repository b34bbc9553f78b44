"""The picture of the program in the files that Windows and macOS want: ``python icons.py FOLDER``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

SIZES_PX = (16, 24, 32, 48, 64, 128, 256)
LARGEST_PX = 1024


def main() -> None:
    """Draw them."""
    from PIL import Image

    from leafsight.desktop.window.icon import as_png

    folder = Path(sys.argv[1])
    with Image.open(io.BytesIO(as_png(LARGEST_PX))) as drawn:
        drawn.save(folder / "leafsight.ico", sizes=[(side, side) for side in SIZES_PX])
        drawn.save(folder / "leafsight.icns")


if __name__ == "__main__":
    main()
