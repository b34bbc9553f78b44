"""The photographs that are sent: 256 px JPEGs, real where they are at hand, else drawn.

Enters: a folder and a seed. Leaves: the bytes of files. It knows nothing of what is done with them.
"""

from __future__ import annotations

import random
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REAL = REPOSITORY / "data" / "plantvillage-native-sample"
"""At their original 256 px; ``data/plantvillage`` holds them at 160 px."""
DRAWN_SEED = 0


def photographs_folder(scratch: Path) -> Path:
    """``data/plantvillage-native-sample`` when it is there, else a folder of drawn leaves in ``scratch``."""
    if REAL.is_dir():
        return REAL
    from leafsight.dataset.synth import SynthOptions, write_synthetic_collection

    options = SynthOptions(leaves_per_class=8, side_px=256, seed=DRAWN_SEED)
    return write_synthetic_collection(scratch / "drawn", options).folder


def read_photographs(folder: Path, count: int, seed: int) -> list[bytes]:
    """``count`` JPEG files below ``folder``, drawn without replacement; fewer when there are no more.

    Raises:
        FileNotFoundError: none there.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no JPEG photographs")
    chosen = random.Random(seed).sample(paths, min(count, len(paths)))
    return [path.read_bytes() for path in chosen]
